"""PDF with a text layer, through pdfium: one unit for each page.

pdfium gives characters in the order the page draws them, which is reading order in what
office and typesetting programs write, columns included (checked on three-column pages).
Lines become paragraphs in `pdf_layout`. Pages without text stay units, with a problem.
pdfium serves one thread at a time, hence the lock.
"""

import re
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from alexandria.errors import CorruptFileError, NoTextLayerError, PasswordProtectedError
from alexandria.knowledge.documents import Problem, UnitKind
from alexandria.knowledge.parsing.drafts import PICTURE_UNIT, Draft, Section, Source, one_line
from alexandria.knowledge.parsing.readers.pdf_layout import (
    Line,
    Outline,
    drop_running_lines,
    join_baselines,
    page_pieces,
    restore_hyphens,
)

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

_LOCK = threading.Lock()
_LINE = re.compile("[^\n\ufffe]+\ufffe?|\ufffe")
_PASSWORD_ERROR = 4
_MAX_TITLE = 200


def read_pdf(source: Source) -> Draft:
    """A PDF document.

    Raises:
        PasswordProtectedError: It opens with a password only.
        CorruptFileError: pdfium cannot open it, or it has no pages.
        NoTextLayerError: No page has text, but some have pictures.
    """
    with _LOCK:
        document = _open(source.content)
        try:
            return _draft(document)
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


def _draft(document: "PdfDocument") -> Draft:
    pages = [_read_page(document, number) for number in range(len(document))]
    lines = restore_hyphens(drop_running_lines([join_baselines(one) for one, _ in pages]))
    outline = _outline(document)
    sections = [
        Section(
            UnitKind.PAGE,
            f"Page {number}",
            f"page={number}",
            tuple(page_pieces(lines[number - 1], outline.get(number - 1, []))),
            problem,
        )
        for number, (_, problem) in enumerate(pages, start=1)
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
    if any(section.problem is PICTURE_UNIT for section in sections):
        raise NoTextLayerError("Every page is a picture; the text exists only as pixels.")


def _read_page(document: "PdfDocument", number: int) -> tuple[list[Line], Problem | None]:
    """The page's lines in drawing order, or the problem that stands for them."""
    from pypdfium2 import PdfiumError

    try:
        page = document[number]
        lines = _lines(page)
        problem = None if lines else _problem(page)
        page.close()
    except PdfiumError:
        problem = Problem(CorruptFileError.code, "The page is damaged.", CorruptFileError.advice)
        return [], problem
    return lines, problem


def _lines(page: "PdfPage") -> list[Line]:
    textpage = page.get_textpage()
    text = textpage.get_text_range()
    exact = len(text) == textpage.count_chars()
    lines = [
        Line(text[start:end], *(_box(textpage, start, end - 1) if exact else (0.0,) * 4))
        for start, end in _spans(text)
    ]
    textpage.close()
    return lines


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Spans of the lines without outer white space; pdfium's hyphen mark ends a line too."""
    for match in _LINE.finditer(text):
        line = match[0]
        if line.strip():
            start = match.start() + len(line) - len(line.lstrip())
            yield start, match.start() + len(line.rstrip())


def _box(textpage: Any, first: int, last: int) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of a line in points, from its first and last character."""
    left, low, _, high = textpage.get_charbox(first, loose=True)
    _, low_last, right, high_last = textpage.get_charbox(last, loose=True)
    return left, min(low, low_last), right, max(high, high_last)


def _problem(page: "PdfPage") -> Problem | None:
    from pypdfium2 import raw

    pictures = (raw.FPDF_PAGEOBJ_IMAGE, raw.FPDF_PAGEOBJ_SHADING, raw.FPDF_PAGEOBJ_PATH)
    return next((PICTURE_UNIT for _ in page.get_objects(filter=pictures)), None)


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
