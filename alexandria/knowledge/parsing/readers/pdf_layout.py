"""Lines of a PDF page to pieces: running heads dropped, hyphens joined, paragraphs found.

Coordinates are points from the lower left corner. A line whose box is unknown has zeros;
then only the wording decides.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from statistics import median

from alexandria.knowledge.documents import BlockKind
from alexandria.knowledge.parsing.drafts import Piece, heading, one_line, paragraph

_EDGE_LINES = 2
_FEWEST_PAGES = 3
_REPEATED = 0.3
_OUTER_NUMBER = re.compile(r"^\d{1,5}(?=\s|$)|(?<=\s)\d{1,5}$")
_LONGEST_HEAD = 120
_SPACE = 0.15
_FAR = 2.0
_DIGITS = re.compile(r"\d+")
_HYPHEN = "\ufffe"
_HYPHENATED = re.compile(r"(?<!\w)(\w{2,})(?:[-\u00ad\u2010\x02]|\ufffe)$")
_WORD = re.compile(r"[\w'\u2019]+")
_COMPOUND = re.compile(r"(?<!\w)\w{2,}-\w{2,}")
_SENTENCE_END = re.compile(r"[.!?:;…][\"”\u2019»)]?$")
_BULLET = re.compile(r"[•▪◦‣●■\u2013]\s*\S|\(?(?:\d{1,2}|[a-z])\)\s+\S")
_RIGHT_TO_LEFT = "\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe"
_LEFTWARDS = re.compile(rf"[{_RIGHT_TO_LEFT}]+")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_BRACKETS = "([{"
_LEADER = re.compile(r"(?:\. ?){4,}")
_WIDE = 0.93
_GAP = 1.6
_NEAR = 50
"""Lines of a paragraph that tell how wide it is."""
_TALLER = 1.25


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text and its box in points; or a table, with its pieces and without a box."""

    text: str
    left: float = 0.0
    bottom: float = 0.0
    right: float = 0.0
    top: float = 0.0
    table: tuple[Piece, ...] = ()

    @property
    def height(self) -> float:
        """Top to bottom."""
        return self.top - self.bottom


@dataclass(frozen=True, slots=True)
class Outline:
    """An entry of the document's outline; the level counts from 1."""

    title: str
    level: int


def join_baselines(lines: Sequence[Line]) -> list[Line]:
    """The lines with raised and lowered runs, such as exponents, put back where they stand."""
    result: list[Line] = []
    for line in map(_in_reading_order, lines):
        if result and _continues(result[-1], line):
            last = result[-1]
            space = " " if line.left - last.right > _SPACE * last.height else ""
            result[-1] = Line(
                f"{last.text}{space}{line.text}", last.left, last.bottom, line.right, last.top
            )
        else:
            result.append(line)
    return result


def drop_running_lines(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """The pages without heads, feet and page numbers.

    A line goes when it is among the outermost two of its page and reads the same, numbers
    apart, there on at least three pages and three in ten; or when it begins or ends with
    the page's number, counted alike on that many pages. A page never loses all its lines.
    """
    counts = Counter(key for lines in pages for key in set(map(_key, _edges(lines))))
    enough = max(_FEWEST_PAGES, _REPEATED * len(pages))
    running = {key for key, count in counts.items() if count >= enough}
    shift = _page_shift(pages, enough)
    return [
        _without(lines, lambda line, at=at: _key(line) in running or shift in _shifts(line, at))
        for at, lines in enumerate(pages)
    ]


def restore_hyphens(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """The pages with words cut at line ends made whole, on the earlier of the two lines.

    The hyphen stays where the document also writes the word with one inside a line.
    """
    compounds = {
        word.lower() for lines in pages for line in lines for word in _COMPOUND.findall(line.text)
    }
    return [_rejoin(lines, compounds) for lines in pages]


def page_pieces(lines: Sequence[Line], outline: Sequence[Outline]) -> Iterator[Piece]:
    """Headings, paragraphs and list items of a page in the order of its lines."""
    levels = {_key_of_title(entry.title): entry.level for entry in outline}
    levels.pop("", None)
    group: list[Line] = []
    for line in lines:
        level = levels.pop(_key_of_title(line.text), 0)
        if group and (level or line.table or _starts_paragraph(group, line)):
            yield _piece(group)
            group = []
        if line.table:
            yield from line.table
        elif level:
            yield heading(line.text, level)
        else:
            group.append(line)
    if group:
        yield _piece(group)


def _in_reading_order(line: Line) -> Line:
    """The line with the words of the direction it does not run in put in order.

    pdfium tells a right-to-left line in the order it is read, but takes each word of another
    direction by itself, so that "Port Haifa" stands for "Haifa Port", and likewise in a
    left-to-right line. It takes the direction of most words for the line's.
    """
    if line.table or not _LEFTWARDS.search(line.text):
        return line
    is_leftwards = len(_LEFTWARDS.findall(line.text)) >= len(_LATIN.findall(line.text))
    words: list[str] = []
    for direction, run in groupby(line.text.split(" "), _direction):
        own = list(run)
        words += _turned(own) if direction == ("right" if is_leftwards else "left") else own
    return replace(line, text=" ".join(words))


def _direction(word: str) -> str:
    """Where a word runs: "left", "right", or "" for one of marks alone."""
    if _LEFTWARDS.search(word):
        return "left"
    return "right" if any(map(str.isalnum, word)) else ""


def _turned(words: list[str]) -> list[str]:
    """The words of a run in the other order, an opening bracket still in front.

    Numbers by themselves are in order: it is letters that carry their neighbours along.
    """
    if not any(any(map(str.isalpha, word)) for word in words):
        return words
    bare = words[0].lstrip(_BRACKETS)
    bracket = words[0][: len(words[0]) - len(bare)]
    first, *others = reversed([bare, *words[1:]])
    return [bracket + first, *others]


def _key_of_title(text: str) -> str:
    """Letters of a title: an outline leaves out the section's number and the leaders."""
    return "".join(char for char in one_line(text).casefold() if char.isalpha())


def _edges(lines: Sequence[Line]) -> list[Line]:
    return [*lines[:_EDGE_LINES], *lines[_EDGE_LINES:][-_EDGE_LINES:]]


def _key(line: Line) -> str:
    return _DIGITS.sub("#", " ".join(line.text.split()).casefold())


def _shifts(line: Line, page: int) -> set[int]:
    """What to add to the page's index to get the number the line begins or ends with."""
    if len(line.text) > _LONGEST_HEAD:
        return set()
    return {int(number) - page for number in _OUTER_NUMBER.findall(line.text)}


def _page_shift(pages: Sequence[Sequence[Line]], enough: float) -> int | None:
    """The difference between printed numbers and page indexes; None when there is none."""
    counts = Counter(
        shift
        for at, lines in enumerate(pages)
        for shift in {one for line in _edges(lines) for one in _shifts(line, at)}
    )
    shift, count = max(counts.items(), key=lambda one: (one[1], -abs(one[0])), default=(0, 0))
    return shift if count >= enough else None


def _without(lines: Sequence[Line], is_running: Callable[[Line], bool]) -> list[Line]:
    edges = {id(line) for line in _edges(lines) if is_running(line)}
    kept = [line for line in lines if id(line) not in edges]
    return kept or list(lines)


def _rejoin(lines: Sequence[Line], compounds: set[str]) -> list[Line]:
    """Moves the rest of a cut word up to the line it began on."""
    result: list[Line] = []
    for line in lines:
        text = line.text
        cut = _HYPHENATED.search(result[-1].text) if result else None
        rest = _WORD.match(text)
        if cut and rest and rest[0][0].islower():
            hyphen = "-" if f"{cut[1]}-{rest[0]}".lower() in compounds else ""
            word, text = _take_word(text)
            whole = f"{result[-1].text[: cut.end(1)]}{hyphen}{word}"
            result[-1] = replace(result[-1], text=whole)
        if text:
            result.append(replace(line, text=text))
    return [replace(line, text=line.text.replace(_HYPHEN, "-")) for line in result]


def _take_word(text: str) -> tuple[str, str]:
    """The first word with the marks that cling to it, and the rest of the line."""
    word, _, rest = text.partition(" ")
    return word, rest.strip()


def _starts_paragraph(group: Sequence[Line], line: Line) -> bool:
    last = group[-1]
    if _BULLET.match(line.text):
        return True
    if not line.height or not last.height:
        return bool(_SENTENCE_END.search(last.text)) and line.text[:1].isupper()
    if line.bottom > last.top:  # a jump up: the next column
        return bool(_SENTENCE_END.search(last.text))
    if max(line.height, last.height) > _TALLER * min(line.height, last.height):
        return True
    pitch = last.bottom - line.bottom
    return pitch > _GAP * max(line.height, last.height) or _indented(group, line)


def _indented(group: Sequence[Line], line: Line) -> bool:
    """Whether the line begins right of the one above, which ends a sentence or falls short."""
    last = group[-1]
    full = _full_width(group[-_NEAR:])
    ended = bool(_SENTENCE_END.search(last.text)) or not _wraps(last, line, full)
    return ended and 0.5 * line.height < line.left - last.left < 6 * line.height


def _piece(lines: Sequence[Line]) -> Piece:
    kind = BlockKind.LIST_ITEM if _BULLET.match(lines[0].text) else BlockKind.PARAGRAPH
    text = lines[0].text
    full = _full_width(lines)
    for last, line in pairwise(lines):
        text += (" " if _wraps(last, line, full) else "\n") + line.text
    return Piece(kind, text) if kind is BlockKind.LIST_ITEM else paragraph(text)


def _full_width(lines: Sequence[Line]) -> float:
    return median(sorted((line.right - line.left for line in lines), reverse=True)[:3])


def _wraps(line: Line, after: Line, full: float) -> bool:
    """Whether the text goes on below because the next line's first word did not fit.

    A line of figures is a row of a table; it stays a line, and so does one with leaders.
    """
    if any(_LEADER.search(one.text) or _is_figures(one.text) for one in (line, after)):
        return False
    word = after.text.split(maxsplit=1)[0]
    needed = (after.right - after.left) * (len(word) + 1) / (len(after.text) + 1)
    return not full or line.right - line.left + needed >= _WIDE * full


def _continues(last: Line, line: Line) -> bool:
    """Whether the line stands right of the last one, at its height, without a gap."""
    if not last.height or not line.height:
        return False
    middle = (line.bottom + line.top) / 2
    near = -0.5 * last.height <= line.left - last.right <= _FAR * last.height
    level = last.bottom - 0.2 * last.height <= middle <= last.top + 0.3 * last.height
    return near and level


def _is_figures(text: str) -> bool:
    words = [word for word in text.split() if any(map(str.isalnum, word))]
    figures = sum(any(map(str.isdigit, word)) for word in words)
    return len(words) > 3 and figures > len(words) / 2
