"""What an index holds and how it is asked. Both stores implement `VectorIndex`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

SparseVector = dict[int, float]
"""Term id (see `terms.term_id`) to weight; ids lie in 0..999,999,998."""


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """One chunk as an index keeps it.

    Attributes:
        chunk_id: A UUID string, the same in every store.
        dense: The embedding, float32, length 1.
        terms: BM25 term-frequency weights; the index multiplies by IDF when asked.
        access_id: The access list of its document.
        modified_at: When the document changed in its source; date filters use it.
    """

    chunk_id: str
    document_id: str
    source_id: str
    tenant_id: str
    access_id: str
    language: str
    tags: tuple[str, ...]
    modified_at: datetime
    dense: NDArray[np.float32]
    terms: SparseVector


@dataclass(frozen=True, slots=True)
class SearchFilter:
    """What may be found. An empty tuple or None leaves that side open; the tenant never is.

    Attributes:
        access_ids: Access lists that let the asker in; None for operators, who see all. Without
            any, nothing is found.
    """

    tenant_id: str = "default"
    access_ids: tuple[str, ...] | None = None
    source_ids: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    document_ids: tuple[str, ...] = ()
    modified_from: datetime | None = None
    modified_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class ScoredChunk:
    """A chunk and its raw score: cosine for dense, BM25 for sparse."""

    chunk_id: str
    score: float


class VectorIndex(Protocol):
    """One generation's chunks in one store. Writing the same entries twice changes nothing."""

    def upsert(self, entries: Sequence[IndexEntry]) -> None:
        """Add or replace entries; durable when the call returns."""
        ...

    def delete(self, chunk_ids: Iterable[str]) -> None:
        """Remove entries; ids that are not there are ignored."""
        ...

    def chunk_ids(self) -> set[str]:
        """Every id the index holds."""
        ...

    def count(self) -> int:
        """How many entries it holds."""
        ...

    def optimize(self) -> None:
        """Reorganise after many writes, where that makes searching faster."""
        ...

    def drop(self) -> None:
        """Remove the index with everything in it."""
        ...

    def vectors(self, chunk_ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The stored dense vectors of the ids that are there."""
        ...

    def search_dense(
        self, vector: NDArray[np.float32], where: SearchFilter, limit: int
    ) -> list[ScoredChunk]:
        """Nearest entries by cosine, best first."""
        ...

    def search_sparse(
        self, terms: SparseVector, where: SearchFilter, limit: int
    ) -> list[ScoredChunk]:
        """Best entries by the sum over terms of query weight, IDF and entry weight."""
        ...
