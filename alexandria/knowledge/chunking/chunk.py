"""What a chunk is, and how a span of a document becomes one."""

from bisect import bisect_right
from dataclasses import dataclass

from alexandria.knowledge.chunking.outline import Path
from alexandria.knowledge.documents import ParsedDocument


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage that is embedded, found and cited as one.

    Attributes:
        ordinal: Position among the document's chunks, from 0.
        start: First character in the document's text; never white space.
        end: One past the last character, which is never white space either.
        text: `document.text[start:end]`.
        unit: Ordinal of the unit it lies in.
        anchor: Where a viewer opens it: that of its first block, or else of its unit.
        section_path: Titles of the headings that hold for all of it, outermost first.
        token_count: Tokens the embedding model reads, without its special tokens; an upper
            bound where the text has words that no vocabulary holds.
    """

    ordinal: int
    start: int
    end: int
    text: str
    unit: int
    anchor: str
    section_path: Path
    token_count: int


@dataclass(frozen=True, slots=True)
class Passage:
    """A span on its way to become a chunk."""

    start: int
    end: int
    section_path: Path
    token_count: int


def number_passages(document: ParsedDocument, passages: list[Passage]) -> list[Chunk]:
    """The passages as chunks, in the order given, placed in their units."""
    starts = [block.start for block in document.blocks]
    chunks: list[Chunk] = []
    for ordinal, passage in enumerate(passages):
        block = document.blocks[bisect_right(starts, passage.start) - 1]
        chunks.append(
            Chunk(
                ordinal=ordinal,
                start=passage.start,
                end=passage.end,
                text=document.text[passage.start : passage.end],
                unit=block.unit,
                anchor=block.anchor or document.units[block.unit].anchor,
                section_path=passage.section_path,
                token_count=passage.token_count,
            )
        )
    return chunks
