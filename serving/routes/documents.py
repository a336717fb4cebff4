"""Documents: find, read, add."""

from dataclasses import asdict

from fastapi import APIRouter, UploadFile

from alexandria.workflows.reading.documents import read_document, read_text
from alexandria.workflows.reading.searching import FoundDocument as FoundInLibrary
from alexandria.workflows.reading.searching import search_documents
from serving.dependencies import LibraryOfApp, OpenWorkspace
from serving.filtering import resolve_filter
from serving.openapi import problems
from serving.schemas.documents import (
    Document,
    DocumentDetailResponse,
    DocumentSearchRequest,
    DocumentSearchResponse,
    DocumentTextResponse,
    FoundDocument,
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
        units=[Unit.model_validate(unit) for unit in detail.units],
        images=[],
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
    return FoundDocument(**document.model_dump(), score=item.score, passage=passage)
