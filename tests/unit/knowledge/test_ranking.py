"""Mixing two lists: hand-made cases and the laws of the order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alexandria.knowledge.indexing import ScoredChunk
from alexandria.knowledge.ranking import (
    Candidate,
    RankingWeights,
    Vector,
    best_coverage,
    covered,
    estimate_rarity,
    fuse,
    merge,
    rank,
    refine,
    verbatim,
)

IDS = [f"chunk-{number:02d}" for number in range(15)]
SCORES = st.floats(-1, 50, allow_nan=False).map(lambda score: round(score, 3))
hits = st.dictionaries(st.sampled_from(IDS), SCORES).map(
    lambda scores: [ScoredChunk(chunk, score) for chunk, score in scores.items()]
)
WITHOUT_NEIGHBOURS = RankingWeights(neighbours=0)


def unit(*components: float) -> Vector:
    vector = np.array(components, dtype=np.float32)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def test_fuse_is_a_convex_mixture_of_scaled_lists() -> None:
    dense = [ScoredChunk("a", 0.9), ScoredChunk("b", 0.7), ScoredChunk("c", 0.5)]
    sparse = [ScoredChunk("b", 12.0), ScoredChunk("d", 8.0), ScoredChunk("a", 4.0)]
    scores = {hit.chunk_id: hit.score for hit in fuse(dense, sparse, weight=0.6)}
    assert scores == pytest.approx({"a": 0.6, "b": 0.3 + 0.4, "c": 0.0, "d": 0.2})
    assert [hit.chunk_id for hit in fuse(dense, sparse, weight=0.6)] == ["b", "a", "d", "c"]


def test_fuse_keeps_what_each_list_said() -> None:
    only = fuse([ScoredChunk("a", 0.4)], [ScoredChunk("b", 3.0)])
    assert [(hit.chunk_id, hit.dense, hit.sparse) for hit in only] == [
        ("a", 0.4, None),
        ("b", None, 3.0),
    ]


def test_nothing_found_is_an_empty_ranking() -> None:
    assert fuse([], []) == []
    assert rank([], unit(1, 0), {}) == []
    assert refine([], {}) == []


def test_rank_gives_the_exact_cosine_to_what_only_the_words_found() -> None:
    vectors = {"a": unit(1, 0), "b": unit(0, 1)}
    ranked = rank([Candidate("a", None, 2.0), Candidate("b", 0.0, None)], unit(1, 0), vectors)
    assert [(hit.chunk_id, hit.dense) for hit in ranked] == [("a", 1.0), ("b", 0.0)]


def test_a_passage_among_good_company_rises() -> None:
    question = unit(1, 0, 0)
    vectors = {
        "best": unit(1, 0.30, 0),
        "close": unit(1, 0.55, 0.0),
        "alone": unit(1, 0.0, 0.54),
        "far": unit(0.5, 0, 0.8),
    }
    found = [Candidate(chunk_id, None, None) for chunk_id in vectors]
    alone = [hit.chunk_id for hit in rank(found, question, vectors, weights=WITHOUT_NEIGHBOURS)]
    together = [
        hit.chunk_id for hit in rank(found, question, vectors, weights=RankingWeights(neighbours=1))
    ]
    assert alone.index("alone") < alone.index("close")
    assert together.index("close") < together.index("alone")


def test_many_candidates_borrow_from_their_nearest_as_few_do() -> None:
    count, size = 75, 384
    rows = np.random.default_rng(7).standard_normal((count, size)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    vectors = {f"{number:03d}": row for number, row in enumerate(rows)}
    found = [Candidate(chunk_id, None, float(int(chunk_id))) for chunk_id in vectors]
    plain = rank(found, rows[0], vectors, weights=WITHOUT_NEIGHBOURS)
    scores = np.array([hit.score for hit in sorted(plain, key=lambda hit: hit.chunk_id)])
    ranked = rank(found, rows[0], vectors)
    for hit in ranked:
        own = int(hit.chunk_id)
        likeness = [(float(rows[own] @ rows[other]), other) for other in range(count)]
        near = sorted(item for item in likeness if item[1] != own)[-5:]
        borrowed = sum(cosine * scores[other] for cosine, other in near)
        borrowed /= sum(cosine for cosine, _ in near)
        assert hit.score == pytest.approx(0.7 * scores[own] + 0.3 * borrowed, abs=1e-6)


def test_a_title_that_the_question_names_decides_between_equals() -> None:
    found = [Candidate("a", 0.5, 1.0), Candidate("b", 0.5, 1.0)]
    assert rank(found, unit(1, 0), {})[0].chunk_id == "a"
    assert rank(found, unit(1, 0), {}, {"b": 1.0})[0].chunk_id == "b"


def test_refine_reorders_the_first_few_only() -> None:
    found = [ScoredChunk(chunk_id, 1.0 - place / 10) for place, chunk_id in enumerate("abc")]
    ranked = fuse(found, [])
    refined = refine(ranked, {"b": 1.0, "c": 1.0}, RankingWeights(sentence=5.0, refined=2))
    assert [hit.chunk_id for hit in refined] == ["b", "a", "c"]
    assert refined[2] == ranked[2]


def test_coverage_counts_rare_terms_more() -> None:
    rarity = {1: 3.0, 2: 1.0}
    assert covered([1, 2], {1}, rarity) == 0.75
    assert covered([1, 2, 9], {9}, rarity) == pytest.approx(3 / 7)
    assert covered([], {1}, rarity) == 0.0
    assert best_coverage([1, 2], [{2}, {1}], rarity) == 0.75
    assert best_coverage([1, 2], [], rarity) == 0.0


def test_rarity_can_be_judged_from_the_candidates() -> None:
    rarity = estimate_rarity([{1, 2}, {1}, {1, 3}])
    assert rarity[1] < rarity[2] == rarity[3]


@given(hits, hits, st.floats(0, 1))
def test_every_hit_is_ranked_once_within_bounds(
    dense: list[ScoredChunk], sparse: list[ScoredChunk], weight: float
) -> None:
    ranked = fuse(dense, sparse, weight)
    assert sorted(hit.chunk_id for hit in ranked) == sorted(
        {hit.chunk_id for hit in [*dense, *sparse]}
    )
    assert all(-1e-9 <= hit.score <= 1 + 1e-9 for hit in ranked)
    keys = [(-hit.score, hit.chunk_id) for hit in ranked]
    assert keys == sorted(keys)


@given(hits, hits, st.integers(0, 2**32 - 1))
def test_the_order_of_the_lists_does_not_matter(
    dense: list[ScoredChunk], sparse: list[ScoredChunk], seed: int
) -> None:
    vectors = dict(zip(IDS, _random_rows(seed), strict=True))
    turned = merge(dense[::-1], sparse[::-1])[::-1]
    assert fuse(dense[::-1], sparse[::-1]) == fuse(dense, sparse)
    assert rank(turned, vectors[IDS[0]], vectors) == rank(
        merge(dense, sparse), vectors[IDS[0]], vectors
    )


@given(hits, hits)
def test_without_vectors_rank_still_ranks_everything(
    dense: list[ScoredChunk], sparse: list[ScoredChunk]
) -> None:
    found = merge(dense, sparse)
    ranked = rank(found, unit(1, 0), {})
    assert {hit.chunk_id for hit in ranked} == {candidate.chunk_id for candidate in found}
    assert all(np.isfinite(hit.score) for hit in ranked)


@given(hits)
def test_one_empty_list_leaves_the_other_in_its_order(dense: list[ScoredChunk]) -> None:
    expected = sorted(dense, key=lambda hit: (-hit.score, hit.chunk_id))
    assert [hit.chunk_id for hit in fuse(dense, [], 1.0)] == [hit.chunk_id for hit in expected]


def _random_rows(seed: int) -> list[Vector]:
    rows = np.random.default_rng(seed).normal(size=(len(IDS), 8)).astype(np.float32)
    return list(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def test_verbatim_wants_every_word_in_order_and_prefers_the_same_capitals() -> None:
    assert verbatim("Cross-site scripting", "1; Cross-site\n scripting; 7") == 1
    assert verbatim("Cross-site scripting", "A7 Cross-Site Scripting (XSS)") == 0.5
    assert verbatim("Cross-site scripting", "scripting across a site") == 0
    assert verbatim("scripting", "scripting") == 0
    assert verbatim("Straße und Fluß", "die STRASSE\nund FLUSS") == 0.5
