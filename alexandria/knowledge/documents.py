"""A parsed document: its text, the blocks that structure it and the units it came in.

Offsets are Python string indexes into `ParsedDocument.text`, half-open. Every character
of `text` that is not white space lies in exactly one block, and every block in one unit.
"""

from dataclasses import dataclass
from enum import StrEnum

PARSER_VERSION = "1"
"""Part of every parse id: raise it when a reader's output changes."""


class UnitKind(StrEnum):
    """What a format is made of; completeness is counted in these."""

    PAGE = "page"
    CHAPTER = "chapter"
    SLIDE = "slide"
    SHEET = "sheet"
    MESSAGE = "message"
    TRANSCRIPT = "transcript"
    TEXT = "text"


class BlockKind(StrEnum):
    """The role of a run of text; the chunker breaks where roles change."""

    HEADING = "heading"
    PARAGRAPH = "paragraph"
    LIST_ITEM = "list_item"
    TABLE = "table"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a unit or a document could not be read, and what its owner can do.

    `code` is the `code` of an `UnreadableError`.
    """

    code: str
    reason: str
    advice: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A page, chapter, slide, sheet or message: found once, indexed or quarantined once.

    Attributes:
        ordinal: Position among the document's units, from 0.
        kind: What it is.
        label: What a reader calls it: "Page 3", "Chapter IV", "Sheet Prices".
        anchor: Where a viewer opens it, unique in the document: "page=3", "chapter=4".
        start: First character in the text.
        end: One past the last; equal to `start` when nothing was read.
        problem: Why nothing was read; None when the unit's text is in the document.
    """

    ordinal: int
    kind: UnitKind
    label: str
    anchor: str
    start: int
    end: int
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, paragraph, list item, table row group or code listing.

    Attributes:
        kind: Its role.
        start: First character in the text.
        end: One past the last.
        unit: Ordinal of the unit it lies in.
        level: Heading depth from 1; 0 for everything else.
        anchor: A finer place than the unit's, such as a time code; empty for none.
    """

    kind: BlockKind
    start: int
    end: int
    unit: int
    level: int = 0
    anchor: str = ""


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """One document as text with structure. `language` is ISO 639-1, "und" when unknown."""

    title: str
    author: str
    language: str
    media_type: str
    text: str
    units: tuple[Unit, ...]
    blocks: tuple[Block, ...]
