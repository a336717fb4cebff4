"""What is taken out stops answering in the same run, and its history stays in the ledger."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from alexandria.errors import InvalidInputError, NotFoundError
from alexandria.workflows.operating.sources import Source, add_source, list_sources, remove_source
from alexandria.workflows.quality.verification import Count
from alexandria.workflows.reading.documents import delete_document, list_documents, read_text
from alexandria.workflows.reports import StageReport
from alexandria.workflows.workspace import Workspace

Sync = Callable[..., dict[str, StageReport]]
Write = Callable[[Path, str], Path]
Found = Callable[..., list[tuple[str, str]]]
Points = Callable[[], set[str]]
Differences = Callable[[], list[Count]]


def test_a_deleted_file_is_gone_from_search_and_both_indexes_after_one_run(
    workspace: Workspace,
    source: Source,
    shelf: Path,
    sync: Sync,
    found: Found,
    points: Points,
    differences: Differences,
) -> None:
    sync(workspace, source)
    before = points()
    (shelf / "garden.txt").unlink()
    sync(workspace, source)
    assert all(path != "garden.txt" for path, _ in found("quinces and medlars"))
    assert len(before - points()) == 1
    assert _entries(workspace) == points()
    assert differences() == []


def test_the_ledger_keeps_what_was_deleted(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync
) -> None:
    sync(workspace, source)
    document = _document(workspace, "garden.txt")
    (shelf / "garden.txt").unlink()
    sync(workspace, source)
    with psycopg.connect(workspace.database.address) as connection:
        row = connection.execute(
            "SELECT version.state, document.deleted_at IS NOT NULL,"
            " publication.withdrawn_at IS NOT NULL FROM knowledge.documents AS document"
            " JOIN knowledge.document_versions AS version USING (document_id)"
            " JOIN knowledge.publications AS publication USING (version_id)"
            " WHERE document.document_id = %s",
            (document,),
        ).fetchone()
    assert row == ("superseded", True, True)
    with pytest.raises(NotFoundError):
        read_text(workspace, document)


def test_a_file_that_comes_back_revives_its_document_without_reading_it_again(
    workspace: Workspace,
    source: Source,
    shelf: Path,
    sync: Sync,
    write: Write,
    found: Found,
    differences: Differences,
) -> None:
    sync(workspace, source)
    document, text = _document(workspace, "garden.txt"), (shelf / "garden.txt").read_text()
    (shelf / "garden.txt").unlink()
    sync(workspace, source)
    write(shelf / "garden.txt", text)
    reports = sync(workspace, source)
    assert _document(workspace, "garden.txt") == document
    assert reports["parsed_documents"].row_count == 0
    assert reports["chunk_embeddings"].row_count == 0
    assert found("quinces and medlars")[0][0] == "garden.txt"
    assert differences() == []


def test_a_document_a_person_deletes_leaves_and_does_not_come_back(
    workspace: Workspace,
    source: Source,
    shelf: Path,
    sync: Sync,
    write: Write,
    found: Found,
    differences: Differences,
) -> None:
    sync(workspace, source)
    touched = delete_document(workspace, _document(workspace, "garden.txt"))
    assert touched.name == source.name
    sync(workspace, source)
    write(shelf / "garden.txt", (shelf / "garden.txt").read_text() + "\nAnd a mulberry.\n")
    sync(workspace, source)
    assert (shelf / "garden.txt").exists()
    assert {item.path for item in list_documents(workspace)} == {"bakery.md", "lighthouse.txt"}
    assert all(path != "garden.txt" for path, _ in found("quinces and medlars"))
    assert differences() == []


def test_a_file_added_again_after_it_was_gone_is_not_excluded_any_more(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write
) -> None:
    """Deleting a document excludes the file that is there, not the name for ever."""
    sync(workspace, source)
    delete_document(workspace, _document(workspace, "garden.txt"))
    (shelf / "garden.txt").unlink()
    sync(workspace, source)
    write(shelf / "garden.txt", "A new garden was laid out behind the school.\n")
    sync(workspace, source)
    assert "garden.txt" in {item.path for item in list_documents(workspace)}


def test_removing_a_source_takes_its_documents_down_and_leaves_the_other(
    workspace: Workspace,
    source: Source,
    tmp_path: Path,
    sync: Sync,
    write: Write,
    found: Found,
    points: Points,
    differences: Differences,
) -> None:
    write(tmp_path / "other/mill.txt", "The mill on the river grinds barley for the brewery.\n")
    other = add_source(workspace, tmp_path / "other")
    sync(workspace, source)
    sync(workspace, other)
    sync(workspace, remove_source(workspace, other.name))
    assert [item.name for item in list_sources(workspace)] == [source.name]
    assert all(path != "mill.txt" for path, _ in found("Who grinds barley?"))
    assert _entries(workspace) == points()
    assert len(list_documents(workspace)) == 3
    assert differences() == []


def test_a_removed_source_that_is_added_again_keeps_its_documents_ids(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync
) -> None:
    sync(workspace, source)
    before = {item.path: item.document_id for item in list_documents(workspace)}
    sync(workspace, remove_source(workspace, source.name))
    assert list_documents(workspace) == []
    again = add_source(workspace, shelf)
    reports = sync(workspace, again)
    assert again.source_id == source.source_id
    assert {item.path: item.document_id for item in list_documents(workspace)} == before
    assert reports["chunk_embeddings"].row_count == 0


def test_a_folder_that_is_not_there_takes_nothing_down(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, found: Found
) -> None:
    sync(workspace, source)
    shelf.rename(shelf.with_name("unmounted"))
    with pytest.raises(InvalidInputError, match="sources remove shelf"):
        sync(workspace, source)
    assert found("quinces and medlars")[0][0] == "garden.txt"


def test_adding_a_source_again_keeps_the_module_and_tags_it_was_given(
    workspace: Workspace, source: Source, shelf: Path
) -> None:
    add_source(workspace, shelf, module="lms", tags=["course"])
    again = add_source(workspace, shelf)
    assert (again.module, again.tags) == ("lms", ["course"])


def _document(workspace: Workspace, path: str) -> str:
    return next(item.document_id for item in list_documents(workspace) if item.path == path)


def _entries(workspace: Workspace) -> set[str]:
    with psycopg.connect(workspace.database.address) as connection:
        return {
            str(row[0])
            for row in connection.execute("SELECT chunk_id::text FROM knowledge.index_entries")
        }


def test_a_document_that_a_person_deleted_is_quoted_no_more_even_before_the_next_run(
    workspace: Workspace, source: Source, sync: Sync, found: Found
) -> None:
    sync(workspace, source)
    (garden,) = [one for one in list_documents(workspace) if one.path == "garden.txt"]
    assert found("quinces and medlars")[0][0] == "garden.txt"
    delete_document(workspace, garden.document_id)
    assert all(path != "garden.txt" for path, _ in found("quinces and medlars"))
