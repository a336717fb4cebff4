"""Counts the tokens of any span of a text in constant time, from one tokenization.

Tokenizing is most of the work of cutting, and a long text repeats its words: where the
tokenizer takes words one by one, each different word is tokenized once (a library of novels
and reports: 0.8 s instead of 3.6). Whether it does is tried on the beginning of the text.

A token longer than any entry of a vocabulary stands for a word the tokenizer gave up on:
one unknown token as long as the word is whole, perhaps one token a character once it is
cut. Its characters count one each, so that a count never falls short. Text that has no
tokens at all still counts: at least one for every `CHARACTERS_PER_TOKEN` characters.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate, chain

import numpy as np
from numpy.typing import NDArray

TokenSpans = Callable[[str], list[tuple[int, int]]]
"""Character span of every token of a text, in order, without special tokens."""

CHARACTERS_PER_TOKEN = 16
_LONGEST_TOKEN = 32
_SLICE = 10_000
"""Characters tokenized at a time: tokenizers slow down on longer texts."""

_STRETCH = 2_000_000
"""Characters whose words are held at a time."""

_TRIED = 4_000
"""Characters at the beginning that tell whether words are tokenized one by one."""

_LONG = 20_000
"""Characters of a text that is worth the trial."""

_Places = NDArray[np.int64]

_LAST_SPACE = 0x3000
_IS_SPACE = np.array([chr(code).isspace() for code in range(_LAST_SPACE + 2)])


class TokenRuler:
    """Token counts of spans of one text."""

    def __init__(self, text: str, token_spans: TokenSpans, safe_cuts: Sequence[int]) -> None:
        """Tokenize the text once.

        Args:
            text: The whole document.
            token_spans: The embedding model's tokenizer.
            safe_cuts: Ascending places that no token spans, such as block starts.
        """
        self._before: NDArray[np.int32] = np.zeros(len(text) + 1, dtype=np.int32)
        for begins in _all_begins(text, token_spans, safe_cuts):
            np.add.at(self._before, begins + 1, 1)
        np.cumsum(self._before, out=self._before)

    def tokens(self, start: int, end: int) -> int:
        """Tokens that begin in `text[start:end]`."""
        return int(self._before[end] - self._before[start])

    def size(self, start: int, end: int) -> int:
        """What the span counts towards a limit, at least 1."""
        return max(self.tokens(start, end), -(-(end - start) // CHARACTERS_PER_TOKEN))


def _all_begins(text: str, token_spans: TokenSpans, safe_cuts: Sequence[int]) -> Iterator[_Places]:
    """Where the tokens begin, a stretch of the text at a time."""
    by_word = len(text) > _LONG and _takes_words_one_by_one(text, token_spans)
    cuts = _spaces(text) if by_word else safe_cuts
    for first, last in _slices(len(text), cuts, _STRETCH if by_word else _SLICE):
        part = text[first:last]
        yield (_begins_by_word if by_word else _begins)(part, token_spans) + first


def _spaces(text: str) -> Iterator[int]:
    """A space near every end of a stretch, or the end of the text."""
    at = _STRETCH
    while (at := text.find(" ", at)) >= 0:
        yield at
        at += _STRETCH


def _slices(length: int, starts: Iterable[int], size: int = _SLICE) -> Iterator[tuple[int, int]]:
    """Cut the text into slices of about `size` characters at the given places."""
    begin = 0
    for start in starts:
        if start - begin >= size:
            yield begin, start
            begin = start
    if begin < length:
        yield begin, length


def _begins(text: str, token_spans: TokenSpans) -> _Places:
    """Where the tokens of a text begin; for a token too long to be one, all its characters."""
    flat = np.fromiter(chain.from_iterable(token_spans(text)), dtype=np.int64)
    first, last = flat[::2], flat[1::2]
    long = last - first > _LONGEST_TOKEN
    if not long.any():
        return first
    spelt = (np.arange(*span) for span in zip(first[long], last[long], strict=True))
    return np.sort(np.concatenate([first[~long], *spelt]))


def _takes_words_one_by_one(text: str, token_spans: TokenSpans) -> bool:
    end = text.find(" ", _TRIED)
    head = text[:end] if end > 0 else text
    return np.array_equal(_begins_by_word(head, token_spans), _begins(head, token_spans))


def _begins_by_word(text: str, token_spans: TokenSpans) -> _Places:
    """Where the tokens begin, from those of each different word."""
    words = text.split()
    different = dict.fromkeys(words)
    places = {word: place for place, word in enumerate(different)}
    first, counts, offsets = _tokens_of_words(list(different), token_spans)
    which = np.fromiter(map(places.__getitem__, words), dtype=np.int64, count=len(words))
    many = counts[which]
    before = np.cumsum(many) - many
    source = np.repeat(first[which] - before, many) + np.arange(many.sum())
    return np.repeat(_word_starts(text), many) + offsets[source]


def _tokens_of_words(
    words: Sequence[str], token_spans: TokenSpans
) -> tuple[_Places, _Places, _Places]:
    """For each word its first token and their number, and for each token its place in the word."""
    joined = " ".join(words)
    starts = np.array([0, *accumulate(len(word) + 1 for word in words)], dtype=np.int64)
    cuts = starts[:-1].tolist()
    slices = _slices(len(joined), cuts)
    found = [_begins(joined[begin:end], token_spans) + begin for begin, end in slices]
    begins = np.concatenate(found) if found else np.zeros(0, dtype=np.int64)
    owners = np.searchsorted(starts, begins, side="right") - 1
    counts = np.bincount(owners, minlength=len(words))
    return np.cumsum(counts) - counts, counts, begins - starts[owners]


def _word_starts(text: str) -> _Places:
    """Where the words of `text.split()` begin."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    space = _IS_SPACE[np.minimum(codes, _LAST_SPACE + 1)]
    after_space = np.concatenate(([True], space[:-1]))
    return np.flatnonzero(~space & after_space)
