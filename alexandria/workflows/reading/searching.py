"""Searching: a question in, the passages that fit it best out, each with its place.

Dense and BM25 are asked under the same filter; `knowledge.ranking` mixes them. A hit counts
only if the ledger says that it is published now, whatever an index still holds.
"""

from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from alexandria.knowledge.indexing import SearchFilter, SparseVector, VectorIndex
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
from alexandria.workflows.operating.generations import Generation, embedder_of, live_generation
from alexandria.workflows.reading.documents import DocumentSummary, find_documents
from alexandria.workflows.workspace import Workspace

CANDIDATES = 100
"""Hits asked of each side before they are mixed."""

REFINED = RankingWeights().refined
"""First hits whose sentences are read."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk as a reader sees it.

    Attributes:
        label: What a reader calls its unit: "Page 3".
        anchor: Where a viewer opens it: "page=3".
        start: First character in the document's text.
        end: One past the last.
        score: What it was ordered by; comparable within one result only.
        dense_score: Cosine.
        sparse_score: BM25.
        before: Text just before it in the same unit.
        after: Text just after it in the same unit.
    """

    chunk_id: str
    document_id: str
    version_id: str
    source_id: str
    source_name: str
    source_kind: str
    title: str
    author: str
    language: str
    tags: list[str]
    path: str
    label: str
    anchor: str
    section_path: list[str]
    start: int
    end: int
    text: str
    score: float
    dense_score: float
    sparse_score: float
    modified_at: datetime
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """A document and its best passage; neither score nor passage without a query."""

    document: DocumentSummary
    score: float | None
    passage: Passage | None


@dataclass(frozen=True, slots=True)
class DocumentResults:
    """The best documents, and how many there are in all."""

    documents: list[FoundDocument]
    total: int


@dataclass(frozen=True, slots=True)
class _StoredPassage:
    chunk_id: str
    document_id: str
    version_id: str
    parse_id: str
    path: str
    source_id: str
    source_name: str
    source_kind: str
    tags: list[str]
    title: str
    author: str
    language: str
    content_hash: str
    modified_at: datetime
    ordinal: int
    start_offset: int
    end_offset: int
    anchor: str
    section_path: list[str]
    unit_label: str
    body: str


@dataclass(frozen=True, slots=True)
class _Neighbour:
    hit_id: str
    distance: int
    body: str
    start_offset: int
    end_offset: int


def search(
    workspace: Workspace, query: str, where: SearchFilter, *, limit: int = 10
) -> list[Passage]:
    """The best passages, best first; equal texts are shown once, at their best place."""
    live = live_generation(workspace)
    if live is None:
        return []
    ranked = rank_chunks(workspace, live, query, where)
    passages = _distinct(_read_passages(workspace, live, ranked[: 4 * limit], where))[:limit]
    return _with_neighbours(workspace, live, passages)


def search_documents(
    workspace: Workspace, query: str | None, where: SearchFilter, *, limit: int = 10
) -> DocumentResults:
    """The documents whose best passage fits best; without a query, those that pass the filter."""
    if not query:
        found = find_documents(workspace, where, only_published=True)
        return DocumentResults(
            [FoundDocument(item, None, None) for item in found[:limit]], len(found)
        )
    live = live_generation(workspace)
    if live is None:
        return DocumentResults([], 0)
    ranked = rank_chunks(workspace, live, query, where)
    best: dict[str, Passage] = {}
    for passage in _read_passages(workspace, live, ranked, where):
        best.setdefault(passage.document_id, passage)
    chosen = tuple(best)[:limit]
    summaries = find_documents(workspace, replace(where, document_ids=chosen)) if chosen else []
    by_id = {summary.document_id: summary for summary in summaries}
    return DocumentResults(
        [FoundDocument(by_id[key], best[key].score, best[key]) for key in chosen if key in by_id],
        total=len(best),
    )


def rank_chunks(
    workspace: Workspace,
    generation: Generation,
    query: str,
    where: SearchFilter,
    *,
    with_staged: bool = False,
) -> list[RankedChunk]:
    """Every candidate of either side, in the mixed order."""
    question = _Question.read(workspace, generation, query, where)
    with _serving_index(workspace, generation, with_staged=with_staged) as index:
        candidates = merge(
            index.search_dense(question.vector, where, CANDIDATES),
            index.search_sparse(question.terms, where, CANDIDATES),
        )
        vectors = index.vectors([candidate.chunk_id for candidate in candidates])
    texts = workspace.database.fetch(
        _CandidateText,
        "candidate_texts",
        chunk_ids=[candidate.chunk_id for candidate in candidates],
        generation_id=generation.generation_id,
        with_staged=with_staged,
    )
    rarity = workspace.postgres_index(generation).rarity(question.terms)
    terms = question.terms.keys()
    titles = {text: entry_weights(*text).keys() for text in {item.titled for item in texts}}
    fits = {item.chunk_id: covered(titles[item.titled], terms, rarity) for item in texts}
    ranked = rank(candidates, question.vector, vectors, fits)
    head = {hit.chunk_id for hit in ranked[:REFINED]}
    read = [item for item in texts if item.chunk_id in head]
    phrases = {item.chunk_id: verbatim(query, item.body) for item in read}
    return refine(ranked, _coverage(read, terms, rarity), phrases=phrases)


def rank_sides(
    workspace: Workspace, generation: Generation, query: str, where: SearchFilter
) -> dict[str, list[str]]:
    """Chunk ids as dense, BM25 and hybrid search order them, for comparison."""
    question = _Question.read(workspace, generation, query, where)
    with _serving_index(workspace, generation, with_staged=False) as index:
        dense = index.search_dense(question.vector, where, CANDIDATES)
        sparse = index.search_sparse(question.terms, where, CANDIDATES)
    hybrid = rank_chunks(workspace, generation, query, where)
    return {
        "dense": [hit.chunk_id for hit in dense],
        "bm25": [hit.chunk_id for hit in sparse],
        "hybrid": [hit.chunk_id for hit in hybrid],
    }


@dataclass(frozen=True, slots=True)
class _Question:
    """A query as both sides want it."""

    vector: Vector
    terms: SparseVector

    @classmethod
    def read(
        cls, workspace: Workspace, generation: Generation, query: str, where: SearchFilter
    ) -> "_Question":
        languages = published_languages(workspace, generation, where.tenant_id)
        vector = embedder_of(workspace, generation).embed([query])[0]
        return cls(vector, query_weights(query, languages))


@dataclass(frozen=True, slots=True)
class _CandidateText:
    chunk_id: str
    title: str
    language: str
    body: str

    @property
    def titled(self) -> tuple[str, str]:
        return self.title, self.language


def _coverage(
    texts: Sequence[_CandidateText], terms: Collection[int], rarity: Rarity
) -> dict[str, float]:
    """How much of the question one sentence of each text holds."""
    coverage: dict[str, float] = {}
    for item in texts:
        sentences = (item.body[start:end] for start, end in sentence_spans(item.body))
        held = [entry_weights(sentence, item.language).keys() for sentence in sentences]
        coverage[item.chunk_id] = best_coverage(terms, held, rarity)
    return coverage


def published_languages(workspace: Workspace, generation: Generation, tenant_id: str) -> list[str]:
    """Languages of the published documents, most common first; English in an empty library."""
    found: list[str] = workspace.database.column(
        "published_languages", generation_id=generation.generation_id, tenant_id=tenant_id
    )
    return found or ["en"]


@contextmanager
def _serving_index(
    workspace: Workspace, generation: Generation, *, with_staged: bool
) -> Generator[VectorIndex]:
    if workspace.settings.serving_index == "qdrant" and not with_staged:
        with workspace.qdrant_index(generation) as index:
            yield index
    else:
        yield workspace.postgres_index(generation, with_staged=with_staged)


def _read_passages(
    workspace: Workspace, generation: Generation, hits: Sequence[RankedChunk], where: SearchFilter
) -> list[Passage]:
    stored = workspace.database.fetch(
        _StoredPassage,
        "read_passages",
        chunk_ids=[hit.chunk_id for hit in hits],
        generation_id=generation.generation_id,
        tenant_id=where.tenant_id,
    )
    by_id = {item.chunk_id: item for item in stored}
    return [_to_passage(by_id[hit.chunk_id], hit) for hit in hits if hit.chunk_id in by_id]


def _to_passage(stored: _StoredPassage, hit: RankedChunk) -> Passage:
    return Passage(
        chunk_id=stored.chunk_id,
        document_id=stored.document_id,
        version_id=stored.version_id,
        source_id=stored.source_id,
        source_name=stored.source_name,
        source_kind=stored.source_kind,
        title=stored.title,
        author=stored.author,
        language=stored.language,
        tags=stored.tags,
        path=stored.path,
        label=stored.unit_label,
        anchor=stored.anchor,
        section_path=stored.section_path,
        start=stored.start_offset,
        end=stored.end_offset,
        text=stored.body,
        score=hit.score,
        dense_score=hit.dense or 0.0,
        sparse_score=hit.sparse or 0.0,
        modified_at=stored.modified_at,
    )


def _distinct(passages: Sequence[Passage]) -> list[Passage]:
    """The first of each text: copies of a document do not crowd the others out."""
    by_text: dict[str, Passage] = {}
    for passage in passages:
        by_text.setdefault(passage.text, passage)
    return list(by_text.values())


def _with_neighbours(
    workspace: Workspace, generation: Generation, passages: Sequence[Passage]
) -> list[Passage]:
    neighbours = workspace.database.fetch(
        _Neighbour,
        "read_neighbours",
        chunk_ids=[passage.chunk_id for passage in passages],
        generation_id=generation.generation_id,
        reach=1,
    )
    before = {item.hit_id: item.body for item in neighbours if item.distance < 0}
    after = {item.hit_id: item.body for item in neighbours if item.distance > 0}
    return [
        replace(
            passage,
            before=before.get(passage.chunk_id, ""),
            after=after.get(passage.chunk_id, ""),
        )
        for passage in passages
    ]
