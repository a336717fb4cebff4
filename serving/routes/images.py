"""Pictures: add one, find what resembles one, look at one."""

from dataclasses import asdict
from io import BytesIO
from typing import Annotated, Any

from fastapi import File, Form, Response, UploadFile

from alexandria.errors import EmptyFileError, FileTooLargeError, UnsupportedFormatError
from alexandria.identity.permissions import Permission
from alexandria.workflows.operating.sources import upload_source_name
from alexandria.workflows.reading.documents import read_document
from alexandria.workflows.reading.images import (
    ImageSummary,
    check_picture,
    expected_image_id,
    read_image,
    search_images,
)
from alexandria.workflows.reading.images import SimilarImage as FoundImage
from serving.admission.families import Family
from serving.admission.identity import requires
from serving.dependencies import ActingWorkspace
from serving.openapi import Responses, problems
from serving.schemas.base import IdText
from serving.schemas.images import (
    Image,
    ImageId,
    ImageSearchResponse,
    ImageUploadResponse,
    SimilarImage,
)
from serving.uploads import Place, receive_upload

PREFIX = "/api/v2/images"
UPLOAD_PATH = f"{PREFIX}/upload"
SEARCH_PATH = f"{PREFIX}/search"
PICTURE_BYTES = 32 << 20
"""Largest picture that is taken; it is held in memory."""

FORM_LIMITS = {"max_files": 1, "max_fields": 50, "max_part_size": 64 << 10}
"""What the form around one file may hold: parts that no route asks for are held in memory too."""

router = Family(prefix=PREFIX, tags=["images"], form_limits=FORM_LIMITS)

SentFile = Annotated[UploadFile, File(json_schema_extra={"minLength": 1})]
"""A file in a form, with something in it."""

_UNNAMED = frozenset({"", "application/octet-stream"})
_TAKEN = frozenset(
    f"image/{kind}" for kind in ("png", "jpeg", "jpg", "gif", "bmp", "x-ms-bmp", "tiff", "webp")
)
_SENT = {f"image/{kind}": kind for kind in ("png", "jpeg", "gif", "bmp", "tiff", "webp")}
"""Media types of originals that are sent as what they are, and how such files end."""

_GUARDS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "private, no-cache",
}


def _bytes_of(*media_types: str) -> Responses:
    return {200: {"content": {kind: {"schema": _BINARY} for kind in media_types}}}


_BINARY = {"type": "string", "format": "binary"}


@router.post(
    "/upload",
    status_code=202,
    summary="Add a picture",
    operation_id="upload_image",
    dependencies=[requires(Permission.EDIT_DOCUMENTS)],
    responses=problems(404, 409, 415, 507),
)
def upload(
    file: SentFile,
    workspace: ActingWorkspace,
    document_id: Annotated[
        IdText | None, Form(description="A document to show it with; it must be there.")
    ] = None,
) -> ImageUploadResponse:
    """Take in a picture. The pipeline sees it within seconds, reads its text and describes it.

    It becomes a document of its own; with a `document_id` it is shown among that document's
    pictures as well. The same bytes under the same name are taken in once.
    """
    content = _picture_in(file, min(PICTURE_BYTES, workspace.settings.max_file_bytes))
    check_picture(content.getvalue())
    known = read_document(workspace, document_id).document.document_id if document_id else None
    place = Place.of(workspace, document_id=known)
    kept = receive_upload(workspace, content, file.filename, place)
    document, image = expected_image_id(workspace, kept.path, kept.content_hash)
    return ImageUploadResponse(
        image_id=image,
        document_id=document,
        image_url=f"{PREFIX}/{image}",
        source_name=upload_source_name(workspace),
        **asdict(kept),
    )


@router.post(
    "/search",
    summary="Find pictures like one",
    operation_id="search_images",
    dependencies=[requires(Permission.QUERY)],
    responses=problems(415),
)
def search(
    file: SentFile,
    workspace: ActingWorkspace,
    top_k: Annotated[int, Form(ge=1, le=100, description="How many at most.")] = 10,
) -> ImageSearchResponse:
    """The published pictures most like the one sent, best first.

    The descriptor that is built in finds the same picture again, scaled, saved or tinted
    otherwise, or with a little cut off. A CLIP model, by setting, finds what shows alike things.
    """
    content = _picture_in(file, PICTURE_BYTES)
    found = search_images(workspace, content.getvalue(), limit=top_k)
    return ImageSearchResponse(results=[_to_similar(item) for item in found])


@router.get(
    "/{image_id}",
    summary="Read about a picture",
    operation_id="read_image",
    dependencies=[requires(Permission.VIEW_DOCUMENTS)],
)
def read(image_id: ImageId, workspace: ActingWorkspace) -> Image:
    """One picture of a published document, with its text and caption."""
    return to_image(read_image(workspace, image_id))


@router.get(
    "/{image_id}/thumbnail",
    summary="See a picture small",
    operation_id="read_image_thumbnail",
    response_class=Response,
    dependencies=[requires(Permission.VIEW_DOCUMENTS)],
    responses=_bytes_of("image/png"),
)
def read_thumbnail(image_id: ImageId, workspace: ActingWorkspace) -> Response:
    """A PNG of 300 pixels at most on its longer side."""
    stored = read_image(workspace, image_id)
    content = workspace.blobs.read(stored.thumbnail_hash)
    return Response(content, media_type="image/png", headers=_GUARDS)


@router.get(
    "/{image_id}/original",
    summary="Fetch a picture",
    operation_id="read_image_original",
    response_class=Response,
    dependencies=[requires(Permission.VIEW_DOCUMENTS)],
    responses=_bytes_of(*_SENT, "application/octet-stream"),
)
def read_original(image_id: ImageId, workspace: ActingWorkspace) -> Response:
    """The picture's bytes as they lie in the document, to be saved as a file."""
    stored = read_image(workspace, image_id)
    content = workspace.blobs.read(stored.content_hash)
    ending = _SENT.get(stored.media_type)
    name = f"{stored.content_hash[:16]}.{ending or 'bin'}"
    return Response(
        content,
        media_type=stored.media_type if ending else "application/octet-stream",
        headers=_GUARDS | {"Content-Disposition": f'attachment; filename="{name}"'},
    )


def to_image(item: ImageSummary) -> Image:
    """A picture with the addresses of its bytes."""
    return Image.model_validate(_fields(item))


def _to_similar(item: FoundImage) -> SimilarImage:
    return SimilarImage.model_validate(_fields(item) | {"score": item.score})


def _fields(item: ImageSummary) -> dict[str, Any]:
    address = f"{PREFIX}/{item.image_id}"
    known = {name: getattr(item, name) for name in ImageSummary.__slots__}
    return known | {
        "thumbnail_url": f"{address}/thumbnail",
        "original_url": f"{address}/original",
    }


def _picture_in(file: UploadFile, most: int) -> BytesIO:
    """The bytes of what came as a picture.

    Raises:
        EmptyFileError: It has no bytes.
        UnsupportedFormatError: It is named as something else than a picture.
        FileTooLargeError: It has more bytes than are taken.
    """
    named = (file.content_type or "").partition(";")[0].strip().lower()
    if named not in _TAKEN | _UNNAMED:
        raise UnsupportedFormatError(f"{named} is no picture; send PNG, JPEG, GIF, TIFF or WebP.")
    content = BytesIO(file.file.read(most + 1))
    if not content.getbuffer():
        raise EmptyFileError
    if len(content.getbuffer()) > most:
        raise FileTooLargeError(f"The picture is larger than {most} bytes.")
    return content
