"""Cuts a document where its headings, blocks and content say (see `StructureStrategy`).

Laws: every character that is not white space is in exactly one chunk; no chunk crosses a
unit, a heading of the document's highest rank, or the edge of a table too long for one
chunk; a heading stays with what follows it; no chunk is above `max_tokens`. An edit inside
one block leaves all but a few chunks as they were (see `boundaries`).
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from alexandria.knowledge.chunking.atoms import Atom, AtomBuilder, Part, Seam
from alexandria.knowledge.chunking.boundaries import Keys, Limits, choose_cuts
from alexandria.knowledge.chunking.chunk import Chunk, Passage, number_passages
from alexandria.knowledge.chunking.measuring import TokenRuler
from alexandria.knowledge.chunking.outline import Path, Section, outline
from alexandria.knowledge.chunking.strategies import StructureStrategy
from alexandria.knowledge.documents import ParsedDocument

_CONTEXT = 24
"""Characters beside a boundary that decide its key."""


def split_by_structure(
    document: ParsedDocument,
    strategy: StructureStrategy,
    token_spans: Callable[[str], list[tuple[int, int]]],
) -> list[Chunk]:
    """The chunks of a document; see `alexandria.knowledge.chunking.split`."""
    text = document.text
    ruler = TokenRuler(text, token_spans, [block.start for block in document.blocks])
    builder = AtomBuilder(text, ruler, strategy.max_tokens)
    limits = Limits(strategy.max_tokens, strategy.reach_tokens, strategy.small_tokens)
    passages: list[Passage] = []
    for scope in _scopes(_parts(builder, outline(document))):
        passages += _passages(text, ruler, scope, limits)
    return number_passages(document, passages)


def _parts(builder: AtomBuilder, sections: Sequence[Section]) -> Iterator[Part]:
    """The parts of all sections, with what separates each from the one before."""
    top = min((section.rank for section in sections if section.rank), default=0)
    previous: Section | None = None
    for section in sections:
        yield from builder.parts(section, _seam(previous, section, top))
        previous = section


def _seam(previous: Section | None, section: Section, top: int) -> Seam:
    if previous is None or previous.unit != section.unit or section.rank == top:
        return Seam.WALL
    return Seam.SECTION if previous.may_join(section) else Seam.WALL


def _scopes(parts: Iterator[Part]) -> Iterator[list[Part]]:
    """The parts between two walls."""
    scope: list[Part] = []
    for part in parts:
        if part.seam is Seam.WALL and scope:
            yield scope
            scope = []
        scope.append(part)
    if scope:
        yield scope


def _passages(
    text: str, ruler: TokenRuler, scope: Sequence[Part], limits: Limits
) -> Iterator[Passage]:
    """Cut the parts between two walls."""
    owned = [(atom, part.section.path) for part in scope for atom in part.atoms]
    sizes = [[atom.size for atom in part.atoms] for part in scope]
    starts = choose_cuts(sizes, [_keys(text, part.atoms) for part in scope], limits)
    for first, end in zip(starts, [*starts[1:], len(owned)], strict=True):
        begin, stop = owned[first][0].start, owned[end - 1][0].end
        path = _shared(owned[first][1], owned[end - 1][1])
        yield Passage(begin, stop, path, ruler.tokens(begin, stop))


def _shared(path: Path, other: Path) -> Path:
    """The headings that hold for both; sections that share a chunk are close relatives."""
    length = min(len(path), len(other))
    while path[:length] != other[:length]:
        length -= 1
    return path[:length]


def _keys(text: str, atoms: Sequence[Atom]) -> Keys:
    """Rank of the boundary before each atom: its tier, then the words beside it.

    The larger of two hashes counts, one of each side: a text put in between, or one side
    taken away, leaves the stronger hash where it was more often than a joint hash would.
    """
    keys = np.zeros(len(atoms))
    for i in range(1, len(atoms)):
        before, after = atoms[i - 1], atoms[i]
        tail = text[max(before.start, before.end - _CONTEXT) : before.end]
        head = text[after.start : min(after.end, after.start + _CONTEXT)]
        keys[i] = after.tier + max(_fraction(b"<", tail), _fraction(b">", head))
    return keys


def _fraction(side: bytes, words: str) -> float:
    """A number in 0..1 (1 excluded) that looks random but follows from the words."""
    digest = hashlib.blake2b(words.encode("utf-8", "surrogatepass"), digest_size=6, person=side)
    return int.from_bytes(digest.digest(), "big") / 2**48
