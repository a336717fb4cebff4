"""Documents: find, read, add."""

from dataclasses import asdict

from fastapi import APIRouter, UploadFile

from alexandria.workflows.reading.documents import read_document, read_text
from alexandria.workflows.reading.images import document_images
from alexandria.workflows.reading.searching import FoundDocument as FoundInLibrary
from alexandria.workflows.reading.searching import search_documents
from serving.dependencies import LibraryOfApp, OpenWorkspace
from serving.filtering import resolve_filter
from serving.openapi import problems
from serving.routes.images import to_image
from serving.schemas.documents import (
    AttachedDocument,
    Coverage,
    Document,
    DocumentDetailResponse,
    DocumentProblem,
    DocumentSearchRequest,
    DocumentSearchResponse,
    DocumentTextResponse,
    FoundDocument,
    Note,
    OtherCopy,
    Passage,
    Unit,
    UploadResponse,
)
from serving.uploads import SOURCE_NAME, keep_upload

PREFIX = "/api/v2/documents"
UPLOAD_PATH = f"{PREFIX}/upload"
router = APIRouter(prefix=PREFIX, tags=["documents"])


@router.post(
    "/search",
    summary="Find documents",
    operation_id="search_documents",
    responses=problems(413, 422),
)
def search(wanted: DocumentSearchRequest, workspace: OpenWorkspace) -> DocumentSearchResponse:
    """The documents that fit a query best, or all that pass the filters when none is given."""
    where = resolve_filter(workspace, wanted.filters)
    results = search_documents(workspace, wanted.query, where, limit=wanted.limit)
    return DocumentSearchResponse(
        documents=[_to_found(item) for item in results.documents], total=results.total
    )


@router.post(
    "/upload",
    status_code=202,
    summary="Add a document",
    operation_id="upload_document",
    responses=problems(413, 422),
)
def upload(file: UploadFile, library: LibraryOfApp) -> UploadResponse:
    """Take in a file. The pipeline sees it within seconds and makes it searchable.

    It keeps its name unless another file has it. The same bytes under the same name are taken
    in once. Whether it could be read shows in `GET /api/v2/documents/{document_id}`.
    """
    settings = library.settings
    kept = keep_upload(file.file, file.filename, settings.uploads, settings.max_file_bytes)
    return UploadResponse(source_name=SOURCE_NAME, **asdict(kept))


@router.get(
    "/{document_id}",
    summary="Read about a document",
    operation_id="read_document",
    responses=problems(404, 422),
)
def read(document_id: str, workspace: OpenWorkspace) -> DocumentDetailResponse:
    """One document, its units with what could not be read, and the documents most like it."""
    detail = read_document(workspace, document_id)
    return DocumentDetailResponse(
        document=Document.model_validate(detail.document),
        coverage=Coverage.model_validate(detail.coverage),
        problem=DocumentProblem.model_validate(detail.problem) if detail.problem else None,
        units=[Unit.model_validate(unit) for unit in detail.units],
        notes=[Note.model_validate(note) for note in detail.notes],
        container=AttachedDocument.model_validate(detail.container) if detail.container else None,
        attachments=[AttachedDocument.model_validate(item) for item in detail.attachments],
        copies=[OtherCopy.model_validate(item) for item in detail.copies],
        images=[to_image(item) for item in document_images(workspace, detail.document.document_id)],
        related_documents=[Document.model_validate(item) for item in detail.related],
    )


@router.get(
    "/{document_id}/text",
    summary="Read a document's text",
    operation_id="read_document_text",
    responses=problems(404, 422),
)
def read_whole_text(
    document_id: str, workspace: OpenWorkspace, version_id: str | None = None
) -> DocumentTextResponse:
    """The text that quotes were taken from: of the published version, or of an earlier one."""
    text = read_text(workspace, document_id, version_id=version_id)
    return DocumentTextResponse.model_validate(text)


def _to_found(item: FoundInLibrary) -> FoundDocument:
    document = Document.model_validate(item.document)
    passage = Passage.model_validate(item.passage) if item.passage else None
    also_as = [OtherCopy.model_validate(copy) for copy in item.also_as]
    return FoundDocument(
        **document.model_dump(), score=item.score, passage=passage, also_as=also_as
    )
