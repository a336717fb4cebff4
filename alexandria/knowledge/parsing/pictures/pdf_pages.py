"""Pictures on the pages of a PDF, and pages that are pictures: drawn, and their text recognized.

A page is drawn at 200 dpi, which is what recognition reads best at the usual sizes of print.
pdfium serves one thread at a time; whoever calls here holds the reader's lock.
"""

from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any

from alexandria.knowledge.documents import Problem
from alexandria.knowledge.parsing.drafts import FoundImage, Piece
from alexandria.knowledge.parsing.pictures.pixels import MAX_PIXELS
from alexandria.knowledge.parsing.recognized_layout import recognized_pieces
from alexandria.knowledge.parsing.recognizers import TextRecognizer

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from pypdfium2 import PdfPage

WORDLESS_PAGE = Problem(
    "wordless_page",
    "The page is a picture, and recognition found no text in it.",
    "Nothing to do, unless text is expected there.",
)

_POINTS = 72
_DPI = 200
_LONGEST_SIDE = 4_000
_SMALLEST_SIDE = 100
_CHEAP_PIXELS = 4_000_000
_MOST_ON_A_PAGE = 8


def draw_page(page: "PdfPage") -> "Picture":
    """The page as it is printed, at 200 dpi or what keeps its sides within 4,000 pixels."""
    scale = min(_DPI / _POINTS, _LONGEST_SIDE / max(*page.get_size(), 1))
    drawn: Any = page  # its stub takes whole numbers only
    return drawn.render(scale=scale).to_pil()


def recognize_page(page: "PdfPage", recognizer: TextRecognizer) -> tuple[Piece, ...]:
    """The text of a page that has none as text.

    Raises:
        RecognitionFailedError: The engine broke down on it.
    """
    return tuple(recognized_pieces(recognizer.recognize(draw_page(page))))


def page_images(page: "PdfPage", *, is_recognized: bool) -> tuple[FoundImage, ...]:
    """Pictures of a page that are worth keeping and cheap to take out.

    Args:
        page: The page.
        is_recognized: Whether the page was recognized as a whole; then its largest picture
            stands for it.
    """
    shown = sorted(_shown(page), key=lambda one: -one[0])
    wanted = shown[: 1 if is_recognized else _MOST_ON_A_PAGE]
    taken = (_take(image) for _, image in wanted)
    return tuple(FoundImage(content, is_recognized=is_recognized) for content in taken if content)


def _shown(page: "PdfPage") -> Iterator[tuple[int, Any]]:
    """Pictures of a fair size with their number of pixels."""
    from pypdfium2 import PdfiumError, raw

    images: Any = page.get_objects(filter=(raw.FPDF_PAGEOBJ_IMAGE,))
    for image in images:
        try:
            width, height = image.get_px_size()
            filters = image.get_filters(skip_simple=True)
        except PdfiumError:
            continue
        pixels = width * height
        most = MAX_PIXELS if filters == ["DCTDecode"] else _CHEAP_PIXELS
        if min(width, height) >= _SMALLEST_SIDE and pixels <= most:
            yield pixels, image


def _take(image: Any) -> bytes:
    """The picture as a file: JPEG as it lies there, any other as PNG; empty when damaged."""
    from pypdfium2 import PdfiumError

    buffer = BytesIO()
    try:
        image.extract(buffer, fb_format="png")
    except (PdfiumError, OSError, ValueError, SyntaxError):
        return b""
    return buffer.getvalue()
