"""Lines found in a picture become pieces: reading order, columns, paragraphs, confidence.

Recognition gives lines in no order that means anything. A page is cut into bands from top to
bottom; within a band, columns of running text are read one after the other, and what only
stands side by side (a table's row, labels of a map) is read across. Lines then become
paragraphs as those of a PDF do, in `readers.pdf_layout`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import mean, median

from alexandria.knowledge.parsing.drafts import Piece
from alexandria.knowledge.parsing.readers.pdf_layout import Line, page_pieces, restore_hyphens
from alexandria.knowledge.parsing.recognizers import RecognizedLine

_TIGHT = 0.85
"""Recognition draws its boxes wider than the letters; this much of the height is text."""

_SAME_HEIGHT = 0.35
_SAME_ROW = 0.5
_GUTTER = 0.25
"""Between two columns, in heights of a line; boxes reach a little into it from both sides."""

_RUNNING_TEXT = 9.0
"""Lines of a column are on average this many times as wide as high; cells are shorter."""

_CONTINUES = 0.6
_LOOKED_AHEAD = 40
"""Rows within which a second column has to show."""


_Lines = Sequence[RecognizedLine]


def recognized_pieces(lines: Sequence[RecognizedLine]) -> list[Piece]:
    """The lines as paragraphs and list items in reading order, each with its confidence."""
    if not lines:
        return []
    size = median(line.bottom - line.top for line in lines)
    flows = _flows(lines, size)
    return [piece for flow in flows for piece in _pieces(flow, size)]


@dataclass(frozen=True, slots=True)
class _SureLine(Line):
    """A line for `pdf_layout`, with how sure recognition was of it."""

    confidence: float = 1.0


def _flows(lines: _Lines, size: float) -> Iterator[list[RecognizedLine]]:
    """Runs of lines that are read one after the other."""
    flow: list[RecognizedLine] = []
    for band in _bands(_rows(lines), size):
        gutter = _gutter(band, size)
        if gutter is None:
            flow += [_joined(row) for row in _rows(band)]
            continue
        if flow:
            yield flow
            flow = []
        yield from _flows([one for one in band if one.right <= gutter], size)
        yield from _flows([one for one in band if one.right > gutter], size)
    if flow:
        yield flow


def _rows(lines: _Lines) -> list[list[RecognizedLine]]:
    """Lines that stand at one height, from left to right; rows from top to bottom."""
    rows: list[list[RecognizedLine]] = []
    for line in sorted(lines, key=lambda line: line.top + line.bottom):
        if rows and _is_level(rows[-1], line):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda line: line.left) for row in rows]


def _is_level(row: _Lines, line: RecognizedLine) -> bool:
    """Whether the line stands beside the row's last one: their heights share half and more."""
    last = row[-1]
    shared = min(last.bottom, line.bottom) - max(last.top, line.top)
    return shared > _SAME_ROW * min(last.bottom - last.top, line.bottom - line.top)


def _bands(rows: Sequence[Sequence[RecognizedLine]], size: float) -> Iterator[_Lines]:
    """Rows that share a gutter between columns, taken together; all others alone."""
    at = 0
    while at < len(rows):
        end = _end_of_band(rows, at, size)
        yield [line for row in rows[at:end] for line in row]
        at = end


def _end_of_band(rows: Sequence[Sequence[RecognizedLine]], at: int, size: float) -> int:
    """One past the last row that shares a gutter with the row at which the band begins."""
    band = list(rows[at])
    end, gutter = at + 1, None
    for upto in range(at + 1, len(rows)):
        band += rows[upto]
        is_open = _widest_gap(band, size) is not None or upto == at + 1
        if not is_open or upto - end > _LOOKED_AHEAD:
            break
        here = _gutter(band, size)
        if here is not None:
            end, gutter = upto + 1, here
    return at + _without_tail(rows[at:end], gutter, size)


def _without_tail(
    rows: Sequence[Sequence[RecognizedLine]], gutter: float | None, size: float
) -> int:
    """How many rows of a band belong to it: lines of one side after a gap do not."""
    if gutter is None:
        return len(rows)
    sides = [{line.right <= gutter for line in row} for row in rows]
    for end in range(len(rows), 1, -1):
        if len({side for row in sides[end - 1 :] for side in row}) > 1:
            break
        above = max(line.bottom for row in rows[: end - 1] for line in row)
        if min(line.top for line in rows[end - 1]) - above > _CONTINUES * size:
            return end - 1
    return len(rows)


def _gutter(lines: _Lines, size: float) -> float | None:
    """The x between two columns of running text; None where there are none."""
    gap = _widest_gap(lines, size)
    if gap is None:
        return None
    sides = (
        [line for line in lines if line.right <= gap],
        [line for line in lines if line.right > gap],
    )
    is_text = all(
        len(side) > 1 and mean(line.right - line.left for line in side) > _RUNNING_TEXT * size
        for side in sides
    )
    return gap if is_text and _overlap(*sides) else None


def _widest_gap(lines: _Lines, size: float) -> float | None:
    """The left edge of the widest stretch of x that no line reaches into."""
    widest, found = _GUTTER * size, None
    reach: float | None = None
    for line in sorted(lines, key=lambda line: line.left):
        if reach is not None and line.left - reach > widest:
            widest, found = line.left - reach, reach
        reach = line.right if reach is None else max(reach, line.right)
    return found


def _overlap(one: _Lines, other: _Lines) -> bool:
    """Whether two columns stand beside each other for a good part of the shorter one."""
    tops = [min(line.top for line in side) for side in (one, other)]
    bottoms = [max(line.bottom for line in side) for side in (one, other)]
    shorter = min(bottom - top for top, bottom in zip(tops, bottoms, strict=True))
    return min(bottoms) - max(tops) > 0.3 * shorter


def _joined(row: _Lines) -> RecognizedLine:
    """The parts of a row as one line, where recognition cut it at a wide space or a cell ends."""
    letters = sum(len(line.text) for line in row)
    return RecognizedLine(
        " ".join(line.text for line in row),
        sum(line.confidence * len(line.text) for line in row) / letters,
        row[0].left,
        min(line.top for line in row),
        max(line.right for line in row),
        max(line.bottom for line in row),
    )


def _pieces(flow: Sequence[RecognizedLine], size: float) -> Iterator[Piece]:
    lines: list[Line] = [_line(one, size) for one in flow]
    (lines,) = restore_hyphens([lines])
    at = 0
    for piece in page_pieces(lines, ()):
        used, length = at, -1
        while length < len(piece.text) and at < len(lines):
            length += len(lines[at].text) + 1
            at += 1
        yield replace(piece, confidence=_confidence(lines[used:at]))


def _line(one: RecognizedLine, size: float) -> _SureLine:
    """The line with a box of the usual height, for letters without tails give lower ones.

    Heights run upwards in `pdf_layout`.
    """
    height = one.bottom - one.top
    if abs(height - size) <= _SAME_HEIGHT * size:
        height = size
    middle, half = (one.top + one.bottom) / 2, height * _TIGHT / 2
    return _SureLine(
        one.text,
        one.left,
        -middle - half,
        one.right,
        -middle + half,
        confidence=one.confidence,
    )


def _confidence(lines: Sequence[Line]) -> float:
    """Mean confidence of the lines, weighted by length."""
    weighed = [(line.confidence, len(line.text)) for line in lines if isinstance(line, _SureLine)]
    letters = sum(length for _, length in weighed)
    return sum(sure * length for sure, length in weighed) / max(letters, 1)
