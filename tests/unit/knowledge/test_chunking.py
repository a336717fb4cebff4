"""The laws every strategy keeps on every document."""

from itertools import pairwise

import pytest
from chunking_documents import document, documents, prose, token_spans, whole_word_spans
from hypothesis import given, settings
from hypothesis import strategies as st

from alexandria.errors import InvalidInputError
from alexandria.knowledge.chunking import (
    MODULE_STRATEGIES,
    RecursiveStrategy,
    Strategy,
    StructureStrategy,
    split,
    strategy_from_json,
)
from alexandria.knowledge.documents import BlockKind, ParsedDocument

SMALL = StructureStrategy(max_tokens=24, reach_tokens=10, small_tokens=6)
STRATEGIES: list[Strategy] = [
    SMALL,
    StructureStrategy(max_tokens=16, reach_tokens=0, small_tokens=0),
    RecursiveStrategy(max_characters=40),
    *MODULE_STRATEGIES.values(),
]


@pytest.mark.parametrize("strategy", STRATEGIES, ids=str)
@pytest.mark.parametrize("spans", [token_spans, whole_word_spans])
@given(parsed=documents())
@settings(max_examples=25, deadline=None)
def test_chunks_hold_all_text_once_in_order_and_within_units(
    strategy: Strategy, spans: object, parsed: ParsedDocument
) -> None:
    chunks = split(parsed, strategy, spans)  # type: ignore[arg-type]
    text = parsed.text
    covered = [0] * len(text)
    last = 0
    for ordinal, chunk in enumerate(chunks):
        unit = parsed.units[chunk.unit]
        assert chunk.ordinal == ordinal
        assert last <= chunk.start < chunk.end
        assert unit.start <= chunk.start
        assert chunk.end <= unit.end
        assert chunk.text == text[chunk.start : chunk.end] == chunk.text.strip()
        assert chunk.anchor == unit.anchor
        last = chunk.end
        covered[chunk.start : chunk.end] = [1] * (chunk.end - chunk.start)
    assert all(covered[i] for i, character in enumerate(text) if not character.isspace())
    assert split(parsed, strategy, spans) == chunks  # type: ignore[arg-type]


@pytest.mark.parametrize("strategy", [s for s in STRATEGIES if s.kind == "structure"], ids=str)
@given(parsed=documents())
@settings(max_examples=40, deadline=None)
def test_no_chunk_is_above_the_limit_even_when_tokenized_alone(
    strategy: StructureStrategy, parsed: ParsedDocument
) -> None:
    for chunk in split(parsed, strategy, token_spans):
        assert chunk.token_count <= strategy.max_tokens
        assert len(token_spans(chunk.text)) <= strategy.max_tokens


@given(parsed=documents(), limit=st.integers(8, 60), data=st.data())
@settings(max_examples=40, deadline=None)
def test_recursive_chunks_keep_their_limit_and_overlap(
    parsed: ParsedDocument, limit: int, data: st.DataObject
) -> None:
    overlap = data.draw(st.integers(0, limit // 2))
    strategy = RecursiveStrategy(max_characters=limit, overlap=overlap)
    chunks = split(parsed, strategy, token_spans)
    assert all(chunk.end - chunk.start <= limit for chunk in chunks)
    for before, after in pairwise(chunks):
        assert before.start < after.start
        assert before.end - after.start <= overlap


@pytest.mark.parametrize("strategy", STRATEGIES, ids=str)
def test_a_strategy_survives_json(strategy: Strategy) -> None:
    assert strategy_from_json(strategy.to_json()) == strategy


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"kind": "magic"},
        {"kind": "structure", "max_tokens": 300},
        {"kind": "structure", "max_tokens": 20, "reach_tokens": 11},
        {"kind": "structure", "size": 3},
        {"kind": "recursive", "separators": ["\n"]},
        {"kind": "recursive", "separators": []},
        {"kind": "recursive", "max_characters": 10, "overlap": 6},
    ],
)
def test_a_strategy_that_makes_no_sense_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(InvalidInputError):
        strategy_from_json(data)


def test_an_empty_document_has_no_chunks() -> None:
    for strategy in STRATEGIES:
        assert split(document(), strategy, token_spans) == []
        assert split(prose(" \n "), strategy, token_spans) == []


def heading(title: str, level: int, unit: int = 0) -> tuple[BlockKind, str, int, int]:
    return BlockKind.HEADING, title, unit, level


def paragraph(text: str, unit: int = 0) -> tuple[BlockKind, str, int, int]:
    return BlockKind.PARAGRAPH, text, unit, 0


def words(count: int, word: str = "word") -> str:
    return " ".join(f"{word}{i}" for i in range(count))


def test_a_heading_begins_a_chunk_and_stays_with_what_follows() -> None:
    parsed = document(
        heading("Part", 1), heading("One", 2), paragraph(words(20)), heading("Two", 2),
        paragraph(words(23, "b")),
    )  # fmt: skip
    chunks = split(parsed, SMALL, token_spans)
    assert chunks[0].text.startswith("Part\n\nOne\n\nword0")
    assert [c.section_path for c in chunks if "b0" in c.text] == [("Part", "Two")]
    assert not any(c.text in {"Part", "One", "Two"} for c in chunks)


def test_a_heading_with_nothing_after_it_in_its_unit_is_kept() -> None:
    parsed = document(paragraph("text"), heading("Last", 1), paragraph("more", 1))
    assert [c.text for c in split(parsed, SMALL, token_spans)] == ["text", "Last", "more"]


def test_short_sections_share_a_chunk_under_one_parent_but_not_across_the_top() -> None:
    parsed = document(
        heading("Pets", 1), heading("Cats", 2), paragraph("Purr."), heading("Dogs", 2),
        paragraph("Bark."), heading("Cars", 1), paragraph("Honk."),
    )  # fmt: skip
    chunks = split(parsed, SMALL, token_spans)
    assert [c.text.split()[0] for c in chunks] == ["Pets", "Cars"]
    assert [c.section_path for c in chunks] == [("Pets",), ("Cars",)]


def test_a_table_that_fits_is_whole_and_rows_of_two_tables_never_meet() -> None:
    def rows(name: str, count: int) -> tuple[tuple[BlockKind, str, int, int], ...]:
        return tuple((BlockKind.TABLE, f"{name}{i} | x", 0, 0) for i in range(count))

    whole = document(paragraph(words(20)), *rows("r", 6), paragraph(words(20)))
    assert sum("r0" in c.text and "r5" in c.text for c in split(whole, SMALL, token_spans)) == 1
    long = document(*rows("a", 20), paragraph("so"), *rows("b", 20))
    for chunk in split(long, SMALL, token_spans):
        assert len({line[0] for line in chunk.text.split("\n") if "|" in line} | {""}) <= 2


def test_code_that_fits_is_not_cut() -> None:
    code = "\n".join(f"line{i} = 1" for i in range(7))
    parsed = document(paragraph(words(15)), (BlockKind.CODE, code, 0, 0), paragraph(words(15)))
    assert any(code in chunk.text for chunk in split(parsed, SMALL, token_spans))


def test_a_long_paragraph_is_cut_at_sentence_ends_without_a_tiny_rest() -> None:
    text = " ".join(f"This is sentence number {i}." for i in range(9))
    chunks = split(prose(text), SMALL, token_spans)
    assert all(chunk.text.endswith(".") for chunk in chunks)
    assert min(chunk.token_count for chunk in chunks) >= 6


def test_a_block_anchor_is_finer_than_the_unit_anchor() -> None:
    parsed = prose("a spoken line")
    block = type(parsed.blocks[0])(BlockKind.PARAGRAPH, 0, 13, 0, 0, "t=12")
    timed = type(parsed)("", "", "en", "text/vtt", parsed.text, parsed.units, (block,))
    assert [c.anchor for c in split(timed, SMALL, token_spans)] == ["t=12"]


@pytest.mark.parametrize("strategy", STRATEGIES, ids=str)
@pytest.mark.parametrize("unit", ["x", "図", "e\u0301", "\u200b", "word ", "line\n", "a. "])
def test_one_endless_line_is_cut_in_linear_time(strategy: Strategy, unit: str) -> None:
    text = unit * (40_000 // len(unit))
    chunks = split(prose(text), strategy, whole_word_spans)
    assert len(chunks) > 9
    assert not any(chunk.text.startswith("\u0301") for chunk in chunks)
    assert sum(len("".join(chunk.text.split())) for chunk in chunks) == len("".join(text.split()))
    assert max(len(chunk.text) for chunk in chunks) <= 4096
