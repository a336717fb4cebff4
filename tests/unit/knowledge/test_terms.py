"""What counts as the same word, and the laws of the weights."""

# ruff: noqa: RUF001 (letters of many scripts look like Latin ones)

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelled_scripts import PARAGRAPHS, QUESTIONS

from alexandria.knowledge.terms import (
    AVERAGE_LENGTH,
    K1,
    B,
    analyze,
    entry_terms,
    entry_weights,
    fold,
    inverse_document_frequency,
    query_weights,
    term_id,
)
from alexandria.knowledge.terms.stop_words import STOP_WORDS

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
        ("tr", "ISPARTA", "ısparta"),
        ("de", "Häuser", "Haeuser"),
        ("el", "ΦΆΡΟΣ", "φάρος"),
        ("pl", "Łódź", "lodz"),
        ("da", "Ærø", "aero"),
        ("en", "\uff37\uff49\uff44\uff45 \uff12\uff10\uff12\uff10", "wide 2020"),
        ("ar", "الكِتَابُ", "كتاب"),
        ("ar", "كتـــاب", "كتاب"),
        ("ar", "\ufe8d\ufedf\ufedc\ufe98\ufe8e\ufe8f", "الكتاب"),
        ("ar", "أحمد ١٢٣", "احمد 123"),
        ("fa", "کتاب\u200cها", "كتابها"),
        ("fa", "می\u200cخواهم ۱۴۰۰", "می خواهم 1400"),
        ("he", "שָׁלוֹם", "שלום"),
        ("he", "\u202bשלום\u202c\u200f", "שלום"),
        ("ko", "\u1112\u1161\u11ab\u1100\u1173\u11af", "한글"),
        ("hi", "क्\u200dष", "क्ष"),
        ("ja", "リンゴ", "りんご"),
        ("ja", "葛\U000e0100", "葛"),
        ("zh", "\u2f54", "水"),
        ("uk", "м\u02bcята", "м'ята"),
        ("th", "ปี ๒๕๖๓", "ปี 2563"),
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


def test_scripts_without_spaces_become_pairs_and_characters_that_are_words() -> None:
    assert analyze("東京都 2020", "ja") == ["東京", "京都", "東", "京", "都", "2020"]
    assert analyze("猫", "zh") == ["猫"]
    assert analyze("ねこ", "ja") == ["ねこ"]
    assert analyze("iPhoneを使う", "ja") == ["iphone", "を使", "使う", "使"]
    assert set(analyze("京都", "und")) <= set(analyze("東京都", "ja"))


@pytest.mark.parametrize("language", sorted(QUESTIONS))
def test_scripts_without_spaces_are_found_by_their_words(language: str) -> None:
    shelf = [(tongue, index) for tongue, texts in PARAGRAPHS.items() for index in range(len(texts))]
    entries = [entry_weights(PARAGRAPHS[tongue][index], tongue) for tongue, index in shelf]
    held = Counter(term for entry in entries for term in entry)
    first = 0
    for question, answer in QUESTIONS[language]:
        asked = query_weights(question, PARAGRAPHS)
        scores = [
            sum(
                entry[term] * weight * inverse_document_frequency(held[term], len(entries))
                for term, weight in asked.items()
                if term in entry
            )
            for entry in entries
        ]
        best = max(
            score for (tongue, _), score in zip(shelf, scores, strict=True) if tongue == language
        )
        first += scores[shelf.index((language, answer))] == best > 0
    assert first == len(QUESTIONS[language])


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
def test_the_terms_of_an_entry_are_those_with_a_weight(text: str, language: str) -> None:
    assert entry_terms(text, language) == entry_weights(text, language).keys()


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


@pytest.mark.parametrize("language", sorted(STOP_WORDS))
def test_stop_words_are_single_words_that_leave_no_term(language: str) -> None:
    assert analyze(STOP_WORDS[language], language) == []


def test_a_german_question_is_stemmed_in_a_library_of_fifteen_languages() -> None:
    library = [
        *("de", "en", "fr", "es", "it", "nl", "sv", "pl", "cs", "ru", "tr", "ar", "hi", "ja", "zh")
    ]
    weights = query_weights("Wo stehen die alten Häuser der Fischer?", library)
    entry = entry_weights("Das alte Haus eines Fischers steht am Ufer.", "de")
    assert {term_id(stem) for stem in ("haus", "alt", "fisch")} <= weights.keys() & entry.keys()
    assert not {term_id("die"), term_id("der")} & weights.keys()
