"""Counts the tokens of any span of a text in constant time, from one tokenization.

A token longer than any entry of a vocabulary stands for a word the tokenizer gave up on:
one unknown token as long as the word is whole, perhaps one token a character once it is
cut. Its characters count one each, so that a count never falls short. Text that has no
tokens at all still counts: at least one for every `CHARACTERS_PER_TOKEN` characters.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

TokenSpans = Callable[[str], list[tuple[int, int]]]
"""Character span of every token of a text, in order, without special tokens."""

CHARACTERS_PER_TOKEN = 16
_LONGEST_TOKEN = 32
_SLICE = 100_000
"""Characters tokenized at a time: tokenizers slow down on longer texts."""


def _slices(length: int, starts: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Cut the text into slices of about `_SLICE` characters at the given places."""
    begin = 0
    for start in starts:
        if start - begin >= _SLICE:
            yield begin, start
            begin = start
    if begin < length:
        yield begin, length


class TokenRuler:
    """Token counts of spans of one text."""

    def __init__(self, text: str, token_spans: TokenSpans, safe_cuts: Sequence[int]) -> None:
        """Tokenize the text once.

        Args:
            text: The whole document.
            token_spans: The embedding model's tokenizer.
            safe_cuts: Ascending places that no token spans, such as block starts.
        """
        weights = np.zeros(len(text) + 1, dtype=np.int32)
        for begin, end in _slices(len(text), safe_cuts):
            spans = np.array(token_spans(text[begin:end]), dtype=np.int64).reshape(-1, 2) + begin
            self._weigh(weights, spans)
        self._before: NDArray[np.int32] = np.concatenate(([0], np.cumsum(weights, dtype=np.int32)))

    @staticmethod
    def _weigh(weights: NDArray[np.int32], spans: NDArray[np.int64]) -> None:
        long = spans[:, 1] - spans[:, 0] > _LONGEST_TOKEN
        np.add.at(weights, spans[~long, 0], 1)
        for start, end in spans[long]:
            weights[start:end] = 1

    def tokens(self, start: int, end: int) -> int:
        """Tokens that begin in `text[start:end]`."""
        return int(self._before[end] - self._before[start])

    def size(self, start: int, end: int) -> int:
        """What the span counts towards a limit, at least 1."""
        return max(self.tokens(start, end), -(-(end - start) // CHARACTERS_PER_TOKEN))
