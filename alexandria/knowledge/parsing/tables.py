"""Tables as text: one line for each row, every value with its column's header.

A row "Ethanol | 1.35" under the headers "Product | Price" reads "Product: Ethanol;
Price: 1.35". So a row found alone still says what its numbers mean, wherever a chunk begins.

`headings` says which rows name the columns; this module lays out spans and renders rows.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from alexandria.knowledge.documents import BlockKind
from alexandria.knowledge.parsing.drafts import Piece, one_line, paragraph
from alexandria.knowledge.parsing.table_headings import (
    Row,
    column_names,
    count_header_rows,
    has_groups,
    is_list_of_facts,
    key_column,
)

_SAMPLE = 500
"""Rows looked at to tell headers from values."""

_WIDEST = 1_000
"""Columns a span may cover; what claims more is damaged or hostile."""

_LONGEST_SPAN = 10_000
_MOST_SPANNED = 200_000
"""Places that spans may fill in one table; beyond them a span is one place."""

_LONG_ROW = 480
"""Characters of a row that may stand on one line; a chunk holds twice as much prose, but
figures are many tokens."""

_MANY_ROWS = 10_000
_TOGETHER = 10
"""Rows in one piece beyond `_MANY_ROWS`: a million pieces would cost more than their text."""

_FEW_COLUMNS = 8
_LONG_KEY = 80
_LONG_GROUP = 80


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell that may span columns and rows."""

    text: str
    columns: int = 1
    rows: int = 1


def fill_spans(rows: Iterable[Sequence[Cell]]) -> Iterator[list[str]]:
    """Rows of texts, a cell's text in every place it spans.

    A cell as wide as the widest row so far is a row of one text: it names the table or a group
    of rows. Spans are bounded, so the work is too.
    """
    widest = 0
    hanging: dict[int, tuple[int, str]] = {}  # column: rows left, text
    budget = _MOST_SPANNED
    for cells in rows:
        placed: dict[int, str] = {}
        below: dict[int, tuple[int, str]] = {}
        for column, (left, text) in hanging.items():
            placed[column] = text
            if left > 1:
                below[column] = (left - 1, text)
        column = 0
        for cell in cells:
            while column in placed:
                column += 1
            width = min(max(cell.columns, 1), _WIDEST, max(budget, 1))
            height = min(max(cell.rows, 1), _LONGEST_SPAN, max(budget // width, 1))
            budget -= width * height - 1
            for at in range(column, column + width):
                placed[at] = cell.text
                if height > 1:
                    below[at] = (height - 1, cell.text)
        hanging = below
        row = [placed.get(at, "") for at in range(max(placed, default=-1) + 1)]
        widest = max(widest, len(row))
        alone = len(cells) == 1 and cells[0].columns >= widest and len(set(row)) == 1
        yield row[:1] if alone else row


def table_pieces(
    rows: Iterable[Row],
    header: bool | int | None = None,
    name: str = "",
    facts: bool | None = None,
) -> list[Piece]:
    """One table piece for each row that has text; a title above the headers is a paragraph.

    A row too long for one line is broken between columns into several pieces, each with the
    row's key in front. A row that names a group of rows is a piece, and stands in front of
    the rows of its group. Tables of many rows have several rows in a piece, line by line.

    Args:
        rows: Cells by row; rows may differ in length.
        header: How many rows name the columns; True for one or more, as it looks; None decides
            by the looks whether there is any.
        name: What tells the table from others with the same headers; in front of every row.
        facts: Whether, without headers, each row is a name and its values; None decides by
            the looks.
    """
    stream = iter(_cleaned(rows))
    sample = list(islice(stream, _SAMPLE))
    titles = _take_titles(sample, header)
    if titles and header is not None and not isinstance(header, bool):
        header = max(header - len(titles), 0)
    count = count_header_rows(sample, header)
    if count >= len(sample):
        return [*titles, *(_piece("; ".join(filter(None, row))) for row in sample)]
    heads, body = sample[:count], sample[count:]
    if not count and (is_list_of_facts(body) if facts is None else facts):
        return [*titles, *map(_fact, chain(body, stream))]
    writer = _Writer(column_names(heads), key_column(body), one_line(name))
    writer.group_by(wide=max(map(len, sample)) > 1, first_cells=has_groups(body))
    for row in chain(body, stream):
        writer.write(row)
    unused = any(title and at not in writer.used for at, title in enumerate(writer.names))
    shown = [_piece("; ".join(filter(None, writer.names)))] if unused else []
    return [*titles, *shown, *writer.finish()]


class _Writer:
    """Renders the rows of one table in order."""

    def __init__(self, names: Row, key: int, prefix: str) -> None:
        self.names = names
        self.used: set[int] = set()
        self.pieces: list[Piece] = []
        self._key = key
        self._wide = self._grouped = False
        self._prefix = [prefix] if prefix else []
        self._group: list[str] = []
        self._waiting: list[str] = []

    def group_by(self, *, wide: bool, first_cells: bool) -> None:
        """Take rows of one text for names of groups; rows with a first cell alone if said so."""
        self._wide = wide
        self._grouped = wide and first_cells

    def finish(self) -> list[Piece]:
        """All pieces."""
        if self._waiting:
            self.pieces.append(_piece("\n".join(self._waiting)))
            self._waiting = []
        return self.pieces

    def _add(self, line: str) -> None:
        if len(self.pieces) < _MANY_ROWS:
            self.pieces.append(_piece(line))
            return
        self._waiting.append(line)
        if len(self._waiting) == _TOGETHER:
            self.finish()

    def write(self, row: Row) -> None:
        if self._names_group(row):
            self._group = [row[0]]
            self._add("; ".join([*self._prefix, row[0]]))
            return
        named = self.names
        parts: list[str] = []
        key = ""
        for at, cell in enumerate(row):
            if not cell:
                continue
            self.used.add(at)
            parts.append(
                f"{named[at]}: {cell}"
                if at < len(named) and named[at] and named[at] != cell
                else cell
            )
            if at == self._key:
                key = parts[-1]
        first = [*self._prefix, *self._group]
        for line in _lines([*first, *parts], [*first, key] if key else first):
            self._add(line)

    def _names_group(self, row: Row) -> bool:
        return (
            (self._grouped or (self._wide and len(row) == 1))
            and bool(row[0])
            and not any(row[1:])
            and len(row[0]) <= _LONG_GROUP
        )


def _lines(parts: Sequence[str], key: Sequence[str]) -> Iterator[str]:
    """The parts on one line, or on several that each begin with the key."""
    whole = "; ".join(parts)
    if len(whole) <= _LONG_ROW or len(parts) <= _FEW_COLUMNS:
        yield whole
        return
    again = [one for one in key if len(one) <= _LONG_KEY]
    line: list[str] = []
    length = 0
    for part in parts:
        if line and length + len(part) > _LONG_ROW:
            yield "; ".join(line)
            line = [one for one in again if one != part]
            length = sum(len(one) + 2 for one in line)
        line.append(part)
        length += len(part) + 2
    yield "; ".join(line)


def _cleaned(rows: Iterable[Row]) -> Iterator[list[str]]:
    """The rows that have text, their cells on one line each."""
    for row in rows:
        cells = [
            " ".join(cell.split()) if cell.isascii() and cell.isprintable() else one_line(cell)
            for cell in row
        ]
        if any(cells):
            yield cells


def _take_titles(sample: list[list[str]], header: bool | int | None) -> list[Piece]:
    """Takes the leading rows of a single text off a table that is wider.

    The last of the rows that are said to name columns stays, unless it spans the table.
    """
    titles: list[Piece] = []
    width = max((sum(map(bool, row)) for row in sample), default=0)
    while len(sample) > 1 and width > 1 and sum(map(bool, sample[0])) == 1:
        if len(sample[0]) > 1 and header and header - len(titles) < 2:
            break
        titles.append(paragraph("".join(sample.pop(0))))
        width = max(sum(map(bool, row)) for row in sample)
    return titles


def _fact(row: Row) -> Piece:
    """A row whose first cell says what the others are."""
    first, *rest = row
    values = "; ".join(filter(None, rest))
    if not first or not values:
        return _piece(first or values)
    return _piece(f"{first}{'' if first.endswith(':') else ':'} {values}")


def _piece(text: str) -> Piece:
    return Piece(BlockKind.TABLE, text)
