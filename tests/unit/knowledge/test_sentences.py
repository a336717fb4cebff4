# ruff: noqa: RUF001
"""Sentence ends in several languages, and the laws of the spans."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alexandria.knowledge.sentences import sentence_spans


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize(
    "expected",
    [
        ["Mr. Smith went to Washington.", "He did not like it!", "Why?"],
        ["“Why?” asked J. R. R. Tolkien, 3.5 km away…", "Then he left."],
        ["He came at 5 p.m. on Monday.", "It was 6 p.m.", "They ate."],
        ["See vol. 3, pp. 4 and fig. 7.", "It cost 1.000 dollars."],
        ["It was I.", "Nobody else came."],
        ["He said: “I am here.”", "(She was not.)", "End."],
        ["Really?!", "Yes...", "No."],
        ["Das ist z.B. gut.", "Am 3. Mai kam er.", "„Ja.“", "Er ging."],
        ["M. Dupont est là.", "« Quoi ? »", "Il est parti."],
        ["¿Qué dijo el Sr. García?", "¡Nada!", "Se fue."],
        ["Это было в 1812 г. зимой.", "Он ушёл.", "Правда?"],
        ["これは文です。", "次の文！", "終わり？"],
        ["他来了。", "“好。”", "她走了。"],
        ["यह एक वाक्य है।", "यह दूसरा है।"],
        ["هل أنت هنا؟", "نعم."],
    ],
)
def test_sentences_end_where_a_reader_ends_them(expected: list[str]) -> None:
    joiner = "" if expected[0].endswith("。") else " "
    assert sentences(joiner.join(expected)) == expected


@pytest.mark.parametrize(
    "expected",
    [
        ["「今日は大漁だ。」と彼は言った。", "ほんとう？"],
        ["値は３．１４です．", "次に進む．"],
        ["他说：“今天收获真多。”", "她笑了！"],
        ["यह घर है।", "वह नहीं है॥"],
        ["စာအုပ်\u104b", "လူများစွာ\u104b"],
        ["ភាសា\u17d4", "ខ្មែរ\u17d4"],
    ],
)
def test_sentences_need_no_space_between_them_in_scripts_without(expected: list[str]) -> None:
    assert sentences("".join(expected)) == expected


def test_a_line_break_is_white_space_but_an_empty_line_ends_a_sentence() -> None:
    assert sentences("one\ntwo.  Three\n \nfour") == ["one\ntwo.", "Three", "four"]


def test_a_list_number_stays_with_its_item() -> None:
    assert sentences("1. First item.\n2. Second item.") == ["1. First item.", "2. Second item."]


def test_text_without_sentences_has_no_spans_and_text_without_ends_has_one() -> None:
    assert sentence_spans("") == sentence_spans(" \n\t ") == []
    assert sentence_spans(" no end ") == [(1, 7)]


@given(st.text(alphabet=st.sampled_from('aB3.!?… \n\t"”)。？，Äé\u00a0\u2028\x1c')))
def test_spans_are_disjoint_trimmed_and_cover_everything(text: str) -> None:
    spans = sentence_spans(text)
    covered = ""
    last = 0
    for start, end in spans:
        assert last <= start < end
        assert not text[start].isspace()
        assert not text[end - 1].isspace()
        covered += text[start:end]
        last = end
    assert "".join(covered.split()) == "".join(text.split())


def test_long_runs_of_marks_take_linear_time() -> None:
    assert len(sentence_spans("." * 300_000)) == 1
    assert len(sentence_spans("Ab. " * 100_000)) == 100_000
    assert len(sentence_spans("\n" * 300_000 + "a" + " " * 300_000)) == 1
