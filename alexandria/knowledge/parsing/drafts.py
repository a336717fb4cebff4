r"""What a reader hands over, and how it becomes a `ParsedDocument`.

A reader only says which runs of text it found, in order, in which sections. Offsets are
computed here, once, so the laws of `documents` hold for every format:

- text is in NFC, with "\n" line ends and no control or invisible joining characters;
- every character that is not white space lies in exactly one block;
- blocks are sorted, do not overlap and lie inside their unit's span;
- a unit has text, or a problem that says why not, or is wordless: then no unit has text.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from alexandria.errors import EmptyFileError, NoTextLayerError
from alexandria.knowledge.documents import (
    Attachment,
    Block,
    BlockKind,
    Note,
    ParsedDocument,
    Problem,
    Unit,
    UnitKind,
)
from alexandria.knowledge.parsing.recognizers import Tools

_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufff9-\ufffb"
    "\ufffe\uffff\U000e0000-\U000e007f]"
)
"""Control characters, soft hyphens, marks that open a direction (a quote could not close it),
annotations and tags. Joiners and left-to-right marks stay: scripts need them to be written."""

REPLACEMENT = "\ufffd"
_SURROGATES = re.compile("[\ud800-\udfff]")
_MARKS = re.compile(r"[^\w\s\x00-\x7f]{32,}")
"""Where long runs of combining marks lie; normalizing takes quadratic time for unsorted ones."""
_SPACES = re.compile(r"[^\S\n]+")
_BLANK_LINES = re.compile(r"\n\s*\n")
_TIGHT = frozenset({BlockKind.TABLE, BlockKind.LIST_ITEM})
_LABEL_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Piece:
    """One future block: its role and its text; the rest as in `Block`."""

    kind: BlockKind
    text: str
    level: int = 0
    anchor: str = ""
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class FoundImage:
    """A picture as it lies in the file; `description` as in `documents.Image`.

    What recognition reads in it is added to the end of its section, unless `is_recognized`
    says that the section holds that text already.
    """

    content: bytes
    description: str = ""
    is_recognized: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """One future unit: what it is, where it opens, its pieces or its problem, its images.

    `is_wordless` says that it was read and has no words: its document is found by its name.
    """

    kind: UnitKind
    label: str
    anchor: str
    pieces: tuple[Piece, ...] = ()
    problem: Problem | None = None
    images: tuple[FoundImage, ...] = ()
    is_wordless: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """A document as a reader found it; empty strings where the file says nothing."""

    sections: tuple[Section, ...]
    title: str = ""
    author: str = ""
    language: str = ""
    notes: tuple[Note, ...] = ()
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """What a reader reads.

    Attributes:
        content: The file's bytes.
        name: Its name; only the extension and the stem carry meaning.
        media_type: What `formats.detect_media_type` found.
        tools: What turns pixels and sound into text, where there is something that does.
    """

    content: bytes
    name: str
    media_type: str
    tools: Tools


EMPTY_UNIT = Problem(
    code="empty_page",
    reason="There is nothing on it.",
    advice="Nothing to do, unless text is expected there.",
)
PICTURE_UNIT = Problem(
    code=NoTextLayerError.code,
    reason="The page is a picture; its text exists only as pixels.",
    advice=NoTextLayerError.advice,
)


def clean_text(text: str) -> str:
    r"""The text in NFC with "\n" line ends and without characters nobody can see."""
    text = _LINE_ENDS.sub("\n", text)
    text = _SURROGATES.sub(REPLACEMENT, _INVISIBLE.sub("", text))
    return unicodedata.normalize("NFC", _MARKS.sub(_sort_marks, text))


def _sort_marks(match: re.Match[str]) -> str:
    """The characters taken apart, with combining marks in their canonical order."""
    apart = "".join(unicodedata.normalize("NFD", char) for char in match[0])
    runs = groupby(apart, key=lambda char: unicodedata.combining(char) > 0)
    sorted_runs = (sorted(run, key=unicodedata.combining) if marks else run for marks, run in runs)
    return "".join(char for run in sorted_runs for char in run)


def one_line(text: str) -> str:
    """The text on one line, runs of white space collapsed to a space."""
    return " ".join(clean_text(text).split())


def label_of(text: str) -> str:
    """The text as a unit's label: one line, cut at 120 characters."""
    line = one_line(text)
    return line if len(line) <= _LABEL_LENGTH else line[: _LABEL_LENGTH - 1].rstrip() + "…"


def paragraph(text: str, anchor: str = "") -> Piece:
    """A paragraph piece."""
    return Piece(BlockKind.PARAGRAPH, text, anchor=anchor)


def heading(text: str, level: int = 1) -> Piece:
    """A heading piece of a level from 1."""
    return Piece(BlockKind.HEADING, text, level=max(level, 1))


def split_chapters(pieces: Sequence[Piece], level: int | None = None) -> tuple[Section, ...]:
    """Sections of a running text: one for each chapter, or a single text section.

    Args:
        pieces: The whole text.
        level: Headings up to this level open a chapter; None takes the topmost level that
            has at least two headings.
    """
    level = _chapter_level(pieces) if level is None else level
    groups = _group(pieces, level)
    if len(groups) < 2:
        return (Section(UnitKind.TEXT, "Text", "text=1", tuple(pieces)),)
    return tuple(
        Section(UnitKind.CHAPTER, _chapter_label(group, level), f"chapter={number}", tuple(group))
        for number, group in enumerate(groups, start=1)
    )


def assemble(draft: Draft, media_type: str) -> ParsedDocument:
    """The document of a draft. Its language is "und" where the draft names none.

    Raises:
        NoTextLayerError: Nothing but pictures was found.
        EmptyFileError: No text was found.
    """
    sections = [_clean_section(section) for section in draft.sections]
    if not any(section.pieces or section.is_wordless for section in sections):
        raise _nothing_found(sections)
    text, units, blocks = _lay_out(sections)
    return ParsedDocument(
        title=one_line(draft.title) or _first_heading(sections),
        author=one_line(draft.author),
        language=draft.language or "und",
        media_type=media_type,
        text=text,
        units=units,
        blocks=blocks,
        notes=(*draft.notes, *_replacements(text, units)),
        attachments=draft.attachments,
    )


def _replacements(text: str, units: Sequence[Unit]) -> Iterator[Note]:
    """A note when bytes could not be read as characters and became U+FFFD."""
    count = text.count(REPLACEMENT)
    if not count:
        return
    held = [one.ordinal for one in units if REPLACEMENT in text[one.start : one.end]]
    plural = "character" if count == 1 else "characters"
    message = f"{count} {plural} could not be read and show as {REPLACEMENT}."
    yield Note("replaced_bytes", message, held[0] if len(held) == 1 and len(units) > 1 else None)


def _lay_out(
    sections: Sequence[Section],
) -> tuple[str, tuple[Unit, ...], tuple[Block, ...]]:
    """Text, units and blocks; offsets are given here and nowhere else."""
    parts: list[str] = []
    units: list[Unit] = []
    blocks: list[Block] = []
    position, before = 0, BlockKind.PARAGRAPH
    for ordinal, section in enumerate(sections):
        first = len(blocks)
        for piece in section.pieces:
            gap = _gap(before, piece.kind, start=position == 0, new_unit=len(blocks) == first)
            start = position + len(gap)
            position = start + len(piece.text)
            parts += gap, piece.text
            span = (piece.kind, start, position, ordinal)
            blocks.append(Block(*span, piece.level, piece.anchor, piece.confidence))
            before = piece.kind
        span_start = blocks[first].start if len(blocks) > first else position
        units.append(_unit(ordinal, section, span_start, position))
    return "".join(parts), tuple(units), tuple(blocks)


def _gap(before: BlockKind, kind: BlockKind, *, start: bool, new_unit: bool) -> str:
    """What separates a piece from the one before it."""
    if start:
        return ""
    return "\n" if before == kind and kind in _TIGHT and not new_unit else "\n\n"


def _unit(ordinal: int, section: Section, start: int, end: int) -> Unit:
    return Unit(
        ordinal,
        section.kind,
        section.label,
        section.anchor,
        start,
        end,
        section.problem,
        confidence=mean_confidence(section.pieces),
    )


def mean_confidence(pieces: Sequence[Piece]) -> float | None:
    """Mean confidence of the recognized pieces, weighted by length; None without any."""
    weighed = [(len(piece.text), piece.confidence) for piece in pieces if piece.confidence]
    letters = sum(length for length, _ in weighed)
    return sum(length * sure for length, sure in weighed) / letters if letters else None


def _clean_section(section: Section) -> Section:
    cleaned = (replace(piece, text=_clean_piece(piece)) for piece in section.pieces)
    pieces = tuple(piece for piece in cleaned if piece.text)
    is_read = pieces or section.is_wordless
    problem = None if is_read else section.problem or EMPTY_UNIT
    return replace(section, pieces=pieces, problem=problem, label=label_of(section.label))


def _clean_piece(piece: Piece) -> str:
    text = clean_text(piece.text)
    if piece.kind is BlockKind.CODE:
        lines = [line.rstrip() for line in text.split("\n")]
        return "\n".join(lines).strip("\n") if text.strip() else ""
    lines = (line.strip() for line in _SPACES.sub(" ", text).split("\n"))
    return _BLANK_LINES.sub("\n", "\n".join(lines)).strip()


def _nothing_found(sections: Sequence[Section]) -> EmptyFileError | NoTextLayerError:
    problems = [section.problem for section in sections if section.problem]
    pictures = [one for one in problems if one.code == NoTextLayerError.code]
    if pictures:
        return NoTextLayerError(pictures[0].reason, advice=pictures[0].advice)
    return EmptyFileError("The file opens, but there is no text in it.")


def _chapter_level(pieces: Sequence[Piece]) -> int:
    levels = [piece.level for piece in pieces if piece.kind is BlockKind.HEADING]
    return next((level for level in sorted(set(levels)) if levels.count(level) > 1), 0)


def _group(pieces: Sequence[Piece], level: int) -> list[list[Piece]]:
    """Pieces by chapter; a chapter of headings alone joins the next one."""
    groups: list[list[Piece]] = [[]]
    has_text = False
    for piece in pieces:
        is_heading = piece.kind is BlockKind.HEADING
        if is_heading and piece.level <= level and has_text:
            groups.append([])
            has_text = False
        groups[-1].append(piece)
        has_text = has_text or not is_heading
    return [group for group in groups if group]


def _chapter_label(group: Sequence[Piece], level: int) -> str:
    titles = [
        one_line(piece.text)
        for piece in group
        if piece.kind is BlockKind.HEADING and piece.level <= level
    ]
    return ", ".join(titles) or one_line(group[0].text)[:60]


def _first_heading(sections: Sequence[Section]) -> str:
    pieces = (piece for section in sections for piece in section.pieces)
    found = (one_line(piece.text) for piece in pieces if piece.kind is BlockKind.HEADING)
    return next(found, "")
