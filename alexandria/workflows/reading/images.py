"""Pictures as a reader sees them: those of a document, those that resemble one, their bytes.

What is not published, or is another tenant's, does not exist. A picture's id is its document's
and the beginning of its content's hash, so it stays the same however often it is read anew.
"""

import re
from dataclasses import dataclass
from io import BytesIO
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from alexandria.errors import (
    CorruptFileError,
    FileTooLargeError,
    NotFoundError,
    UnsupportedFormatError,
)
from alexandria.identity.principals import read_id
from alexandria.workflows.operating.generations import live_generation
from alexandria.workflows.reading.documents import expected_document_id
from alexandria.workflows.workspace import Workspace

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_LOOKING = BoundedSemaphore(2)
"""A picture may take hundreds of megabytes to decode: few at a time in one process."""

MOST_PIXELS = 50_000_000
MOST_WEBP_PIXELS = 25_000_000
"""WebP takes four times the memory of any other format."""

LONGEST_SIDE = 65_535
"""Pixels. Each row takes memory of its own, however narrow the picture is."""

_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")
_IMAGE_ID = re.compile(r"([0-9a-f-]{36})\.([0-9a-f]{16})")


@dataclass(frozen=True, slots=True)
class ImageSummary:
    """A picture of a document.

    Attributes:
        image_id: Names it for as long as its document shows it.
        document_id: The document it lies in.
        version_id: The version of it that readers see.
        title: Of the document.
        path: Of the document.
        label: Of the unit it lies in.
        anchor: Of the unit it lies in.
        media_type: Of its bytes.
        width: Pixels.
        height: Pixels.
        text: What recognition read in it.
        confidence: Mean confidence of that text; None without text.
        description: What the document says it shows.
        caption: What the vision model says it shows; empty without one.
    """

    image_id: str
    document_id: str
    version_id: str
    title: str
    path: str
    label: str
    anchor: str
    media_type: str
    width: int
    height: int
    text: str
    confidence: float | None
    description: str
    caption: str


@dataclass(frozen=True, slots=True)
class SimilarImage(ImageSummary):
    """A picture and its likeness to the one asked for, as a cosine: 1 for the same."""

    score: float


@dataclass(frozen=True, slots=True)
class StoredImage(ImageSummary):
    """A picture and where its bytes are kept."""

    content_hash: str
    thumbnail_hash: str


def search_images(workspace: Workspace, picture: bytes, *, limit: int = 10) -> list[SimilarImage]:
    """The published pictures most like one, best first.

    Raises:
        CorruptFileError: The bytes are no picture.
        FileTooLargeError: It has more pixels than the limits allow.
        ModelMissingError: The image model of the settings is not on this machine.
    """
    thumbnail = _thumbnail_of(picture)
    live = live_generation(workspace)
    if live is None:
        return []
    describer = workspace.image_describer
    vector = workspace.database.half_vectors(describer.describe([thumbnail]))[0]
    return workspace.database.fetch(
        SimilarImage,
        "search_images",
        generation_id=live.generation_id,
        tenant_id=workspace.tenant_id,
        model_id=describer.model_id,
        dimension=describer.dimension,
        vector=vector,
        limit=limit,
    )


def document_images(workspace: Workspace, document_id: str) -> list[StoredImage]:
    """The pictures of a published document in reading order, then those uploaded to it."""
    return _published(workspace, document_id, "")


def read_image(workspace: Workspace, image_id: str) -> StoredImage:
    """One picture.

    Raises:
        NotFoundError: No published picture has that id.
    """
    parts = _IMAGE_ID.fullmatch(image_id)
    found = (
        _published(workspace, parts[1], parts[2]) if parts and read_id(parts[1]) == parts[1] else []
    )
    if not found:
        raise NotFoundError(f"No picture {image_id[:60]} is published; it may still be read.")
    return found[0]


def expected_image_id(workspace: Workspace, path: str, content_hash: str) -> tuple[str, str]:
    """Ids of the document and the picture that an uploaded picture becomes."""
    document_id = expected_document_id(workspace, path, content_hash)
    return document_id, f"{document_id}.{content_hash[:16]}"


def check_picture(content: bytes) -> None:
    """Refuse what cannot be looked at, and what is many pictures in one file.

    Raises:
        CorruptFileError: The bytes are no picture, or it is cut short.
        FileTooLargeError: It has more pixels than the limits allow.
        UnsupportedFormatError: It is a TIFF of several pages.
    """
    _thumbnail_of(content, is_one_page=True)


def _thumbnail_of(content: bytes, *, is_one_page: bool = False) -> bytes:
    """A picture made small.

    Raises:
        CorruptFileError: The bytes are no picture, or it is cut short.
        FileTooLargeError: It has more pixels than the limits allow.
        UnsupportedFormatError: It is a TIFF of several pages, and is to have one.
    """
    from PIL import Image as Pillow

    from alexandria.knowledge.parsing.recognition import (
        PICTURE_ERRORS,
        THUMBNAIL_PIXELS,
        make_thumbnail,
    )

    try:
        with _LOOKING, Pillow.open(BytesIO(content), formats=_FORMATS) as picture:
            _refuse_large(picture)
            side = 2 * THUMBNAIL_PIXELS
            picture.draft(None, (side, side))  # a JPEG is decoded no larger than needed
            thumbnail = make_thumbnail(picture)
            if is_one_page and picture.format == "TIFF" and _has_second_page(picture):
                raise UnsupportedFormatError("The TIFF has several pages; add it as a document.")
            return thumbnail
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning) as error:
        most = MOST_PIXELS // 10**6
        raise FileTooLargeError(f"The picture has more than {most} million pixels.") from error
    except PICTURE_ERRORS as error:
        raise CorruptFileError(
            "The bytes are no picture that can be read: PNG, JPEG, GIF, BMP, TIFF or WebP."
        ) from error


def _refuse_large(picture: "Picture") -> None:
    """Refuse what would take much memory, by what its header says; nothing is unpacked yet.

    Raises:
        FileTooLargeError: It would.
    """
    from alexandria.knowledge.parsing.pictures.pixels import unpacked_pixels

    most = MOST_WEBP_PIXELS if picture.format == "WEBP" else MOST_PIXELS
    if unpacked_pixels(picture) > most:
        raise FileTooLargeError(f"The picture has more than {most // 10**6} million pixels.")
    if max(picture.size) > LONGEST_SIDE:
        raise FileTooLargeError(f"A side of the picture is longer than {LONGEST_SIDE:,} pixels.")


def _has_second_page(picture: "Picture") -> bool:
    """Whether there is one more page; to count them all can take a file seconds."""
    try:
        picture.seek(1)
    except EOFError:
        return False
    return True


def _published(workspace: Workspace, document_id: str, hash_prefix: str) -> list[StoredImage]:
    live = live_generation(workspace)
    if live is None:
        return []
    return workspace.database.fetch(
        StoredImage,
        "published_images",
        generation_id=live.generation_id,
        tenant_id=workspace.tenant_id,
        document_id=document_id,
        hash_prefix=hash_prefix,
        with_uploaded=not hash_prefix,
    )
