"""What both Qdrant indexes must answer, in nothing but numpy and dictionaries."""

import math
import uuid
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from alexandria.adapters.qdrant.edge import QdrantEdgeIndex
from alexandria.adapters.qdrant.server import QdrantServerIndex
from alexandria.knowledge.indexing import IndexEntry, ScoredChunk, SearchFilter, SparseVector

DIMENSION = 16
START = datetime(2024, 1, 1, tzinfo=UTC)
Index = QdrantEdgeIndex | QdrantServerIndex


def chunk_id(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, str(number)))


def entry(number: int, version: int = 0, tenant: str = "default") -> IndexEntry:
    """An entry that is a function of its arguments, with 0 to 11 of 40 terms."""
    rng = np.random.default_rng([number, version])
    dense = rng.standard_normal(DIMENSION).astype(np.float32)
    terms = rng.choice(40, size=number % 12, replace=False)
    return IndexEntry(
        chunk_id=chunk_id(number),
        document_id=f"document-{number // 5}",
        source_id=f"source-{number % 3}",
        tenant_id=tenant,
        access_id=f"access-{number % 2}",
        language=("en", "de")[number % 2],
        tags=("red", "blue", "green")[: number % 4],
        modified_at=START + timedelta(days=number, microseconds=1),
        dense=(dense / np.linalg.norm(dense)).astype(np.float32),
        terms={int(term): float(rng.uniform(0.5, 2.2)) for term in terms},
    )


@contextmanager
def edge_index(folder: Path) -> Generator[Index]:
    with QdrantEdgeIndex.open(folder / "generation", DIMENSION) as index:
        yield index


@contextmanager
def local_index(_folder: Path) -> Generator[Index]:
    from qdrant_client import QdrantClient

    client = QdrantClient(":memory:")
    try:
        yield QdrantServerIndex(client, "generation", DIMENSION)
    finally:
        client.close()


OPENERS: dict[str, Callable[[Path], AbstractContextManager[Index]]] = {
    "edge": edge_index,
    "server": local_index,
}


def passes(candidate: IndexEntry, where: SearchFilter) -> bool:
    return (
        candidate.tenant_id == where.tenant_id
        and (not where.source_ids or candidate.source_id in where.source_ids)
        and (not where.languages or candidate.language in where.languages)
        and (not where.tags or bool(set(where.tags) & set(candidate.tags)))
        and (not where.document_ids or candidate.document_id in where.document_ids)
        and (where.modified_from is None or candidate.modified_at >= where.modified_from)
        and (where.modified_to is None or candidate.modified_at <= where.modified_to)
    )


def dense_scores(
    entries: Iterable[IndexEntry], vector: NDArray[np.float32], where: SearchFilter
) -> dict[str, float]:
    length = float(np.linalg.norm(vector))
    return {e.chunk_id: float(e.dense @ vector) / length for e in entries if passes(e, where)}


def sparse_scores(
    entries: Sequence[IndexEntry], query: SparseVector, where: SearchFilter
) -> dict[str, float]:
    n = len(entries)
    frequency = {term: sum(term in e.terms for e in entries) for term in query}
    idf = {t: math.log(1 + (n - df + 0.5) / (df + 0.5)) for t, df in frequency.items()}
    return {
        e.chunk_id: sum(query[t] * idf[t] * e.terms[t] for t in query.keys() & e.terms.keys())
        for e in entries
        if passes(e, where) and query.keys() & e.terms.keys()
    }


def assert_ranking(
    found: list[ScoredChunk], expected: dict[str, float], limit: int, tolerance: float
) -> None:
    """The scores are the model's, best first; ids may differ only among equal scores."""
    best = sorted(expected.values(), reverse=True)[:limit]
    assert len(found) == len({hit.chunk_id for hit in found}) == len(best)
    assert [hit.score for hit in found] == pytest.approx(best, abs=tolerance)
    assert [expected[hit.chunk_id] for hit in found] == pytest.approx(best, abs=tolerance)


def library() -> list[IndexEntry]:
    """Two tenants of 100, all written; then a quarter replaced and a quarter deleted."""
    first = [entry(n) for n in range(100)]
    second = [entry(n, tenant="other") for n in range(100, 200)]
    return first + second
