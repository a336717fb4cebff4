"""Written answers against their sources: marks, support, numbers and inventions."""

import re
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alexandria.knowledge.checking import CheckedSentence, mark_unsupported
from alexandria.knowledge.embedding import Vectors
from alexandria.knowledge.quoting import Passage
from alexandria.knowledge.terms import query_weights


def spans(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\S.*?(?:[.!?](?=\s|$)|$)", text)]


def embed(texts: Sequence[str]) -> Vectors:
    """Shared words as likeness: each term is one direction."""
    rows = np.full((len(texts), 512), 1e-6, dtype=np.float32)
    for row, text in zip(rows, texts, strict=True):
        for term, count in query_weights(text, ["en"]).items():
            row[term % 512] += count
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def passage(text: str, number: int) -> Passage:
    return Passage(f"chunk-{number}", f"document-{number}", "Rivers", text, "page=1", "Page 1", 1.0)


PASSAGES = [
    passage("The Danube is 2,850 kilometres long. It rises in the Black Forest.", 1),
    passage("The Volga flows into the Caspian Sea.", 2),
]


def check(text: str) -> list[CheckedSentence]:
    return mark_unsupported(text, PASSAGES, embed, spans)


def test_a_sentence_that_its_source_carries_is_supported() -> None:
    (sentence,) = check("The Danube is 2850 kilometres long [1].")
    assert sentence.supported
    assert sentence.text == "The Danube is 2850 kilometres long."
    assert sentence.citations[0].quote == "The Danube is 2,850 kilometres long."
    assert sentence.citations[0].chunk_id == "chunk-1"


def test_a_sentence_that_cites_the_wrong_source_is_not() -> None:
    (sentence,) = check("The Danube is 2850 kilometres long [2].")
    assert not sentence.supported
    assert [citation.number for citation in sentence.citations] == [2]


def test_a_number_that_no_source_has_is_not_supported() -> None:
    (sentence,) = check("The Danube is 2,950 kilometres long [1].")
    assert sentence.support > 0.5
    assert not sentence.supported


def test_a_mark_that_names_no_passage_is_invented() -> None:
    (sentence,) = check("The Volga flows into the Caspian Sea [99].")
    assert (sentence.invented, sentence.citations, sentence.supported) == ((99,), (), False)
    (sentence,) = check("The Volga flows into the Caspian Sea [0][2].")
    assert (sentence.invented, sentence.supported) == ((0,), True)


def test_a_sentence_without_a_mark_is_not_supported() -> None:
    assert [sentence.supported for sentence in check("The Volga flows into the Caspian Sea.")] == [
        False
    ]


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("Rivers flow [1][2].", [1, 2]),
        ("Rivers flow [1, 2].", [1, 2]),
        ("Rivers flow [1-2].", [1, 2]),
        ("Rivers flow [1\u20132].", [1, 2]),
        ("Rivers flow. [2]", [2]),
        ("Rivers flow [2] and flow [2].", [2]),
    ],
)
def test_marks_are_read_in_the_ways_models_write_them(text: str, marks: list[int]) -> None:
    (sentence,) = check(text)
    assert [citation.number for citation in sentence.citations] == marks


def test_a_mark_after_the_full_stop_belongs_to_the_sentence_before() -> None:
    first, second = check("The Danube rises in the Black Forest. [1] Volga flows on. [2]")
    assert [citation.number for citation in first.citations] == [1]
    assert [citation.number for citation in second.citations] == [2]
    assert first.supported


def test_nothing_written_is_nothing_checked() -> None:
    assert check("") == []
    assert check("[1]") == []


@settings(max_examples=50, deadline=None)
@given(st.text(st.sampled_from("Danube Volga [12], 9-.!?\n"), max_size=80))
def test_any_text_can_be_checked(text: str) -> None:
    for sentence in check(text):
        assert 0.0 <= sentence.support <= 1.0
        assert not sentence.supported or sentence.citations
        assert all(not 1 <= number <= len(PASSAGES) for number in sentence.invented)
        for citation in sentence.citations:
            source = PASSAGES[citation.number - 1]
            assert source.text[citation.start : citation.end] == citation.quote
