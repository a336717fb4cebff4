"""Tables on a PDF page, made out from where the words stand.

A table is looked for only where at least three lines in a row are cut by wide gaps into
values, about half of them figures. Its columns are what most of those lines leave free of ink
between; the headers are the words above them. Where the columns do not come out clean, or a
word would get lost, the lines stay as they are.

Coordinates are points from the lower left corner.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from alexandria.knowledge.parsing.drafts import Piece, clean_text
from alexandria.knowledge.parsing.readers.pdf_layout import Line
from alexandria.knowledge.parsing.tables import table_pieces

_FIGURE = re.compile(r"[-+(]?[$€£]?[-+]?\d[\d.,:/'%)$€£–-]*(?: ?[-–] ?\d[\d.,]*)?%?")  # noqa: RUF001
_NOTHING = frozenset({"-", "–", "—", "*", "n/a", "na", "unq", ".", "…"})  # noqa: RUF001
_DATE = re.compile(r"(?:1[5-9]|20)\d\d|\d{1,4}[-/.]\d{1,2}(?:[-/.]\d{2,4})?|[A-Z][a-z]{2}-\d\d")
_MARK = "\ue000"
_FEWEST_ROWS = 3
_FEWEST_CELLS = 3
_GAP = 0.55
"""Space between cells, in heights of the line; between words it is about a third."""

_PITCH = 2.2
"""Distance between rows of one table, in heights of the line."""

_INKED = 0.15
"""Share of the rows that may cross the space between two columns."""

_HEADER_REACH = 3.5
_CLEAN = 0.9
_WIDEST = 20_000.0
_STEP = 1.0


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of a table: its place among the page's lines, its words and cells."""

    at: int
    words: Sequence[Line]
    cells: Sequence[Line]


def with_tables(lines: Sequence[Line], words: Callable[[int], list[Line]]) -> list[Line]:
    """The lines of a page with one line in place of those of each table found among them.

    Such a line holds the table's pieces; its text is theirs between two private marks.

    Args:
        lines: All lines in the order the page draws them.
        words: The words of the line at an index, left to right, as lines of their own.
    """
    bands = _bands(lines)
    levels = [_united([lines[at] for at in band]) for band in bands]
    likely = [at for at, level in enumerate(levels) if _may_be_row(level)]
    if len(likely) < _FEWEST_ROWS:
        return list(lines)

    def band_words(at: int) -> list[Line]:
        found = [word for line in bands[at] for word in words(line)]
        return sorted(found, key=lambda word: word.left)

    rows = {at: row for at in likely if _is_row(row := _row(at, band_words(at)))}
    result: list[Line] = []
    done = 0
    for run in _runs(levels, band_words, rows):
        begin, pieces = _table(levels, band_words, run, rows)
        first = bands[begin][0]
        if pieces and first >= done:
            text = "\n".join(piece.text for piece in pieces)
            result += [*lines[done:first], Line(f"{_MARK}{text}{_MARK}", table=pieces)]
            done = bands[run[-1]][-1] + 1
    return [*result, *lines[done:]]


def _bands(lines: Sequence[Line]) -> list[list[int]]:
    """Lines that follow one another to the right at one height, as one."""
    bands: list[list[int]] = []
    for at, line in enumerate(lines):
        last = lines[at - 1] if at else line
        level = line.height > 0 and abs(line.bottom - last.bottom) < 0.3 * line.height
        if bands and level and line.left >= last.right:
            bands[-1].append(at)
        else:
            bands.append([at])
    return bands


def _united(parts: Sequence[Line]) -> Line:
    if len(parts) == 1:
        return parts[0]
    return Line(
        " ".join(part.text for part in parts),
        parts[0].left,
        min(part.bottom for part in parts),
        parts[-1].right,
        max(part.top for part in parts),
    )


def split_cells(words: Sequence[Line]) -> list[Line]:
    """The words joined into cells where no wide gap parts them, left to right."""
    cells: list[Line] = []
    for level in _levels(words):
        joined: list[Line] = []
        for word in level:
            last = joined[-1] if joined else None
            if last and word.left - last.right <= _GAP * max(word.height, last.height):
                low, high = min(last.bottom, word.bottom), max(last.top, word.top)
                text = f"{last.text} {word.text}"
                joined[-1] = Line(text, last.left, low, max(last.right, word.right), high)
            else:
                joined.append(word)
        cells += joined
    return sorted(cells, key=lambda one: one.left)


def _may_be_row(line: Line) -> bool:
    words = line.text.split()
    return (
        line.height > 0
        and len(words) >= _FEWEST_CELLS
        and any(any(map(str.isdigit, word)) or word in _NOTHING for word in words)
    )


def _row(at: int, words: Sequence[Line]) -> _Row:
    return _Row(at, words, split_cells(words))


def _is_row(row: _Row) -> bool:
    figures = sum(_is_figure(cell.text) for cell in row.cells)
    return len(row.cells) >= _FEWEST_CELLS and 2 * figures >= len(row.cells) - 1


def _is_figure(text: str) -> bool:
    return text in _NOTHING or bool(_FIGURE.fullmatch(text))


def _runs(
    lines: Sequence[Line], words: Callable[[int], list[Line]], rows: dict[int, _Row]
) -> Iterator[list[int]]:
    """Lines that follow one another downwards: rows, and labels that stand out to the left."""
    run: list[int] = []
    for at in range(len(lines)):
        is_label = (
            at + 1 in rows
            and at not in rows
            and _is_label(lines[at], lines[at + 1])
            and len(split_cells(words(at))) < _FEWEST_CELLS
        )
        if run and (at in rows or is_label) and _follows(lines[run[-1]], lines[at]):
            run.append(at)
            continue
        if run:
            yield run
        run = [at] if at in rows or is_label else []
    if run:
        yield run


def _is_label(line: Line, row: Line) -> bool:
    """Whether the line stands above a row and further left, so that it names a group."""
    outside = row.left - line.left > 0.3 * row.height
    return line.height > 0 and outside and _follows(line, row)


def _follows(above: Line, line: Line) -> bool:
    """Whether the line is the next one below, at a row's distance."""
    height = max(above.height, line.height)
    return 0.5 * height < above.bottom - line.bottom <= _PITCH * height


def _table(
    lines: Sequence[Line],
    words: Callable[[int], list[Line]],
    run: Sequence[int],
    rows: dict[int, _Row],
) -> tuple[int, tuple[Piece, ...]]:
    """The first line a table takes the place of, and its pieces; none where it is unsure."""
    found = [rows[at] for at in run if at in rows]
    columns = _columns(found) if len(found) >= _FEWEST_ROWS else []
    if len(columns) < _FEWEST_CELLS or not _is_clean(found, columns):
        return run[0], ()
    above, taken = _header_cells(lines, words, run, found)
    columns = _under_headers(columns, above)
    names = _names(above, columns)
    body = [_texts(rows[at].words, columns) if at in rows else [lines[at].text] for at in run]
    named = any(names)  # else headers may be years, which are rows like any other until now
    pieces = tuple(table_pieces([names, *body] if named else body, header=1 if named else None))
    for first in sorted({run[0], *taken}):
        if _holds_all(pieces, [line.text for line in lines[first : run[-1] + 1]]):
            return first, pieces
    return run[0], ()


def _columns(rows: Sequence[_Row]) -> list[tuple[float, float]]:
    """Left and right end of the columns: what more than a few rows have ink in."""
    left = min(cell.left for row in rows for cell in row.cells)
    right = max(cell.right for row in rows for cell in row.cells)
    if not 0 < right - left < _WIDEST:
        return []
    ink = [0] * (int((right - left) / _STEP) + 2)
    for row in rows:
        for cell in row.cells:
            for step in range(
                int((cell.left - left) / _STEP), int((cell.right - left) / _STEP) + 1
            ):
                ink[step] += 1
    most = _INKED * len(rows)
    columns: list[tuple[float, float]] = []
    begin: int | None = None
    for step, count in enumerate([*ink, 0]):
        if count > most and begin is None:
            begin = step
        elif count <= most and begin is not None:
            columns.append((left + begin * _STEP, left + step * _STEP))
            begin = None
    return columns


def _under_headers(
    columns: Sequence[tuple[float, float]], above: Sequence[Sequence[Line]]
) -> list[tuple[float, float]]:
    """The columns widened to headers beside them, and those with a header and hardly a value.

    They stay as they are where the words above do not fit as headers.
    """
    wider = list(columns)
    names = above[0] if above else []
    apart = [
        name
        for name in names
        if not any(left <= name.right and name.left <= right for left, right in columns)
    ]
    named = {_column(name, columns) for name in names if name not in apart}
    for name in apart:
        near = _column(name, columns)
        left, right = columns[near]
        gap = max(left - name.right, name.left - right)
        if near not in named and gap < 2 * name.height:
            wider[near] = (min(left, name.left), max(right, name.right))
            named.add(near)
        else:
            wider.append((name.left, name.right))
    wider.sort()
    return wider if names and _fits(names, wider) else list(columns)


def _is_clean(rows: Sequence[_Row], columns: Sequence[tuple[float, float]]) -> bool:
    """Whether nearly every cell lies in one column and has it for itself."""
    cells = placed = 0
    for row in rows:
        hits = Counter(_column(cell, columns) for cell in row.cells)
        cells += len(row.cells)
        placed += sum(count == 1 for count in hits.values())
    return placed >= _CLEAN * cells


def _column(box: Line, columns: Sequence[tuple[float, float]]) -> int:
    """The column that holds most of the box, or else the nearest one."""

    def fit(at: int) -> tuple[float, float]:
        left, right = columns[at]
        shared = min(right, box.right) - max(left, box.left)
        return max(shared, 0.0), shared

    return max(range(len(columns)), key=fit)


def _texts(words: Sequence[Line], columns: Sequence[tuple[float, float]]) -> list[str]:
    texts: list[list[str]] = [[] for _ in columns]
    for word in words:
        texts[_column(word, columns)].append(word.text)
    return [" ".join(one) for one in texts]


def _header_cells(
    lines: Sequence[Line],
    words: Callable[[int], list[Line]],
    run: Sequence[int],
    rows: Sequence[_Row],
) -> tuple[list[list[Line]], list[int]]:
    """Cells above the table by height, the nearest first, and lines that are nothing else."""
    top = lines[run[0]].top
    height = rows[0].words[0].height
    left = min(row.cells[0].left for row in rows) - height
    right = max(row.cells[-1].right for row in rows) + height
    cells: list[Line] = []
    taken: list[int] = []
    for at, line in enumerate(lines):
        if at in run or line.right < left or line.left > right or line.bottom > top + 12 * height:
            continue
        own = [cell for cell in split_cells(words(at)) if _is_above(cell, top, height)]
        inside = [cell for cell in own if cell.right > left and cell.left < right]
        cells += inside
        if inside and len(inside) == len(split_cells(words(at))) and at == run[0] - 1:
            taken.append(at)
    return _levels(cells), taken


def _is_above(cell: Line, top: float, height: float) -> bool:
    return top - 0.5 * height < cell.bottom <= top + _HEADER_REACH * height


def _levels(cells: Sequence[Line]) -> list[list[Line]]:
    """Cells grouped by the height they stand at, lowest first."""
    levels: list[list[Line]] = []
    for cell in sorted(cells, key=lambda one: one.bottom):
        if levels and cell.bottom - levels[-1][0].bottom < 0.5 * cell.height:
            levels[-1].append(cell)
        else:
            levels.append([cell])
    return [sorted(level, key=lambda one: one.left) for level in levels]


def _names(levels: Sequence[Sequence[Line]], columns: Sequence[tuple[float, float]]) -> list[str]:
    """A name for each column from the cells above; all empty where they do not fit."""
    names = [""] * len(columns)
    if not levels or not _fits(levels[0], columns):
        return names
    for cell in levels[0]:
        at = _column(cell, columns)
        names[at] = f"{names[at]} {cell.text}".strip()
    repeated = len(set(filter(None, names))) < sum(map(bool, names))
    if len(levels) > 1 and repeated:
        for at, group in _spread(levels[1], columns).items():
            names[at] = f"{group} / {names[at]}" if names[at] else group
    return names


def _fits(cells: Sequence[Line], columns: Sequence[tuple[float, float]]) -> bool:
    """Whether the cells are names, one above each of at least half of the columns."""
    named = {_column(cell, columns) for cell in cells}
    words = all(not _is_figure(cell.text) or _DATE.fullmatch(cell.text) for cell in cells)
    return words and len(named) == len(cells) and 2 * len(named) >= len(columns)


def _spread(cells: Sequence[Line], columns: Sequence[tuple[float, float]]) -> dict[int, str]:
    """The group each column stands under: centred text, halfway to the next group's."""
    centres = [(cell.left + cell.right) / 2 for cell in cells]
    middles = [(first + second) / 2 for first, second in pairwise(centres)]
    spread: dict[int, str] = {}
    for at, (cell, centre) in enumerate(zip(cells, centres, strict=True)):
        before = centre - middles[at - 1] if at else None
        after = middles[at] - centre if at < len(middles) else None
        near = [one for one in (before, after) if one is not None]
        reach = (before or min(near, default=0.0), after or min(near, default=0.0))
        for column, (left, right) in enumerate(columns):
            middle = (left + right) / 2
            if centre - reach[0] <= middle < centre + reach[1]:
                spread[column] = cell.text
    return spread


def _holds_all(pieces: Sequence[Piece], texts: Sequence[str]) -> bool:
    """Whether every word of the texts is in the pieces, as often at least."""
    kept = Counter(_words(" ".join(piece.text for piece in pieces)))
    return not Counter(_words(clean_text(" ".join(texts)))) - kept


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)
