"""A text's tokens are counted alike, whether it is tokenized whole or word by word."""

import random
import re

import pytest
from chunking_documents import token_spans, whole_word_spans

from alexandria.knowledge.chunking.measuring import TokenRuler, TokenSpans

_WORDS = (
    *("the", "sea.", "a,", "3.14", "e\u0301te\u0301", "図書館。", "👩‍👩‍👧", "Grüße", "x" * 90),
    *("unbelievable", "re-use", "\u00ad", "“so”", "naïve"),
)
_SPACES = (" ", "\n", "\n\n", "\u00a0", "\u3000", "\t")


def text_of(words: int, seed: int) -> str:
    chance = random.Random(seed)
    parts = [chance.choice(_WORDS) + chance.choice(_SPACES) for _ in range(words)]
    return "".join(parts).replace("\u3000", " ", 3)


def space_and_word_spans(text: str) -> list[tuple[int, int]]:
    """Like a byte-pair tokenizer: a space belongs to the word after it, and counts there."""
    found = (match.span() for match in re.finditer(r" ?\S{1,5}|\s", text))
    return list(found)


def pair_spans(text: str) -> list[tuple[int, int]]:
    """Two words that follow each other are one token: no word can be told alone."""
    return [match.span() for match in re.finditer(r"\S+(?:\s+\S+)?", text)]


class Counting:
    """A tokenizer that knows how much it was given."""

    def __init__(self, spans: TokenSpans) -> None:
        self._spans = spans
        self.given = 0

    def __call__(self, text: str) -> list[tuple[int, int]]:
        self.given += len(text)
        return self._spans(text)


@pytest.mark.parametrize("spans", [token_spans, whole_word_spans, space_and_word_spans, pair_spans])
@pytest.mark.parametrize("words", [1, 50, 9_000])
def test_every_span_counts_the_tokens_that_begin_in_it(spans: TokenSpans, words: int) -> None:
    text = text_of(words, seed=words)
    weights = [0] * (len(text) + 1)
    for start, end in spans(text):
        for place in range(start, end) if end - start > 32 else (start,):
            weights[place] += 1
    ruler = TokenRuler(text, spans, [])
    chance = random.Random(words)
    for _ in range(300):
        start, end = sorted((chance.randint(0, len(text)), chance.randint(0, len(text))))
        assert ruler.tokens(start, end) == sum(weights[start:end])


def test_a_long_text_is_not_tokenized_again_for_every_time_it_says_a_word() -> None:
    text = text_of(40_000, seed=5)
    spans = Counting(whole_word_spans)
    TokenRuler(text, spans, [])
    assert spans.given < 0.1 * len(text)


def test_text_without_tokens_still_has_a_size() -> None:
    assert TokenRuler("x" * 160, lambda _: [], []).size(0, 160) == 10
