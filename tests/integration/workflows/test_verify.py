"""`verify` counts every store again and finds each kind of difference there can be."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from alexandria.workflows.operating.generations import Generation, live_generation
from alexandria.workflows.operating.sources import Source
from alexandria.workflows.quality.verification import Count, repair_qdrant
from alexandria.workflows.reports import StageReport
from alexandria.workflows.workspace import Workspace

Sync = Callable[..., dict[str, StageReport]]
Write = Callable[[Path, str], Path]
Differences = Callable[[], list[Count]]

PLANTED: dict[str, tuple[Callable[[Workspace], None], str]] = {
    "a missing blob": (
        lambda workspace: workspace.blobs.delete(min(workspace.blobs.hashes())),
        "contents of current versions",
    ),
    "a missing entry": (
        lambda workspace: workspace.database.statement(
            "DELETE FROM knowledge.index_entries WHERE chunk_id ="
            " (SELECT min(chunk_id::text)::uuid FROM knowledge.index_entries)"
        ),
        "published chunks in Postgres",
    ),
    "an extra entry": (
        lambda workspace: workspace.database.statement(
            "INSERT INTO knowledge.index_entries SELECT (json_populate_record(entry,"
            " json_build_object('chunk_id', gen_random_uuid()))).*"
            " FROM knowledge.index_entries AS entry LIMIT 1"
        ),
        "entries in Postgres beyond those",
    ),
    "a missing point": (lambda workspace: _lose_point(workspace), "published chunks in Qdrant"),
    "an extra point": (
        lambda workspace: _plant_point(workspace),
        "points in Qdrant beyond the entries",
    ),
    "a wrong document frequency": (
        lambda workspace: workspace.database.statement(
            "UPDATE knowledge.term_statistics SET document_frequency = document_frequency + 1"
            " WHERE term_id = (SELECT min(term_id) FROM knowledge.term_statistics)"
        ),
        "terms counted wrongly",
    ),
    "a wrong running count": (
        lambda workspace: workspace.database.statement(
            "UPDATE knowledge.index_generations SET entry_count = entry_count + 1"
        ),
        "entries by the running count",
    ),
    "a missing vector": (
        lambda workspace: workspace.database.statement(
            "DELETE FROM knowledge.embeddings WHERE text_hash ="
            " (SELECT min(text_hash) FROM knowledge.embeddings)"
        ),
        "published chunks without a vector",
    ),
    "a removal that is owed": (
        lambda workspace: workspace.database.statement(
            "INSERT INTO knowledge.index_removals"
            " SELECT generation_id, gen_random_uuid() FROM knowledge.index_generations"
        ),
        "removals Qdrant still owes",
    ),
    "a unit that no chunk comes from": (
        lambda workspace: workspace.database.statement(
            "UPDATE knowledge.version_chunks SET unit_ordinal = 99"
        ),
        "units neither indexed nor in quarantine",
    ),
    "a version nobody read": (
        lambda workspace: workspace.database.statement(
            "UPDATE knowledge.document_versions SET state = 'discovered'"
        ),
        "versions neither read nor in quarantine",
    ),
}


@pytest.mark.parametrize("kind", PLANTED)
def test_verify_finds(
    workspace: Workspace, source: Source, sync: Sync, differences: Differences, kind: str
) -> None:
    sync(workspace, source)
    assert differences() == []
    plant, expected = PLANTED[kind]
    plant(workspace)
    assert expected in [count.what for count in differences()]


@pytest.mark.parametrize("kind", ["a missing entry", "a missing vector"])
def test_the_next_sync_puts_right(
    workspace: Workspace, source: Source, sync: Sync, differences: Differences, kind: str
) -> None:
    sync(workspace, source)
    PLANTED[kind][0](workspace)
    sync(workspace, source)
    assert differences() == []


@pytest.mark.parametrize("kind", ["a missing point", "an extra point", "a removal that is owed"])
def test_repairing_qdrant_puts_right(
    workspace: Workspace, source: Source, sync: Sync, differences: Differences, kind: str
) -> None:
    sync(workspace, source)
    PLANTED[kind][0](workspace)
    repair_qdrant(workspace)
    assert differences() == []
    assert repair_qdrant(workspace) == 0


@pytest.mark.parametrize("kind", ["a missing point", "an extra point"])
def test_the_next_change_puts_right_too(
    workspace: Workspace,
    source: Source,
    shelf: Path,
    sync: Sync,
    write: Write,
    differences: Differences,
    kind: str,
) -> None:
    sync(workspace, source)
    PLANTED[kind][0](workspace)
    write(shelf / "ferry.txt", "The ferry leaves at nine from the stone pier.\n")
    sync(workspace, source)
    assert differences() == []


def _live(workspace: Workspace) -> Generation:
    live = live_generation(workspace)
    assert live is not None
    return live


def _lose_point(workspace: Workspace) -> None:
    with workspace.qdrant_index(_live(workspace)) as index:
        index.delete([min(index.chunk_ids())])


def _plant_point(workspace: Workspace) -> None:
    postgres = workspace.postgres_index(_live(workspace))
    entry = postgres.entries(list(postgres.chunk_ids())[:1])[0]
    with workspace.qdrant_index(_live(workspace)) as index:
        index.upsert([replace(entry, chunk_id=str(uuid4()))])
