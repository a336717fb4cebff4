"""Documents as a reader sees them: lists, details, text; and taking one out."""

from dataclasses import dataclass
from datetime import datetime

from alexandria.errors import NotFoundError
from alexandria.knowledge.indexing import SearchFilter
from alexandria.workflows.operating.generations import live_generation
from alexandria.workflows.operating.sources import Source, read_source
from alexandria.workflows.workspace import Workspace

RELATED_DOCUMENTS = 5


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """One live document. `state` is that of its newest version; `units_*` are its coverage."""

    document_id: str
    version_id: str
    source_id: str
    source_name: str
    source_kind: str
    path: str
    title: str
    author: str
    language: str
    media_type: str
    tags: list[str]
    state: str
    modified_at: datetime
    published_at: datetime | None
    units_found: int
    units_indexed: int
    units_quarantined: int
    chunk_count: int


@dataclass(frozen=True, slots=True)
class UnitSummary:
    """A page, chapter, slide, sheet or message; with a problem when it could not be read."""

    ordinal: int
    kind: str
    label: str
    anchor: str
    start: int
    end: int
    problem_code: str | None
    problem_reason: str | None
    problem_advice: str | None


@dataclass(frozen=True, slots=True)
class DocumentDetail:
    """A document, its units and those most like it."""

    document: DocumentSummary
    units: list[UnitSummary]
    related: list[DocumentSummary]


@dataclass(frozen=True, slots=True)
class DocumentText:
    """The whole text of one version; citations' offsets count its characters."""

    document_id: str
    version_id: str
    title: str
    author: str
    language: str
    text: str
    units: list[UnitSummary]


@dataclass(frozen=True, slots=True)
class _Text:
    document_id: str
    version_id: str
    title: str
    author: str
    language: str
    text: str


def list_documents(
    workspace: Workspace, *, source: str | None = None, limit: int = 50, offset: int = 0
) -> list[DocumentSummary]:
    """Live documents by source and path."""
    where = SearchFilter(tenant_id=workspace.settings.tenant_id)
    return find_documents(workspace, where, source=source, limit=limit, offset=offset)


def find_documents(
    workspace: Workspace,
    where: SearchFilter,
    *,
    source: str | None = None,
    only_published: bool = False,
    limit: int | None = None,
    offset: int = 0,
) -> list[DocumentSummary]:
    """Live documents that pass a filter, by source and path."""
    live = live_generation(workspace)
    return workspace.database.fetch(
        DocumentSummary,
        "document_summaries",
        generation_id=live.generation_id if live else "",
        tenant_id=where.tenant_id,
        source=source,
        document_ids=list(where.document_ids),
        source_ids=list(where.source_ids),
        languages=list(where.languages),
        tags=list(where.tags),
        modified_from=where.modified_from,
        modified_to=where.modified_to,
        only_published=only_published,
        limit=limit,
        offset=offset,
    )


def read_document(workspace: Workspace, document_id: str) -> DocumentDetail:
    """One document with its units and related documents.

    Raises:
        NotFoundError: No live document has that id.
    """
    summary = _summary(workspace, document_id)
    return DocumentDetail(
        document=summary,
        units=_units(workspace, document_id, None),
        related=_related(workspace, document_id),
    )


def read_text(
    workspace: Workspace, document_id: str, *, version_id: str | None = None
) -> DocumentText:
    """The text of the published version, or of an earlier one that was published.

    Raises:
        NotFoundError: No live document has that id, or it was never published.
    """
    text = workspace.database.fetch_one(
        _Text,
        "document_text",
        document_id=_checked(document_id),
        version_id=_checked(version_id) if version_id else None,
        tenant_id=workspace.settings.tenant_id,
    )
    if text is None:
        raise NotFoundError(f"No published text of document {document_id}.")
    return DocumentText(
        text.document_id,
        text.version_id,
        text.title,
        text.author,
        text.language,
        text.text,
        units=_units(workspace, document_id, text.version_id),
    )


def delete_document(workspace: Workspace, document_id: str) -> Source:
    """Take a document out and keep its file from coming back; returns its source.

    The next run of the source removes it from both indexes.

    Raises:
        NotFoundError: No live document has that id.
    """
    summary = _summary(workspace, document_id)
    with workspace.database.transaction():
        workspace.database.execute("exclude_file", document_id=document_id)
        workspace.database.execute("delete_document", document_id=document_id)
    return read_source(workspace, summary.source_name)


def _summary(workspace: Workspace, document_id: str) -> DocumentSummary:
    tenant = workspace.settings.tenant_id
    where = SearchFilter(tenant_id=tenant, document_ids=(_checked(document_id),))
    found = find_documents(workspace, where, limit=1)
    if not found:
        raise NotFoundError(f"No document {document_id}; `alexandria documents list` shows them.")
    return found[0]


def _units(workspace: Workspace, document_id: str, version_id: str | None) -> list[UnitSummary]:
    return workspace.database.fetch(
        UnitSummary,
        "document_units",
        document_id=document_id,
        version_id=version_id,
        tenant_id=workspace.settings.tenant_id,
    )


def _related(workspace: Workspace, document_id: str) -> list[DocumentSummary]:
    live = live_generation(workspace)
    if live is None:
        return []
    ids: list[str] = workspace.database.column(
        "related_documents",
        generation_id=live.generation_id,
        dimension=live.dimension,
        document_id=document_id,
        tenant_id=workspace.settings.tenant_id,
        limit=RELATED_DOCUMENTS,
    )
    if not ids:
        return []
    where = SearchFilter(tenant_id=workspace.settings.tenant_id, document_ids=tuple(ids))
    return sorted(
        find_documents(workspace, where), key=lambda document: ids.index(document.document_id)
    )


def _checked(identifier: str) -> str:
    from uuid import UUID

    try:
        return str(UUID(identifier))
    except ValueError as error:
        raise NotFoundError(f"{identifier} is not an id; ids look like {UUID(int=0)}.") from error
