"""WebVTT and SubRip: cues grouped by speaker, each group a block with its start time.

Anchors read "time=00:01:02.000". A group ends where the speaker changes, after a pause of
two seconds once a sentence is complete, or at 600 characters.
"""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from alexandria.errors import CorruptFileError
from alexandria.knowledge.documents import UnitKind
from alexandria.knowledge.parsing.decoding import decode_text
from alexandria.knowledge.parsing.drafts import Draft, Piece, Section, Source, paragraph

_TIMING = re.compile(
    r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})\s*-->\s*"
    r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
)
_VOICE = re.compile(r"<v(?:\.[\w.]+)?\s+([^>]*)>")
_TAG = re.compile(r"<[^>]*>")
_LANGUAGE = re.compile(r"(?m)^Language:\s*(\S+)")
_SENTENCE_END = re.compile(r"[.!?…][\"'”\u2019)]*$")
_PAUSE_MS = 2_000
_LONGEST = 600


@dataclass(frozen=True, slots=True)
class _Cue:
    """Times in milliseconds from the start."""

    start: int
    end: int
    speaker: str
    text: str


def read_captions(source: Source) -> Draft:
    """A transcript in one unit.

    Raises:
        CorruptFileError: It holds no cue with a time.
    """
    text = decode_text(source.content).replace("\r\n", "\n").replace("\r", "\n")
    cues = list(_cues(text))
    if not cues:
        raise CorruptFileError("The file holds no cue with a start and an end time.")
    pieces = tuple(_group_piece(group) for group in _groups(cues))
    language = _LANGUAGE.search(text.partition("-->")[0])
    section = Section(UnitKind.TRANSCRIPT, "Transcript", "transcript=1", pieces)
    return Draft((section,), language=language[1] if language else "")


def _cues(text: str) -> Iterator[_Cue]:
    for block in re.split(r"\n\s*\n", text):
        lines = block.strip().split("\n")
        at = next((i for i, line in enumerate(lines) if "-->" in line), None)
        timing = _TIMING.search(lines[at]) if at is not None else None
        if at is not None and timing and not lines[0].startswith(("NOTE", "STYLE", "REGION")):
            yield from _voices(timing, "\n".join(lines[at + 1 :]))


def _voices(timing: re.Match[str], payload: str) -> Iterator[_Cue]:
    """One cue for each speaker in the payload."""
    start, end = _milliseconds(timing, 1), _milliseconds(timing, 5)
    parts = _VOICE.split(payload)
    for speaker, text in zip(["", *parts[1::2]], parts[::2], strict=True):
        plain = html.unescape(_TAG.sub("", text)).strip()
        if plain:
            yield _Cue(start, end, html.unescape(speaker).strip(), plain)


def _milliseconds(timing: re.Match[str], group: int) -> int:
    hours, minutes, seconds = (int(timing[group + i] or 0) for i in range(3))
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + int(timing[group + 3].ljust(3, "0"))


def _groups(cues: Sequence[_Cue]) -> Iterator[list[_Cue]]:
    group: list[_Cue] = []
    for cue in cues:
        if group and _breaks(group, cue):
            yield group
            group = []
        group.append(cue)
    yield group


def _breaks(group: Sequence[_Cue], cue: _Cue) -> bool:
    last = group[-1]
    complete = bool(_SENTENCE_END.search(last.text)) and cue.start - last.end >= _PAUSE_MS
    length = sum(len(one.text) for one in group)
    return cue.speaker != last.speaker or complete or length + len(cue.text) > _LONGEST


def _group_piece(group: Sequence[_Cue]) -> Piece:
    text = " ".join(" ".join(cue.text.split()) for cue in group)
    speaker = group[0].speaker
    return paragraph(f"{speaker}: {text}" if speaker else text, f"time={_clock(group[0].start)}")


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"
