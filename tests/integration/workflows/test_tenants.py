"""Two tenants in one database: neither ever sees that the other is there."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from alexandria.errors import ConflictError, NotFoundError
from alexandria.knowledge.embedding import Embedder
from alexandria.knowledge.indexing import SearchFilter
from alexandria.workflows.operating.sources import Source, add_source, list_sources, remove_source
from alexandria.workflows.operating.status import read_status
from alexandria.workflows.reading.answering import answer
from alexandria.workflows.reading.documents import (
    delete_document,
    list_documents,
    read_document,
    read_text,
)
from alexandria.workflows.reading.searching import search, search_documents
from alexandria.workflows.reports import StageReport
from alexandria.workflows.workspace import Workspace, open_workspace

Sync = Callable[..., dict[str, StageReport]]
Write = Callable[[Path, str], Path]


@pytest.fixture
def other(workspace: Workspace, embedders: dict[str, Embedder]) -> Iterator[Workspace]:
    """The same library as another tenant opens it."""
    changes = {"tenant_id": "other"}
    with open_workspace(workspace.settings.model_copy(update=changes)) as opened:
        yield replace(opened, _embedders=embedders)


@pytest.fixture
def both(
    workspace: Workspace, other: Workspace, source: Source, tmp_path: Path, sync: Sync, write: Write
) -> tuple[Source, Source]:
    """A source of each tenant, published; both hold the same garden, one an empty file too."""
    theirs = tmp_path / "theirs"
    write(
        theirs / "shelf/garden.txt",
        "The walled garden grows quinces, medlars and one old pear tree.\n",
    )
    write(theirs / "shelf/secret.txt", "The treasure lies under the third step of the cellar.\n")
    write(theirs / "shelf/empty.txt", "")
    added = add_source(other, theirs / "shelf")
    sync(workspace, source)
    sync(other, added)
    return source, added


def test_search_shows_a_tenant_its_own_documents_only(
    workspace: Workspace, other: Workspace, both: tuple[Source, Source]
) -> None:
    for question in ("Where does the treasure lie?", "quinces and medlars"):
        ours = search(workspace, question, SearchFilter(tenant_id="default"))
        theirs = search(other, question, SearchFilter(tenant_id="other"))
        assert {hit.source_id for hit in ours} == {both[0].source_id}
        assert {hit.source_id for hit in theirs} == {both[1].source_id}


def test_asking_for_the_other_tenants_source_by_id_finds_nothing(
    workspace: Workspace, both: tuple[Source, Source]
) -> None:
    where = SearchFilter(tenant_id="default", source_ids=(both[1].source_id,))
    assert search(workspace, "Where does the treasure lie?", where) == []
    assert search_documents(workspace, "treasure", where).documents == []
    assert not answer(workspace, "Where does the treasure lie?", where).is_answered


def test_documents_and_status_show_a_tenant_its_own_only(
    workspace: Workspace, other: Workspace, both: tuple[Source, Source]
) -> None:
    assert {item.source_id for item in list_documents(workspace)} == {both[0].source_id}
    assert {item.source_id for item in list_documents(other)} == {both[1].source_id}
    assert [item.name for item in read_status(workspace).sources] == [both[0].name]
    assert [item.name for item in read_status(other).sources] == [both[1].name]
    assert read_status(workspace).quarantine == []
    assert [item.path for item in read_status(other).quarantine] == ["empty.txt"]
    assert [item.source_id for item in list_sources(workspace)] == [both[0].source_id]


def test_a_document_of_the_other_tenant_does_not_exist(
    workspace: Workspace, other: Workspace, both: tuple[Source, Source]
) -> None:
    ids = [item.document_id for item in list_documents(other)]
    for document_id in ids:
        for look in (read_document, read_text, delete_document):
            with pytest.raises(NotFoundError):
                look(workspace, document_id)
    assert [item.document_id for item in list_documents(other)] == ids


def test_related_documents_are_a_tenants_own(
    workspace: Workspace, both: tuple[Source, Source]
) -> None:
    for item in list_documents(workspace):
        related = read_document(workspace, item.document_id).related
        assert {document.source_id for document in related} <= {both[0].source_id}


def test_folders_of_the_same_name_are_two_sources_and_a_taken_name_is_refused(
    other: Workspace, both: tuple[Source, Source], tmp_path: Path
) -> None:
    assert both[0].name != both[1].name
    with pytest.raises(ConflictError, match="--name"):
        add_source(other, tmp_path, name=both[0].name)


def test_a_tenant_cannot_remove_the_other_tenants_source(
    workspace: Workspace, other: Workspace, both: tuple[Source, Source]
) -> None:
    with pytest.raises(NotFoundError):
        remove_source(workspace, both[1].name)
    assert len(list_sources(other)) == 1
