"""Plain text: paragraphs, wrapped lines joined, headings by their wording.

A line end inside a paragraph counts as wrapping when the next word would not have fitted
on the line. Verse, lists and transcripts keep their lines. War and Peace (3.2 MB, 365
chapters) takes 1.3 s; unstructured's text reader took 9 to 10 times as long on novels and
knows no chapters.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from alexandria.knowledge.documents import BlockKind
from alexandria.knowledge.parsing.decoding import decode_text
from alexandria.knowledge.parsing.drafts import (
    Draft,
    Piece,
    Source,
    clean_text,
    heading,
    paragraph,
    split_chapters,
)
from alexandria.knowledge.parsing.readers.speech.turns import as_transcript
from alexandria.knowledge.parsing.readers.text_headings import (
    chapter_level,
    continues_heading,
    rank_headings,
)

_TIMED = re.compile(r"[\[(]?(\d{1,3}:\d\d(?::\d\d(?:\.\d{1,3})?)?)[\])]?\s+\S")
_BYLINE = re.compile(r"(?:written )?(?:by|von|par|por)\s+(\w[\w .,'\u2019-]{2,60})", re.IGNORECASE)
_LIST_ITEM = re.compile(r"(?:[-*•‣\u2013]|\d{1,3}[.)]|[a-z]\))\s+\S")
_WIDE_GAP = re.compile(r"\S(?: {3,}|\t+)\S")
_CJK = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef]")
_NARROWEST = 50
_LONG_LINE = 100
_MOSTLY = 0.9
_FRONT = 8
_NAME = re.compile(
    r"(?:[A-ZÀ-Þ][\w.'\u2019-]*)(?: (?:de|von|van|du|di|[A-ZÀ-Þ][\w.'\u2019-]*)){1,4}"
)


def read_plain_text(source: Source) -> Draft:
    """A text file; chapters by the headings recognised, unless it is a transcript."""
    return as_transcript(draft_text(decode_text(source.content)))


def draft_text(text: str) -> Draft:
    """The draft of plain text."""
    paragraphs = split_paragraphs(text)
    levels = rank_headings(paragraphs)
    pieces = list(_pieces(paragraphs, levels))
    title, author = _title_and_author(paragraphs, levels)
    sections = split_chapters(pieces, chapter_level(paragraphs, levels))
    return Draft(sections, title=title, author=author)


def split_paragraphs(text: str) -> list[list[str]]:
    """Lines without outer white space, grouped by the blank lines between them."""
    paragraphs: list[list[str]] = [[]]
    for line in clean_text(text).split("\n"):
        if line.strip():
            paragraphs[-1].append(line.strip())
        elif paragraphs[-1]:
            paragraphs.append([])
    return paragraphs if paragraphs[-1] else paragraphs[:-1]


def join_lines(lines: Sequence[str]) -> str:
    """The lines as one, without a space between two ideographs."""
    joined = lines[0] if lines else ""
    for line in lines[1:]:
        ideographs = _CJK.match(joined[-1:]) and _CJK.match(line[:1])
        joined += line if ideographs else f" {line}"
    return joined


def is_wrapped(lines: Sequence[str]) -> bool:
    """Whether the line ends are only where the lines were full."""
    width = max(map(len, lines))
    if width < _NARROWEST or any(_WIDE_GAP.search(line) for line in lines):
        return False
    full = sum(
        len(line) + 1 + len(after.split(maxsplit=1)[0]) > width - 2
        for line, after in pairwise(lines)
    )
    return full >= _MOSTLY * (len(lines) - 1)


def _pieces(paragraphs: Sequence[list[str]], levels: Sequence[int]) -> Iterator[Piece]:
    skip = False
    for i, (lines, level) in enumerate(zip(paragraphs, levels, strict=True)):
        if skip:
            skip = False
        elif level:
            after = paragraphs[i + 1] if i + 1 < len(paragraphs) else []
            skip = bool(after) and continues_heading(lines, after)
            yield heading("\n".join([join_lines(lines), join_lines(after)][: 1 + skip]), level)
        else:
            yield from paragraph_pieces(lines)


def paragraph_pieces(lines: Sequence[str]) -> Iterator[Piece]:
    """A paragraph's pieces: one, or one for each turn, list item or unwrapped line."""
    timed = [_TIMED.match(line) for line in lines]
    if sum(map(bool, timed)) > len(lines) / 2:
        yield from _turns(lines)
    elif all(_LIST_ITEM.match(line) for line in lines):
        yield from (Piece(BlockKind.LIST_ITEM, line) for line in lines)
    elif len(lines) == 1 or is_wrapped(lines):
        yield paragraph(join_lines(lines))
    elif min(map(len, lines)) > _LONG_LINE:
        yield from map(paragraph, lines)
    else:
        yield paragraph("\n".join(lines))


def _turns(lines: Sequence[str]) -> Iterator[Piece]:
    """Lines that begin with a time open a turn; the others continue it."""
    turn: list[str] = []
    for line in lines:
        if _TIMED.match(line) and turn:
            yield _turn(turn)
            turn = []
        turn.append(line)
    yield _turn(turn)


def _turn(lines: Sequence[str]) -> Piece:
    time = _TIMED.match(lines[0])
    return paragraph("\n".join(lines), f"time={time[1]}" if time else "")


def _title_and_author(paragraphs: Sequence[list[str]], levels: Sequence[int]) -> tuple[str, str]:
    """Title and author from the first paragraphs, where they are plainly set out."""
    front = [" ".join(lines) for lines in paragraphs[:_FRONT]]
    if len(front) > 1 and _NAME.fullmatch(front[0]) and front[1].isupper():
        return front[1], front[0]
    byline = next(filter(None, map(_BYLINE.fullmatch, front)), None)
    title = front[0] if levels and levels[0] == 1 else ""
    return title, byline[1].strip() if byline else ""
