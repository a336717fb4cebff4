"""How a chunk lies in Qdrant: names, payload, batches and filters, for both engines.

A generation is one collection (server) or one folder (Edge). Each point has the chunk id
as its id, the named dense vector `dense` (cosine, stored as float16), the named sparse
vector `terms` (Qdrant multiplies by IDF when asked) and a payload of the filterable facts.

Laws:
- What a `SearchFilter` means is said once, as data, by `conditions`; the engines translate.
- Both engines compute ``idf(t) = ln(1 + (n - df + 0.5) / (df + 0.5))``, where `n` counts the
  points with a sparse vector and `df` those that contain `t`, over every tenant and whatever
  the filter. Every point carries `EVERY_POINT` beside its terms, so `n` is every entry, also
  one without terms. Weights of 0 are not stored: they would count in `df`.
- Queries ask for statistics of the living points only. Left alone, Edge and the server count
  deleted and replaced points until a segment is rebuilt.
- Times are RFC 3339 in UTC with microseconds, which is Qdrant's own resolution.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from alexandria.errors import InvalidInputError
from alexandria.knowledge.indexing import IndexEntry, ScoredChunk, SearchFilter, SparseVector

DENSE = "dense"
TERMS = "terms"
TENANT_FIELD = "tenant_id"
ACCESS_FIELD = "access_id"
KEYWORD_FIELDS = (TENANT_FIELD, ACCESS_FIELD, "source_id", "language", "tags", "document_id")
TIME_FIELD = "modified_at"

NOBODY = str(UUID(int=0))
"""The access list of nothing: what somebody asks for whom no list lets in."""

EVERY_POINT = 999_999_999
"""A sparse id past the last term id; stored with every point and never asked for."""

BATCH_POINTS = 256
"""Points sent in one update: about 2.5 MB of JSON at 384 dimensions and 60 terms."""

BATCH_IDS = 10_000
"""Ids read or deleted in one request."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The field, or one of its elements, equals one of the values."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """The time lies between the two, both included; None leaves that end open."""

    field: str
    earliest: str | None
    latest: str | None


Condition = AnyOf | Between


def conditions(where: SearchFilter) -> list[Condition]:
    """What a point must fulfil, all of it, to pass the filter; the tenant always first.

    Raises:
        InvalidInputError: A time has no time zone.
    """
    sides = (
        (TENANT_FIELD, (where.tenant_id,)),
        ("source_id", where.source_ids),
        ("language", where.languages),
        ("tags", where.tags),
        ("document_id", where.document_ids),
    )
    found: list[Condition] = [AnyOf(name, values) for name, values in sides if values]
    if where.access_ids is not None:
        found.insert(1, AnyOf(ACCESS_FIELD, where.access_ids or (NOBODY,)))
    if where.modified_from or where.modified_to:
        ends = (_optional_instant(where.modified_from), _optional_instant(where.modified_to))
        found.append(Between(TIME_FIELD, *ends))
    return found


def payload_of(entry: IndexEntry) -> dict[str, str | list[str]]:
    """The facts filters look at, by field name.

    Raises:
        InvalidInputError: `modified_at` has no time zone.
    """
    return {
        TENANT_FIELD: entry.tenant_id,
        ACCESS_FIELD: entry.access_id,
        "source_id": entry.source_id,
        "language": entry.language,
        "tags": list(entry.tags),
        "document_id": entry.document_id,
        TIME_FIELD: instant(entry.modified_at),
    }


def instant(moment: datetime) -> str:
    """A moment as Qdrant keeps it, in UTC.

    Raises:
        InvalidInputError: The moment has no time zone, so it is not one instant.
    """
    if moment.tzinfo is None:
        raise InvalidInputError(f"The time {moment.isoformat()} has no zone; give one, such as UTC")
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def check_vector(vector: NDArray[np.float32], dimension: int) -> None:
    """Refuse a vector the index cannot hold, before the engine writes it to its log.

    Raises:
        InvalidInputError: The shape is not `(dimension,)`, or a component is not finite.
    """
    if vector.shape != (dimension,):
        raise InvalidInputError(
            f"The index holds vectors of {dimension} components, this one has shape {vector.shape};"
            " embed with the model of this generation"
        )
    if not np.isfinite(vector).all():
        raise InvalidInputError("A vector has components that are not finite numbers")


def stored_terms(terms: SparseVector) -> tuple[list[int], list[float]]:
    """What a point keeps for an entry's terms: ids in rising order and their weights."""
    return sorted_terms(terms | {EVERY_POINT: 1.0})


def sorted_terms(terms: SparseVector) -> tuple[list[int], list[float]]:
    """Term ids in rising order and their weights, without weights of 0."""
    kept = sorted((term, weight) for term, weight in terms.items() if weight)
    return [term for term, _ in kept], [weight for _, weight in kept]


def entry_batches(entries: Iterable[IndexEntry], dimension: int) -> list[list[IndexEntry]]:
    """The entries checked, the last of each id, in batches of at most `BATCH_POINTS`.

    Raises:
        InvalidInputError: A vector does not fit or an id is not a UUID; nothing was written.
    """
    last: dict[str, IndexEntry] = {}
    for entry in entries:
        check_vector(entry.dense, dimension)
        last[_point_id(entry.chunk_id)] = entry
    return list(batches(last.values(), BATCH_POINTS))


def id_batches(chunk_ids: Iterable[str]) -> Iterator[list[str]]:
    """Distinct point ids in batches of at most `BATCH_IDS`.

    Raises:
        InvalidInputError: An id is not a UUID.
    """
    return batches(dict.fromkeys(_point_id(chunk_id) for chunk_id in chunk_ids), BATCH_IDS)


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items in order, in lists of `size`; the last may be shorter."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def ranked(scores: Iterable[tuple[str, float]]) -> list[ScoredChunk]:
    """Best first; equal scores in the order of their ids, so that answers repeat."""
    ordered = sorted(scores, key=lambda pair: (-pair[1], pair[0]))
    return [ScoredChunk(chunk_id, score) for chunk_id, score in ordered]


def dense_array(values: Sequence[float]) -> NDArray[np.float32]:
    """A stored vector as the contract gives it."""
    return np.asarray(values, dtype=np.float32)


def _optional_instant(moment: datetime | None) -> str | None:
    return None if moment is None else instant(moment)


def _point_id(chunk_id: str) -> str:
    try:
        return str(UUID(chunk_id))
    except ValueError as error:
        raise InvalidInputError(f"The chunk id {chunk_id!r} is not a UUID") from error
