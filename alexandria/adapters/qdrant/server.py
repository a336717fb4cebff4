"""The Qdrant index on a server, through the official client. Needs Qdrant 1.19 or later.

One collection is one generation. The same code runs on the client's local mode, which
searches by brute force and has no payload indexes; it serves tests.

Laws:
- Every write waits until the server has applied it.
- Every request may be repeated safely, and `requests` repeats it while the trouble
  looks temporary.
"""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self, cast

import numpy as np
from numpy.typing import NDArray

from alexandria.adapters.qdrant import points
from alexandria.adapters.qdrant.requests import ATTEMPTS, ask
from alexandria.errors import ConfigurationError, ConflictError, IntegrityError
from alexandria.knowledge.indexing import IndexEntry, ScoredChunk, SearchFilter, SparseVector

if TYPE_CHECKING:
    from qdrant_client import QdrantClient, models


TIMEOUT_S = 30
"""Longest wait for one request; writing a batch of points takes well under a second."""

READING_TIMEOUT_S = 5
"""Longest wait for a request while somebody waits for an answer."""


class QdrantServerIndex:
    """One generation as a collection, created when absent.

    Args:
        client: Where the collection lies; the caller closes it.
        collection: Its name.
        dimension: Components of a dense vector.
        is_reading: Only search: nothing is created or looked at first, or asked twice.

    Raises:
        StoreUnavailableError: The server does not answer.
        ConfigurationError: The collection holds vectors of another dimension.
    """

    def __init__(
        self,
        client: "QdrantClient",
        collection: str,
        dimension: int,
        *,
        is_reading: bool = False,
    ) -> None:
        self._client = client
        self._collection = collection
        self._dimension = dimension
        self._attempts = 1 if is_reading else ATTEMPTS
        if is_reading:
            return
        self._create_collection()
        info = ask(lambda: client.get_collection(collection))
        self._check_dimension(info)
        if not _is_local(client):
            self._create_payload_indexes(info)

    @classmethod
    @contextmanager
    def open(
        cls,
        url: str,
        collection: str,
        dimension: int,
        *,
        api_key: str | None = None,
        is_reading: bool = False,
    ) -> Generator[Self]:
        """The index on the server at `url`; the connection is closed at the end.

        Raises:
            StoreUnavailableError: The server does not answer.
            ConfigurationError: The key is refused, or the collection has another dimension.
        """
        from qdrant_client import QdrantClient

        timeout = READING_TIMEOUT_S if is_reading else TIMEOUT_S
        client = QdrantClient(url=url, api_key=api_key, timeout=timeout, check_compatibility=False)
        try:
            yield cls(client, collection, dimension, is_reading=is_reading)
        finally:
            client.close()

    def upsert(self, entries: Sequence[IndexEntry]) -> None:
        """Add or replace entries, in batches; applied when the call returns.

        Raises:
            InvalidInputError: A vector, id or time does not fit; nothing was written.
            StoreUnavailableError: The server does not answer; earlier batches are stored.
        """
        mapped = [
            [_point(entry) for entry in batch]
            for batch in points.entry_batches(entries, self._dimension)
        ]
        for batch in mapped:
            ask(lambda batch=batch: self._client.upsert(self._collection, batch, wait=True))

    def delete(self, chunk_ids: Iterable[str]) -> None:
        """Remove entries; applied when the call returns. Unknown ids are ignored."""
        from qdrant_client import models

        for batch in list(points.id_batches(chunk_ids)):
            selector = models.PointIdsList(points=list(batch))
            ask(lambda ids=selector: self._client.delete(self._collection, ids, wait=True))

    def chunk_ids(self) -> set[str]:
        """Every id the index holds."""
        found: set[str] = set()
        offset = None
        while True:
            records, offset = ask(
                lambda offset=offset: self._client.scroll(
                    self._collection,
                    limit=points.BATCH_IDS,
                    offset=offset,
                    with_payload=False,
                    with_vectors=False,
                )
            )
            found.update(str(record.id) for record in records)
            if offset is None:
                return found

    def vectors(self, chunk_ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The stored dense vectors, rounded to float16, of the ids that are there.

        Raises:
            IntegrityError: A chunk is there without its vector.
        """
        found: dict[str, NDArray[np.float32]] = {}
        for batch in points.batches(chunk_ids, points.BATCH_POINTS):
            records = ask(
                lambda batch=batch: self._client.retrieve(
                    self._collection, batch, with_payload=False, with_vectors=[points.DENSE]
                ),
                self._attempts,
            )
            found.update((str(record.id), _dense_of(record)) for record in records)
        return found

    def search_dense(
        self, vector: NDArray[np.float32], where: SearchFilter, limit: int
    ) -> list[ScoredChunk]:
        """Nearest entries by cosine, best first.

        Raises:
            InvalidInputError: The vector has another dimension, or a time has no zone.
            StoreUnavailableError: The server does not answer.
        """
        points.check_vector(vector, self._dimension)
        return self._search(vector.tolist(), points.DENSE, where, limit)

    def search_sparse(
        self, terms: SparseVector, where: SearchFilter, limit: int
    ) -> list[ScoredChunk]:
        """Best entries by BM25; only entries that share a term are found.

        Raises:
            InvalidInputError: A time has no zone.
            StoreUnavailableError: The server does not answer.
        """
        from qdrant_client import models

        ids, weights = points.sorted_terms(terms)
        if not ids:
            return []
        query = models.SparseVector(indices=ids, values=weights)
        return self._search(query, points.TERMS, where, limit)

    def count(self) -> int:
        """How many entries the index holds."""
        return ask(lambda: self._client.count(self._collection, exact=True), self._attempts).count

    def optimize(self) -> None:
        """Nothing to do: the server rebuilds its segments by itself, in the background."""

    def drop(self) -> None:
        """Delete the collection; the index cannot be used afterwards."""
        ask(lambda: self._client.delete_collection(self._collection))

    def _search(
        self,
        query: "list[float] | models.SparseVector",
        using: str,
        where: SearchFilter,
        limit: int,
    ) -> list[ScoredChunk]:
        from qdrant_client import models

        everything = models.IdfCorpusParams(corpus=models.Filter())
        params = models.SearchParams(idf=everything) if using == points.TERMS else None
        answer = ask(
            lambda: self._client.query_points(
                self._collection,
                query=query,
                using=using,
                query_filter=_filter(where),
                search_params=params,
                limit=limit,
                with_payload=False,
            ),
            self._attempts,
        )
        return points.ranked((str(hit.id), hit.score) for hit in answer.points)

    def _create_collection(self) -> None:
        if ask(lambda: self._client.collection_exists(self._collection)):
            return
        try:
            ask(lambda: _create(self._client, self._collection, self._dimension))
        except ConflictError:
            return  # another process created it in the meantime

    def _check_dimension(self, info: "models.CollectionInfo") -> None:
        vectors = cast("dict[str, models.VectorParams]", info.config.params.vectors or {})
        size = vectors[points.DENSE].size if points.DENSE in vectors else 0
        if size != self._dimension:
            raise ConfigurationError(
                f"The Qdrant collection {self._collection} has {size} dimensions and the model"
                f" {self._dimension}; give the generation a collection of its own"
            )

    def _create_payload_indexes(self, info: "models.CollectionInfo") -> None:
        for name, schema in _payload_schemas().items():
            if name not in info.payload_schema:
                ask(
                    lambda name=name, schema=schema: self._client.create_payload_index(
                        self._collection, name, schema, wait=True
                    )
                )


def _is_local(client: "QdrantClient") -> bool:
    options = client.init_options
    return options.get("location") == ":memory:" or options.get("path") is not None


def _create(client: "QdrantClient", collection: str, dimension: int) -> bool:
    from qdrant_client import models

    dense = models.VectorParams(
        size=dimension, distance=models.Distance.COSINE, datatype=models.Datatype.FLOAT16
    )
    return client.create_collection(
        collection,
        vectors_config={points.DENSE: dense},
        sparse_vectors_config={
            points.TERMS: models.SparseVectorParams(modifier=models.Modifier.IDF)
        },
    )


def _payload_schemas() -> "dict[str, models.KeywordIndexParams | models.DatetimeIndexParams]":
    from qdrant_client import models

    schemas: dict[str, models.KeywordIndexParams | models.DatetimeIndexParams] = {
        name: models.KeywordIndexParams(
            type=models.KeywordIndexType.KEYWORD, is_tenant=name == points.TENANT_FIELD
        )
        for name in points.KEYWORD_FIELDS
    }
    time_index = models.DatetimeIndexParams(type=models.DatetimeIndexType.DATETIME)
    return schemas | {points.TIME_FIELD: time_index}


def _point(entry: IndexEntry) -> "models.PointStruct":
    from qdrant_client import models

    ids, weights = points.stored_terms(entry.terms)
    terms = models.SparseVector(indices=ids, values=weights)
    return models.PointStruct(
        id=entry.chunk_id,
        vector={points.DENSE: entry.dense.tolist(), points.TERMS: terms},
        payload={**points.payload_of(entry)},
    )


def _filter(where: SearchFilter) -> "models.Filter":
    from qdrant_client import models

    return models.Filter(must=[_condition(condition) for condition in points.conditions(where)])


def _condition(condition: points.Condition) -> "models.FieldCondition":
    from qdrant_client import models

    match condition:
        case points.AnyOf(field, values):
            return models.FieldCondition(key=field, match=models.MatchAny(any=list(values)))
        case points.Between(field, earliest, latest):
            # the model reads the same RFC 3339 text the payload holds
            between = models.DatetimeRange.model_validate({"gte": earliest, "lte": latest})
            return models.FieldCondition(key=field, range=between)


def _dense_of(record: "models.Record") -> NDArray[np.float32]:
    named = cast("dict[str, list[float]]", record.vector or {})
    if points.DENSE not in named:
        raise IntegrityError(f"Chunk {record.id} has lost its vector; rebuild the Qdrant index")
    return points.dense_array(named[points.DENSE])
