"""Which bytes count as a picture, what is left out, and which section a picture belongs to.

A format's walker yields what it meets in reading order: headings as text, pictures as
`FoundImage`. Whatever is left out is counted, so that a note can say so.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from io import BytesIO

from alexandria.knowledge.documents import BlockKind, Note
from alexandria.knowledge.parsing.drafts import FoundImage, Section, one_line

READABLE_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "DIB", "TIFF", "WEBP", "ICO", "JPEG2000")
"""Of pixels, as Pillow names them. Drawings (SVG, EMF, WMF) are made of lines instead."""

MAX_PIXELS = 100_000_000
_FILE_NAME = re.compile(r"\S+\.[A-Za-z]{2,4}|[A-Za-z]:\\.*")
"""What programs fill in as a description when nobody wrote one."""

_MIN_SIDE = 16
_MAX_BYTES = 64 << 20

Found = str | FoundImage
"""A heading's text, or a picture."""


@dataclass(slots=True)
class Gallery:
    """The pictures of one document; each name is looked at once, however often it is shown.

    Attributes:
        skipped: How many were left out: drawings, damaged ones, bullets and spacers.
    """

    skipped: int = 0
    _known: dict[str, bytes | None] = field(default_factory=dict[str, bytes | None])

    def take(self, name: str, load: Callable[[], bytes], description: str) -> Iterator[FoundImage]:
        """The picture of that name, or nothing.

        Args:
            name: Names its bytes within the document.
            load: Reads them; `LookupError` or `OSError` when they cannot be had.
            description: What the document says it shows.
        """
        if name not in self._known:
            self._known[name] = _checked(load)
            self.skipped += self._known[name] is None
        content = self._known[name]
        if content is not None:
            words = one_line(description)
            yield FoundImage(content, "" if _FILE_NAME.fullmatch(words) else words)

    def notes(self) -> tuple[Note, ...]:
        """A note when something was left out."""
        if not self.skipped:
            return ()
        message = (
            f"Pictures left out: {self.skipped}. They are drawings (SVG, EMF, WMF), damaged, "
            "larger than the limits, or smaller than 16 pixels."
        )
        return (Note("images_skipped", message),)


def place_by_headings(sections: Iterable[Section], found: Iterable[Found]) -> tuple[Section, ...]:
    """The sections, each with the pictures that come between its opening heading and the next.

    A heading that opens no later section moves nothing, so a table of contents or a heading
    that the reader changed costs at most the exact place.
    """
    placed = list(sections)
    openings = [_opening(section) for section in placed]
    at = 0
    for item in found:
        if isinstance(item, FoundImage):
            placed[at] = with_images(placed[at], [item])
            continue
        heading = one_line(item)
        later = range(at + 1, len(placed))
        at = next((index for index in later if heading in openings[index]), at)
    return tuple(placed)


def with_images(section: Section, found: Iterable[FoundImage]) -> Section:
    """The section with pictures added; one that it shows already is not added again."""
    by_content = {image.content: image for image in section.images}
    for image in found:
        known = by_content.get(image.content)
        if known is None or (image.description and not known.description):
            by_content[image.content] = image
    return replace(section, images=tuple(by_content.values()))


def _opening(section: Section) -> set[str]:
    """The headings a section begins with."""
    texts: set[str] = set()
    for piece in section.pieces:
        if piece.kind is not BlockKind.HEADING:
            break
        texts.add(one_line(piece.text))
    return texts


def _checked(load: Callable[[], bytes]) -> bytes | None:
    """The bytes, if they begin like a picture of a fair size; only its header is read."""
    from PIL import Image as Pillow

    try:
        content = load()
    except (LookupError, OSError):
        return None
    try:
        with Pillow.open(BytesIO(content), formats=READABLE_FORMATS) as picture:
            width, height = picture.size
    except (OSError, ValueError, SyntaxError, Pillow.DecompressionBombError):
        return None
    is_fair = min(width, height) >= _MIN_SIDE and width * height <= MAX_PIXELS
    return content if is_fair and len(content) <= _MAX_BYTES else None
