"""Cuts a text at the coarsest separator whose pieces fit (see `RecursiveStrategy`).

A span is broken at every occurrence of the first separator; neighbouring pieces are put
together again up to the limit, and a piece that is too long is broken at the next one.
Chunks never cross a unit, and begin and end on characters that are not white space.
Sizes are characters, and no piece has more tokens than the embedding model reads.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator

from alexandria.knowledge.chunking.chunk import Chunk, Passage, number_passages
from alexandria.knowledge.chunking.graphemes import cut_before
from alexandria.knowledge.chunking.measuring import TokenRuler
from alexandria.knowledge.chunking.outline import Path, outline, trim
from alexandria.knowledge.chunking.strategies import MODEL_TOKENS, RecursiveStrategy
from alexandria.knowledge.documents import ParsedDocument

Span = tuple[int, int]
_FEWEST_CHARACTERS = 16


def split_recursively(
    document: ParsedDocument,
    strategy: RecursiveStrategy,
    token_spans: Callable[[str], list[Span]],
) -> list[Chunk]:
    """The chunks of a document; see `alexandria.knowledge.chunking.split`."""
    text = document.text
    ruler = TokenRuler(text, token_spans, [block.start for block in document.blocks])
    path_at = _PathFinder(document)
    passages = [
        Passage(start, end, path_at(start), ruler.tokens(start, end))
        for unit in document.units
        for start, end in _fitting(text, unit.start, unit.end, strategy, ruler)
    ]
    return number_passages(document, passages)


def _fitting(
    text: str, start: int, end: int, strategy: RecursiveStrategy, ruler: TokenRuler
) -> Iterator[Span]:
    """Spans that the model reads to their end; Han and Hangul take a token or more a character."""
    for piece in recursive_spans(text, start, end, strategy):
        if ruler.size(*piece) <= MODEL_TOKENS or strategy.max_characters <= _FEWEST_CHARACTERS:
            yield piece
        else:
            half = strategy.max_characters // 2
            smaller = {"max_characters": half, "overlap": min(strategy.overlap, half // 2)}
            yield from _fitting(text, *piece, strategy.model_copy(update=smaller), ruler)


class _PathFinder:
    """Tells which headings hold at a place of the text."""

    def __init__(self, document: ParsedDocument) -> None:
        self._sections = outline(document)
        self._ends = [
            section.blocks[-1].end if section.blocks else (section.heading or (0, 0))[1]
            for section in self._sections
        ]

    def __call__(self, start: int) -> Path:
        return self._sections[bisect_left(self._ends, start + 1)].path


def recursive_spans(text: str, start: int, end: int, strategy: RecursiveStrategy) -> list[Span]:
    """Spans of at most `max_characters` that cover `text[start:end]`, in order.

    Spans overlap by at most `overlap` characters; with none they are disjoint.
    """
    return list(_spans(text, start, end, strategy, strategy.separators))


def _spans(
    text: str, start: int, end: int, strategy: RecursiveStrategy, separators: tuple[str, ...]
) -> Iterator[Span]:
    start, end = trim(text, start, end)
    if start == end:
        return
    if end - start <= strategy.max_characters:
        yield start, end
        return
    separator, *finer = separators
    if not separator:
        yield from _slices(text, start, end, strategy)
        return
    fitting: list[Span] = []
    for piece in _pieces(text, start, end, separator):
        if piece[1] - piece[0] <= strategy.max_characters:
            fitting.append(piece)
            continue
        yield from _merged(fitting, strategy)
        fitting = []
        yield from _spans(text, *piece, strategy, tuple(finer))
    yield from _merged(fitting, strategy)


def _pieces(text: str, start: int, end: int, separator: str) -> Iterator[Span]:
    """What stands between the separators, without white space at its ends."""
    while start < end:
        found = text.find(separator, start, end)
        stop = end if found < 0 else found
        piece = trim(text, start, stop)
        if piece[0] < piece[1]:
            yield piece
        start = end if found < 0 else found + len(separator)


def _merged(pieces: Iterable[Span], strategy: RecursiveStrategy) -> Iterator[Span]:
    """Neighbouring pieces put together up to the limit, the overlap repeated."""
    window: list[Span] = []
    for piece in pieces:
        if window and piece[1] - window[0][0] > strategy.max_characters:
            yield window[0][0], window[-1][1]
            window = _repeated(window, piece, strategy)
        window.append(piece)
    if window:
        yield window[0][0], window[-1][1]


def _repeated(window: list[Span], piece: Span, strategy: RecursiveStrategy) -> list[Span]:
    """The last pieces of a chunk that the next one begins with."""
    end = window[-1][1]
    first = len(window)
    while first > 1:
        start = window[first - 1][0]
        if end - start > strategy.overlap or piece[1] - start > strategy.max_characters:
            break
        first -= 1
    return window[first:]


def _slices(text: str, start: int, end: int, strategy: RecursiveStrategy) -> Iterator[Span]:
    """A run without separators, cut between characters."""
    while start < end:
        stop = min(end, start + strategy.max_characters)
        stop = stop if stop == end else cut_before(text, start, stop)
        piece = trim(text, start, stop)
        if piece[0] < piece[1]:
            yield piece
        if stop == end:
            return
        start = max(stop - strategy.overlap, start + 1)
