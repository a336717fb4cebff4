"""Answers by quotation: exactness, order, numbering and the courage not to answer."""

# ruff: noqa: RUF001 (letters of many scripts look like Latin ones)

import re
from collections.abc import Sequence

import numpy as np
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from alexandria.knowledge.embedding import Vectors
from alexandria.knowledge.quoting import (
    NO_ANSWER,
    Answer,
    Passage,
    QuotingWeights,
    quote_answer,
    sentences_of,
)
from alexandria.knowledge.sentences import sentence_spans
from alexandria.knowledge.terms import query_weights

ALWAYS = QuotingWeights(refuse_below=0.0)


def spans(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\S[^.!?\n]*[.!?]?", text)]


def embed(texts: Sequence[str]) -> Vectors:
    """Shared words as likeness: each term is one direction."""
    rows = np.full((len(texts), 512), 1e-6, dtype=np.float32)
    for row, text in zip(rows, texts, strict=True):
        for term, count in query_weights(text, ["en"]).items():
            row[term % 512] += count
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def passage(text: str, number: int = 1, score: float = 1.0, title: str = "Birds") -> Passage:
    return Passage(
        chunk_id=f"chunk-{number}",
        document_id=f"document-{number}",
        title=title,
        text=text,
        anchor=f"page={number}",
        label=f"Page {number}",
        score=score,
    )


def ask(question: str, *passages: Passage, weights: QuotingWeights | None = None) -> Answer:
    return quote_answer(question, passages, embed, spans, ("en",), weights)


PENGUINS = passage(
    "Penguins live in the south. The emperor penguin breeds on Antarctic ice in winter. "
    "Their eggs are kept warm on the feet."
)
OWLS = passage("Owls hunt at night. Their ears sit at different heights.", 2, 0.4)


def test_the_sentence_that_answers_is_quoted_with_its_place() -> None:
    answer = ask("Where does the emperor penguin breed?", PENGUINS, OWLS)
    citation = answer.citations[0]
    assert answer.answered
    assert citation.quote == "The emperor penguin breeds on Antarctic ice in winter."
    assert (citation.number, citation.label, citation.anchor) == (1, "Page 1", "page=1")
    assert (citation.chunk_id, citation.document_id, citation.title) == (
        "chunk-1",
        "document-1",
        "Birds",
    )
    assert PENGUINS.text[citation.start : citation.end] == citation.quote
    assert answer.text.startswith(f"{citation.quote} [1]")


def test_a_question_about_something_else_has_no_answer() -> None:
    answer = ask("What is the melting point of tungsten?", PENGUINS, OWLS)
    assert answer == Answer(NO_ANSWER, (), answered=False, confidence=answer.confidence)
    assert answer.confidence < 0.05


@pytest.mark.parametrize("text", ["", "   ", "the of and"])
def test_nothing_to_quote_is_no_answer(text: str) -> None:
    assert ask("Where do penguins live?", passage(text), weights=ALWAYS).citations == ()
    assert ask("Where do penguins live?").answered is False


def test_no_sentence_is_quoted_twice() -> None:
    copies = [passage("Emperor penguins breed on ice.", number) for number in (1, 2, 3)]
    assert len(ask("Where do emperor penguins breed?", *copies).citations) == 1


def test_the_best_sentence_leads_and_the_others_keep_their_order() -> None:
    text = passage("Owls hunt mice at night. Owls hunt. Owls hunt mice at night in forests.")
    weights = QuotingWeights(close=0.3, alike=0.95)
    answer = ask("Do owls hunt mice at night in forests?", text, weights=weights)
    assert [citation.start for citation in answer.citations] == [36, 0, 25]
    assert [citation.number for citation in answer.citations] == [1, 2, 3]


def test_a_question_in_the_text_is_not_quoted_as_its_answer() -> None:
    faq = passage("Where do owls sleep? Owls sleep in hollow trees.")
    assert [citation.quote for citation in ask("Where do owls sleep?", faq).citations] == [
        "Owls sleep in hollow trees."
    ]


def test_the_title_says_what_a_sentence_leaves_out() -> None:
    about = passage("It was founded in 1850 by a teacher.", 1, title="Riverside School")
    other = passage("It was founded in 1920 by a baker.", 2, title="Hilltop Mill")
    answer = ask("When was Riverside School founded?", other, about, weights=ALWAYS)
    assert answer.citations[0].quote == about.text


def test_a_text_without_sentences_is_quoted_in_pieces() -> None:
    table = passage("penguin " * 200)
    pieces = sentences_of(0, table, spans, ["en"])
    assert all(len(piece.text) <= 400 for piece in pieces)
    assert sum(piece.text.count("penguin") for piece in pieces) == 200


@pytest.mark.parametrize("quotes", [1, 2, 4])
def test_no_more_is_quoted_than_asked_for(quotes: int) -> None:
    weights = QuotingWeights(quotes=quotes, close=0.0, refuse_below=0.0)
    answer = ask("Where do penguins and owls live and hunt?", PENGUINS, OWLS, weights=weights)
    assert len(answer.citations) == quotes


words = st.sampled_from(["owl", "ice", "egg", "1850", "night", "the", "breeds", "naïve", "猫"])
texts = st.lists(st.lists(words, min_size=1, max_size=8).map(" ".join), min_size=0, max_size=6).map(
    lambda sentences: ". ".join(sentences)
)


@settings(max_examples=60, deadline=None)
@given(texts, st.lists(texts, max_size=5))
def test_quotes_are_exact_numbered_and_never_repeated(question: str, found: list[str]) -> None:
    passages = [passage(text, number, 1 / number) for number, text in enumerate(found, start=1)]
    answer = ask(question, *passages, weights=QuotingWeights(refuse_below=0.0, close=0.1))
    by_id = {each.chunk_id: each for each in passages}
    for number, citation in enumerate(answer.citations, start=1):
        assert citation.number == number
        assert by_id[citation.chunk_id].text[citation.start : citation.end] == citation.quote
    scores = [citation.score for citation in answer.citations]
    assert scores[:1] == sorted(scores, reverse=True)[:1]
    quotes = [citation.quote for citation in answer.citations]
    assert len(set(quotes)) == len(quotes) <= 3
    assert answer.answered == bool(quotes)
    assert 0.0 <= answer.confidence <= 1.0
    expected = " ".join(f"{citation.quote} [{citation.number}]" for citation in answer.citations)
    assert answer.text == (expected or NO_ANSWER)


@pytest.mark.parametrize(
    ("question", "before", "sentence"),
    [
        ("灯塔 为 谁 指路", "图书馆每周一闭馆。", "老灯塔每天晚上为渔船指路。"),
        ("ﾗｲ麦ﾊﾟﾝは何時", "「休みだ。」と彼は言った。", "五時に最初のライ麦パンが焼き上がる。"),
        ("کتابهای قدیمی کجاست", "هوا سرد است. ", "کتاب\u200cهای قدیمی در کتابخانه است."),
        ("الشَّبَكَة القديمة", "الجو بارد. ", "سحب الصياد الشبكة القديمة."),
        ("ISPARTA gül", "Hava soğuk. ", "Isparta'da gül bahçeleri vardır."),
        ("cafe\u0301 E\u0301toile", "Il fait froid. ", "Le café de l'Étoile est fermé."),
        ("नई किताबें", "ठंड है। ", "नई किताबें यहाँ हैं।"),
    ],
)
def test_a_quote_of_any_script_is_the_text_itself(
    question: str, before: str, sentence: str
) -> None:
    page = passage(before + sentence, title="")
    languages = ("ar", "en", "fa", "fr", "hi", "ja", "tr", "zh")
    answer = quote_answer(question, [page], embed, sentence_spans, languages, ALWAYS)
    citation = answer.citations[0]
    assert citation.quote == sentence == page.text[citation.start : citation.end]


def test_a_long_sentence_is_cut_between_whole_characters() -> None:
    text = "น้ำท่วมที่นี่" * 100
    pieces = sentences_of(0, passage(text), sentence_spans, ["th"])
    whole = {cluster.start() for cluster in regex.finditer(r"\X", text)} | {len(text)}
    assert "".join(piece.text for piece in pieces) == text
    assert len(pieces) > 2
    assert {piece.start for piece in pieces} | {piece.end for piece in pieces} <= whole
