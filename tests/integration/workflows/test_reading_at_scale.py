"""Reading asks the ledger only for what it needs, and what it keeps goes stale when it must."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from alexandria.errors import InvalidInputError
from alexandria.knowledge.indexing import SearchFilter
from alexandria.workflows.operating.generations import live_generation
from alexandria.workflows.operating.sources import Source
from alexandria.workflows.reading.candidates import published_languages
from alexandria.workflows.reading.documents import list_documents, read_document
from alexandria.workflows.reading.searching import search_documents
from alexandria.workflows.reports import StageReport
from alexandria.workflows.workspace import Workspace
from serving.filtering import NOTHING, resolve_filter
from serving.schemas.filters import DocumentFilters

Sync = Callable[..., dict[str, StageReport]]
Write = Callable[[Path, str], Path]

GERMAN = "Der alte Leuchtturm steht seit hundert Jahren auf der Klippe und warnt die Schiffe.\n" * 4


def _languages(workspace: Workspace) -> list[str]:
    live = live_generation(workspace)
    assert live is not None
    return published_languages(workspace, live, workspace.tenant_id)


def test_languages_are_counted_again_once_something_is_published_or_withdrawn(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write
) -> None:
    sync(workspace, source)
    assert _languages(workspace) == ["en"]
    write(shelf / "turm.txt", GERMAN)
    sync(workspace, source, until="publications")
    assert _languages(workspace) == ["en"]
    sync(workspace, source)
    assert set(_languages(workspace)) == {"en", "de"}
    (shelf / "turm.txt").unlink()
    sync(workspace, source)
    assert _languages(workspace) == ["en"]


def test_languages_are_not_counted_while_nothing_is_published(
    workspace: Workspace, source: Source, sync: Sync
) -> None:
    sync(workspace, source)
    before = _languages(workspace)
    with psycopg.connect(workspace.database.address, autocommit=True) as connection:
        connection.execute("UPDATE knowledge.units SET language = 'fr'")
    assert _languages(workspace) == before


def test_without_a_query_so_many_are_listed_and_all_are_counted(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write
) -> None:
    write(shelf / "turm.txt", GERMAN)
    sync(workspace, source)
    everything = SearchFilter(tenant_id=workspace.tenant_id)
    results = search_documents(workspace, "", everything, limit=2)
    assert (len(results.documents), results.total) == (2, 4)
    german = SearchFilter(tenant_id=workspace.tenant_id, languages=("de",))
    results = search_documents(workspace, None, german, limit=2)
    assert [item.document.path for item in results.documents] == ["turm.txt"]
    assert results.total == 1
    nothing = SearchFilter(tenant_id=workspace.tenant_id, document_ids=(NOTHING,))
    assert search_documents(workspace, "", nothing).total == 0


def test_documents_are_named_by_id_path_and_title_of_their_own_or_of_their_file(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write
) -> None:
    write(
        shelf / "harbour_dues-2024.txt", "Boats above twelve metres pay the harbour by day.\n" * 2
    )
    sync(workspace, source)
    by_path = {item.path: item for item in list_documents(workspace)}
    titled, untitled = by_path["bakery.md"], by_path["harbour_dues-2024.txt"]
    assert titled.title == "The bakery"
    for document in (titled, untitled):
        for name in (document.document_id, document.path, document.title):
            filters = DocumentFilters(selected_files=[name])
            assert resolve_filter(workspace, filters).document_ids == (document.document_id,)
    both = DocumentFilters(selected_files=["The bakery", untitled.path])
    assert len(resolve_filter(workspace, both).document_ids) == 2
    with pytest.raises(InvalidInputError, match="lighthouse of nowhere"):
        resolve_filter(workspace, DocumentFilters(selected_files=["lighthouse of nowhere"]))


def test_a_document_with_many_copies_has_related_ones_all_the_same(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write
) -> None:
    text = "\n\n".join(
        f"Paragraph {at} tells how the keeper of lamp {at} trims its wick and oils its clock."
        for at in range(60)
    )
    for number in range(12):
        write(shelf / f"copy-{number}.txt", text)
    sync(workspace, source)
    first = next(item for item in list_documents(workspace) if item.path == "copy-0.txt")
    detail = read_document(workspace, first.document_id)
    assert len(detail.copies) == 11
    assert {item.path for item in detail.related} == {"lighthouse.txt", "bakery.md", "garden.txt"}
    other = next(item for item in list_documents(workspace) if item.path == "garden.txt")
    related = [item.path for item in read_document(workspace, other.document_id).related]
    copies = [copy.path for copy in detail.copies if copy.is_best] or [first.path]
    assert sorted(related) == sorted(["lighthouse.txt", "bakery.md", *copies])
