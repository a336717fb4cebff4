"""Transcripts written as text: who spoke when, found in the paragraphs of any document.

Known forms, each at the start of a line:

    [00:01:02] ANN: What was said.        a time, a speaker, the words
    Ann Author (01:02): What was said.    a speaker, a time, the words
    Ann Author   1:02                     a line of its own, the words below
    0:1:2.5 --> 0:1:4.0                   likewise, the speaker and the words below (Teams)

A document is a transcript when turns open a good part of its lines and their times go forward.
Then it is one unit, and each turn's blocks carry its time. Lines that begin with a time and
the words keep it in their text, as it is how they read; headers of their own do not.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from alexandria.knowledge.documents import BlockKind
from alexandria.knowledge.parsing.drafts import Draft, Piece, one_line, paragraph
from alexandria.knowledge.parsing.readers.speech.cues import transcript_section

_TIME = r"(?P<time>(?:\d{1,4}:)?\d{1,2}:\d{1,2}(?:[.,]\d{1,3})?)"
_NAME = r"(?P<speaker>[^\W\d_][^:\[\]()<>]{0,58}?)"
_LINE = re.compile(rf"[\[(]?{_TIME}[\])]?\s*[-\u2013]?\s*{_NAME}\s*:\s+\S")
_BRACKETED = re.compile(rf"[\[(]{_TIME}[\])]\s*\S")
_NAME_FIRST = re.compile(rf"{_NAME}\s*[\[(]{_TIME}[\])]\s*:?\s*(?P<words>.*)")
_HEADER = re.compile(rf"{_NAME}\s+{_TIME}")
_RANGE = re.compile(rf"{_TIME}\s*-->\s*[\d:.,]+")
_LEVELS = frozenset({"info", "debug", "warn", "warning", "error", "trace", "fatal", "notice"})
_FEWEST, _SHARE = 2, 0.2
_FORWARD = 0.9
_LONGEST_FRONT = 12
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class _Turn:
    """What opens a turn: its time, its speaker, and the words on the same line.

    `is_header` says that the line itself is no text; `names_below` that the speaker's name is
    the next line.
    """

    time: str
    speaker: str = ""
    words: str = ""
    is_header: bool = False
    names_below: bool = False


def as_transcript(draft: Draft) -> Draft:
    """The draft as a transcript, where its text is one; or the draft as it is."""
    pieces = [piece for section in draft.sections for piece in section.pieces]
    if any(section.problem for section in draft.sections):
        return draft
    lines = [(piece, line) for piece in pieces for line in piece.text.split("\n") if line.strip()]
    turns = [_turn(line.strip()) for _, line in lines]
    if not _is_transcript(turns):
        return draft
    first = next(i for i, turn in enumerate(turns) if turn)
    front = list(dict.fromkeys(piece for piece, _ in lines[:first]))
    spoken = [piece for turn in _grouped(lines[first:], turns[first:]) for piece in turn]
    kept = [piece for piece in front if piece is not lines[first][0]]
    images = tuple(image for section in draft.sections for image in section.images)
    section = replace(transcript_section([*kept, *spoken]), images=images)
    return replace(draft, sections=(section,))


def _turn(line: str) -> _Turn | None:
    """The turn that a line opens."""
    if ":" not in line:
        return None
    if found := _RANGE.fullmatch(line):
        return _Turn(found["time"], is_header=True, names_below=True)
    if found := _LINE.match(line):
        is_log = found["speaker"].strip().lower() in _LEVELS
        return None if is_log else _Turn(found["time"], found["speaker"].strip())
    if found := _BRACKETED.match(line):
        return _Turn(found["time"])
    if found := _NAME_FIRST.fullmatch(line):
        return _Turn(found["time"], found["speaker"].strip(), found["words"], is_header=True)
    if found := _HEADER.fullmatch(line):
        return _Turn(found["time"], found["speaker"].strip(), is_header=True)
    return None


def _is_transcript(turns: Sequence[_Turn | None]) -> bool:
    """Enough lines open a turn, they begin early, time goes forward, and someone recurs."""
    found = [turn for turn in turns if turn]
    if len(found) < max(_FEWEST, _SHARE * len(turns)):
        return False
    if next(i for i, turn in enumerate(turns) if turn) > _LONGEST_FRONT:
        return False
    times = [_seconds(turn.time) for turn in found]
    forward = sum(one <= two for one, two in pairwise(times))
    speakers = {turn.speaker for turn in found if turn.speaker}
    unnamed = sum(not turn.speaker for turn in found)
    recurs = unnamed > 0 or len(speakers) < len(found)
    return forward >= _FORWARD * (len(times) - 1) and (recurs or all(t.is_header for t in found))


def _grouped(
    lines: Sequence[tuple[Piece, str]], turns: Sequence[_Turn | None]
) -> Iterator[list[Piece]]:
    """The pieces of each turn: lines of one paragraph of the document stay together."""
    starts = [i for i, turn in enumerate(turns) if turn]
    for start, end in pairwise([*starts, len(lines)]):
        turn = turns[start]
        if turn:
            yield list(_turn_pieces(turn, lines[start:end]))


def _turn_pieces(turn: _Turn, lines: Sequence[tuple[Piece, str]]) -> Iterator[Piece]:
    anchor = f"time={_clock(turn.time)}"
    piece, opening = lines[0]
    speaker, rest = turn.speaker, list(lines[1:])
    if turn.names_below and len(rest) > 1 and _is_name(rest[0][1]):
        speaker = one_line(rest.pop(0)[1])
    words = [(piece, turn.words if turn.is_header else opening), *rest]
    tables = dict.fromkeys(one for one, _ in rest if one.kind is BlockKind.TABLE)
    words = [(one, line) for one, line in words if one not in tables]
    said = f"{speaker}: " if speaker and turn.is_header else ""
    for text in _paragraphs(words):
        yield paragraph(said + text, anchor)
        said = ""
    if said and not any(line.strip() for _, line in words):
        yield paragraph(said.strip(), anchor)
    yield from tables


def _paragraphs(lines: Sequence[tuple[Piece, str]]) -> Iterator[str]:
    """Texts of the lines that came from one piece each; the header's line is with the next."""
    filled = [(piece, line.strip()) for piece, line in lines if line.strip()]
    text: list[str] = []
    for i, (piece, line) in enumerate(filled):
        if text and piece is not filled[i - 1][0] and piece.kind is not BlockKind.LIST_ITEM:
            yield "\n".join(text)
            text = []
        text.append(line)
    if text:
        yield "\n".join(text)


def _is_name(line: str) -> bool:
    return len(line) <= _LONGEST_NAME and line.strip()[-1:] not in ".!?…,;"


def _seconds(time: str) -> float:
    total = 0.0
    for part in time.replace(",", ".").split(":"):
        total = total * 60 + float(part)
    return total


def _clock(time: str) -> str:
    """The time as hours, minutes and seconds, with milliseconds if it has any."""
    whole, point, rest = time.replace(",", ".").partition(".")
    total = 0
    for part in whole.split(":"):
        total = total * 60 + int(part)
    clock = f"{total // 3600:02}:{total // 60 % 60:02}:{total % 60:02}"
    return f"{clock}{point}{rest and rest.ljust(3, '0')}"
