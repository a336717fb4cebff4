"""Copies among what was found: a reader is shown the best one that the filters let through.

Candidates have passed the filters, so the best copy is the best of those that have any. A
passage of a lesser copy gives way to the passage of a better one that holds its words; where
no better copy holds them it stays, so that nothing only a lesser copy says is lost.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from alexandria.knowledge.likeness import Copy, Runs, passage_runs, shared_part
from alexandria.knowledge.ranking import RankedChunk
from alexandria.workflows.operating.generations import Generation
from alexandria.workflows.reading.candidates import Candidates
from alexandria.workflows.reading.neighbours import read_neighbours
from alexandria.workflows.workspace import Workspace

SAME_PASSAGE = 0.85
"""Share of a passage's words in their order that a better copy's passages must hold, with the
texts just before and after them: copies are cut in other places."""


@dataclass(frozen=True, slots=True)
class OtherCopy:
    """Another document with the same text.

    Attributes:
        similarity: Of its text to that of the best copy, 0..1.
        is_best: Whether searches prefer it to all its copies.
    """

    document_id: str
    title: str
    path: str
    source_name: str
    similarity: float
    is_best: bool


@dataclass(frozen=True)
class _Member:
    work_id: str
    document_id: str
    similarity: float
    source_name: str
    path: str
    title: str
    media_type: str
    run_count: int
    units_unread: int
    created_at: datetime

    @property
    def standing(self) -> tuple[object, ...]:
        return Copy(
            self.document_id, self.media_type, self.units_unread, self.run_count, self.created_at
        ).standing

    def shown(self, *, is_best: bool) -> OtherCopy:
        return OtherCopy(
            self.document_id, self.title, self.path, self.source_name, self.similarity, is_best
        )


class Works:
    """Which documents are copies of one work; those that are not are works of their own."""

    def __init__(self, members: Iterable[_Member]) -> None:
        self._works: dict[str, list[_Member]] = {}
        for member in sorted(members, key=lambda item: item.standing):
            self._works.setdefault(member.work_id, []).append(member)
        self._work_of = {
            member.document_id: work for work, those in self._works.items() for member in those
        }

    @classmethod
    def read(
        cls,
        workspace: Workspace,
        generation: Generation,
        tenant_id: str,
        work_ids: Collection[str],
    ) -> "Works":
        """These works, named by their best copies, with every published copy."""
        if not work_ids:
            return cls([])
        members = workspace.database.fetch(
            _Member,
            "copies_of_works",
            work_ids=sorted(work_ids),
            generation_id=generation.generation_id,
            tenant_id=tenant_id,
        )
        return cls(members)

    def work_of(self, document_id: str) -> str:
        """An id that a document shares with its copies alone."""
        return self._work_of.get(document_id, document_id)

    def copies(self, document_id: str) -> list[str]:
        """The document and its copies, the best first."""
        work = self._works.get(self.work_of(document_id), [])
        return [member.document_id for member in work] or [document_id]

    def others(self, document_id: str) -> list[OtherCopy]:
        """The copies of a document, the best first."""
        work = self._works.get(self.work_of(document_id), [])
        return [
            member.shown(is_best=place == 0)
            for place, member in enumerate(work)
            if member.document_id != document_id
        ]


def find_copies(
    workspace: Workspace, generation: Generation | None, tenant_id: str, document_id: str
) -> list[OtherCopy]:
    """The published copies of a document, the best first; none without a generation."""
    if generation is None:
        return []
    works: list[str] = workspace.database.column("linked_works", document_id=document_id)
    return Works.read(workspace, generation, tenant_id, works).others(document_id)


class Collapsed:
    """Candidates without what better copies among them say as well."""

    def __init__(self, found: Candidates, works: Works, said: Mapping[str, Runs]) -> None:
        self._found = found
        self._works = works
        self._said = said
        self._by_document = _by_document(found)

    @classmethod
    def read(
        cls, workspace: Workspace, generation: Generation, found: Candidates, works: Works
    ) -> "Collapsed":
        """With what copies say in and around their candidates."""
        copies = {
            document_id: [hit.chunk_id for hit in hits]
            for document_id, hits in _by_document(found).items()
            if works.others(document_id)
        }
        if not copies:
            return cls(found, works, {})
        asked = [chunk_id for chunk_ids in copies.values() for chunk_id in chunk_ids]
        before, after = read_neighbours(workspace, generation, asked, across_units=True)
        bodies = {chunk_id: found.texts[chunk_id].body for chunk_id in asked}
        said = {
            document_id: frozenset[tuple[str, ...]]().union(
                *(
                    passage_runs(side[chunk_id])
                    for side in (before, bodies, after)
                    for chunk_id in chunk_ids
                    if chunk_id in side
                )
            )
            for document_id, chunk_ids in copies.items()
        }
        return cls(found, works, said)

    def passages(self) -> Iterator[RankedChunk]:
        """Passages, best first, no text twice; each at the best place of any of its copies."""
        seen: set[str] = set()
        for hit in self._found.ranked:
            chosen = self._best_passage(hit)
            body = self._found.texts[chosen.chunk_id].body
            if body not in seen:
                seen.add(body)
                yield replace(chosen, score=hit.score)

    def documents(self) -> Iterator[RankedChunk]:
        """The best passage of the best copy of each work, works with the best passage first."""
        seen: set[str] = set()
        for hit in self._found.ranked:
            document_id = self._found.texts[hit.chunk_id].document_id
            work = self._works.work_of(document_id)
            if work not in seen:
                seen.add(work)
                found = (self._by_document.get(copy) for copy in self._works.copies(document_id))
                best = next(hits for hits in found if hits)
                yield replace(best[0], score=hit.score)

    def _best_passage(self, hit: RankedChunk) -> RankedChunk:
        """The passage of the best copy that says the same; else the passage itself."""
        text = self._found.texts[hit.chunk_id]
        for document_id in self._works.copies(text.document_id):
            if document_id == text.document_id:
                break
            runs = passage_runs(text.body)
            if shared_part(runs, self._said.get(document_id, frozenset())) >= SAME_PASSAGE:
                return max(
                    self._by_document[document_id],
                    key=lambda twin: shared_part(runs, self._runs_of(twin)),
                )
        return hit

    def _runs_of(self, hit: RankedChunk) -> Runs:
        return passage_runs(self._found.texts[hit.chunk_id].body)


def _by_document(found: Candidates) -> dict[str, list[RankedChunk]]:
    """The hits of each document, best first."""
    by_document: dict[str, list[RankedChunk]] = {}
    for hit in found.ranked:
        by_document.setdefault(found.texts[hit.chunk_id].document_id, []).append(hit)
    return by_document
