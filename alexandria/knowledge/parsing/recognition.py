"""Images of a draft: recognized, shrunk to thumbnails, counted; and what was uncertain, noted.

A picture's text joins the end of the section the picture lies in, so that what a scan or a
chart says is found like everything else of its page. The same picture is read once however
often a document shows it (a logo on every slide), and pictures too small to hold a line of
text are not read at all.
"""

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import TYPE_CHECKING

from alexandria.errors import RecognitionFailedError
from alexandria.knowledge.documents import LOW_CONFIDENCE, Image, Note
from alexandria.knowledge.parsing.drafts import (
    Draft,
    FoundImage,
    Piece,
    Section,
    mean_confidence,
    one_line,
)
from alexandria.knowledge.parsing.pictures.pixels import MAX_PIXELS, reduced, unpacked_pixels
from alexandria.knowledge.parsing.recognized_layout import recognized_pieces
from alexandria.knowledge.parsing.recognizers import TextRecognizer

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

THUMBNAIL_PIXELS = 300
HOW_TO_RECOGNIZE = (
    "Set ALEXANDRIA_OCR_ENGINE to an engine that is installed, or run the file through text "
    "recognition and re-add the result."
)
PICTURE_ERRORS = (
    *(OSError, ValueError, SyntaxError, EOFError, TypeError),
    *(LookupError, OverflowError, struct.error),
)
"""What Pillow raises on bytes that are damaged."""

_MIN_WIDTH, _MIN_HEIGHT = 80, 24


@dataclass(frozen=True, slots=True)
class _Seen:
    """What came of one picture: its image without a place, and its text."""

    image: Image
    pieces: tuple[Piece, ...]


@dataclass(slots=True)
class _Album:
    """The images of one draft, each distinct picture looked at once."""

    recognizer: TextRecognizer | None
    seen: dict[str, _Seen | None] = field(default_factory=dict[str, _Seen | None])
    images: list[Image] = field(default_factory=list[Image])
    failures: list[Note] = field(default_factory=list[Note])
    unread: int = 0

    def add(self, found: FoundImage, unit: int, known: tuple[Piece, ...]) -> tuple[Piece, ...]:
        """Count the picture; returns the text it adds to its section.

        Args:
            found: The picture.
            unit: Where it lies.
            known: What recognition read there already, should it be the picture's text.
        """
        key = hashlib.sha256(found.content).hexdigest()
        first = key not in self.seen
        if first:
            self.seen[key] = self._look(found, unit, known)
        seen = self.seen[key]
        if seen is None:
            return ()
        place = {"ordinal": len(self.images), "unit": unit, "description": found.description}
        self.images.append(replace(seen.image, **place))
        return seen.pieces if first and not found.is_recognized else ()

    def _look(self, found: FoundImage, unit: int, known: tuple[Piece, ...]) -> _Seen | None:
        """The picture looked at for the first time."""
        recognizer = None if found.is_recognized else self.recognizer
        try:
            seen = _look(found, recognizer, known if found.is_recognized else ())
        except RecognitionFailedError as error:
            self.failures.append(Note("image_not_recognized", error.message, unit))
            return _look(found, None, ())
        if seen and not recognizer and not found.is_recognized:
            self.unread += _may_hold_text(seen.image.width, seen.image.height)
        return seen

    def notes(self) -> tuple[Note, ...]:
        """What of the pictures was not read: none is passed over in silence."""
        if not self.unread:
            return tuple(self.failures)
        message = (
            f"Pictures kept without their text: {self.unread}. Text recognition is off; "
            "ALEXANDRIA_OCR_ENGINE turns it on."
        )
        return (*self.failures, Note("image_not_recognized", message))


def recognize_images(
    draft: Draft, recognizer: TextRecognizer | None
) -> tuple[Draft, tuple[Image, ...]]:
    """The draft with the text of its pictures, and the pictures.

    Without a recognizer the pictures are kept, and a note says that nobody looked for their text.
    """
    album = _Album(recognizer)
    sections = tuple(_fill(album, section, unit) for unit, section in enumerate(draft.sections))
    notes = (*draft.notes, *album.notes())
    return replace(draft, sections=sections, notes=notes), tuple(album.images)


def uncertain_units(draft: Draft) -> Iterator[Note]:
    """A note for every section whose recognized text is not to be trusted blindly."""
    for unit, section in enumerate(draft.sections):
        confidence = mean_confidence(section.pieces)
        if confidence is not None and confidence < LOW_CONFIDENCE:
            message = f"{section.label}: text was recognized with {confidence:.0%} confidence."
            yield Note("low_confidence", message, unit)


def _fill(album: _Album, section: Section, unit: int) -> Section:
    known = tuple(piece for piece in section.pieces if piece.confidence is not None)
    added = tuple(piece for found in section.images for piece in album.add(found, unit, known))
    return replace(section, pieces=section.pieces + added)


def _look(
    found: FoundImage, recognizer: TextRecognizer | None, known: tuple[Piece, ...]
) -> _Seen | None:
    """The picture's size, thumbnail and text; None for bytes that are no picture."""
    from PIL import Image as Pillow

    try:
        with Pillow.open(BytesIO(found.content)) as picture:
            if unpacked_pixels(picture) > MAX_PIXELS:
                return None
            media_type = Pillow.MIME.get(picture.format or "", "application/octet-stream")
            pieces = known or _text(picture, recognizer)
            text = "\n".join(one_line(piece.text) for piece in pieces)
            image = Image(
                ordinal=0,
                unit=0,
                content=found.content,
                media_type=media_type,
                width=picture.width,
                height=picture.height,
                thumbnail=make_thumbnail(picture),
                text=text,
                confidence=mean_confidence(pieces),
            )
    except (*PICTURE_ERRORS, Pillow.DecompressionBombError):
        return None
    return _Seen(image, pieces)


def _text(picture: "Picture", recognizer: TextRecognizer | None) -> tuple[Piece, ...]:
    if recognizer is None or not _may_hold_text(*picture.size):
        return ()
    return tuple(recognized_pieces(recognizer.recognize(picture)))


def _may_hold_text(width: int, height: int) -> bool:
    return width >= _MIN_WIDTH and height >= _MIN_HEIGHT


def make_thumbnail(picture: "Picture") -> bytes:
    """A PNG of 300 pixels at most on its longer side, upright, on white where it is see-through."""
    from PIL import Image as Pillow
    from PIL import ImageOps

    small = reduced(picture, THUMBNAIL_PIXELS)
    small.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
    small = ImageOps.exif_transpose(small)
    white = Pillow.new("RGBA", small.size, "white")
    buffer = BytesIO()
    Pillow.alpha_composite(white, small).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()
