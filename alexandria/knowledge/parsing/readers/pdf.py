"""PDF through pdfium: one unit for each page, from its text layer or from its picture.

pdfium gives characters in the order the page draws them, which is reading order in what
office and typesetting programs write, columns included (checked on three-column pages).
Lines become paragraphs in `pdf_layout`. A page without text, or with a layer that says nothing,
is drawn and recognized where there is a recognizer; else it is a unit with a problem.
pdfium serves one thread at a time, hence the lock.
"""

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from alexandria.errors import (
    CorruptFileError,
    NoTextLayerError,
    PasswordProtectedError,
    RecognitionFailedError,
)
from alexandria.knowledge.documents import Problem, UnitKind
from alexandria.knowledge.parsing.drafts import (
    PICTURE_UNIT,
    REPLACEMENT,
    Draft,
    FoundImage,
    Piece,
    Section,
    Source,
    one_line,
)
from alexandria.knowledge.parsing.pictures.pdf_pages import (
    WORDLESS_PAGE,
    page_images,
    recognize_page,
)
from alexandria.knowledge.parsing.readers.pdf_layout import (
    Line,
    Outline,
    drop_running_lines,
    join_baselines,
    page_pieces,
    restore_hyphens,
)
from alexandria.knowledge.parsing.readers.pdf_tables import with_tables
from alexandria.knowledge.parsing.recognition import HOW_TO_RECOGNIZE
from alexandria.knowledge.parsing.recognizers import TextRecognizer

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

_LOCK = threading.Lock()
_LINE = re.compile("[^\n\ufffe]+\ufffe?|\ufffe")
_WORD = re.compile(r"\S+")
_PASSWORD_ERROR = 4
_MAX_TITLE = 200
_UNTOLD = replace(
    PICTURE_UNIT,
    reason="The page's font does not tell its letters; its text exists only as pixels.",
    advice=HOW_TO_RECOGNIZE,
)
_NO_BOX = (0.0, 0.0, 0.0, 0.0)


def read_pdf(source: Source) -> Draft:
    """A PDF document.

    Raises:
        PasswordProtectedError: It opens with a password only.
        CorruptFileError: pdfium cannot open it, or it has no pages.
        NoTextLayerError: No page has text, but some have pictures that nothing reads.
    """
    with _LOCK:
        document = _open(source.content)
        try:
            return _draft(document, source.tools.recognizer)
        finally:
            document.close()


def _open(content: bytes) -> "PdfDocument":
    from pypdfium2 import PdfDocument, PdfiumError

    try:
        document = PdfDocument(content)
    except PdfiumError as error:
        if error.err_code == _PASSWORD_ERROR:
            raise PasswordProtectedError from error
        raise CorruptFileError(f"The PDF does not open: {error}") from error
    if not len(document):
        raise CorruptFileError("The PDF has no pages.")
    return document


@dataclass(frozen=True, slots=True)
class _Page:
    """What a page gave: lines in drawing order, or recognized pieces, or a problem."""

    lines: list[Line]
    recognized: tuple[Piece, ...] = ()
    images: tuple[FoundImage, ...] = ()
    problem: Problem | None = None


def _draft(document: "PdfDocument", recognizer: TextRecognizer | None) -> Draft:
    pages = [_read_page(document, number, recognizer) for number in range(len(document))]
    lines = restore_hyphens(drop_running_lines([join_baselines(page.lines) for page in pages]))
    outline = _outline(document)
    sections = [
        Section(
            UnitKind.PAGE,
            f"Page {number}",
            f"page={number}",
            page.recognized or tuple(page_pieces(lines[number - 1], outline.get(number - 1, []))),
            page.problem,
            page.images,
        )
        for number, page in enumerate(pages, start=1)
    ]
    _refuse_pictures(sections)
    metadata = document.get_metadata_dict(skip_empty=True)
    title = one_line(metadata.get("Title", ""))[:_MAX_TITLE]
    return Draft(
        tuple(sections),
        title=title or _first_title(outline),
        author=metadata.get("Author", "").replace(";", "; "),
        language=_language(document),
    )


def _refuse_pictures(sections: Sequence[Section]) -> None:
    if any(section.pieces for section in sections):
        return
    problems = [section.problem for section in sections if section.problem]
    if WORDLESS_PAGE in problems:
        raise NoTextLayerError(
            "Every page is a picture, and recognition found no text in them.",
            advice=WORDLESS_PAGE.advice,
        )
    if any(one.code == NoTextLayerError.code for one in problems):
        raise NoTextLayerError(
            "Every page is a picture; the text exists only as pixels.", advice=HOW_TO_RECOGNIZE
        )


def _read_page(document: "PdfDocument", number: int, recognizer: TextRecognizer | None) -> _Page:
    from pypdfium2 import PdfiumError

    try:
        page = document[number]
        try:
            lines = _lines(page)
            if any(_says_something(line) for line in lines):
                return _Page(lines, images=page_images(page, is_recognized=False))
            return _recognized(page, lines, recognizer)
        finally:
            page.close()
    except PdfiumError:
        problem = Problem(CorruptFileError.code, "The page is damaged.", CorruptFileError.advice)
        return _Page([], problem=problem)


def _recognized(page: "PdfPage", lines: list[Line], recognizer: TextRecognizer | None) -> _Page:
    """The page by its looks; what its text layer held stays when recognition finds nothing."""
    problem = _UNTOLD if lines else _problem(page)
    if recognizer is None:
        return _Page([], images=page_images(page, is_recognized=True), problem=problem)
    if problem is None:
        return _Page(lines)
    try:
        pieces = recognize_page(page, recognizer)
    except RecognitionFailedError as error:
        return _Page(lines, problem=Problem(error.code, error.message, error.advice))
    images = page_images(page, is_recognized=True)
    if pieces:
        return _Page([], pieces, images)
    return _Page(lines, images=images, problem=None if lines else WORDLESS_PAGE)


def _says_something(line: Line) -> bool:
    """Whether a line is more than signs that stand for no letter, as broken fonts give them."""
    signs = [char for char in line.text if not char.isspace()]
    return 2 * sum(char == REPLACEMENT or "\ue000" <= char <= "\uf8ff" for char in signs) < len(
        signs
    )


def _lines(page: "PdfPage") -> list[Line]:
    textpage = page.get_textpage()
    text = textpage.get_text_range()
    exact = len(text) == textpage.count_chars()
    spans = list(_spans(text))
    lines = [
        Line(text[start:end], *(_box(textpage, start, end - 1) if exact else _NO_BOX))
        for start, end in spans
    ]
    if exact:
        lines = with_tables(lines, lambda at: _words(textpage, text, *spans[at]))
    textpage.close()
    return lines


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Spans of the lines without outer white space; pdfium's hyphen mark ends a line too."""
    for match in _LINE.finditer(text):
        line = match[0]
        if line.strip():
            start = match.start() + len(line) - len(line.lstrip())
            yield start, match.start() + len(line.rstrip())


def _words(textpage: Any, text: str, start: int, end: int) -> list[Line]:
    """The words of a line from left to right, each with its box."""
    words = [
        Line(word[0], *_box(textpage, word.start(), word.end() - 1))
        for word in _WORD.finditer(text, start, end)
    ]
    return sorted(words, key=lambda word: word.left)


def _box(textpage: Any, first: int, last: int) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of a line in points, from its first and last character."""
    left, low, right, high = textpage.get_charbox(first, loose=True)
    left_last, low_last, right_last, high_last = textpage.get_charbox(last, loose=True)
    lower, upper = min(low, low_last), max(high, high_last)
    return min(left, left_last), lower, max(right, right_last), upper


def _problem(page: "PdfPage") -> Problem | None:
    from pypdfium2 import raw

    pictures = (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_SHADING, raw.FPDF_PAGEOBJ_PATH)
    unread = replace(PICTURE_UNIT, advice=HOW_TO_RECOGNIZE)
    return next((unread for _ in page.get_objects(filter=pictures)), None)


def _outline(document: "PdfDocument") -> dict[int, list[Outline]]:
    """The outline's entries by page index."""
    entries: dict[int, list[Outline]] = {}
    for bookmark in document.get_toc():
        target = bookmark.get_dest()
        page = target.get_index() if target else None
        title = one_line(bookmark.get_title())
        if page is not None and title:
            entries.setdefault(page, []).append(Outline(title, bookmark.level + 1))
    return entries


def _first_title(outline: dict[int, list[Outline]]) -> str:
    top = [one.title for page in sorted(outline) for one in outline[page] if one.level == 1]
    return top[0] if len(top) == 1 else ""


def _language(document: "PdfDocument") -> str:
    """The catalogue's language entry; pdfium tells it in UTF-16."""
    import ctypes

    from pypdfium2 import raw

    if not hasattr(raw, "FPDFCatalog_GetLanguage"):
        return ""
    size = raw.FPDFCatalog_GetLanguage(document, None, 0)
    buffer = ctypes.create_string_buffer(max(size, 2))
    raw.FPDFCatalog_GetLanguage(
        document, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size
    )
    return buffer.raw.decode("utf-16-le", "ignore").rstrip("\0")
