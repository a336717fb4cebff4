"""XLSX: one unit for each sheet, one table piece for each row, values as Excel shows them.

Rows between empty rows are a table, and so are column groups side by side with headers of
their own. Work grows with the cells that hold something, not with the range they span.
Formulas are not computed: where a program saved none of their values, the formula stands.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from alexandria.knowledge.documents import Note, UnitKind
from alexandria.knowledge.parsing.archives import open_archive
from alexandria.knowledge.parsing.drafts import Draft, Piece, Section, Source, paragraph
from alexandria.knowledge.parsing.pictures.office import add_office_pictures
from alexandria.knowledge.parsing.readers.office.properties import core_properties
from alexandria.knowledge.parsing.readers.office.workbook import Area, Grid, SheetEntry, Workbook
from alexandria.knowledge.parsing.table_headings import column_names, count_header_rows, is_number
from alexandria.knowledge.parsing.tables import table_pieces

_MOST_FILLED = 100_000
"""Places that merged ranges of one sheet may fill."""

_MOST_MERGED = 20_000
_MOST_HIDDEN = 1_000
_MOST_PLACES = 4_000_000
_SPARSE = 20
"""Places for each that is filled, beyond which rows are not laid out in columns."""

_Rows = list[list[str]]


@dataclass(slots=True)
class _Sheet:
    """A sheet on its way to become a section."""

    entry: SheetEntry
    grid: Grid
    tables: list[_Rows] = field(default_factory=list[_Rows])
    extras: list[Piece] = field(default_factory=list[Piece])


def read_xlsx(source: Source) -> Draft:
    """A workbook; hidden sheets, rows and columns are read and noted."""
    with open_archive(source.content) as archive:
        properties = core_properties(archive)
        book = Workbook(archive)
        sheets = [_read(book, entry) for entry in book.sheets]
    alike = _shared_headers(sheets)
    sections = tuple(_section(sheet, alike) for sheet in sheets)
    notes = tuple(note for unit, sheet in enumerate(sheets) for note in _notes(sheet, unit))
    draft = Draft(sections, notes=notes, **properties)
    return add_office_pictures(draft, source.content)


def _read(book: Workbook, entry: SheetEntry) -> _Sheet:
    grid = book.grid(entry)
    _fill_merged(grid)
    sheet = _Sheet(entry, grid, [part for rows in _blocks(grid) for part in _side_by_side(rows)])
    sheet.extras = [paragraph(text) for text in book.chart_texts(entry)]
    sheet.extras += [paragraph(f"{place}: {text}") for place, text in book.comments(entry)]
    return sheet


def _section(sheet: _Sheet, alike: frozenset[tuple[str, ...]]) -> Section:
    """The sheet's section; its name stands in rows that would read alike on another sheet."""
    name = sheet.entry.name
    pieces: list[Piece] = []
    for rows in sheet.tables:
        if max(map(len, rows)) == 1:
            pieces += [paragraph(row[0]) for row in rows]
        else:
            pieces += table_pieces(rows, name=name if _headers(rows) in alike else "")
    return Section(UnitKind.SHEET, f"Sheet {name}", f"sheet={name}", (*pieces, *sheet.extras))


def _notes(sheet: _Sheet, unit: int) -> Iterator[Note]:
    name = sheet.entry.name
    grid = sheet.grid
    if sheet.entry.is_hidden:
        yield Note("hidden_sheet", f"Sheet {name} is hidden in Excel; it was read.", unit)
    used = {column for row in grid.rows.values() for column in row}
    spans = grid.hidden_columns[:_MOST_HIDDEN]
    hidden = any(first <= one <= last for first, last in spans for one in used)
    if grid.hidden_rows or hidden:
        yield Note(
            "hidden_cells", f"Sheet {name} has hidden rows or columns; they were read.", unit
        )
    if grid.unsolved:
        message = (
            f"{grid.unsolved} formulas on sheet {name} have no saved value; their text was read. "
            "Open and save the file in a spreadsheet program to save the values."
        )
        yield Note("formula_without_value", message, unit)


def _fill_merged(grid: Grid) -> None:
    """Gives every place of a merged range its text; a range across a whole row keeps one."""
    budget = _MOST_FILLED
    for area in grid.merged[:_MOST_MERGED]:
        text = grid.rows.get(area.first_row, {}).get(area.first_column)
        if not text or _is_title(grid, area):
            continue
        last_row = min(area.last_row, max(grid.rows))
        for number in range(area.first_row, last_row + 1):
            row = grid.rows.setdefault(number, {})
            for column in range(area.first_column, area.last_column + 1):
                budget -= 1
                if budget < 0:
                    return
                row.setdefault(column, text)


def _is_title(grid: Grid, area: Area) -> bool:
    """Whether the range is all its row holds: it names what is below."""
    inside = range(area.first_column, area.last_column + 1)
    others = any(column not in inside for column in grid.rows[area.first_row])
    neighbours = (grid.rows.get(area.first_row + step, {}) for step in (1, -1))
    wider = any(column not in inside for row in neighbours for column in row)
    return area.first_row == area.last_row and not others and not wider


def _blocks(grid: Grid) -> Iterator[_Rows]:
    """Rows of texts between empty rows, without the columns that are empty in all of them."""
    block: list[dict[int, str]] = []
    before = 0
    for number in sorted(grid.rows):
        if block and number != before + 1:
            yield _dense(block)
            block = []
        block.append(grid.rows[number])
        before = number
    if block:
        yield _dense(block)


def _dense(block: list[dict[int, str]]) -> _Rows:
    """The rows with a column for each that is used; a gap stays where tables may part.

    Where cells are scattered so far that columns would be nearly all empty, a row is its cells.
    """
    used = sorted({column for row in block for column in row})
    places = len(block) * len(used)
    if places > max(_MOST_PLACES, _SPARSE * sum(map(len, block))):
        return [[row[column] for column in sorted(row)] for row in block]
    columns: list[int] = []
    for column in used:
        if columns and column != columns[-1] + 1:
            columns.append(0)
        columns.append(column)
    return [[row.get(column, "") for column in columns] for row in block]


def _side_by_side(rows: _Rows) -> list[_Rows]:
    """The tables that stand side by side, each with headers and a first column of names."""
    width = len(rows[0])
    if any(len(row) != width for row in rows):
        return [rows]
    gaps = [at for at in range(width) if not any(row[at] for row in rows)]
    parts = [
        [row[first:last] for row in rows if any(row[first:last])]
        for first, last in zip([0, *(at + 1 for at in gaps)], [*gaps, width], strict=True)
    ]
    if len(parts) > 1 and all(map(_stands_alone, parts)):
        return parts
    empty = frozenset(gaps)
    kept = [at for at in range(width) if at not in empty]
    return [[[row[at] for at in kept] for row in rows]]


def _stands_alone(rows: _Rows) -> bool:
    if len(rows[0]) < 2 or not count_header_rows(rows, None):
        return False
    return not all(is_number(row[0]) for row in rows[1:] if row[0])


def _headers(rows: _Rows) -> tuple[str, ...]:
    """The column names of a table; none for a table without."""
    body = rows[:50]
    while len(body) > 1 and sum(map(bool, body[0])) == 1:
        body = body[1:]
    return tuple(column_names(body[: count_header_rows(body, None)]))


def _shared_headers(sheets: Iterable[_Sheet]) -> frozenset[tuple[str, ...]]:
    """The column names that tables on several sheets have in common."""
    seen: dict[tuple[str, ...], set[str]] = {}
    for sheet in sheets:
        for rows in sheet.tables:
            if headers := _headers(rows):
                seen.setdefault(headers, set()).add(sheet.entry.name)
    return frozenset(headers for headers, names in seen.items() if len(names) > 1)
