"""A parsed document: its text, the blocks that structure it and the units it came in.

Offsets are Python string indexes into `ParsedDocument.text`, half-open. Every character
of `text` that is not white space lies in exactly one block, and every block in one unit.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

PARSER_VERSION = "4"
"""Part of every parse id: raise it when a reader's output changes."""

LOW_CONFIDENCE = 0.8
"""A unit recognized with less is flagged, and so is an answer that quotes it."""


class UnitKind(StrEnum):
    """What a format is made of; completeness is counted in these."""

    PAGE = "page"
    CHAPTER = "chapter"
    SLIDE = "slide"
    SHEET = "sheet"
    MESSAGE = "message"
    TRANSCRIPT = "transcript"
    IMAGE = "image"
    ARCHIVE = "archive"
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
        end: One past the last; equal to `start` when nothing was read, or when it has no words
            of its own, see `under_name`.
        problem: Why nothing was read; None when the unit's text is in the document.
        language: ISO 639-1 of its text; the document's where there is too little to tell.
        confidence: Mean confidence of recognized text, 0..1; None when it was not recognized
            from pixels or sound.
    """

    ordinal: int
    kind: UnitKind
    label: str
    anchor: str
    start: int
    end: int
    problem: Problem | None = None
    language: str = "und"
    confidence: float | None = None


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
        confidence: How sure recognition was of the text, 0..1; None for text that was text.
    """

    kind: BlockKind
    start: int
    end: int
    unit: int
    level: int = 0
    anchor: str = ""
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Note:
    """Something its owner should know of a document that was read all the same.

    Attributes:
        code: What it is, such as "extension_mismatch" or "low_confidence".
        message: One sentence for the owner.
        unit: Ordinal of the unit it is about; None for the whole document.
    """

    code: str
    message: str
    unit: int | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """A picture inside a document, or the document itself.

    Attributes:
        ordinal: Position among the document's images, from 0.
        unit: Ordinal of the unit it lies in.
        content: Its bytes as they lie in the file.
        media_type: Of those bytes.
        width: Pixels.
        height: Pixels.
        thumbnail: A PNG of 300 pixels at most on its longer side.
        text: What recognition read in it; empty for nothing.
        confidence: Mean confidence of that text, 0..1; None without text.
        description: What the document says it shows (alternative text, caption); or empty.
    """

    ordinal: int
    unit: int
    content: bytes
    media_type: str
    width: int
    height: int
    thumbnail: bytes
    text: str = ""
    confidence: float | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file inside a file, such as a mail's attachment; it becomes a document of its own.

    Attributes:
        name: Its name without folders, unique among its neighbours.
        content: Its bytes.
    """

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """One document as text with structure; the same for everyone who has its bytes.

    Attributes:
        title: What it calls itself; empty where it says nothing. A name that its file has in
            one place is none of what others with the same bytes may see.
        language: ISO 639-1, "und" when unknown.
        text: Empty where a file without words was read, such as a photograph.
    """

    title: str
    author: str
    language: str
    media_type: str
    text: str
    units: tuple[Unit, ...]
    blocks: tuple[Block, ...]
    notes: tuple[Note, ...] = ()
    images: tuple[Image, ...] = ()
    attachments: tuple[Attachment, ...] = ()


def under_name(document: ParsedDocument, name: str) -> ParsedDocument:
    """A document without words as one owner finds it: its first readable unit says its name.

    Any other document stays as it is.
    """
    at = next((one.ordinal for one in document.units if one.problem is None), None)
    if document.text or at is None or not name:
        return document
    end = len(name)
    units = (
        replace(one, start=end if one.ordinal > at else 0, end=end if one.ordinal >= at else 0)
        for one in document.units
    )
    heading = Block(BlockKind.HEADING, 0, end, at, level=1)
    return replace(document, text=name, units=tuple(units), blocks=(heading,))
