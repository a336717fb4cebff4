"""A file that is renamed, moved or copied is recognised by its content."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from alexandria.workflows.operating.sources import Source
from alexandria.workflows.operating.status import read_status
from alexandria.workflows.quality.verification import Count
from alexandria.workflows.reading.documents import list_documents
from alexandria.workflows.reports import StageReport
from alexandria.workflows.workspace import Workspace

Sync = Callable[..., dict[str, StageReport]]
Write = Callable[[Path, str], Path]
Found = Callable[..., list[tuple[str, str]]]


@pytest.mark.parametrize("new_path", ["keeper.txt", "history/old/lighthouse.txt"])
def test_a_renamed_or_moved_file_keeps_its_document_and_is_not_read_again(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, found: Found, new_path: str
) -> None:
    sync(workspace, source)
    before = _ids(workspace)
    (shelf / new_path).parent.mkdir(parents=True, exist_ok=True)
    (shelf / "lighthouse.txt").rename(shelf / new_path)
    reports = sync(workspace, source)
    assert _ids(workspace)[new_path] == before["lighthouse.txt"]
    assert "lighthouse.txt" not in _ids(workspace)
    assert _work(reports) == (0, 0)
    assert reports["document_versions"].details["documents_renamed"] == 1
    assert found("Who kept the lighthouse?")[0][0] == new_path


def test_a_new_file_at_the_old_place_of_a_renamed_one_costs_only_its_own_text(
    workspace: Workspace,
    source: Source,
    shelf: Path,
    sync: Sync,
    write: Write,
    found: Found,
    differences: Callable[[], list[Count]],
) -> None:
    sync(workspace, source)
    (shelf / "lighthouse.txt").rename(shelf / "keeper.txt")
    write(shelf / "lighthouse.txt", "The pharmacy on Harbour Street sells seaweed soap.\n")
    reports = sync(workspace, source)
    assert len(_ids(workspace)) == 4
    assert _work(reports) == (1, 1)
    assert found("Who kept the lighthouse?")[0][0] == "keeper.txt"
    assert found("Which shop sells seaweed soap?")[0][0] == "lighthouse.txt"
    assert differences() == []


def test_two_files_that_swap_names_answer_under_their_new_names(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, found: Found
) -> None:
    sync(workspace, source)
    (shelf / "lighthouse.txt").rename(shelf / "waiting")
    (shelf / "garden.txt").rename(shelf / "lighthouse.txt")
    (shelf / "waiting").rename(shelf / "garden.txt")
    reports = sync(workspace, source)
    assert _work(reports) == (0, 0)
    assert found("Who kept the lighthouse?")[0][0] == "garden.txt"
    assert found("quinces and medlars")[0][0] == "lighthouse.txt"


def test_a_copy_is_a_document_of_its_own_embedded_once_and_shown_once(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write, found: Found
) -> None:
    write(shelf / "copies/garden-copy.txt", (shelf / "garden.txt").read_text())
    reports = sync(workspace, source)
    texts = Counter(text for _, text in found("quinces and medlars"))
    assert len(_ids(workspace)) == 4
    assert reports["chunks"].row_count == reports["chunk_embeddings"].row_count + 1
    assert max(texts.values()) == 1
    assert read_status(workspace).sources[0].duplicates == 1


def test_deleting_one_of_two_copies_leaves_the_other_answering(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write, found: Found
) -> None:
    write(shelf / "copy.txt", (shelf / "garden.txt").read_text())
    sync(workspace, source)
    before = _ids(workspace)
    (shelf / "garden.txt").unlink()
    sync(workspace, source)
    assert _ids(workspace) == {key: before[key] for key in before if key != "garden.txt"}
    assert found("quinces and medlars")[0][0] == "copy.txt"


def test_a_file_copied_back_to_the_old_place_of_a_renamed_one_gets_an_id_of_its_own(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write
) -> None:
    sync(workspace, source)
    (shelf / "garden.txt").rename(shelf / "orchard.txt")
    sync(workspace, source)
    write(shelf / "garden.txt", (shelf / "orchard.txt").read_text())
    sync(workspace, source)
    ids = _ids(workspace)
    assert len(set(ids.values())) == len(ids) == 4


def _ids(workspace: Workspace) -> dict[str, str]:
    return {item.path: item.document_id for item in list_documents(workspace)}


def _work(reports: dict[str, StageReport]) -> tuple[int, int]:
    """Documents read and texts embedded."""
    return reports["parsed_documents"].row_count, reports["chunk_embeddings"].row_count
