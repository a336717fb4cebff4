"""Reads a document's headings as an outline of sections.

A section is the blocks under one heading, or under several when nothing stands between
them, inside one unit. Headings hold for what follows until one of the same or a higher
rank; on slides, sheets and messages they end with the unit.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from alexandria.knowledge.documents import Block, BlockKind, ParsedDocument, UnitKind

Path = tuple[str, ...]

_SELF_CONTAINED = frozenset({UnitKind.SLIDE, UnitKind.SHEET, UnitKind.MESSAGE})


@dataclass(slots=True)
class Section:
    """Blocks under a heading.

    Attributes:
        unit: Ordinal of the unit it lies in.
        path: Titles of the headings that hold for its blocks, its own last.
        rank: Highest heading in front of its blocks; 0 where text goes on without one.
        heading: Span of the headings in front of its blocks; None without any.
        blocks: What stands under the heading, in order.
    """

    unit: int
    path: Path = ()
    rank: int = 0
    heading: tuple[int, int] | None = None
    blocks: list[Block] = field(default_factory=list[Block])

    def may_join(self, following: "Section") -> bool:
        """Whether the next section is a sibling of this one or its first child."""
        parent = following.path[:-1]
        return self.path == parent or (bool(self.path) and self.path[:-1] == parent)


def trim(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without white space at its ends; empty when there is nothing else."""
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    return (end, end) if left == len(piece) else (start + left, start + len(piece.rstrip()))


class _Outliner:
    """Collects sections while the blocks of a document pass by."""

    def __init__(self, document: ParsedDocument) -> None:
        self._document = document
        self._titles: list[tuple[int, str]] = []
        self._section: Section | None = None

    def sections(self) -> Iterator[Section]:
        for block in self._document.blocks:
            if not self._document.text[block.start : block.end].strip():
                continue
            done = self._section
            self._take(block)
            if done is not None and done is not self._section:
                yield done
        if self._section is not None:
            yield self._section

    def _take(self, block: Block) -> None:
        section = self._section
        if section is None or section.unit != block.unit:
            section = self._enter(block.unit)
        if block.kind is not BlockKind.HEADING:
            section.blocks.append(block)
            return
        if section.blocks:
            section = self._section = Section(block.unit)
        self._add_heading(section, block)

    def _enter(self, ordinal: int) -> Section:
        """Begin a unit: its first section goes on under the headings that still hold."""
        if self._document.units[ordinal].kind in _SELF_CONTAINED:
            self._titles.clear()
        self._section = Section(ordinal, self._path())
        return self._section

    def _add_heading(self, section: Section, block: Block) -> None:
        start, end = trim(self._document.text, block.start, block.end)
        rank = max(block.level, 1)
        self._titles = [held for held in self._titles if held[0] < rank]
        self._titles.append((rank, " ".join(self._document.text[start:end].split())))
        section.path = self._path()
        section.rank = min(section.rank or rank, rank)
        section.heading = (section.heading[0] if section.heading else start, end)

    def _path(self) -> Path:
        return tuple(title for _, title in self._titles)


def outline(document: ParsedDocument) -> list[Section]:
    """The sections of a document in order; blocks of white space are left out."""
    return list(_Outliner(document).sections())
