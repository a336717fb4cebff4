"""Candidates: the chunks that may answer a question, in the order that fits it best.

Dense and BM25 are asked under the same filter; `knowledge.ranking` mixes them. A candidate
counts only if the ledger says that it is published now, whatever an index still holds. Where
Qdrant is to answer and cannot, the entries in Postgres do, and that is said.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import Any

from alexandria.adapters.postgres_index import FoundEntry, PostgresIndex
from alexandria.adapters.tracing import span
from alexandria.errors import AlexandriaError
from alexandria.knowledge.embedding import Embedder
from alexandria.knowledge.indexing import ScoredChunk, SearchFilter, SparseVector, VectorIndex
from alexandria.knowledge.ranking import (
    Candidate,
    RankedChunk,
    RankingWeights,
    Rarity,
    Vector,
    best_coverage,
    covered,
    merge,
    rank,
    refine,
    verbatim,
)
from alexandria.knowledge.sentences import sentence_spans
from alexandria.knowledge.terms import entry_terms, query_weights
from alexandria.workflows.operating.generations import Generation, embedder_of
from alexandria.workflows.workspace import Workspace

CANDIDATES = 100
"""Hits asked of each side before they are mixed."""

REFINED = RankingWeights().refined
"""First hits whose sentences are read."""

_LANGUAGES: dict[tuple[object, ...], tuple[str, list[str]]] = {}
"""Published languages by library, generation, tenant and what may be seen of it, each with the
state of publication they were counted in."""
_LANGUAGES_KEPT = 1000

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """A query as both sides want it; it is embedded while its words are looked up."""

    text: str
    terms: SparseVector
    embedding: Future[Vector]

    @property
    def vector(self) -> Vector:
        """Its embedding, waited for if need be."""
        return self.embedding.result()

    @classmethod
    def read(
        cls, workspace: Workspace, generation: Generation, text: str, tenant_id: str
    ) -> "Question":
        """Embed it, and cut it into terms in the languages of the library."""
        embedder = embedder_of(workspace, generation)
        embedding = _background().submit(copy_context().run, _embed, embedder, text)
        languages = published_languages(workspace, generation, tenant_id)
        return cls(text, query_weights(text, languages), embedding)


@dataclass(frozen=True, slots=True)
class CandidateText:
    """A chunk's text and the document it is from; `work_id` is its best copy's, if any."""

    chunk_id: str
    document_id: str
    title: str
    language: str
    body: str
    work_id: str | None

    @property
    def titled(self) -> tuple[str, str]:
        """What the terms of its title depend on."""
        return self.title, self.language


@dataclass(frozen=True, slots=True)
class Candidates:
    """What was found for a question.

    Attributes:
        ranked: Best first.
        texts: Of each of them, by chunk id.
        is_all: Neither side would have more to give.
        fallback_used: Postgres answered in Qdrant's place.
    """

    ranked: list[RankedChunk]
    texts: Mapping[str, CandidateText]
    is_all: bool
    fallback_used: bool = False


@dataclass(frozen=True, slots=True)
class _Sides:
    """What an index says to a question, and the vectors of all that."""

    dense: list[ScoredChunk]
    sparse: list[ScoredChunk]
    found: list[Candidate] = field(default_factory=list[Candidate])
    vectors: Mapping[str, Vector] = field(default_factory=dict[str, Vector])
    fallback_used: bool = False


def find_candidates(
    workspace: Workspace,
    generation: Generation,
    question: Question,
    where: SearchFilter,
    *,
    width: int = CANDIDATES,
    with_staged: bool = False,
) -> Candidates:
    """Every visible candidate of either side, in the mixed order; `width` asked of each side."""
    entries = workspace.postgres_index(generation, with_staged=with_staged)
    rarity = entries.rarity(question.terms)
    sides = _ask(workspace, generation, entries, question, where, width)
    dense, sparse = sides.dense, sides.sparse
    texts = _read_texts(workspace, generation, where, dense, sparse, with_staged=with_staged)
    terms = question.terms.keys()
    titles = {item.titled for item in texts.values()}
    title_fits = {titled: covered(entry_terms(*titled), terms, rarity) for titled in titles}
    ranked = rank(
        [candidate for candidate in sides.found if candidate.chunk_id in texts],
        question.vector,
        sides.vectors,
        {item.chunk_id: title_fits[item.titled] for item in texts.values()},
    )
    head = [texts[hit.chunk_id] for hit in ranked[:REFINED]]
    phrases = {item.chunk_id: verbatim(question.text, item.body) for item in head}
    refined = refine(ranked, _coverage(head, terms, rarity), phrases=phrases)
    is_all = len(dense) < width and len(sparse) < width
    return Candidates(refined, texts, is_all, sides.fallback_used)


def rank_chunks(
    workspace: Workspace,
    generation: Generation,
    query: str,
    where: SearchFilter,
    *,
    with_staged: bool = False,
) -> list[RankedChunk]:
    """The candidates' order alone."""
    question = Question.read(workspace, generation, query, where.tenant_id)
    return find_candidates(workspace, generation, question, where, with_staged=with_staged).ranked


def rank_sides(
    workspace: Workspace, generation: Generation, query: str, where: SearchFilter
) -> dict[str, list[str]]:
    """Chunk ids as dense, BM25 and hybrid search order them, for comparison."""
    question = Question.read(workspace, generation, query, where.tenant_id)
    entries = workspace.postgres_index(generation)
    sides = _ask(workspace, generation, entries, question, where, CANDIDATES)
    hybrid = find_candidates(workspace, generation, question, where).ranked
    return {
        "dense": [hit.chunk_id for hit in sides.dense],
        "bm25": [hit.chunk_id for hit in sides.sparse],
        "hybrid": [hit.chunk_id for hit in hybrid],
    }


def published_languages(workspace: Workspace, generation: Generation, tenant_id: str) -> list[str]:
    """Languages of the published documents, most common first; English in an empty library.

    Counting them takes long in a large library, so they are kept until something is published.
    """
    database, known = workspace.database, {"generation_id": generation.generation_id}
    state: str = database.value("publication_state", **known)
    key = (database.address, *known.values(), tenant_id, workspace.everything.access_ids)
    kept_state, languages = _LANGUAGES.get(key, ("", []))
    if kept_state != state:
        languages = database.column("published_languages", tenant_id=tenant_id, **known)
        if len(_LANGUAGES) >= _LANGUAGES_KEPT:
            _LANGUAGES.clear()
        _LANGUAGES[key] = state, languages
    return list(languages) or ["en"]


def _ask(
    workspace: Workspace,
    generation: Generation,
    entries: PostgresIndex,
    question: Question,
    where: SearchFilter,
    width: int,
) -> _Sides:
    """Ask the index that answers; what is staged is asked of Postgres always."""
    if workspace.settings.serving_index == "postgres" or entries.with_staged:
        return _sides(entries, question, where, width)
    sides = _ask_qdrant(workspace, generation, question, where, width)
    if sides is not None and sides.dense:
        return sides
    # A filter may let nothing through, and Qdrant may have lost what it held: Postgres knows.
    known = _sides(entries, question, where, width)
    return replace(known, fallback_used=sides is None or bool(known.dense))


def _ask_qdrant(
    workspace: Workspace,
    generation: Generation,
    question: Question,
    where: SearchFilter,
    width: int,
) -> _Sides | None:
    """What Qdrant says; None if it cannot, or could not a moment ago."""
    outage = workspace.outage
    if outage.is_on:
        return None
    try:
        with workspace.qdrant_index(generation, is_reading=True) as index:
            sides = _sides(index, question, where, width)
    except AlexandriaError as error:
        _LOG.warning("Qdrant cannot answer, Postgres does: %s", error.message)
        outage.begin(error.message)
        return None
    outage.end()
    return sides


def _sides(index: VectorIndex, question: Question, where: SearchFilter, width: int) -> _Sides:
    """Words come first: the question may still be being embedded."""
    sparse = index.search_sparse(question.terms, where, width)
    dense = index.search_dense(question.vector, where, width)
    found = merge(dense, sparse)
    hits = (*dense, *sparse)
    vectors = {hit.chunk_id: hit.vector for hit in hits if isinstance(hit, FoundEntry)}
    unknown = [item.chunk_id for item in found if item.chunk_id not in vectors]
    if unknown:
        vectors |= index.vectors(unknown)
    return _Sides(dense, sparse, found, vectors)


def _read_texts(
    workspace: Workspace,
    generation: Generation,
    where: SearchFilter,
    *sides: Sequence[ScoredChunk],
    with_staged: bool,
) -> dict[str, CandidateText]:
    chunk_ids = list({hit.chunk_id: None for side in sides for hit in side})
    texts = workspace.database.fetch(
        CandidateText,
        "staged_texts" if with_staged else "published_texts",
        chunk_ids=chunk_ids,
        generation_id=generation.generation_id,
        tenant_id=where.tenant_id,
    )
    return {item.chunk_id: item for item in texts}


def _coverage(
    texts: Sequence[CandidateText], terms: Collection[int], rarity: Rarity
) -> dict[str, float]:
    """How much of the question one sentence of each text holds."""
    return {
        item.chunk_id: best_coverage(terms, _sentence_terms(item.body, item.language), rarity)
        for item in texts
    }


def _embed(embedder: Embedder, text: str) -> Vector:
    with span("embed question"):
        return embedder.embed([text])[0]


@cache
def _background() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(thread_name_prefix="embed-question")


def sentences_kept() -> Any:
    """`cache_info()` of the cache of analysed passages, for metrics."""
    return _sentence_terms.cache_info()


@lru_cache(maxsize=2048)
def _sentence_terms(text: str, language: str) -> tuple[frozenset[int], ...]:
    """The terms of each sentence; passages that answer much are asked for again."""
    return tuple(entry_terms(text[start:end], language) for start, end in sentence_spans(text))
