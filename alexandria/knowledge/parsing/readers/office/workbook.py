"""The parts of an XLSX file: its sheets, shared texts, number formats and comments.

openpyxl gives either values or formulas in a pass, and no merged cells where it streams;
here a sheet is read once, row by row, with all of them.
"""

import posixpath
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO

from alexandria.errors import CorruptFileError
from alexandria.knowledge.parsing.archives import Element, parse_xml
from alexandria.knowledge.parsing.readers.office.number_formats import show_day, show_number

_STRICT = b"http://purl.oclc.org/ooxml/spreadsheetml/main"
_LOOSE = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_ROW, _CELL, _VALUE, _FORMULA = (f"{_MAIN}{tag}" for tag in ("row", "c", "v", "f"))
_TEXT, _SOUND, _MERGE = (f"{_MAIN}{tag}" for tag in ("t", "rPh", "mergeCell"))
_COLUMN, _INLINE = f"{_MAIN}col", f"{_MAIN}is"
_BOOK = "xl/workbook.xml"
_LAST_COLUMN = 16_384
_TRUE = frozenset({"1", "true"})
_TRUTH = {"1": "TRUE", "0": "FALSE", "true": "TRUE", "false": "FALSE"}


@dataclass(frozen=True, slots=True)
class SheetEntry:
    """A sheet as the workbook lists it.

    Attributes:
        name: On its tab.
        member: Its part in the archive.
        is_hidden: Whether Excel shows no tab for it.
        is_chart: Whether it is a chart on a sheet of its own.
    """

    name: str
    member: str
    is_hidden: bool
    is_chart: bool


@dataclass(frozen=True, slots=True)
class Area:
    """A range of cells, both ends included; rows and columns count from 1."""

    first_row: int
    first_column: int
    last_row: int
    last_column: int


@dataclass(slots=True)
class Grid:
    """What a sheet holds.

    Attributes:
        rows: Row number to column number to text; empty cells are not in it.
        merged: Ranges that are one cell.
        hidden_rows: Rows with text that Excel does not show.
        hidden_columns: Spans of columns that Excel does not show.
        unsolved: Formulas without a saved value.
    """

    rows: dict[int, dict[int, str]] = field(default_factory=dict[int, dict[int, str]])
    merged: list[Area] = field(default_factory=list[Area])
    hidden_rows: int = 0
    hidden_columns: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    unsolved: int = 0


class Workbook:
    """An open workbook. Its parts are read when they are asked for."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        """Read the list of sheets.

        Raises:
            CorruptFileError: The workbook has none.
        """
        self._archive = archive
        self._names = frozenset(archive.namelist())
        root = self._part(_BOOK)
        if root is None:
            raise CorruptFileError("The workbook has no list of sheets.")
        links = self._links(_BOOK)
        properties = root.find(f"{_MAIN}workbookPr")
        self._from_1904 = properties is not None and properties.get("date1904") in _TRUE
        self.sheets = [_entry(one, links) for one in root.iter(f"{_MAIN}sheet")]

    def grid(self, sheet: SheetEntry) -> Grid:
        """The cells of a sheet; empty for a part that is not there."""
        from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - compiled, untyped

        grid = Grid()
        if sheet.is_chart or sheet.member not in self._names:
            return grid
        content = BytesIO(_usual(self._archive.read(sheet.member)))
        wanted = (_ROW, _MERGE, _COLUMN)
        safe = {"resolve_entities": False, "no_network": True, "load_dtd": False}
        formulas: dict[str, str] = {}
        row = 0
        for _, element in etree.iterparse(content, tag=wanted, huge_tree=True, **safe):
            if element.tag == _ROW:
                row = _whole(element.get("r"), row + 1)
                self._read_row(grid, element, row, formulas)
            elif element.tag == _MERGE and (area := parse_area(element.get("ref") or "")):
                grid.merged.append(area)
            elif element.tag == _COLUMN and element.get("hidden") in _TRUE:
                span = (_whole(element.get("min")), _whole(element.get("max")))
                grid.hidden_columns.append(span)
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
        return grid

    def comments(self, sheet: SheetEntry) -> Iterator[tuple[str, str]]:
        """Place and text of the comments on a sheet's cells."""
        for kind, target in self._links(sheet.member).values():
            root = self._part(target) if kind in {"comments", "threadedComment"} else None
            for comment in () if root is None else root.iter():
                if comment.tag == f"{_MAIN}comment":
                    yield comment.get("ref") or "", _texts(comment)

    def chart_texts(self, sheet: SheetEntry) -> list[str]:
        """Titles in the charts on a sheet, in order."""
        texts: list[str] = []
        for kind, drawing in self._links(sheet.member).values():
            charts = self._links(drawing).values() if kind == "drawing" else ()
            for _, chart in (one for one in charts if one[0] == "chart"):
                root = self._part(chart)
                titles = () if root is None else root.iter("{*}title")
                texts += ["".join(one.text or "" for one in title.iter("{*}t")) for title in titles]
        return [text for text in texts if text.strip()]

    def _read_row(self, grid: Grid, row: Element, number: int, formulas: dict[str, str]) -> None:
        cells: dict[int, str] = {}
        column = 0
        for cell in row.iterchildren(_CELL):
            place = cell.get("r")
            column = column_number(place) if place else column + 1
            text = self._shown(cell)
            if not text and (formula := cell.find(_FORMULA)) is not None:
                text = _formula(formula, place or "", formulas)
                grid.unsolved += bool(text)
            elif (formula := cell.find(_FORMULA)) is not None and formula.get("si"):
                _formula(formula, place or "", formulas)
            if text and 0 < column <= _LAST_COLUMN:
                cells[column] = text
        if cells:
            grid.rows.setdefault(number, {}).update(cells)
            grid.hidden_rows += row.get("hidden") in _TRUE

    def _shown(self, cell: Element) -> str:
        """A cell's saved value as Excel shows it; empty for none."""
        kind = cell.get("t") or "n"
        if kind == "inlineStr":
            inline = cell.find(_INLINE)
            return "" if inline is None else _texts(inline)
        value = cell.findtext(_VALUE)
        if not value:
            return ""
        if kind == "s":
            at = _whole(value, -1)
            return self._shared[at] if 0 <= at < len(self._shared) else ""
        if kind == "b":
            return str(_TRUTH.get(value, value))
        if kind == "d":
            return show_day(value)
        if kind != "n":
            return value
        return self._number(value, _whole(cell.get("s")))

    def _number(self, value: str, style: int) -> str:
        code = self._formats[style] if style < len(self._formats) else "General"
        try:
            return show_number(float(value), code, from_1904=self._from_1904)
        except (ValueError, OverflowError):
            return value

    @cached_property
    def _shared(self) -> list[str]:
        root = self._part(self._main_link("sharedStrings"))
        return [] if root is None else [_texts(one) for one in root.iterchildren(f"{_MAIN}si")]

    @cached_property
    def _formats(self) -> list[str]:
        """The number format of every cell style."""
        from openpyxl.styles.numbers import BUILTIN_FORMATS

        root = self._part(self._main_link("styles"))
        if root is None:
            return []
        own = {
            _whole(one.get("numFmtId")): one.get("formatCode") or ""
            for one in root.iter(f"{_MAIN}numFmt")
        }
        known = {**BUILTIN_FORMATS, **own}
        styles = root.find(f"{_MAIN}cellXfs")
        used = () if styles is None else styles.iterchildren(f"{_MAIN}xf")
        return [known.get(_whole(one.get("numFmtId")), "General") for one in used]

    def _main_link(self, kind: str) -> str:
        return next((target for one, target in self._links(_BOOK).values() if one == kind), "")

    def _links(self, member: str) -> dict[str, tuple[str, str]]:
        """The relationships of a part: id to the last word of the type and the target."""
        folder, name = posixpath.split(member)
        root = self._part(f"{folder}/_rels/{name}.rels")
        if root is None:
            return {}
        return {
            one.get("Id") or "": (
                (one.get("Type") or "").rpartition("/")[2],
                posixpath.normpath(posixpath.join("/", folder, one.get("Target") or ""))[1:],
            )
            for one in root.iterchildren("{*}Relationship")
        }

    def _part(self, member: str) -> Element | None:
        if member not in self._names:
            return None
        return parse_xml(_usual(self._archive.read(member)))


def column_number(place: str) -> int:
    """The column of a place such as "AB12", from 1; 0 for none."""
    number = 0
    for letter in place:
        if not "A" <= letter <= "Z":
            break
        number = number * 26 + ord(letter) - 64
    return number


def parse_area(reference: str) -> Area | None:
    """The range a reference such as "A1:C2" stands for."""
    first, _, last = reference.partition(":")
    ends = [
        (_whole(one.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")), column_number(one))
        for one in (first, last or first)
    ]
    if not all(row and column for row, column in ends):
        return None
    return Area(*ends[0], *ends[1])


def _entry(element: Element, links: dict[str, tuple[str, str]]) -> SheetEntry:
    target = next((value for key, value in element.items() if key.endswith("}id")), "")
    kind, member = links.get(target, ("", ""))
    hidden = (element.get("state") or "visible") != "visible"
    return SheetEntry(element.get("name") or "", member, hidden, kind == "chartsheet")


def _formula(formula: Element, place: str, shared: dict[str, str]) -> str:
    """A formula as it would be typed; one that a range shares is moved to its cell."""
    text = formula.text or ""
    group = formula.get("si") if formula.get("t") == "shared" else None
    if group is not None and text:
        shared[group] = f"{place} {text}"
    elif group is not None and group in shared:
        from openpyxl.formula.translate import Translator, TranslatorError

        origin, _, first = shared[group].partition(" ")
        try:
            return Translator(f"={first}", origin=origin).translate_formula(place)
        except (TranslatorError, ValueError, IndexError):
            return f"={first}"
    return f"={text}" if text else ""


def _texts(element: Element) -> str:
    """The text of a cell in all its runs, without the reading aid above Japanese words."""
    return "".join(one.text or "" for one in element.iter(_TEXT) if one.getparent().tag != _SOUND)


def _usual(content: bytes) -> bytes:
    return content.replace(_STRICT, _LOOSE)


def _whole(text: str | None, default: int = 0) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() else default
