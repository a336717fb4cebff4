"""WebVTT and SubRip: cues with their times and, where the file says it, their speakers."""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from alexandria.errors import CorruptFileError
from alexandria.knowledge.parsing.decoding import decode_text
from alexandria.knowledge.parsing.drafts import Draft, Source, one_line
from alexandria.knowledge.parsing.readers.speech.cues import Cue, cue_pieces, transcript_section

_TIMING = re.compile(
    r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?\s*-->\s*"
    r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?"
)
_ASIDE = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s|$)")
_VOICE = re.compile(r"<v(?:\.[\w.-]+)?[ \t]+([^<>]*)>")
_READING = re.compile(r"<rt[^<>]*>(.*?)(?:</rt>|(?=</ruby>)|\Z)", re.DOTALL)
_KARAOKE = re.compile(r"<(?:\d+:)?\d+:\d+\.\d+>")
_TAG = re.compile(r"</?[A-Za-z][\w.-]*(?:\s[^<>]*)?/?>|<[\d:.]+>|\{\\[^{}]*\}")
_LANGUAGE = re.compile(r"(?m)^Language:\s*(\S+)")


def read_captions(source: Source) -> Draft:
    """A transcript in one unit.

    Raises:
        CorruptFileError: It holds no cue with a time.
    """
    text = decode_text(source.content).replace("\r\n", "\n").replace("\r", "\n")
    cues = list(_cues(text))
    if not cues:
        raise CorruptFileError("The file holds no cue with a start and an end time.")
    if _KARAOKE.search(text):
        cues = list(_unrolled(cues))
    language = _LANGUAGE.search(text.partition("-->")[0])
    section = transcript_section(cue_pieces([_joined(cue) for cue in cues]))
    return Draft((section,), language=language[1] if language else "")


def _cues(text: str) -> Iterator[Cue]:
    """Cues in order; SubRip's may have blank lines inside, or none between them."""
    timing: re.Match[str] | None = None
    lines: list[str] = []
    is_web = text.startswith("WEBVTT")
    for block in re.split(r"\n{2,}", text):
        if is_web and _ASIDE.match(block.lstrip()):
            continue
        if is_web and timing:
            yield from _voices(timing, lines)
            timing, lines = None, []
        for line in block.strip("\n").split("\n"):
            found = _TIMING.search(line)
            if found and timing:
                yield from _voices(timing, _without_number(lines))
            if found:
                timing, lines = found, []
            elif timing:
                lines.append(line)
    if timing:
        yield from _voices(timing, lines)


def _without_number(lines: Sequence[str]) -> Sequence[str]:
    """The lines of a cue without the number of the next one, which stands right before it."""
    return lines[:-1] if lines and lines[-1].strip().isdecimal() else lines


def _voices(timing: re.Match[str], lines: Sequence[str]) -> Iterator[Cue]:
    """One cue for each speaker in the lines."""
    start, end = _milliseconds(timing, 1), _milliseconds(timing, 5)
    parts = _VOICE.split("\n".join(lines))
    for speaker, text in zip(["", *parts[1::2]], parts[::2], strict=True):
        readings = [one_line(_plain(one)) for one in _READING.findall(text)]
        plain = _plain(_READING.sub("", text)).strip()
        if readings:
            plain = f"{plain} ({', '.join(readings)})"
        if plain:
            yield Cue(start, end, one_line(html.unescape(speaker)), plain)


def _plain(text: str) -> str:
    return html.unescape(_TAG.sub("", text))


def _milliseconds(timing: re.Match[str], group: int) -> int:
    hours, minutes, seconds = (int(timing[group + i] or 0) for i in range(3))
    rest = (timing[group + 3] or "0").ljust(3, "0")
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + int(rest)


def _unrolled(cues: Sequence[Cue]) -> Iterator[Cue]:
    """Cues that scroll, without the lines that each repeats from the one before it."""
    shown: list[str] = []
    for cue in cues:
        lines = [one_line(line) for line in cue.text.split("\n") if line.strip()]
        repeated = next(
            (n for n in range(min(len(lines), len(shown)), 0, -1) if shown[-n:] == lines[:n]), 0
        )
        shown = lines
        if lines[repeated:]:
            yield replace(cue, text="\n".join(lines[repeated:]))


def _joined(cue: Cue) -> Cue:
    return replace(cue, text=one_line(cue.text))
