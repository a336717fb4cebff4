"""One generation's chunks in Postgres: `halfvec` for dense, `sparsevec` for BM25 terms.

Dense search is exact until `dense_index_rows` entries, then through an HNSW index. BM25 is
exact always: from as many entries on, an index of the terms tells which entries share one
with the question. Entries are invisible to searches until they are published.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from alexandria.adapters.postgres import Database, Row
from alexandria.knowledge.indexing import IndexEntry, ScoredChunk, SearchFilter, SparseVector
from alexandria.knowledge.terms import inverse_document_frequency

TERM_SPACE = 999_999_999
"""Dimension of the sparse vectors: one more than the largest term id."""

_LEAST_MEMORY, _MOST_MEMORY = 64 * 1024, 512 * 1024
"""Kilobytes that Postgres may take to build an index; the graph of 100,000 vectors of 384
components wants 200 MB (37 s, against 60 s in 64 MB)."""

_SENT_HEADER = 2
"""Numbers of two bytes before those of a vector, as Postgres sends it."""

_COLUMN_TYPES = (
    *("text", "uuid", "uuid", "uuid", "text", "uuid", "text", "text[]", "timestamptz"),
    *("halfvec", "sparsevec", "int4[]"),
)
"""Of the columns of `copy_entries`, in its order."""


@dataclass(frozen=True, slots=True)
class _StoredEntry:
    chunk_id: str
    document_id: str
    source_id: str
    tenant_id: str
    access_id: str
    language: str
    tags: list[str]
    modified_at: datetime
    dense: Any
    terms: Any


@dataclass(frozen=True, slots=True)
class _StoredVector:
    chunk_id: str
    dense: bytes


@dataclass(frozen=True, slots=True)
class _FoundRow:
    chunk_id: str
    score: float
    dense: bytes


@dataclass(frozen=True, slots=True)
class FoundEntry(ScoredChunk):
    """A hit that brings its vector along."""

    vector: NDArray[np.float32] = field(compare=False)


@dataclass(frozen=True, slots=True)
class _Frequency:
    term_id: int
    document_frequency: int
    entry_count: int
    is_indexed: bool


class PostgresIndex:
    """`VectorIndex` on the partition of one generation.

    Args:
        database: Where it lives.
        generation_id: Which partition.
        dimension: Components of its vectors.
        dense_index_rows: Published entries from which indexes for searching pay.
        with_staged: Whether searches see entries that are not published yet.
    """

    def __init__(
        self,
        database: Database,
        generation_id: str,
        dimension: int,
        *,
        dense_index_rows: int = 5_000,
        with_staged: bool = False,
    ) -> None:
        self._database = database
        self._generation = {"generation_id": generation_id}
        self._table = f"knowledge.index_entries_{generation_id}"
        self._dimension = dimension
        self._dense_index_rows = dense_index_rows
        self.with_staged = with_staged
        self._rarity: dict[frozenset[int], dict[int, float]] = {}
        self._has_term_index = False

    def upsert(self, entries: Sequence[IndexEntry]) -> None:
        """Add or replace entries, unpublished, in one transaction."""
        self._rarity.clear()
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
        self._rarity.clear()
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
                access_id=entry.access_id,
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
        rows = _received([entry.dense for entry in stored])
        return {entry.chunk_id: row for entry, row in zip(stored, rows, strict=True)}

    def search_dense(
        self, vector: NDArray[np.float32], where: SearchFilter, limit: int
    ) -> list[ScoredChunk]:
        """Nearest entries by cosine, best first, each a `FoundEntry` where an index finds them.

        The graph is walked so far and no further: where the filter lets few of the near ones
        through, that brings too few, and then every entry that passes is compared.
        """
        half = self._half(vector)
        near = self._search(_FoundRow, "search_dense", where, limit, vector=half)
        if len(near) < limit:
            return self._search(ScoredChunk, "search_dense_exactly", where, limit, vector=half)
        return _with_vectors(near)

    def search_sparse(
        self, terms: SparseVector, where: SearchFilter, limit: int
    ) -> list[ScoredChunk]:
        """Best entries by BM25, best first, each a `FoundEntry`."""
        weighted = self._weigh(terms)
        if not weighted:
            return []
        best = self._search(
            _FoundRow,
            "search_sparse",
            where,
            limit,
            terms=_sparse(weighted),
            term_ids=list(weighted) if self._has_term_index else [],
        )
        return _with_vectors(best)

    def rarity(self, term_ids: Iterable[int]) -> dict[int, float]:
        """IDF of the terms that some entry has, as it is when they are first asked for."""
        terms = frozenset(term_ids)
        if terms not in self._rarity:
            known = self._database.fetch(
                _Frequency,
                "term_frequencies",
                term_ids=list(terms),
                index=f"{self._table}_term_ids_idx",
                **self._generation,
            )
            self._has_term_index = any(item.is_indexed for item in known)
            self._rarity[terms] = {
                item.term_id: inverse_document_frequency(item.document_frequency, item.entry_count)
                for item in known
            }
        return self._rarity[terms]

    def optimize(self) -> None:
        """Refresh the planner's statistics; build the indexes for searching once they pay.

        Only what is published counts: publishing rewrites entries, which costs more with the
        indexes than without.
        """
        self._database.statement(f"ANALYZE {self._table}")
        published = self._database.value("count_published_entries", **self._generation)
        if published >= self._dense_index_rows:
            self._rarity.clear()
            self._build_indexes(published)

    def _build_indexes(self, entries: int) -> None:
        """A graph that does not fit into the memory for building takes half as long again."""
        name = self._table.split(".")[1]
        kilobytes = min(max(_LEAST_MEMORY, entries * self._dimension // 150), _MOST_MEMORY)
        with self._database.transaction():
            self._database.statement(f"SET LOCAL maintenance_work_mem = {kilobytes}")
            self._database.statement(
                f"CREATE INDEX IF NOT EXISTS {name}_dense_idx ON {self._table} USING hnsw "
                f"((dense::halfvec({self._dimension})) halfvec_cosine_ops)"
            )
            self._database.statement(
                f"CREATE INDEX IF NOT EXISTS {name}_term_ids_idx ON {self._table} "
                "USING gin (term_ids knowledge.term_ids_ops)"
            )

    def drop(self) -> None:
        """Remove the partition."""
        self._database.statement(f"DROP TABLE IF EXISTS {self._table}")

    def _search(
        self, row: type[Row], query: str, where: SearchFilter, limit: int, **question: object
    ) -> list[Row]:
        return self._database.fetch(
            row,
            query,
            limit=limit,
            with_staged=self.with_staged,
            dimension=self._dimension,
            tenant_id=where.tenant_id,
            access_ids=None if where.access_ids is None else list(where.access_ids),
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
            UUID(entry.access_id),
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


def _received(sent: Sequence[bytes]) -> Sequence[NDArray[np.float32]]:
    """Vectors that Postgres sent, as `halfvec_send` writes them."""
    if not sent:
        return []
    numbers = np.frombuffer(b"".join(sent), ">f2").reshape(len(sent), -1)
    return list(numbers[:, _SENT_HEADER:].astype(np.float32))


def _with_vectors(found: Sequence[_FoundRow]) -> list[ScoredChunk]:
    vectors = _received([row.dense for row in found])
    return [
        FoundEntry(row.chunk_id, row.score, vector)
        for row, vector in zip(found, vectors, strict=True)
    ]


def _sparse(terms: SparseVector) -> object:
    from pgvector import SparseVector as PostgresSparseVector

    return PostgresSparseVector(dict(terms), TERM_SPACE)
