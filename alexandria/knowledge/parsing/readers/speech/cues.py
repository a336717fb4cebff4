"""Something said at a time, and how cues become blocks.

Cues of one speaker are a block until a pause of two seconds after a complete sentence, or
600 characters. The block's anchor is the time it begins: "time=00:01:02.000".
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alexandria.knowledge.documents import BlockKind, UnitKind
from alexandria.knowledge.parsing.drafts import Piece, Section

_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”\u2019)]*$")  # noqa: RUF001 - full stops of CJK
_PAUSE_MS = 2_000
_LONGEST = 600


@dataclass(frozen=True, slots=True)
class Cue:
    """Times in milliseconds from the start; confidence as in `Piece`."""

    start: int
    end: int
    speaker: str
    text: str
    confidence: float | None = None


def transcript_section(pieces: Sequence[Piece]) -> Section:
    """The one unit of a transcript."""
    return Section(UnitKind.TRANSCRIPT, "Transcript", "transcript=1", tuple(pieces))


def cue_pieces(cues: Sequence[Cue]) -> list[Piece]:
    """A paragraph for each group of cues."""
    return [_piece(group) for group in _groups(cues)]


def time_anchor(milliseconds: int) -> str:
    """The anchor of a time, to the millisecond."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"time={seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"


def _groups(cues: Sequence[Cue]) -> Iterator[list[Cue]]:
    group: list[Cue] = []
    for cue in cues:
        if group and _breaks(group, cue):
            yield group
            group = []
        group.append(cue)
    if group:
        yield group


def _breaks(group: Sequence[Cue], cue: Cue) -> bool:
    last = group[-1]
    complete = bool(_SENTENCE_END.search(last.text)) and cue.start - last.end >= _PAUSE_MS
    length = sum(len(one.text) for one in group)
    return cue.speaker != last.speaker or complete or length + len(cue.text) > _LONGEST


def _piece(group: Sequence[Cue]) -> Piece:
    text = " ".join(" ".join(cue.text.split()) for cue in group)
    speaker = group[0].speaker
    return Piece(
        BlockKind.PARAGRAPH,
        f"{speaker}: {text}" if speaker else text,
        anchor=time_anchor(group[0].start),
        confidence=_confidence(group),
    )


def _confidence(group: Sequence[Cue]) -> float | None:
    sure = [(len(cue.text), cue.confidence) for cue in group if cue.confidence is not None]
    letters = sum(length for length, _ in sure)
    return sum(length * one for length, one in sure) / letters if letters else None
