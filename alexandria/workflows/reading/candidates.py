"""Candidates: the chunks that may answer a question, in the order that fits it best.

Dense and BM25 are asked under the same filter; `knowledge.ranking` mixes them. A candidate
counts only if the ledger says that it is published now, whatever an index still holds.
"""

from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache

from alexandria.adapters.postgres_index import PostgresIndex
from alexandria.knowledge.indexing import ScoredChunk, SearchFilter, SparseVector, VectorIndex
from alexandria.knowledge.ranking import (
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
from alexandria.knowledge.terms import entry_weights, query_weights
from alexandria.workflows.operating.generations import Generation, embedder_of
from alexandria.workflows.workspace import Workspace

CANDIDATES = 100
"""Hits asked of each side before they are mixed."""

REFINED = RankingWeights().refined
"""First hits whose sentences are read."""


@dataclass(frozen=True, slots=True)
class Question:
    """A query as both sides want it."""

    text: str
    vector: Vector
    terms: SparseVector

    @classmethod
    def read(
        cls, workspace: Workspace, generation: Generation, text: str, tenant_id: str
    ) -> "Question":
        """Embed it, and cut it into terms in the languages of the library."""
        languages = published_languages(workspace, generation, tenant_id)
        vector = embedder_of(workspace, generation).embed([text])[0]
        return cls(text, vector, query_weights(text, languages))


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
    """

    ranked: list[RankedChunk]
    texts: Mapping[str, CandidateText]
    is_all: bool


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
    with _serving_index(workspace, generation, entries) as index:
        dense = index.search_dense(question.vector, where, width)
        sparse = index.search_sparse(question.terms, where, width)
        found = merge(dense, sparse)
        vectors = index.vectors([candidate.chunk_id for candidate in found])
    texts = _read_texts(workspace, generation, dense, sparse, with_staged=with_staged)
    terms = question.terms.keys()
    titles = {item.titled for item in texts.values()}
    title_fits = {
        titled: covered(entry_weights(*titled).keys(), terms, rarity) for titled in titles
    }
    ranked = rank(
        [candidate for candidate in found if candidate.chunk_id in texts],
        question.vector,
        vectors,
        {item.chunk_id: title_fits[item.titled] for item in texts.values()},
    )
    head = [texts[hit.chunk_id] for hit in ranked[:REFINED]]
    phrases = {item.chunk_id: verbatim(question.text, item.body) for item in head}
    refined = refine(ranked, _coverage(head, terms, rarity), phrases=phrases)
    return Candidates(refined, texts, is_all=len(dense) < width and len(sparse) < width)


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
    with _serving_index(workspace, generation, workspace.postgres_index(generation)) as index:
        dense = index.search_dense(question.vector, where, CANDIDATES)
        sparse = index.search_sparse(question.terms, where, CANDIDATES)
    hybrid = find_candidates(workspace, generation, question, where).ranked
    return {
        "dense": [hit.chunk_id for hit in dense],
        "bm25": [hit.chunk_id for hit in sparse],
        "hybrid": [hit.chunk_id for hit in hybrid],
    }


def published_languages(workspace: Workspace, generation: Generation, tenant_id: str) -> list[str]:
    """Languages of the published documents, most common first; English in an empty library."""
    found: list[str] = workspace.database.column(
        "published_languages", generation_id=generation.generation_id, tenant_id=tenant_id
    )
    return found or ["en"]


@contextmanager
def _serving_index(
    workspace: Workspace, generation: Generation, entries: PostgresIndex
) -> Generator[VectorIndex]:
    """The index that answers; what is staged is asked of Postgres always."""
    if workspace.settings.serving_index == "qdrant" and not entries.with_staged:
        with workspace.qdrant_index(generation) as index:
            yield index
    else:
        yield entries


def _read_texts(
    workspace: Workspace,
    generation: Generation,
    *sides: Sequence[ScoredChunk],
    with_staged: bool,
) -> dict[str, CandidateText]:
    chunk_ids = list({hit.chunk_id: None for side in sides for hit in side})
    texts = workspace.database.fetch(
        CandidateText,
        "staged_texts" if with_staged else "published_texts",
        chunk_ids=chunk_ids,
        generation_id=generation.generation_id,
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


@lru_cache(maxsize=2048)
def _sentence_terms(text: str, language: str) -> tuple[frozenset[int], ...]:
    """The terms of each sentence; passages that answer much are asked for again."""
    return tuple(
        frozenset(entry_weights(text[start:end], language)) for start, end in sentence_spans(text)
    )
