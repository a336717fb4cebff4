"""How good a ranking is, against human judgements: nDCG, reciprocal rank and recall.

Judgements are by document. A ranking of chunks is first turned into one of documents, each
at the place of its best chunk (`documents_of`).

Laws: every measure lies in 0..1. A query counts when at least one document is judged above
0 for it, and one that was judged but not answered scores 0, so leaving hard questions out
never raises a mean. The gain of a document is its grade itself (linear), as in trec_eval
and BEIR, not 2^grade - 1; for grades 0 and 1 the two are the same.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from alexandria.errors import InvalidInputError

Grades = Mapping[str, int]
"""Document id to grade; an unjudged document counts as 0."""

Judgements = Mapping[str, Grades]
"""Query id to the grades of its documents."""

Rankings = Mapping[str, Sequence[str]]
"""Query id to document ids, best first, none twice."""


@dataclass(frozen=True, slots=True)
class RetrievalScores:
    """Means over the queries that have a relevant document.

    Attributes:
        ndcg_at_10: Normalized discounted cumulative gain of the first 10.
        mrr_at_10: Mean of 1 / rank of the first relevant document, 0 beyond rank 10.
        recall_at_10: Share of the relevant documents among the first 10.
        recall_at_100: The same among the first 100.
        queries: How many queries the means are over.
    """

    ndcg_at_10: float
    mrr_at_10: float
    recall_at_10: float
    recall_at_100: float
    queries: int


def ndcg_at(k: int, ranking: Sequence[str], grades: Grades) -> float:
    """Discounted gain of the first `k`, as a share of the best order's.

    The gain at rank r (from 1) is grade / log2(r + 1); negative grades count as 0.

    Returns:
        0..1; 0 when no document has a grade above 0.

    Raises:
        InvalidInputError: `k` is below 1 or a document is ranked twice.
    """
    gained = _discounted([grades.get(document, 0) for document in _first(k, ranking)])
    ideal = _discounted(sorted(grades.values(), reverse=True)[:k])
    return gained / ideal if ideal else 0.0


def mrr_at(k: int, ranking: Sequence[str], grades: Grades) -> float:
    """1 / rank of the first relevant document; 0 when the first `k` hold none.

    Raises:
        InvalidInputError: `k` is below 1 or a document is ranked twice.
    """
    for rank, document in enumerate(_first(k, ranking), start=1):
        if grades.get(document, 0) > 0:
            return 1 / rank
    return 0.0


def recall_at(k: int, ranking: Sequence[str], grades: Grades) -> float:
    """Share of the relevant documents among the first `k`; 0 when none is relevant.

    Raises:
        InvalidInputError: `k` is below 1 or a document is ranked twice.
    """
    relevant = {document for document, grade in grades.items() if grade > 0}
    found = relevant.intersection(_first(k, ranking))
    return len(found) / len(relevant) if relevant else 0.0


def mean_over_queries(
    measure: Callable[[int, Sequence[str], Grades], float],
    k: int,
    rankings: Rankings,
    judgements: Judgements,
) -> float:
    """Mean of one measure at `k` over the queries that have a relevant document.

    Raises:
        InvalidInputError: No query has a relevant document.
    """
    queries = _judged(judgements)
    return math.fsum(measure(k, rankings.get(q, ()), judgements[q]) for q in queries) / len(queries)


def score_rankings(rankings: Rankings, judgements: Judgements) -> RetrievalScores:
    """The measures the gate and the benchmarks report.

    Raises:
        InvalidInputError: No query has a relevant document, or a document is ranked twice.
    """
    return RetrievalScores(
        ndcg_at_10=mean_over_queries(ndcg_at, 10, rankings, judgements),
        mrr_at_10=mean_over_queries(mrr_at, 10, rankings, judgements),
        recall_at_10=mean_over_queries(recall_at, 10, rankings, judgements),
        recall_at_100=mean_over_queries(recall_at, 100, rankings, judgements),
        queries=len(_judged(judgements)),
    )


def documents_of(chunk_ids: Iterable[str], document_of: Mapping[str, str]) -> list[str]:
    """Ranked chunks as ranked documents, each at its best chunk's place.

    Raises:
        InvalidInputError: A chunk's document is not known.
    """
    try:
        return list(dict.fromkeys(document_of[chunk_id] for chunk_id in chunk_ids))
    except KeyError as missing:
        raise InvalidInputError(
            f"Chunk {missing.args[0]} has no document; score against the index it came from."
        ) from missing


def _judged(judgements: Judgements) -> list[str]:
    queries = [q for q, grades in judgements.items() if any(g > 0 for g in grades.values())]
    if not queries:
        raise InvalidInputError("No query has a document judged above 0; add labelled questions.")
    return queries


def _first(k: int, ranking: Sequence[str]) -> Sequence[str]:
    if k < 1:
        raise InvalidInputError(f"A measure at {k} is not defined; ask for 1 or more.")
    first = ranking[:k]
    if len(set(first)) != len(first):
        raise InvalidInputError("A document is ranked twice; keep only its best place.")
    return first


def _discounted(grades: Sequence[int]) -> float:
    return math.fsum(max(g, 0) / math.log2(rank + 1) for rank, g in enumerate(grades, start=1))
