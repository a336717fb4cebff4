"""A change of settings builds the next index beside the one that answers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from alexandria.errors import ConflictError
from alexandria.workflows.operating.generations import (
    Generation,
    ensure_target,
    list_generations,
    live_generation,
    retire_generation,
    switch_generation,
)
from alexandria.workflows.operating.sources import Source, add_source
from alexandria.workflows.quality.verification import Count
from alexandria.workflows.reading.documents import list_documents
from alexandria.workflows.reports import StageReport
from alexandria.workflows.workspace import Workspace

Sync = Callable[..., dict[str, StageReport]]
Write = Callable[[Path, str], Path]
Found = Callable[..., list[tuple[str, str]]]
Differences = Callable[[], list[Count]]

QUESTION = "What did Hester Lowe do at dusk?"
SMALL: dict[str, dict[str, object]] = {"library": {"kind": "recursive", "max_characters": 70}}


def test_searches_keep_their_results_while_the_next_generation_is_built_and_change_at_the_switch(
    workspace: Workspace, source: Source, sync: Sync, found: Found, differences: Differences
) -> None:
    sync(workspace, source)
    before = found(QUESTION)
    target = _choose(workspace, SMALL)
    seen: list[list[tuple[str, str]]] = []
    looks = {
        step: lambda: seen.append(found(QUESTION))
        for step in ("chunk_embeddings", "qdrant_index", "publications")
    }
    sync(workspace, source, before=looks)
    assert [*seen, found(QUESTION)] == [before] * 4
    assert (target.state, _live(workspace).generation_id != target.generation_id) == (
        "building",
        True,
    )
    switch_generation(workspace, target.generation_id)
    after = found(QUESTION)
    assert after != before
    assert before[0][1].startswith("Hester Lowe kept the lighthouse")
    assert all(len(text) <= 70 for _, text in after)
    assert "She lit the lamp at dusk and wound the clockwork every four hours." in {
        text for _, text in after
    }
    assert differences() == []


def test_switching_back_brings_the_results_back(
    workspace: Workspace, source: Source, sync: Sync, found: Found
) -> None:
    sync(workspace, source)
    first, before = _live(workspace), found(QUESTION)
    target = _choose(workspace, SMALL)
    sync(workspace, source)
    switch_generation(workspace, target.generation_id)
    assert {item.state for item in list_generations(workspace)} == {"live", "standby"}
    switch_generation(workspace, first.generation_id)
    assert found(QUESTION) == before


def test_a_sync_feeds_the_live_generation_and_the_one_to_roll_back_to(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write, found: Found
) -> None:
    sync(workspace, source)
    first, target = _live(workspace), _choose(workspace, SMALL)
    sync(workspace, source)
    switch_generation(workspace, target.generation_id)
    write(shelf / "ferry.txt", "The ferry leaves at nine from the stone pier.\n")
    (shelf / "garden.txt").unlink()
    sync(workspace, source)
    for generation in (target, first):
        switch_generation(workspace, generation.generation_id)
        assert found("When does the ferry leave?")[0][0] == "ferry.txt"
        assert all(path != "garden.txt" for path, _ in found("quinces and medlars"))


def test_a_generation_that_lacks_documents_cannot_go_live(
    workspace: Workspace, source: Source, sync: Sync
) -> None:
    sync(workspace, source)
    live, target = _live(workspace), _choose(workspace, SMALL)
    with pytest.raises(ConflictError, match=r"lacks 3 documents.*index rebuild"):
        switch_generation(workspace, target.generation_id)
    assert _live(workspace).generation_id == live.generation_id


def test_rolling_back_is_possible_while_a_new_document_waits_at_the_gate(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write
) -> None:
    sync(workspace, source)
    first, target = _live(workspace), _choose(workspace, SMALL)
    sync(workspace, source)
    switch_generation(workspace, target.generation_id)
    write(shelf / "ferry.txt", "The ferry leaves at nine from the stone pier.\n")
    sync(workspace, source, until="publications")
    switch_generation(workspace, first.generation_id)
    assert _live(workspace).generation_id == first.generation_id


def test_a_retired_generation_leaves_both_stores_and_the_live_one_cannot_be_retired(
    workspace: Workspace, source: Source, sync: Sync, differences: Differences
) -> None:
    sync(workspace, source)
    first, target = _live(workspace), _choose(workspace, SMALL)
    sync(workspace, source)
    with pytest.raises(ConflictError, match="switch to another first"):
        retire_generation(workspace, first.generation_id)
    switch_generation(workspace, target.generation_id)
    retire_generation(workspace, first.generation_id)
    assert [item.generation_id for item in list_generations(workspace)] == [target.generation_id]
    assert not (workspace.settings.qdrant_folder / first.generation_id).exists()
    assert _count(workspace, "knowledge.index_entries") == _live(workspace).entry_count
    with pytest.raises(ConflictError, match="retired"):
        switch_generation(workspace, first.generation_id)
    assert differences() == []


def test_a_retired_generation_can_be_built_again_without_embedding_anything(
    workspace: Workspace, source: Source, sync: Sync, found: Found, differences: Differences
) -> None:
    sync(workspace, source)
    first, before, old = _live(workspace), found(QUESTION), workspace.settings
    target = _choose(workspace, SMALL)
    sync(workspace, source)
    switch_generation(workspace, target.generation_id)
    retire_generation(workspace, first.generation_id)
    workspace.settings = old
    assert ensure_target(workspace).generation_id == first.generation_id
    reports = sync(workspace, source)
    switch_generation(workspace, first.generation_id)
    assert reports["chunk_embeddings"].row_count == 0
    assert found(QUESTION) == before
    assert differences() == []


def test_a_generation_that_cuts_these_documents_alike_cuts_and_embeds_nothing(
    workspace: Workspace, source: Source, sync: Sync
) -> None:
    sync(workspace, source)
    target = _choose(workspace, {"lms": {"kind": "recursive", "max_characters": 99}})
    reports = sync(workspace, source)
    assert target.generation_id != _live(workspace).generation_id
    assert reports["parsed_documents"].row_count == 0
    assert reports["chunks"].row_count == 0
    assert reports["chunk_embeddings"].row_count == 0
    assert reports["postgres_index"].row_count == 3
    switch_generation(workspace, target.generation_id)


def test_a_source_that_moves_to_another_module_is_cut_as_that_module_is(
    workspace: Workspace,
    source: Source,
    shelf: Path,
    sync: Sync,
    found: Found,
    differences: Differences,
) -> None:
    sync(workspace, source)
    workspace.settings = workspace.settings.model_copy(update={"chunking": {}})
    moved = add_source(workspace, shelf, module="lms")
    sync(workspace, moved)
    assert found(QUESTION)[0][1].startswith("She lit the lamp") or len(found(QUESTION)[0][1]) < 256
    assert {item.state for item in list_documents(workspace)} == {"published"}
    assert _count(workspace, "knowledge.index_entries WHERE NOT is_published") == 0
    assert differences() == []
    again = sync(workspace, moved)
    assert sum(report.row_count for report in again.values()) == 0


def _choose(workspace: Workspace, chunking: dict[str, dict[str, object]]) -> Generation:
    """What `index rebuild` does first, with these settings in the environment."""
    changes: dict[str, Any] = {"chunking": chunking}
    workspace.settings = workspace.settings.model_copy(update=changes)
    return ensure_target(workspace)


def _live(workspace: Workspace) -> Generation:
    live = live_generation(workspace)
    assert live is not None
    return live


def _count(workspace: Workspace, what: str) -> int:
    with psycopg.connect(workspace.database.address) as connection:
        row = connection.execute(f"SELECT count(*) FROM {what}").fetchone()  # type: ignore[arg-type]
    assert row is not None
    return int(row[0])
