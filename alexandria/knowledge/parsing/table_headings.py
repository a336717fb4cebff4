"""Which rows of a table name its columns, and which column names its rows.

Files often say so; where they do not, the looks decide: a header is short, filled and has no
figures, years apart; headers in several rows repeat a group's name or leave it out over the
columns it holds for. Everything here looks at a sample of cleaned rows (see `tables`).
"""

import re
from collections.abc import Sequence

Row = Sequence[str]

_NUMBER = re.compile(r"[-+(]?[$€£¥]?\s?[-+]?[\d.,'\s]*\d[\d.,'\s]*[%)]?(?:\s?[$€£¥])?")
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d(?:[-/\u2013]\d{2,4})?")
_UNIT = re.compile(
    r"[(\[].{1,30}[)\]]|[%‰°$€£¥]|[kmcµ]?[gmlWVA]|[kMGT]?B|°[CF]|in \S.{0,12}|"
    r"USD|EUR|GBP|CHF|h|min|sec|s|ha|kWh|lbs?|bu|pcs|number|units?|per ?cent|years?|"
    r"[A-Za-z$€£]{1,5}/[A-Za-z]{1,5}",
)
_HEADER_LENGTH = 60
_LONGEST_NUMBER = 40
_MOST_HEADER_ROWS = 4
_FULL = 0.6
_MOSTLY = 0.9
_LONG_KEY = 80


def count_header_rows(rows: Sequence[Row], said: bool | int | None) -> int:
    """How many leading rows name the columns.

    Args:
        rows: The first rows of the table.
        said: What the file says: a number, True for at least one, False for none, None for
            nothing.
    """
    if said is False or not rows:
        return 0
    if said is not None and said is not True:
        return said
    deepest = min(_MOST_HEADER_ROWS, len(rows) - 1)
    if said is None and is_list_of_facts(rows):
        return 0
    for count in range(1, deepest + 1):
        if _names_columns(column_names(rows[:count]), rows[:count], rows[count:]):
            return count + (count < deepest and _is_units(rows[count]))
        if not _is_group_row(rows[count - 1]):
            break
    return min(1, deepest) if said else 0


def column_names(heads: Sequence[Row]) -> list[str]:
    """One name for each column from its headers, outer first: "2015 / Q1", "Price (kg)"."""
    width = max(map(len, heads), default=0)
    filled = [
        _spread(row, heads[depth + 1], width) if depth + 1 < len(heads) else row
        for depth, row in enumerate(heads)
    ]
    names: list[str] = []
    for at in range(width):
        name = ""
        for depth, row in enumerate(filled):
            text = row[at] if at < len(row) else ""
            if not text or text in name.split(" / "):
                continue
            if not name:
                name = text
            elif depth == len(filled) - 1 and _is_units(row):
                name = f"{name} {text}" if text[0] in "([" else f"{name} ({text})"
            else:
                name = f"{name} / {text}"
        names.append(name)
    return names


def key_column(body: Sequence[Row]) -> int:
    """The column that tells the rows apart: short, filled, distinct, and words if there are."""
    width = max(map(len, body), default=0)
    numeric = -1
    for at in range(min(width, 8)):
        cells = [row[at] for row in body if at < len(row) and row[at]]
        distinct = len(set(cells)) >= _MOSTLY * len(body)
        if not cells or not distinct or max(map(len, cells)) > _LONG_KEY:
            continue
        if not all(map(is_number, cells)):
            return at
        numeric = at if numeric < 0 else numeric
    return max(numeric, 0)


def has_groups(body: Sequence[Row]) -> bool:
    """Whether rows with nothing but a first cell name the rows that follow them."""
    lone = [row for row in body if row[0] and not any(row[1:])]
    full = sum(sum(map(bool, row)) > 1 for row in body)
    return len(lone) > 1 and 2 * len(lone) <= full and not any(is_number(row[0]) for row in lone)


def is_list_of_facts(rows: Sequence[Row]) -> bool:
    """Whether each row is a name and its value, such as "Weight | 12 kg"."""
    filled = [row for row in rows if len(row) > 1]
    if len(filled) < 2 or len(filled) < len(rows) or any(any(row[2:]) for row in rows):
        return False
    names, values = [row[0] for row in rows], [row[1] for row in rows]
    if len(set(names)) < len(names) or any(
        not one or is_number(one) or len(one) > _HEADER_LENGTH for one in names
    ):
        return False
    if all(one.endswith(":") for one in names):
        return True
    figures = sum(map(is_number, values[1:]))
    first = is_number(values[0])
    return first or 0 < figures < _FULL * (len(values) - 1)


def is_number(text: str) -> bool:
    """Whether the text is a figure, with its sign, currency or percent sign, or a formula."""
    if text.startswith("="):
        return True
    return len(text) <= _LONGEST_NUMBER and bool(_NUMBER.fullmatch(text))


def _names_columns(names: Row, heads: Sequence[Row], body: Sequence[Row]) -> bool:
    """Whether the names are filled, distinct and short, and no figures but years."""
    filled = [name for name in names if name]
    if not body or len(filled) < max(2, _FULL * len(names)):
        return False
    if len(set(filled)) < len(filled) or any(len(row) == 1 for row in heads):
        return False
    cells = {cell for row in heads for cell in row if cell}
    if any(len(cell) > _HEADER_LENGTH for cell in cells):
        return False
    years = sum(bool(_YEAR.fullmatch(cell)) for cell in cells)
    if any(is_number(cell) and not _YEAR.fullmatch(cell) for cell in cells):
        return False
    return years < len(cells) and not (years and _holds_years(heads[-1], body))


def _holds_years(head: Row, body: Sequence[Row]) -> bool:
    """Whether the columns headed by a year hold years too: then the years are values."""
    columns = [at for at, cell in enumerate(head) if _YEAR.fullmatch(cell)]
    below = [row[at] for row in body for at in columns if at < len(row) and row[at]]
    return bool(below) and sum(bool(_YEAR.fullmatch(one)) for one in below) > _FULL * len(below)


def _is_group_row(row: Row) -> bool:
    """Whether the row may head several columns with one text: repeated or left out."""
    filled = [cell for cell in row if cell]
    repeated = len(set(filled)) < len(filled) or len(filled) < len(row)
    short = all(len(cell) <= _HEADER_LENGTH for cell in filled)
    words = all(not is_number(cell) or _YEAR.fullmatch(cell) for cell in filled)
    return len(row) > 2 and bool(filled) and repeated and short and words


def _is_units(row: Row) -> bool:
    filled = [cell for cell in row if cell]
    return bool(filled) and all(_UNIT.fullmatch(cell) for cell in filled)


def _spread(row: Row, below: Row, width: int) -> list[str]:
    """An outer header over the columns to its right that have a header of their own below."""
    spread: list[str] = []
    last = ""
    for at in range(width):
        text = row[at] if at < len(row) else ""
        under = below[at] if at < len(below) else ""
        last = text or (last if under and at else "")
        spread.append(last)
    return spread
