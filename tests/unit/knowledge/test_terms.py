"""What counts as the same word, and the laws of the weights."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alexandria.knowledge.terms import (
    AVERAGE_LENGTH,
    K1,
    B,
    analyze,
    entry_weights,
    fold,
    inverse_document_frequency,
    query_weights,
    term_id,
)

LANGUAGES = st.sampled_from(["en", "de", "fr", "ru", "tr", "ja", "hi", "und", "xx", "pt-BR"])
WORDS = st.text(st.sampled_from("abcdefgh "), max_size=60)


@pytest.mark.parametrize(
    ("language", "one", "other"),
    [
        ("en", "connected lakes", "Connecting LAKE"),
        ("de", "die Häuser der Straße", "Haus STRASSE"),
        ("fr", "les élèves", "élève"),
        ("es", "las canciones", "canción"),
        ("ru", "книги и ёлки", "книга ёлка"),
        ("en", "\ufb01nal", "final"),
        ("en", "co\u00adoperate", "cooperate"),
        ("en", "cafe\u0301", "café"),
        ("ja", "\uff76\uff92\uff97", "カメラ"),
        ("tr", "İSTANBUL", "istanbul"),
    ],
)
def test_readers_take_these_for_the_same(language: str, one: str, other: str) -> None:
    assert analyze(one, language) == analyze(other, language) != []


@pytest.mark.parametrize("code", ["63B", "A10:2017", "CVE-2020-1", "3.5", "C++", "C#", "12/2020"])
def test_codes_are_found_whole(code: str) -> None:
    assert code.casefold() in analyze(f"see ({code}), please", "en")


def test_codes_are_found_by_their_parts_too() -> None:
    assert analyze("CVE-2020-1", "en") == ["cve-2020-1", "cve", "2020", "1"]
    assert analyze("well-known", "en") == ["well", "known"]


def test_thousands_are_written_in_many_ways_but_are_one_number() -> None:
    assert analyze("1,250,000", "en") == analyze("1250000", "en") == ["1250000"]


def test_scripts_without_spaces_become_pairs() -> None:
    assert analyze("東京都 2020", "ja") == ["東京", "京都", "2020"]
    assert analyze("猫", "zh") == ["猫"]
    assert set(analyze("京都", "und")) <= set(analyze("東京都", "ja"))


def test_combining_marks_do_not_cut_words() -> None:
    assert len(analyze("हिन्दी", "xx")) == 1


def test_stop_words_are_those_of_the_language() -> None:
    assert analyze("the and of", "en") == []
    assert analyze("die und der", "de") == []
    assert analyze("die", "en") == ["die"]


def test_an_unknown_language_is_read_as_english() -> None:
    assert analyze("running", "und") == analyze("running", "en") == ["run"]
    assert analyze("running", "xx") == ["running"]


def test_a_question_is_read_in_every_language_of_the_library() -> None:
    weights = query_weights("die Häuser", ["en", "de"])
    assert {term_id("haus"), term_id("die"), term_id("hauser")} <= weights.keys()
    assert query_weights("die Häuser", ["de"]).keys() == {term_id("haus")}
    assert query_weights("running", []) == query_weights("running", ["en"])


def test_stop_words_of_the_question_s_language_are_no_words_of_another() -> None:
    weights = query_weights("It is a truth universally acknowledged", ["en", "fr"])
    assert not {term_id("it"), term_id("is")} & weights.keys()
    assert term_id("truth") in weights


def test_a_repeated_question_word_counts_each_time() -> None:
    assert query_weights("bear bear fox", ["en", "de"]) == {
        term_id("bear"): 2.0,
        term_id("fox"): 1.0,
    }


def test_entry_weights_are_bm25s() -> None:
    discount = K1 * (1 - B + B * 3 / AVERAGE_LENGTH)
    weights = entry_weights("fox fox bear", "en")
    assert weights[term_id("fox")] == pytest.approx(2 * (K1 + 1) / (2 + discount))
    assert weights[term_id("bear")] == pytest.approx((K1 + 1) / (1 + discount))


def test_idf_is_hand_computed() -> None:
    assert inverse_document_frequency(1, 10) == pytest.approx(math.log(1 + 9.5 / 1.5))
    assert inverse_document_frequency(0, 0) == pytest.approx(math.log(2))


def test_term_ids_never_change() -> None:
    assert term_id("library") == term_id("library")
    assert len({term_id(str(number)) for number in range(2_000)}) == 2_000


@given(st.text())
def test_term_ids_fit_both_stores(term: str) -> None:
    assert 0 <= term_id(term) <= 999_999_998


@given(st.text(), LANGUAGES)
def test_folding_first_changes_nothing(text: str, language: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert analyze(fold(text), language) == analyze(text, language)


@given(st.text(), LANGUAGES)
def test_question_and_entry_share_their_terms(text: str, language: str) -> None:
    assert query_weights(text, [language]).keys() == entry_weights(text, language).keys()
    assert {term_id(term) for term in analyze(text, language)} == entry_weights(
        text, language
    ).keys()


@given(st.text(), LANGUAGES)
def test_weights_are_positive_and_bounded(text: str, language: str) -> None:
    assert all(0 < weight < K1 + 1 for weight in entry_weights(text, language).values())


@given(WORDS, WORDS)
def test_a_longer_text_of_the_same_words_weighs_each_word_less(text: str, more: str) -> None:
    before, after = entry_weights(text, "xx"), entry_weights(f"{text} zz {more}", "xx")
    unchanged = before.keys() - entry_weights(more, "xx").keys()
    assert all(after[term] < before[term] for term in unchanged)


@given(st.integers(0, 1000), st.integers(0, 1000))
def test_idf_falls_as_a_term_spreads(df: int, more: int) -> None:
    n = 2000
    assert inverse_document_frequency(df, n) > 0
    assert inverse_document_frequency(df + more, n) <= inverse_document_frequency(df, n)
