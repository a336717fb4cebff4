"""Searching: a question in, the passages that fit it best out, each with its place.

Copies of a document do not crowd the others out: the best one is shown and names the rest.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from alexandria.knowledge.indexing import SearchFilter
from alexandria.knowledge.ranking import RankedChunk
from alexandria.workflows.operating.generations import Generation, live_generation
from alexandria.workflows.reading.candidates import CANDIDATES, Question, find_candidates
from alexandria.workflows.reading.copies import Collapsed, OtherCopy, Works
from alexandria.workflows.reading.documents import (
    DocumentSummary,
    count_published,
    find_documents,
)
from alexandria.workflows.reading.passages import Passage, read_passages, with_neighbours
from alexandria.workflows.workspace import Workspace

WIDTHS = (CANDIDATES, 4 * CANDIDATES, 16 * CANDIDATES)
"""Hits asked of each side, until what copies leave of them is as much as was asked for."""


@dataclass(frozen=True, slots=True)
class FoundPassages:
    """The best passages, best first; `fallback_used` if Postgres answered in Qdrant's place."""

    passages: list[Passage]
    fallback_used: bool = False


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """A document and its best passage; neither score nor passage without a query.

    Attributes:
        also_as: Other documents with the same text, the best copies first.
    """

    document: DocumentSummary
    score: float | None
    passage: Passage | None
    also_as: list[OtherCopy] = field(default_factory=list[OtherCopy])


@dataclass(frozen=True, slots=True)
class DocumentResults:
    """The best documents.

    Attributes:
        total: Without a query, how many pass the filter. With one, how many documents the
            candidates came from, copies counted once: further ones may fit less well.
        fallback_used: Postgres answered in Qdrant's place.
    """

    documents: list[FoundDocument]
    total: int
    fallback_used: bool = False


def search(
    workspace: Workspace, query: str, where: SearchFilter, *, limit: int = 10
) -> list[Passage]:
    """The best passages, best first; equal texts are shown once, in their best copy."""
    return find_passages(workspace, query, where, limit=limit).passages


def find_passages(
    workspace: Workspace, query: str, where: SearchFilter, *, limit: int = 10
) -> FoundPassages:
    """The same, with how they were found."""
    with workspace.database.transaction():
        live = live_generation(workspace)
        if live is None:
            return FoundPassages([])
        found = _find(
            workspace, live, query, where, lambda found: islice(found.passages(), limit), limit
        )
        passages = read_passages(workspace, live, where.tenant_id, found.hits, found.works)
        return FoundPassages(with_neighbours(workspace, live, passages), found.fallback_used)


def search_documents(
    workspace: Workspace, query: str | None, where: SearchFilter, *, limit: int = 10
) -> DocumentResults:
    """The documents whose best passage fits best; without a query, those that pass the filter."""
    if not query:
        listed = find_documents(workspace, where, only_published=True, limit=limit)
        found = [FoundDocument(item, None, None) for item in listed]
        return DocumentResults(found, count_published(workspace, where))
    live = live_generation(workspace)
    if live is None:
        return DocumentResults([], 0)
    best = _find(workspace, live, query, where, Collapsed.documents, limit)
    passages = read_passages(workspace, live, where.tenant_id, best.hits[:limit], best.works)
    chosen = tuple(passage.document_id for passage in passages)
    among = replace(workspace.everything, document_ids=chosen)
    summaries = find_documents(workspace, among) if chosen else []
    by_id = {summary.document_id: summary for summary in summaries}
    return DocumentResults(
        [
            FoundDocument(by_id[item.document_id], item.score, item, item.also_as)
            for item in passages
            if item.document_id in by_id
        ],
        total=len(best.hits),
        fallback_used=best.fallback_used,
    )


@dataclass(frozen=True, slots=True)
class _Found:
    hits: list[RankedChunk]
    works: Works
    fallback_used: bool


def _find(
    workspace: Workspace,
    live: Generation,
    query: str,
    where: SearchFilter,
    choose: Callable[[Collapsed], Iterator[RankedChunk]],
    limit: int,
) -> _Found:
    """What `choose` makes of the candidates, of more of them if it makes too little of a few."""
    question = Question.read(workspace, live, query, where.tenant_id)
    hits: list[RankedChunk] = []
    works = Works([])
    fallback_used = False
    for width in WIDTHS:
        found = find_candidates(workspace, live, question, where, width=width)
        fallback_used = fallback_used or found.fallback_used
        copied = {text.work_id for text in found.texts.values() if text.work_id}
        works = Works.read(workspace, live, where.tenant_id, copied)
        hits = list(choose(Collapsed.read(workspace, live, found, works)))
        if len(hits) >= limit or found.is_all:
            break
    return _Found(hits, works, fallback_used)
