"""One generation's chunks in Postgres: `halfvec` for dense, `sparsevec` for BM25 terms.

Dense search is exact until `dense_index_rows` entries, then through an HNSW index. BM25 is
exact always. Entries are invisible to searches until they are published.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from alexandria.adapters.postgres import Database
from alexandria.knowledge.indexing import IndexEntry, ScoredChunk, SearchFilter, SparseVector
from alexandria.knowledge.terms import inverse_document_frequency

TERM_SPACE = 999_999_999
"""Dimension of the sparse vectors: one more than the largest term id."""

_COLUMN_TYPES = (
    *("text", "uuid", "uuid", "uuid", "text", "text", "text[]", "timestamptz"),
    *("halfvec", "sparsevec", "int4[]"),
)
"""Of the columns of `copy_entries`, in its order."""


@dataclass(frozen=True, slots=True)
class _StoredEntry:
    chunk_id: str
    document_id: str
    source_id: str
    tenant_id: str
    language: str
    tags: list[str]
    modified_at: datetime
    dense: Any
    terms: Any


@dataclass(frozen=True, slots=True)
class _StoredVector:
    chunk_id: str
    dense: Any


@dataclass(frozen=True, slots=True)
class _Frequency:
    term_id: int
    document_frequency: int


class PostgresIndex:
    """`VectorIndex` on the partition of one generation.

    Args:
        database: Where it lives.
        generation_id: Which partition.
        dimension: Components of its vectors.
        dense_index_rows: Entries from which an HNSW index pays.
        with_staged: Whether searches see entries that are not published yet.
    """

    def __init__(
        self,
        database: Database,
        generation_id: str,
        dimension: int,
        *,
        dense_index_rows: int = 20_000,
        with_staged: bool = False,
    ) -> None:
        self._database = database
        self._generation = {"generation_id": generation_id}
        self._table = f"knowledge.index_entries_{generation_id}"
        self._dimension = dimension
        self._dense_index_rows = dense_index_rows
        self._with_staged = with_staged

    def upsert(self, entries: Sequence[IndexEntry]) -> None:
        """Add or replace entries, unpublished, in one transaction."""
        with self._database.transaction():
            self._database.execute(
                "replace_entries",
                chunk_ids=[entry.chunk_id for entry in entries],
                **self._generation,
            )
            rows = (self._row(entry) for entry in entries)
            self._database.copy("copy_entries", _COLUMN_TYPES, rows)

    def delete(self, chunk_ids: Iterable[str]) -> None:
        """Remove entries; ids that are not there are ignored."""
        self._database.execute("replace_entries", chunk_ids=list(chunk_ids), **self._generation)

    def chunk_ids(self) -> set[str]:
        """Every id the index holds, published or not."""
        return set(self._database.column("entry_ids", **self._generation))

    def count(self) -> int:
        """How many entries it holds."""
        return int(self._database.value("count_entries", **self._generation) or 0)

    def entries(self, chunk_ids: Sequence[str]) -> list[IndexEntry]:
        """The entries of these ids as they are stored."""
        stored = self._database.fetch(
            _StoredEntry, "read_entries", chunk_ids=list(chunk_ids), **self._generation
        )
        return [
            IndexEntry(
                chunk_id=entry.chunk_id,
                document_id=entry.document_id,
                source_id=entry.source_id,
                tenant_id=entry.tenant_id,
                language=entry.language,
                tags=tuple(entry.tags),
                modified_at=entry.modified_at,
                dense=entry.dense.to_numpy().astype(np.float32),
                terms=dict(zip(entry.terms.indices(), entry.terms.values(), strict=True)),
            )
            for entry in stored
        ]

    def vectors(self, chunk_ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The stored dense vectors of the ids that are there."""
        stored = self._database.fetch(
            _StoredVector, "entry_vectors", chunk_ids=list(chunk_ids), **self._generation
        )
        return {entry.chunk_id: entry.dense.to_numpy().astype(np.float32) for entry in stored}

    def search_dense(
        self, vector: NDArray[np.float32], where: SearchFilter, limit: int
    ) -> list[ScoredChunk]:
        """Nearest entries by cosine, best first."""
        return self._search("search_dense", where, limit, vector=self._half(vector))

    def search_sparse(
        self, terms: SparseVector, where: SearchFilter, limit: int
    ) -> list[ScoredChunk]:
        """Best entries by BM25, best first."""
        weighted = self._weigh(terms)
        if not weighted:
            return []
        return self._search("search_sparse", where, limit, terms=_sparse(weighted))

    def rarity(self, term_ids: Iterable[int]) -> dict[int, float]:
        """IDF of the terms that some entry has."""
        total = self.count()
        known = self._database.fetch(
            _Frequency, "term_frequencies", term_ids=list(term_ids), **self._generation
        )
        return {
            item.term_id: inverse_document_frequency(item.document_frequency, total)
            for item in known
        }

    def optimize(self) -> None:
        """Refresh the planner's statistics; build the HNSW index once it pays."""
        self._database.statement(f"ANALYZE {self._table}")
        if self.count() >= self._dense_index_rows:
            self._database.statement(
                f"CREATE INDEX IF NOT EXISTS {self._table.split('.')[1]}_dense_idx "
                f"ON {self._table} USING hnsw "
                f"((dense::halfvec({self._dimension})) halfvec_cosine_ops)"
            )

    def drop(self) -> None:
        """Remove the partition."""
        self._database.statement(f"DROP TABLE IF EXISTS {self._table}")

    def _search(
        self, query: str, where: SearchFilter, limit: int, **question: object
    ) -> list[ScoredChunk]:
        return self._database.fetch(
            ScoredChunk,
            query,
            limit=limit,
            with_staged=self._with_staged,
            dimension=self._dimension,
            tenant_id=where.tenant_id,
            source_ids=list(where.source_ids),
            document_ids=list(where.document_ids),
            languages=list(where.languages),
            tags=list(where.tags),
            modified_from=where.modified_from,
            modified_to=where.modified_to,
            **question,
            **self._generation,
        )

    def _weigh(self, terms: SparseVector) -> SparseVector:
        """Query weights times IDF; terms that no entry has are left out."""
        return {term_id: terms[term_id] * idf for term_id, idf in self.rarity(terms).items()}

    def _row(self, entry: IndexEntry) -> tuple[object, ...]:
        return (
            self._generation["generation_id"],
            UUID(entry.chunk_id),
            UUID(entry.document_id),
            UUID(entry.source_id),
            entry.tenant_id,
            entry.language,
            list(entry.tags),
            entry.modified_at,
            self._half(entry.dense),
            _sparse(entry.terms),
            list(entry.terms),
        )

    def _half(self, vector: NDArray[np.float32]) -> object:
        from pgvector import HalfVector

        return HalfVector(vector)


def _sparse(terms: SparseVector) -> object:
    from pgvector import SparseVector as PostgresSparseVector

    return PostgresSparseVector(dict(terms), TERM_SPACE)
