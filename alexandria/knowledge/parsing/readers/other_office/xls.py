"""XLS, the workbooks of Excel before 2007, through xlrd."""

import io
from collections.abc import Iterator
from datetime import datetime, time
from typing import TYPE_CHECKING

from alexandria.errors import CorruptFileError, PasswordProtectedError
from alexandria.knowledge.documents import Note
from alexandria.knowledge.parsing.drafts import Draft, Section, Source
from alexandria.knowledge.parsing.readers.other_office.sheets import number_text, sheet_section
from alexandria.knowledge.parsing.tables import Cell

if TYPE_CHECKING:
    from xlrd.book import Book
    from xlrd.sheet import Sheet


def read_xls(source: Source) -> Draft:
    """A workbook: one unit for each sheet, hidden ones too, values as saved.

    Raises:
        PasswordProtectedError: It is encrypted.
        CorruptFileError: It holds no workbook that can be read.
    """
    from xlrd.biffh import XLRDError

    try:
        book = _open(source.content)
    except XLRDError as error:
        if "encrypted" in str(error):
            raise PasswordProtectedError from error
        raise CorruptFileError(f"The workbook cannot be read: {error}") from error
    sheets = book.sheets()
    sections = tuple(_section(book, sheet) for sheet in sheets)
    return Draft(sections, author=book.user_name or "", notes=tuple(_hidden(sheets)))


def _open(content: bytes) -> "Book":
    """The workbook with its merged cells, or without them where its styles are damaged."""
    from xlrd import open_workbook

    silent = io.StringIO()
    try:
        return open_workbook(file_contents=content, formatting_info=True, logfile=silent)
    except (IndexError, KeyError, AssertionError, AttributeError, NotImplementedError):
        return open_workbook(file_contents=content, logfile=silent)


def _section(book: "Book", sheet: "Sheet") -> Section:
    return sheet_section(sheet.name, _rows(book, sheet))


def _rows(book: "Book", sheet: "Sheet") -> Iterator[list[Cell]]:
    """The rows; of merged cells only the first is a cell, and it says how far it goes."""
    spans = {(top, left): (right - left, low - top) for top, low, left, right in sheet.merged_cells}
    covered = {
        (row, column)
        for top, low, left, right in sheet.merged_cells
        for row in range(top, min(low, sheet.nrows))
        for column in range(left, min(right, sheet.ncols))
    } - spans.keys()
    for row in range(sheet.nrows):
        width = sheet.row_len(row)
        yield [
            Cell(_text(book, sheet, row, column), *spans.get((row, column), (1, 1)))
            for column in range(width)
            if (row, column) not in covered
        ]


def _text(book: "Book", sheet: "Sheet", row: int, column: int) -> str:
    import xlrd

    kind, value = sheet.cell_type(row, column), sheet.cell_value(row, column)
    if kind == xlrd.XL_CELL_NUMBER:
        return number_text(float(value))
    if kind == xlrd.XL_CELL_DATE:
        return _date(float(value), book.datemode)
    if kind == xlrd.XL_CELL_BOOLEAN:
        return str(bool(value))
    if kind == xlrd.XL_CELL_ERROR:
        return xlrd.error_text_from_code.get(int(value), "#ERROR!")
    return str(value)


def _date(value: float, mode: int) -> str:
    """A date, a time of day below one day; as a number where the calendar has no such day."""
    from xlrd.xldate import XLDateError, xldate_as_datetime

    try:
        moment: datetime = xldate_as_datetime(value, 1 if mode else 0)
    except (XLDateError, ValueError, OverflowError):
        return number_text(value)
    if value < 1:
        return moment.time().isoformat()
    return moment.date().isoformat() if moment.time() == time() else str(moment)


def _hidden(sheets: "list[Sheet]") -> Iterator[Note]:
    for unit, sheet in enumerate(sheets):
        if sheet.visibility:
            yield Note("hidden_sheet", f"The sheet {sheet.name} is hidden; it was read.", unit)
