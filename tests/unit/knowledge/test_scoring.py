"""Hand-computed values, and the laws every measure keeps."""

import math
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alexandria.errors import InvalidInputError
from alexandria.knowledge.scoring import (
    Grades,
    documents_of,
    mean_over_queries,
    mrr_at,
    ndcg_at,
    recall_at,
    score_rankings,
)

Graded = dict[str, int]
Measure = Callable[[int, Sequence[str], Grades], float]

DOCUMENTS = [f"d{i}" for i in range(12)]
GRADES = {"a": 3, "b": 2, "c": 0, "d": 1}

rankings = st.lists(st.sampled_from(DOCUMENTS), unique=True)
graded = st.dictionaries(st.sampled_from(DOCUMENTS), st.integers(0, 3))


def test_ndcg_uses_linear_gain_and_log2_discount() -> None:
    # ranks: b=2 at 1, x=0 at 2, a=3 at 3; best order: a=3, b=2, d=1
    gained = 2 / 1 + 3 / 2
    ideal = 3 / 1 + 2 / math.log2(3) + 1 / 2
    assert ndcg_at(3, ["b", "x", "a", "d"], GRADES) == pytest.approx(gained / ideal)
    assert ndcg_at(3, ["b", "x", "a", "d"], GRADES) == pytest.approx(0.735007, abs=1e-6)


def test_ndcg_at_k_compares_with_the_best_k() -> None:
    assert ndcg_at(1, ["a"], GRADES) == 1.0
    assert ndcg_at(1, ["b"], GRADES) == pytest.approx(2 / 3)


def test_reciprocal_rank_and_recall() -> None:
    assert mrr_at(10, ["x", "c", "b"], GRADES) == pytest.approx(1 / 3)
    assert mrr_at(2, ["x", "c", "b"], GRADES) == 0.0
    assert recall_at(2, ["a", "x", "b", "d"], GRADES) == pytest.approx(1 / 3)
    assert recall_at(10, ["a", "x", "b", "d"], GRADES) == 1.0


@pytest.mark.parametrize("measure", [ndcg_at, mrr_at, recall_at])
def test_nothing_relevant_or_nothing_found_is_zero(measure: Measure) -> None:
    assert measure(10, ["a"], {"a": 0}) == 0.0
    assert measure(10, [], GRADES) == 0.0


@pytest.mark.parametrize("measure", [ndcg_at, mrr_at, recall_at])
def test_a_document_ranked_twice_is_refused(measure: Measure) -> None:
    with pytest.raises(InvalidInputError, match="twice"):
        measure(10, ["x", "x"], GRADES)


@pytest.mark.parametrize("measure", [ndcg_at, mrr_at, recall_at])
def test_a_cut_below_one_is_refused(measure: Measure) -> None:
    with pytest.raises(InvalidInputError):
        measure(0, ["a"], GRADES)


@given(rankings, graded, st.integers(1, 15))
def test_measures_lie_between_zero_and_one(ranking: list[str], grades: Graded, k: int) -> None:
    for measure in (ndcg_at, mrr_at, recall_at):
        assert 0.0 <= measure(k, ranking, grades) <= 1.0 + 1e-12


@given(graded.filter(lambda grades: any(grades.values())), st.integers(1, 15))
def test_the_best_order_scores_one(grades: Graded, k: int) -> None:
    best = sorted(grades, key=lambda document: -grades[document])
    assert ndcg_at(k, best, grades) == pytest.approx(1.0)


@given(rankings.filter(lambda r: len(r) > 1), graded, st.data())
def test_moving_a_better_document_up_never_lowers_ndcg(
    ranking: list[str], grades: Graded, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(ranking) - 2))
    swapped = [*ranking]
    swapped[place], swapped[place + 1] = ranking[place + 1], ranking[place]
    better = grades.get(ranking[place + 1], 0) >= grades.get(ranking[place], 0)
    before, after = ndcg_at(10, ranking, grades), ndcg_at(10, swapped, grades)
    assert (after >= before - 1e-12) if better else (after <= before + 1e-12)


def test_an_unanswered_query_counts_as_zero_and_an_unjudged_one_not_at_all() -> None:
    judgements = {"q1": {"a": 1}, "q2": {"a": 1}, "q3": {"a": 0}}
    found = {"q1": ["a"], "q3": ["a"], "q4": ["a"]}
    assert mean_over_queries(ndcg_at, 10, found, judgements) == 0.5
    scores = score_rankings(found, judgements)
    assert (scores.queries, scores.recall_at_100, scores.mrr_at_10) == (2, 0.5, 0.5)


def test_without_a_relevant_document_there_is_no_mean() -> None:
    with pytest.raises(InvalidInputError, match="labelled"):
        score_rankings({}, {"q": {"a": 0}})


def test_documents_stand_where_their_best_chunk_does() -> None:
    document_of = {"a1": "a", "b1": "b", "a2": "a"}
    assert documents_of(["b1", "a2", "a1"], document_of) == ["b", "a"]
    with pytest.raises(InvalidInputError, match="c9"):
        documents_of(["c9"], document_of)
