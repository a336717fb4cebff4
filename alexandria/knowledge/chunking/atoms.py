"""Breaks a document into atoms, the pieces that a chunk takes or leaves whole.

A block that fits into a chunk is one atom, and so is a table that fits. A longer block is
broken at sentence ends (code and tables at line ends), what is still too long at white
space, and a word too long for a chunk anywhere between two characters. A heading is part
of the atom that follows it.

Atoms come in parts; a chunk never holds pieces of two parts unless they are whole sections
that belong together (see `Seam`). Sizes are tokens.
"""

import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import groupby
from types import MappingProxyType

from alexandria.knowledge.chunking.graphemes import cut_before
from alexandria.knowledge.chunking.measuring import TokenRuler
from alexandria.knowledge.chunking.outline import Section, trim
from alexandria.knowledge.documents import Block, BlockKind
from alexandria.knowledge.sentences import sentence_spans

Span = tuple[int, int]
_WORD = re.compile(r"\S+")
_LINE = re.compile(r"\S[^\n]*")


class Tier(IntEnum):
    """How willingly to cut before an atom: between blocks first, inside a word last."""

    CHARACTER = 0
    WORD = 1
    SENTENCE = 2
    BLOCK = 3


class Seam(IntEnum):
    """What separates a part from the one before it."""

    SECTION = 0
    """A heading: whole small sections may share a chunk across it."""
    WALL = 1
    """Nothing joins across it."""


@dataclass(frozen=True, slots=True)
class Atom:
    """A span of the text that is never cut, and its size in tokens."""

    start: int
    end: int
    size: int
    tier: Tier


@dataclass(slots=True)
class Part:
    """Atoms of one section that are cut together."""

    section: Section
    seam: Seam
    atoms: list[Atom] = field(default_factory=list[Atom])


@dataclass(frozen=True, slots=True)
class _Cutter:
    """One way to break a span: the tier of its cuts and the function that finds pieces."""

    tier: Tier
    pieces: Callable[[str, int, int, int], Iterator[Span]]


def _sentences(text: str, start: int, end: int, _room: int) -> Iterator[Span]:
    for first, last in sentence_spans(text[start:end]):
        yield start + first, start + last


def _lines(text: str, start: int, end: int, _room: int) -> Iterator[Span]:
    for line in _LINE.finditer(text, start, end):
        yield trim(text, line.start(), line.end())


def _words(text: str, start: int, end: int, _room: int) -> Iterator[Span]:
    return (word.span() for word in _WORD.finditer(text, start, end))


def _characters(text: str, start: int, end: int, room: int) -> Iterator[Span]:
    """Short pieces whose ends depend on the characters around them, not on the offset."""
    longest = max(1, room // 8)
    begin = start
    for at in range(start + 1, end):
        length = at - begin
        chosen = zlib.crc32(text[at - 2 : at + 2].encode("utf-8", "surrogatepass")) % 16 == 0
        if length >= longest or (chosen and length * 4 >= longest):
            cut = cut_before(text, begin, at)
            if cut == at or length >= 2 * longest:
                yield begin, cut
                begin = cut
    yield begin, end


_BY_WORD = (_Cutter(Tier.WORD, _words), _Cutter(Tier.CHARACTER, _characters))
_PROSE = (_Cutter(Tier.SENTENCE, _sentences), *_BY_WORD)
_LINED = (_Cutter(Tier.SENTENCE, _lines), *_BY_WORD)
_CUTTERS = MappingProxyType({BlockKind.CODE: _LINED, BlockKind.TABLE: _LINED})
"""How to break a block of each kind; prose for the rest."""


class AtomBuilder:
    """Breaks the sections of one document into parts of atoms."""

    def __init__(self, text: str, ruler: TokenRuler, most: int) -> None:
        """Break `text` into atoms of at most `most` tokens, measured with `ruler`."""
        self._text = text
        self._ruler = ruler
        self._most = most

    def parts(self, section: Section, seam: Seam) -> list[Part]:
        """The parts of a section, the first separated by `seam` from what came before.

        A table too long for one chunk is a part of its own, so that no chunk holds rows
        of two tables.
        """
        parts = [Part(section, seam)]
        heading: Span | None = section.heading
        for is_table, group in groupby(section.blocks, lambda b: b.kind is BlockKind.TABLE):
            blocks = list(group)
            alone = is_table and not self._fits(blocks)
            if alone and parts[-1].atoms:
                parts.append(Part(section, Seam.WALL))
            for span, kind in self._wholes(blocks, together=is_table and not alone):
                parts[-1].atoms += self._atoms(span, kind, heading)
                heading = None
            if alone:
                parts.append(Part(section, Seam.WALL))
        if heading is not None:
            parts[-1].atoms += self._broken(heading, _PROSE, self._most, Tier.BLOCK)
        return [part for part in parts if part.atoms]

    def _fits(self, blocks: Sequence[Block]) -> bool:
        return self._ruler.size(blocks[0].start, blocks[-1].end) <= self._most

    def _wholes(
        self, blocks: Sequence[Block], *, together: bool
    ) -> Iterator[tuple[Span, BlockKind]]:
        """Spans to keep whole where they fit: each block, or all of them as one."""
        if together:
            yield trim(self._text, blocks[0].start, blocks[-1].end), blocks[0].kind
            return
        for block in blocks:
            yield trim(self._text, block.start, block.end), block.kind

    def _atoms(self, span: Span, kind: BlockKind, heading: Span | None) -> Iterator[Atom]:
        """Atoms of a span, the first with the heading in front when there is one."""
        cutters = _CUTTERS.get(kind, _PROSE)
        if heading is None:
            yield from self._broken(span, cutters, self._most, Tier.BLOCK)
            return
        title = self._ruler.size(*heading)
        if 2 * title > self._most:
            yield from self._broken(heading, _PROSE, self._most, Tier.BLOCK)
            yield from self._broken(span, cutters, self._most, Tier.BLOCK)
            return
        first, *rest = self._broken(span, cutters, self._most - title - 1, Tier.BLOCK)
        yield self._atom(heading[0], first.end, Tier.BLOCK, least=title + first.size)
        yield from rest

    def _broken(
        self, span: Span, cutters: Sequence[_Cutter], room: int, tier: Tier
    ) -> Iterator[Atom]:
        """Atoms of at most `room` tokens that cover the span."""
        size = self._ruler.size(*span)
        if size <= room or not cutters:
            yield Atom(*span, size, tier)
            return
        cutter, *finer = cutters
        for piece in cutter.pieces(self._text, *span, room):
            yield from self._broken(piece, finer, room, tier)
            tier = cutter.tier

    def _atom(self, start: int, end: int, tier: Tier, least: int) -> Atom:
        return Atom(start, end, max(least, self._ruler.size(start, end)), tier)
