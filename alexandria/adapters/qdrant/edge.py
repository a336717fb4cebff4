"""The Qdrant index in this process: the engine itself on a folder, with no server.

Laws:
- `upsert` and `delete` are on disk when they return. The flush takes 0.2 to 0.6 s whatever
  the number of entries, so write in thousands, not one by one.
- Search is exact up to `folder.EXACT_UP_TO` points: 2.5 ms for 50,000 of 384 dimensions.
"""

import shutil
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

import numpy as np
from numpy.typing import NDArray

from alexandria.adapters.qdrant import points
from alexandria.adapters.qdrant.folder import (
    create_payload_indexes,
    engine_errors,
    load,
    lock,
)
from alexandria.errors import IntegrityError
from alexandria.knowledge.indexing import IndexEntry, ScoredChunk, SearchFilter, SparseVector

if TYPE_CHECKING:
    import qdrant_edge


class QdrantEdgeIndex:
    """One generation in a folder of this machine. Made by `open`."""

    def __init__(self, shard: "qdrant_edge.EdgeShard", folder: Path, dimension: int) -> None:
        self._shard = shard
        self._folder = folder
        self._dimension = dimension

    @classmethod
    @contextmanager
    def open(cls, folder: Path, dimension: int) -> Generator[Self]:
        """The index in the folder, created when absent; flushed and unlocked at the end.

        Args:
            folder: Where the generation lies; its parents are created.
            dimension: Components of a dense vector.

        Raises:
            IndexLockedError: Another open index holds the folder.
            ConfigurationError: The folder holds vectors of another dimension.
            StoreUnavailableError: The disk is full.
        """
        with lock(folder):
            shard = load(folder, dimension)
            try:
                create_payload_indexes(shard)
                yield cls(shard, folder, dimension)
            finally:
                shard.close()

    @engine_errors()
    def upsert(self, entries: Sequence[IndexEntry]) -> None:
        """Add or replace entries, in batches; on disk when the call returns.

        Raises:
            InvalidInputError: A vector, id or time does not fit; nothing was written.
        """
        from qdrant_edge import UpdateOperation

        mapped = [
            [_point(entry) for entry in batch]
            for batch in points.entry_batches(entries, self._dimension)
        ]
        for batch in mapped:
            self._shard.update(UpdateOperation.upsert_points(batch))
        if mapped:
            self._shard.flush()

    @engine_errors()
    def delete(self, chunk_ids: Iterable[str]) -> None:
        """Remove entries; on disk when the call returns. Unknown ids are ignored."""
        from qdrant_edge import UpdateOperation

        for batch in list(points.id_batches(chunk_ids)):
            self._shard.update(UpdateOperation.delete_points(list(batch)))
            self._shard.flush()

    @engine_errors()
    def chunk_ids(self) -> set[str]:
        """Every id the index holds."""
        from qdrant_edge import ScrollRequest

        found: set[str] = set()
        offset = None
        while True:
            request = ScrollRequest(
                offset=offset, limit=points.BATCH_IDS, with_payload=False, with_vector=False
            )
            records, offset = self._shard.scroll(request)
            found.update(str(record.id) for record in records)
            if offset is None:
                return found

    @engine_errors()
    def vectors(self, chunk_ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The stored dense vectors, rounded to float16, of the ids that are there.

        Raises:
            IntegrityError: A chunk is there without its vector; the folder is damaged.
        """
        found: dict[str, NDArray[np.float32]] = {}
        for batch in points.id_batches(chunk_ids):
            for record in self._shard.retrieve(list(batch), False, [points.DENSE]):
                found[str(record.id)] = _dense_of(record)
        return found

    def search_dense(
        self, vector: NDArray[np.float32], where: SearchFilter, limit: int
    ) -> list[ScoredChunk]:
        """Nearest entries by cosine, best first.

        Raises:
            InvalidInputError: The vector has another dimension, or a time has no zone.
        """
        from qdrant_edge import Query

        points.check_vector(vector, self._dimension)
        return self._search(Query.Nearest(vector.tolist(), using=points.DENSE), where, limit)

    def search_sparse(
        self, terms: SparseVector, where: SearchFilter, limit: int
    ) -> list[ScoredChunk]:
        """Best entries by BM25; only entries that share a term are found.

        Raises:
            InvalidInputError: A time has no zone.
        """
        from qdrant_edge import Filter, IdfParams, Query, SearchParams
        from qdrant_edge import SparseVector as EdgeSparseVector

        ids, weights = points.sorted_terms(terms)
        if not ids:
            return []
        query = Query.Nearest(EdgeSparseVector(ids, weights), using=points.TERMS)
        living_points = SearchParams(idf=IdfParams(corpus=Filter()))
        return self._search(query, where, limit, living_points)

    @engine_errors()
    def count(self) -> int:
        """How many entries the index holds."""
        from qdrant_edge import CountRequest

        return self._shard.count(CountRequest(exact=True))

    @engine_errors()
    def optimize(self) -> None:
        """Give back the room of deleted entries and, past `folder.EXACT_UP_TO`, build the graph.

        Does nothing until a fifth of the entries were deleted or replaced.
        """
        self._shard.optimize()

    def drop(self) -> None:
        """Delete the folder and close; the index cannot be used afterwards."""
        self._shard.close()
        shutil.rmtree(self._folder)

    @engine_errors()
    def _search(
        self,
        query: "qdrant_edge.Query",
        where: SearchFilter,
        limit: int,
        params: "qdrant_edge.SearchParams | None" = None,
    ) -> list[ScoredChunk]:
        from qdrant_edge import QueryRequest

        request = QueryRequest(limit=limit, query=query, filter=_filter(where), params=params)
        return points.ranked((str(hit.id), hit.score) for hit in self._shard.query(request))


def _point(entry: IndexEntry) -> "qdrant_edge.Point":
    from qdrant_edge import Point
    from qdrant_edge import SparseVector as EdgeSparseVector

    vectors: dict[str, list[float] | EdgeSparseVector | list[list[float]]] = {
        points.DENSE: entry.dense.tolist(),
        points.TERMS: EdgeSparseVector(*points.stored_terms(entry.terms)),
    }
    return Point(entry.chunk_id, vectors, points.payload_of(entry))


def _filter(where: SearchFilter) -> "qdrant_edge.Filter":
    from qdrant_edge import Filter

    return Filter(must=[_condition(condition) for condition in points.conditions(where)])


def _condition(condition: points.Condition) -> "qdrant_edge.FieldCondition":
    from qdrant_edge import FieldCondition, MatchAny, RangeDateTime

    match condition:
        case points.AnyOf(field, values):
            return FieldCondition(field, match=MatchAny(list(values)))
        case points.Between(field, earliest, latest):
            return FieldCondition(field, range=RangeDateTime(gte=earliest, lte=latest))


def _dense_of(record: "qdrant_edge.Record") -> NDArray[np.float32]:
    named = cast("dict[str, list[float]]", record.vector or {})
    if points.DENSE not in named:
        raise IntegrityError(f"Chunk {record.id} has lost its vector; rebuild the Qdrant index")
    return points.dense_array(named[points.DENSE])
