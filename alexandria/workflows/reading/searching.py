"""Searching: a question in, the passages that fit it best out, each with its place.

Copies of a document do not crowd the others out: the best one is shown and names the rest.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from alexandria.knowledge.indexing import SearchFilter
from alexandria.knowledge.ranking import RankedChunk
from alexandria.workflows.operating.generations import Generation, live_generation
from alexandria.workflows.reading.candidates import CANDIDATES, Question, find_candidates
from alexandria.workflows.reading.copies import Collapsed, OtherCopy, Works
from alexandria.workflows.reading.documents import DocumentSummary, find_documents
from alexandria.workflows.reading.passages import Passage, read_passages, with_neighbours
from alexandria.workflows.workspace import Workspace

WIDTHS = (CANDIDATES, 4 * CANDIDATES, 16 * CANDIDATES)
"""Hits asked of each side, until what copies leave of them is as much as was asked for."""


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
    """The best documents, and how many there are in all; copies count once with a query."""

    documents: list[FoundDocument]
    total: int


def search(
    workspace: Workspace, query: str, where: SearchFilter, *, limit: int = 10
) -> list[Passage]:
    """The best passages, best first; equal texts are shown once, in their best copy."""
    with workspace.database.transaction():
        live = live_generation(workspace)
        if live is None:
            return []
        hits, works = _find(
            workspace, live, query, where, lambda found: islice(found.passages(), limit), limit
        )
        passages = read_passages(workspace, live, where.tenant_id, hits, works)
        return with_neighbours(workspace, live, passages)


def search_documents(
    workspace: Workspace, query: str | None, where: SearchFilter, *, limit: int = 10
) -> DocumentResults:
    """The documents whose best passage fits best; without a query, those that pass the filter."""
    if not query:
        listed = find_documents(workspace, where, only_published=True)
        return DocumentResults(
            [FoundDocument(item, None, None) for item in listed[:limit]], len(listed)
        )
    live = live_generation(workspace)
    if live is None:
        return DocumentResults([], 0)
    hits, works = _find(workspace, live, query, where, Collapsed.documents, limit)
    passages = read_passages(workspace, live, where.tenant_id, hits[:limit], works)
    chosen = tuple(passage.document_id for passage in passages)
    found = SearchFilter(tenant_id=where.tenant_id, document_ids=chosen)
    summaries = find_documents(workspace, found) if chosen else []
    by_id = {summary.document_id: summary for summary in summaries}
    return DocumentResults(
        [
            FoundDocument(by_id[item.document_id], item.score, item, item.also_as)
            for item in passages
            if item.document_id in by_id
        ],
        total=len(hits),
    )


def _find(
    workspace: Workspace,
    live: Generation,
    query: str,
    where: SearchFilter,
    choose: Callable[[Collapsed], Iterator[RankedChunk]],
    limit: int,
) -> tuple[list[RankedChunk], Works]:
    """What `choose` makes of the candidates, of more of them if it makes too little of a few."""
    question = Question.read(workspace, live, query, where.tenant_id)
    hits: list[RankedChunk] = []
    works = Works([])
    for width in WIDTHS:
        found = find_candidates(workspace, live, question, where, width=width)
        copied = {text.work_id for text in found.texts.values() if text.work_id}
        works = Works.read(workspace, live, where.tenant_id, copied)
        hits = list(choose(Collapsed.read(workspace, live, found, works)))
        if len(hits) >= limit or found.is_all:
            break
    return hits, works
