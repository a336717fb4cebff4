"""OpenDocument spreadsheets and presentations, read from their XML; pandoc knows only texts."""

import zipfile
from collections.abc import Iterator
from itertools import chain, repeat

from alexandria.errors import CorruptFileError, PasswordProtectedError
from alexandria.knowledge.documents import BlockKind, UnitKind
from alexandria.knowledge.parsing.archives import (
    Element,
    Properties,
    open_archive,
    parse_xml,
    read_entry,
    read_properties,
)
from alexandria.knowledge.parsing.drafts import (
    Draft,
    Piece,
    Section,
    Source,
    heading,
    one_line,
    paragraph,
)
from alexandria.knowledge.parsing.pictures.office import add_office_pictures
from alexandria.knowledge.parsing.readers.markup.elements import tag_of
from alexandria.knowledge.parsing.readers.other_office.sheets import number_text, sheet_section
from alexandria.knowledge.parsing.tables import Cell, fill_spans, table_pieces

_NAMESPACE = "urn:oasis:names:tc:opendocument:xmlns:"
_OFFICE = f"{{{_NAMESPACE}office:1.0}}"
_TABLE = f"{{{_NAMESPACE}table:1.0}}"
_TEXT = f"{{{_NAMESPACE}text:1.0}}"
_DRAW = f"{{{_NAMESPACE}drawing:1.0}}"
_SHOW = f"{{{_NAMESPACE}presentation:1.0}}"
_MANIFEST = "META-INF/manifest.xml"
_MOST_REPEATED = 1_000
_NO_TEXT = frozenset({"annotation", "note-citation", "tracked-changes"})
_TITLES = frozenset({"title", "subtitle"})
_CHROME = frozenset({"date-time", "footer", "page-number", "header"})


def read_ods(source: Source) -> Draft:
    """A spreadsheet: one unit for each sheet, values as saved."""
    content, properties = _open(source)
    sections = [
        sheet_section(sheet.get(f"{_TABLE}name") or str(number), _rows(sheet))
        for number, sheet in enumerate(_found(content, f"{_OFFICE}spreadsheet", "table"), start=1)
    ]
    return add_office_pictures(Draft(tuple(sections), **properties), source.content)


def read_odp(source: Source) -> Draft:
    """A presentation: one unit for each slide, speaker notes after the slide's text."""
    content, properties = _open(source)
    slides = enumerate(_found(content, f"{_OFFICE}presentation", "page"), start=1)
    draft = Draft(tuple(_slide(page, number) for number, page in slides), **properties)
    return add_office_pictures(draft, source.content)


def _open(source: Source) -> tuple[Element, Properties]:
    """The content's root and what the file says about itself.

    Raises:
        PasswordProtectedError: Its parts are encrypted.
        CorruptFileError: It holds no content.
    """
    with open_archive(source.content) as archive:
        refuse_locked(archive)
        if "content.xml" not in archive.namelist():
            raise CorruptFileError("The file holds no content.")
        return parse_xml(read_entry(archive, "content.xml")), _properties(archive)


def refuse_locked(archive: zipfile.ZipFile) -> None:
    """Look whether the parts of an OpenDocument file are encrypted; the archive itself never is.

    Raises:
        PasswordProtectedError: They are.
    """
    if _MANIFEST in archive.namelist() and b"encryption-data" in read_entry(archive, _MANIFEST):
        raise PasswordProtectedError


def _properties(archive: zipfile.ZipFile) -> Properties:
    return read_properties(archive, "meta.xml")


def _found(content: Element, body: str, tag: str) -> list[Element]:
    parent = next(content.iter(body), None)
    if parent is None:
        raise CorruptFileError("The content is not of the kind that the file says it is.")
    return [one for one in parent if tag_of(one) == tag]


def _rows(table: Element) -> Iterator[list[Cell]]:
    """Rows of a table; an empty row is kept once however often it is repeated."""
    for row in table.iter(f"{_TABLE}table-row"):
        if next(row.iterancestors(f"{_TABLE}table"), None) is not table:
            continue
        cells = list(chain.from_iterable(_cells(row)))
        while cells and not cells[-1].text:
            cells.pop()
        yield from repeat(cells, _times(row, "rows") if cells else 1)


def _cells(row: Element) -> Iterator[list[Cell]]:
    for cell in row:
        if tag_of(cell) == "table-cell":
            spans = (_count(cell, f"number-{one}-spanned") for one in ("columns", "rows"))
            yield [Cell(_value(cell), *spans)] * _times(cell, "columns")


def _times(element: Element, what: str) -> int:
    return min(_count(element, f"number-{what}-repeated"), _MOST_REPEATED)


def _count(element: Element, name: str) -> int:
    value = element.get(f"{_TABLE}{name}") or "1"
    return max(int(value), 1) if value.isdecimal() else 1


def _value(cell: Element) -> str:
    """A cell's value as XLSX cells are shown: plain numbers, ISO dates, texts."""
    kind = cell.get(f"{_OFFICE}value-type") or ""
    if kind == "date":
        return (cell.get(f"{_OFFICE}date-value") or "").removesuffix("T00:00:00").replace("T", " ")
    if kind == "boolean":
        return (cell.get(f"{_OFFICE}boolean-value") or "").capitalize()
    if kind == "float":
        return _number(cell.get(f"{_OFFICE}value") or "")
    return one_line(" ".join(_string(one) for one in cell if tag_of(one) in {"p", "h"}))


def _number(text: str) -> str:
    try:
        return number_text(float(text))
    except ValueError:
        return text


def _slide(page: Element, number: int) -> Section:
    pieces: list[Piece] = []
    title = ""
    for frame in page:
        role = frame.get(f"{_SHOW}class") or ""
        if tag_of(frame) == "notes" or role in _CHROME:
            continue
        if role in _TITLES and not title:
            title = one_line(" ".join(_string(one) for one in _paragraphs(frame)))
            pieces += [heading(title)] if title else []
        else:
            pieces += _frame_pieces(frame)
    for notes in page.iter(f"{_SHOW}notes"):
        pieces += _frame_pieces(notes)
    label = f"Slide {number}: {title}" if title else f"Slide {number}"
    return Section(UnitKind.SLIDE, label, f"slide={number}", tuple(pieces))


def _frame_pieces(frame: Element) -> Iterator[Piece]:
    """Paragraphs, list items and tables of a frame, a shape or a group of them."""
    for table in frame.iter(f"{_TABLE}table"):
        yield from table_pieces(fill_spans(_rows(table)))
    for one in _paragraphs(frame):
        outer = {tag_of(parent) for parent in one.iterancestors()}
        chrome = any(parent.get(f"{_SHOW}class") in _CHROME for parent in one.iterancestors())
        if "table-cell" in outer or chrome:
            continue
        if "list-item" in outer:
            yield Piece(BlockKind.LIST_ITEM, _string(one))
        else:
            yield paragraph(_string(one))


def _paragraphs(element: Element) -> Iterator[Element]:
    return (one for one in element.iter(f"{_TEXT}p", f"{_TEXT}h"))


def _string(element: Element) -> str:
    """The text of a paragraph: its spaces, tabs and line ends are elements."""
    parts = [element.text or ""]
    for one in element:
        tag = tag_of(one)
        if tag == "s":
            parts.append(" ")
        elif tag == "tab":
            parts.append("\t")
        elif tag == "line-break":
            parts.append("\n")
        elif tag and tag not in _NO_TEXT:
            parts.append(_string(one))
        parts.append(one.tail or "")
    return "".join(parts)
