"""Picture files: one unit for each picture, its text from recognition, the picture itself kept.

A TIFF may hold many pages, and each is a unit. Of an animation the first frame counts. A
picture without a word is a document all the same, a wordless one: it is found by its looks, and
by the name that each of its places gives it.
"""

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING

from alexandria.errors import (
    CorruptFileError,
    FileTooLargeError,
    NoTextLayerError,
    UnreadableError,
)
from alexandria.knowledge.documents import Note, Problem, UnitKind
from alexandria.knowledge.parsing.drafts import (
    Draft,
    FoundImage,
    Section,
    Source,
)
from alexandria.knowledge.parsing.pictures.pixels import check_size, open_picture
from alexandria.knowledge.parsing.recognition import HOW_TO_RECOGNIZE, PICTURE_ERRORS
from alexandria.knowledge.parsing.recognized_layout import recognized_pieces
from alexandria.knowledge.parsing.recognizers import TextRecognizer

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_NO_RECOGNIZER = "The file is a picture; its text exists only as pixels."
_MOST_FRAMES = 5_000


def read_image(source: Source) -> Draft:
    """A picture, or the pages of a TIFF.

    Raises:
        NoTextLayerError: No recognizer is at hand.
        CorruptFileError: No picture in it can be unpacked.
        FileTooLargeError: It unpacks to more pixels or pages than the limits allow.
    """
    recognizer = source.tools.recognizer
    if recognizer is None:
        raise NoTextLayerError(_NO_RECOGNIZER, advice=HOW_TO_RECOGNIZE)
    with open_picture(source.content) as picture:
        count = _count_frames(picture)
        sections = [
            _section(picture, number, count, source.content, recognizer)
            for number in range(1, count + 1)
        ]
    if any(section.pieces for section in sections):
        return Draft(tuple(sections))
    return _wordless(sections)


def _count_frames(picture: "Picture") -> int:
    if picture.format != "TIFF":
        return 1
    try:
        count = int(getattr(picture, "n_frames", 1))
    except PICTURE_ERRORS:
        return 1
    if count > _MOST_FRAMES:
        raise FileTooLargeError(
            f"The TIFF holds more than {_MOST_FRAMES:,} pages.",
            advice="Split the file and re-add its parts.",
        )
    return count


def _section(
    picture: "Picture", number: int, count: int, content: bytes, recognizer: TextRecognizer
) -> Section:
    """One picture of the file; damage to it is its own problem where there are others."""
    label = "Image" if count == 1 else f"Image {number}"
    section = Section(UnitKind.IMAGE, label, f"image={number}")
    try:
        _unpack(picture, number)
        pieces = tuple(recognized_pieces(recognizer.recognize(picture)))
        own = content if count == 1 else _as_png(picture)
    except UnreadableError as error:
        if count == 1:
            raise
        return replace(section, problem=Problem(error.code, error.message, error.advice))
    return replace(section, pieces=pieces, images=(FoundImage(own, is_recognized=True),))


def _unpack(picture: "Picture", number: int) -> None:
    from PIL import Image as Pillow

    try:
        if number > 1:
            picture.seek(number - 1)
        check_size(picture)
        picture.load()
    except Pillow.DecompressionBombError as error:
        raise FileTooLargeError(str(error)) from error
    except PICTURE_ERRORS as error:
        raise CorruptFileError(f"The picture is damaged: {error}") from error


def _as_png(picture: "Picture") -> bytes:
    """A page of a TIFF as a file of its own."""
    buffer = BytesIO()
    fits = picture.mode in {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"}
    (picture if fits else picture.convert("RGB")).save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def _wordless(sections: list[Section]) -> Draft:
    """A document of pictures without text; damaged ones stay named.

    Raises:
        CorruptFileError: No picture can be unpacked.
    """
    at = next(_readable(sections), None)
    if at is None:
        reason = sections[0].problem.reason if sections[0].problem else ""
        raise CorruptFileError(reason or None)
    sections[at] = replace(sections[at], is_wordless=True)
    note = Note("no_text_recognized", "No text was found in the picture.")
    return Draft(tuple(sections), notes=(note,))


def _readable(sections: list[Section]) -> Iterator[int]:
    return (at for at, section in enumerate(sections) if section.problem is None)
