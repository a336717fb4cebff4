"""DOCX, read from its XML in one pass: styled headings, lists with their numbers, tables.

Text is what Word shows with all changes accepted: insertions, content controls, fields and
equations count, deletions and field codes do not. Text boxes stand after the paragraph that
holds them, footnotes and endnotes at the end. Headers and footers are left out.
"""

import re
import zipfile
from collections.abc import Iterator

from alexandria.knowledge.documents import BlockKind
from alexandria.knowledge.parsing.archives import Element, open_archive, parse_xml
from alexandria.knowledge.parsing.drafts import (
    Draft,
    Piece,
    Source,
    heading,
    paragraph,
    split_chapters,
)
from alexandria.knowledge.parsing.pictures.office import add_office_pictures
from alexandria.knowledge.parsing.readers.office.properties import core_properties
from alexandria.knowledge.parsing.readers.office.word_styles import (
    VALUE,
    WORD,
    Numbers,
    Styles,
    numbering_of,
    value_of,
)
from alexandria.knowledge.parsing.readers.speech.turns import as_transcript
from alexandria.knowledge.parsing.tables import Cell, fill_spans, table_pieces

_STRICT = b"http://purl.oclc.org/ooxml/wordprocessingml/main"
_MAIN = "word/document.xml"
_NOTES = (("word/footnotes.xml", "footnote"), ("word/endnotes.xml", "endnote"))
_MATH_TEXT = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_PARAGRAPH, _TABLE, _ROW, _CELL = (f"{WORD}{tag}" for tag in ("p", "tbl", "tr", "tc"))
_BOX = f"{WORD}txbxContent"
_RUN_TEXT = f"{WORD}t"
_WRAPPERS = frozenset(f"{WORD}{tag}" for tag in ("sdt", "sdtContent", "customXml", "ins"))
_PASSED = frozenset(
    {
        _FALLBACK,
        *(f"{WORD}{tag}" for tag in ("pPr", "rPr", "del", "moveFrom", "rt", "instrText", "sectPr")),
    }
)
_SIGNS = {
    f"{WORD}tab": "\t",
    f"{WORD}br": "\n",
    f"{WORD}cr": "\n",
    f"{WORD}noBreakHyphen": "-",
}
_BULLET = re.compile(
    r"(?:[\u2022\u2023\u2043\u2219\u25cb\u25cf\u25d8\u25e6\xb7]|[-*\u2013](?=\s))\s*"
)
_WIDEST = 1_000


def read_docx(source: Source) -> Draft:
    """A Word document; chapters by its top heading styles, notes at the end."""
    with open_archive(source.content) as archive:
        properties = core_properties(archive)
        styles = Styles(_part(archive, "word/styles.xml"))
        reader = _Reader(styles, Numbers(_part(archive, "word/numbering.xml")))
        main = _part(archive, _MAIN)
        pieces = [] if main is None else list(reader.blocks(main))
        for member, tag in _NOTES:
            notes = _part(archive, member)
            for note in () if notes is None else notes.iter(f"{WORD}{tag}"):
                pieces += reader.blocks(note)
    draft = as_transcript(Draft(split_chapters(pieces), **properties))
    return add_office_pictures(draft, source.content)


def _part(archive: zipfile.ZipFile, member: str) -> Element | None:
    """The root of a part, in the namespace of the usual dialect; None when there is none."""
    if member not in archive.namelist():
        return None
    return parse_xml(archive.read(member).replace(_STRICT, WORD[1:-1].encode()))


class _Reader:
    """Walks the blocks of one document in order, for numbers are counted on the way."""

    def __init__(self, styles: Styles, numbers: Numbers) -> None:
        self._styles = styles
        self._numbers = numbers

    def blocks(self, parent: Element) -> Iterator[Piece]:
        """Pieces of what stands in a body, a cell, a note or a content control."""
        for element in parent:
            if element.tag == _PARAGRAPH:
                yield from self._paragraph(element)
            elif element.tag == _TABLE:
                yield from self._table(element)
            elif element.tag not in _PASSED:
                yield from self.blocks(element)

    def _paragraph(self, element: Element) -> Iterator[Piece]:
        boxes: list[Element] = []
        text = "".join(_texts(element, boxes))
        properties = element.find(f"{WORD}pPr")
        style_id = None if properties is None else value_of(properties, "pStyle")
        style = self._styles.get(style_id)
        own = numbering_of(element)
        label = self._numbers.label(own, style.numbering, style_id)
        if text.strip():
            numbered = own if own.list_id is not None else style.numbering
            bullet = _BULLET.match(text.lstrip())
            if style.level:
                yield heading(f"{label} {text.strip()}", style.level)
            elif style.is_code:
                yield Piece(BlockKind.CODE, text)
            elif numbered.is_numbered or style.is_list or bullet:
                plain = text.strip()[bullet.end() if bullet else 0 :]
                yield Piece(BlockKind.LIST_ITEM, f"{label} {plain}".strip())
            else:
                yield paragraph(text)
        for box in boxes:
            yield from self.blocks(box)

    def _table(self, table: Element) -> Iterator[Piece]:
        rows = list(_children(table, _ROW))
        cells = [list(_children(row, _CELL)) for row in rows]
        nested = any(True for row in cells for cell in row for _ in cell.iter(_TABLE))
        if nested or max(map(len, cells), default=0) < 2:
            for row in cells:
                for cell in row:
                    if _merge(cell) != "continue":
                        yield from self.blocks(cell)
            return
        headers = 0
        while headers < len(rows) and _is_header(rows[headers]):
            headers += 1
        grid = fill_spans(self._cells(rows, cells))
        yield from table_pieces(grid, headers or None)

    def _cells(self, rows: list[Element], cells: list[list[Element]]) -> Iterator[list[Cell]]:
        """Rows of cells, those that go on from above with the text they go on with."""
        above: dict[int, str] = {}
        for row, own in zip(rows, cells, strict=True):
            before = _count(row.find(f"{WORD}trPr"), "gridBefore")
            column = before
            placed = [Cell("", before)] if before else []
            for cell in own:
                properties = cell.find(f"{WORD}tcPr")
                width = max(_count(properties, "gridSpan"), 1)
                text = " ".join(piece.text for piece in self.blocks(cell))
                if _merge(cell) == "continue":
                    text = text.strip() or above.get(column, "")
                above[column] = text
                placed.append(Cell(text, width))
                column += width
            yield placed


def _texts(element: Element, boxes: list[Element]) -> Iterator[str]:
    """The text below an element; text boxes are put aside."""
    for child in element:
        tag = child.tag
        if tag in {_RUN_TEXT, _MATH_TEXT}:
            yield child.text or ""
        elif tag in _SIGNS:
            yield _SIGNS[tag]
        elif tag == _BOX:
            boxes.append(child)
        elif tag not in _PASSED:
            yield from _texts(child, boxes)


def _children(parent: Element, tag: str) -> Iterator[Element]:
    """Rows of a table or cells of a row, those inside content controls and changes too."""
    for child in parent:
        if child.tag == tag:
            yield child
        elif child.tag in _WRAPPERS:
            yield from _children(child, tag)


def _is_header(row: Element) -> bool:
    found = row.find(f"{WORD}trPr/{WORD}tblHeader")
    return found is not None and found.get(VALUE) not in {"0", "false", "off"}


def _merge(cell: Element) -> str:
    """Whether the cell begins ("restart") or goes on with ("continue") one over several rows."""
    found = cell.find(f"{WORD}tcPr/{WORD}vMerge")
    return "" if found is None else found.get(VALUE) or "continue"


def _count(properties: Element | None, name: str) -> int:
    """A number of grid columns, 1,000 at most."""
    text = (value_of(properties, name) if properties is not None else None) or "0"
    return min(int(text), _WIDEST) if text.isascii() and text.isdecimal() else 0
