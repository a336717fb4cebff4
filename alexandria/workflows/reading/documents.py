"""Documents as a reader sees them: lists, details, text; and taking one out."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from alexandria.errors import NotFoundError
from alexandria.knowledge.identifiers import derive_id
from alexandria.knowledge.indexing import SearchFilter
from alexandria.workflows.coverage import Coverage, document_coverage
from alexandria.workflows.identity.audit import OPERATOR, record_event
from alexandria.workflows.operating.generations import live_generation
from alexandria.workflows.operating.sources import Source, read_source
from alexandria.workflows.reading.copies import OtherCopy, find_copies
from alexandria.workflows.workspace import Workspace

RELATED_DOCUMENTS = 5


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """One live document. `state` is that of its newest version; `units_*` are its coverage.

    Coverage is that of the published version, or of the newest one while none is published.
    """

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
    chunk_count: int
    units_found: int = 0
    units_indexed: int = 0
    units_quarantined: int = 0


@dataclass(frozen=True, slots=True)
class NamedDocument:
    """What a document may be called by."""

    document_id: str
    path: str
    title: str


@dataclass(frozen=True, slots=True)
class UnitSummary:
    """A page, chapter, slide, sheet or message; with a problem when it could not be read."""

    ordinal: int
    kind: str
    label: str
    anchor: str
    start: int
    end: int
    language: str
    confidence: float | None
    problem_code: str | None
    problem_reason: str | None
    problem_advice: str | None


@dataclass(frozen=True, slots=True)
class DocumentProblem:
    """Why the newest version of a document could not be read at all."""

    code: str
    reason: str
    advice: str


@dataclass(frozen=True, slots=True)
class NoteSummary:
    """Something its owner should know of a document; `unit` is an ordinal, None for all of it."""

    code: str
    message: str
    unit: int | None


@dataclass(frozen=True, slots=True)
class AttachedDocument:
    """A document that lies in the file of another; `state` is that of its newest version."""

    document_id: str
    path: str
    title: str
    state: str


@dataclass(frozen=True, slots=True)
class DocumentDetail:
    """A document, what it consists of, what it lies in, and those most like it.

    Attributes:
        document: The document itself.
        coverage: What was found in it and what came of that.
        problem: Why its newest version could not be read; None when it could.
        units: Its units, with what is wrong with them.
        notes: What reading noted.
        container: The document in whose file it lies, such as the mail it is attached to.
        attachments: Documents that lie in its own file.
        copies: Published documents with the same text, the best first.
        related: Documents most like it, copies aside.
    """

    document: DocumentSummary
    coverage: Coverage
    problem: DocumentProblem | None
    units: list[UnitSummary]
    notes: list[NoteSummary]
    container: AttachedDocument | None
    attachments: list[AttachedDocument]
    copies: list[OtherCopy]
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
    parse_id: str


@dataclass(frozen=True, slots=True)
class _Nested:
    document_id: str
    path: str
    title: str
    state: str
    is_container: bool


def list_documents(
    workspace: Workspace, *, source: str | None = None, limit: int = 50, offset: int = 0
) -> list[DocumentSummary]:
    """Live documents by source and path."""
    where = workspace.everything
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
    found = workspace.database.fetch(
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
    coverage = document_coverage(workspace, where.tenant_id, [one.document_id for one in found])
    return [_with_coverage(one, coverage[one.document_id]) for one in found]


def count_published(workspace: Workspace, where: SearchFilter) -> int:
    """How many published documents pass a filter."""
    live = live_generation(workspace)
    return workspace.database.value(
        "count_published_documents",
        generation_id=live.generation_id if live else "",
        tenant_id=where.tenant_id,
        document_ids=list(where.document_ids),
        source_ids=list(where.source_ids),
        languages=list(where.languages),
        tags=list(where.tags),
        modified_from=where.modified_from,
        modified_to=where.modified_to,
    )


def named_documents(workspace: Workspace, names: Sequence[str]) -> list[NamedDocument]:
    """Live documents whose id, path or title is one of the names."""
    return workspace.database.fetch(
        NamedDocument, "named_documents", tenant_id=workspace.tenant_id, names=list(names)
    )


def read_document(workspace: Workspace, document_id: str) -> DocumentDetail:
    """One document with its units and related documents.

    Raises:
        NotFoundError: No live document has that id.
    """
    document_id = _checked(document_id)
    summary = _summary(workspace, document_id)
    tenant, live = workspace.tenant_id, live_generation(workspace)
    own = {"document_id": summary.document_id, "tenant_id": tenant}
    database = workspace.database
    generation_id = live.generation_id if live else ""
    parse_id = database.value("shown_parse", generation_id=generation_id, **own)
    nested = database.fetch(_Nested, "attached_documents", **own)
    containers = [_attached(item) for item in nested if item.is_container]
    (coverage,) = document_coverage(workspace, tenant, [summary.document_id]).values()
    copies = find_copies(workspace, live, tenant, summary.document_id)
    return DocumentDetail(
        document=summary,
        coverage=coverage,
        problem=database.fetch_one(DocumentProblem, "document_problem", document_id=document_id),
        units=_units(workspace, parse_id),
        notes=database.fetch(NoteSummary, "parse_notes", parse_id=parse_id),
        container=containers[0] if containers else None,
        attachments=[_attached(item) for item in nested if not item.is_container],
        copies=copies,
        related=_related(workspace, document_id, {copy.document_id for copy in copies}),
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
        tenant_id=workspace.tenant_id,
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
        units=_spanning(_units(workspace, text.parse_id), text.text),
    )


def expected_document_id(workspace: Workspace, path: str, content_hash: str) -> str:
    """The id of the document that an uploaded file becomes.

    Args:
        workspace: The library.
        path: In the tenant's upload folder.
        content_hash: SHA-256 of the bytes.
    """
    location = str(workspace.uploads.resolve())
    source_id = derive_id("source", workspace.tenant_id, "upload", location)
    return derive_id("document", source_id, path, content_hash, "0")


def delete_document(workspace: Workspace, document_id: str) -> Source:
    """Take a document out and keep its file from coming back; returns its source.

    The next run of the source removes it from both indexes.

    Raises:
        NotFoundError: No live document has that id.
    """
    document_id = _checked(document_id)
    summary = _summary(workspace, document_id)
    with workspace.database.transaction():
        workspace.database.execute("exclude_file", document_id=document_id)
        workspace.database.execute("delete_document", document_id=document_id)
        actor = None if workspace.principal else OPERATOR
        record_event(workspace, "document.deleted", "document", document_id, actor=actor)
    return read_source(workspace, summary.source_name)


def _summary(workspace: Workspace, document_id: str) -> DocumentSummary:
    where = replace(workspace.everything, document_ids=(_checked(document_id),))
    found = find_documents(workspace, where, limit=1)
    if not found:
        raise NotFoundError(f"No document {document_id}; `alexandria documents list` shows them.")
    return found[0]


def _with_coverage(document: DocumentSummary, coverage: Coverage) -> DocumentSummary:
    return replace(
        document,
        units_found=coverage.found,
        units_indexed=coverage.indexed,
        units_quarantined=coverage.quarantined_count,
    )


def _units(workspace: Workspace, parse_id: str | None) -> list[UnitSummary]:
    return workspace.database.fetch(UnitSummary, "document_units", parse_id=parse_id)


def _spanning(units: list[UnitSummary], text: str) -> list[UnitSummary]:
    """The units of a text; of a file without words the first readable one is its name."""
    at = next((one.ordinal for one in units if one.problem_code is None), None)
    if at is None or any(one.end for one in units):
        return units
    return [
        replace(one, start=len(text) if one.ordinal > at else 0, end=len(text))
        if one.ordinal >= at
        else one
        for one in units
    ]


def _attached(item: _Nested) -> AttachedDocument:
    return AttachedDocument(item.document_id, item.path, item.title, item.state)


def _related(
    workspace: Workspace, document_id: str, copies: Collection[str]
) -> list[DocumentSummary]:
    live = live_generation(workspace)
    if live is None:
        return []
    ids: list[str] = workspace.database.column(
        "related_documents",
        generation_id=live.generation_id,
        dimension=live.dimension,
        document_id=document_id,
        tenant_id=workspace.tenant_id,
        copy_ids=list(copies),
        limit=RELATED_DOCUMENTS,
    )
    if not ids:
        return []
    where = replace(workspace.everything, document_ids=tuple(ids))
    return sorted(
        find_documents(workspace, where), key=lambda document: ids.index(document.document_id)
    )


def _checked(identifier: str) -> str:
    from uuid import UUID

    try:
        return str(UUID(identifier))
    except ValueError as error:
        raise NotFoundError(f"{identifier} is not an id; ids look like {UUID(int=0)}.") from error
