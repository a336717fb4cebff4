"""Documents: find, read, add."""

from dataclasses import asdict
from typing import Annotated

from fastapi import Form

from alexandria.identity.permissions import Permission
from alexandria.workflows.operating.sources import upload_source_name
from alexandria.workflows.reading.documents import (
    delete_document,
    expected_document_id,
    read_document,
    read_text,
)
from alexandria.workflows.reading.images import document_images
from alexandria.workflows.reading.searching import FoundDocument as FoundInLibrary
from alexandria.workflows.reading.searching import search_documents
from serving.admission.families import Family
from serving.admission.identity import requires
from serving.dependencies import ActingWorkspace
from serving.filtering import resolve_filter
from serving.openapi import problems
from serving.routes.images import FORM_LIMITS, SentFile, to_image
from serving.schemas.base import FormTruth, IdText
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
from serving.schemas.identity import Done
from serving.uploads import Place, receive_upload

PREFIX = "/api/v2/documents"
UPLOAD_PATH = f"{PREFIX}/upload"
router = Family(prefix=PREFIX, tags=["documents"], form_limits=FORM_LIMITS)


@router.post(
    "/search",
    summary="Find documents",
    operation_id="search_documents",
    dependencies=[requires(Permission.VIEW_DOCUMENTS)],
)
def search(wanted: DocumentSearchRequest, workspace: ActingWorkspace) -> DocumentSearchResponse:
    """The documents that fit a query best, or all that pass the filters when none is given."""
    where = resolve_filter(workspace, wanted.filters)
    results = search_documents(workspace, wanted.query, where, limit=wanted.limit)
    return DocumentSearchResponse(
        documents=[_to_found(item) for item in results.documents],
        total=results.total,
        fallback_used=results.fallback_used,
    )


@router.post(
    "/upload",
    status_code=202,
    summary="Add a document",
    operation_id="upload_document",
    dependencies=[requires(Permission.EDIT_DOCUMENTS)],
    responses=problems(409, 507),
)
def upload(
    file: SentFile,
    workspace: ActingWorkspace,
    is_private: Annotated[FormTruth, Form(description="Only you may read it.")] = False,
) -> UploadResponse:
    """Take in a file. The pipeline sees it within seconds and makes it searchable.

    It keeps its name unless another file has it. The same bytes under the same name are taken
    in once. Whether it could be read shows in `GET /api/v2/documents/{document_id}`.
    """
    place = Place.of(workspace, is_private=is_private)
    kept = receive_upload(workspace, file.file, file.filename, place)
    return UploadResponse(
        document_id=expected_document_id(workspace, kept.path, kept.content_hash),
        source_name=upload_source_name(workspace),
        **asdict(kept),
    )


@router.get(
    "/{document_id}",
    summary="Read about a document",
    operation_id="read_document",
    dependencies=[requires(Permission.VIEW_DOCUMENTS)],
)
def read(document_id: IdText, workspace: ActingWorkspace) -> DocumentDetailResponse:
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
    dependencies=[requires(Permission.VIEW_DOCUMENTS)],
)
def read_whole_text(
    document_id: IdText, workspace: ActingWorkspace, version_id: IdText | None = None
) -> DocumentTextResponse:
    """The text that quotes were taken from: of the published version, or of an earlier one."""
    text = read_text(workspace, document_id, version_id=version_id)
    return DocumentTextResponse.model_validate(text)


@router.delete(
    "/{document_id}",
    summary="Take a document out",
    operation_id="delete_document",
    dependencies=[requires(Permission.DELETE_DOCUMENTS)],
)
def delete(document_id: IdText, workspace: ActingWorkspace) -> Done:
    """Nobody finds or reads it from now on, and its file does not bring it back."""
    delete_document(workspace, document_id)
    return Done()


def _to_found(item: FoundInLibrary) -> FoundDocument:
    document = Document.model_validate(item.document)
    passage = Passage.model_validate(item.passage) if item.passage else None
    also_as = [OtherCopy.model_validate(copy) for copy in item.also_as]
    return FoundDocument(
        **document.model_dump(), score=item.score, passage=passage, also_as=also_as
    )
