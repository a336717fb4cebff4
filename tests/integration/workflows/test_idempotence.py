"""Running the graph again on what has not changed changes nothing."""

import os
from base64 import b64encode
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from PIL import Image

from alexandria.adapters.postgres import Database
from alexandria.workflows.operating.sources import Source
from alexandria.workflows.quality.verification import Count
from alexandria.workflows.reports import StageReport
from alexandria.workflows.workspace import Workspace

Sync = Callable[..., dict[str, StageReport]]
Snapshot = Callable[[Workspace], dict[str, list[str]]]
Write = Callable[[Path, str], Path]


def test_a_second_sync_writes_nothing_and_embeds_nothing(
    workspace: Workspace,
    source: Source,
    shelf: Path,
    write: Write,
    sync: Sync,
    snapshot: Snapshot,
) -> None:
    write(shelf / "map.html", f"<p>The way to the pier.</p>{picture()}")
    first = sync(workspace, source)
    before = snapshot(workspace)
    second = sync(workspace, source)
    assert all(report.row_count for report in first.values())
    assert {name: report.row_count for name, report in second.items()} == dict.fromkeys(first, 0)
    assert second["chunk_embeddings"].model_seconds == 0
    assert snapshot(workspace) == before


def picture() -> str:
    """An image element that carries its picture."""
    content = BytesIO()
    Image.linear_gradient("L").save(content, "PNG")
    return f'<img src="data:image/png;base64,{b64encode(content.getvalue()).decode()}">'


def test_a_first_sync_leaves_every_store_as_the_ledger_says(
    workspace: Workspace, source: Source, sync: Sync, differences: Callable[[], list[Count]]
) -> None:
    sync(workspace, source)
    assert differences() == []


def test_a_file_written_a_moment_ago_is_looked_at_again_and_found_unchanged(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, snapshot: Snapshot
) -> None:
    (shelf / "fresh.txt").write_text("The ferry leaves at nine from the stone pier.")
    sync(workspace, source)
    before = snapshot(workspace)["knowledge.document_versions"]
    again = sync(workspace, source)
    assert sum(report.row_count for report in again.values()) == 0
    assert snapshot(workspace)["knowledge.document_versions"] == before


def test_touching_a_file_touches_no_document(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, snapshot: Snapshot
) -> None:
    sync(workspace, source)
    before = snapshot(workspace)
    os.utime(shelf / "garden.txt", (1_600_000_000, 1_600_000_000))
    again = sync(workspace, source)
    after = snapshot(workspace)
    assert sum(report.row_count for report in again.values()) == 0
    assert [name for name in after if after[name] != before[name]] == ["knowledge.source_files"]


def test_an_unreadable_file_does_not_make_every_sync_look_busy(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync
) -> None:
    (shelf / "gone.txt").symlink_to(shelf / "nowhere.txt")
    sync(workspace, source)
    again = sync(workspace, source)
    assert sum(report.row_count for report in again.values()) == 0


def test_an_edit_leaves_the_entries_of_unchanged_chunks_untouched(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write
) -> None:
    """Postgres writes a new row version (xmin) whenever it writes a row at all."""
    sync(workspace, source)
    before = _row_versions(workspace.database)
    write(shelf / "garden.txt", "The walled garden grows figs now, and nothing else.\n")
    sync(workspace, source)
    after = _row_versions(workspace.database)
    kept = before.keys() & after.keys()
    assert len(kept) == len(before) - 1
    assert {key: after[key] for key in kept} == {key: before[key] for key in kept}


def _row_versions(database: Database) -> dict[str, str]:
    import psycopg

    with psycopg.connect(database.address) as connection:
        rows = connection.execute(
            "SELECT chunk_id::text, xmin::text FROM knowledge.index_entries WHERE is_in_qdrant"
        )
        return {str(chunk_id): str(version) for chunk_id, version in rows}
