"""Passages: chunks as a reader sees them, with their place and the text around them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from alexandria.knowledge.ranking import RankedChunk
from alexandria.workflows.operating.generations import Generation
from alexandria.workflows.reading.copies import OtherCopy, Works
from alexandria.workflows.reading.neighbours import read_neighbours
from alexandria.workflows.workspace import Workspace


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
        also_as: Other documents with the same text, the best copies first.
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
    also_as: list[OtherCopy] = field(default_factory=list[OtherCopy])


@dataclass(frozen=True, slots=True)
class _StoredPassage:
    chunk_id: str
    document_id: str
    version_id: str
    path: str
    source_id: str
    source_name: str
    source_kind: str
    tags: list[str]
    title: str
    author: str
    language: str
    modified_at: datetime
    start_offset: int
    end_offset: int
    anchor: str
    section_path: list[str]
    unit_label: str
    body: str


def read_passages(
    workspace: Workspace,
    generation: Generation,
    tenant_id: str,
    hits: Sequence[RankedChunk],
    works: Works,
) -> list[Passage]:
    """The passages of these chunks in their order; those that are not published are left out."""
    stored = workspace.database.fetch(
        _StoredPassage,
        "read_passages",
        chunk_ids=[hit.chunk_id for hit in hits],
        generation_id=generation.generation_id,
        tenant_id=tenant_id,
    )
    by_id = {item.chunk_id: item for item in stored}
    return [_to_passage(by_id[hit.chunk_id], hit, works) for hit in hits if hit.chunk_id in by_id]


def with_neighbours(
    workspace: Workspace, generation: Generation, passages: Sequence[Passage]
) -> list[Passage]:
    """The passages with the text before and after each."""
    before, after = read_neighbours(
        workspace, generation, [passage.chunk_id for passage in passages]
    )
    return [
        replace(
            passage,
            before=before.get(passage.chunk_id, ""),
            after=after.get(passage.chunk_id, ""),
        )
        for passage in passages
    ]


def _to_passage(stored: _StoredPassage, hit: RankedChunk, works: Works) -> Passage:
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
        also_as=works.others(stored.document_id),
    )
