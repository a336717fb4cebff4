"""Embedding: texts to vectors, once for each text and model, then into both indexes.

Entries are staged unpublished, so readers see nothing of a document until all of it is in.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from alexandria.adapters.workers import result_of
from alexandria.knowledge.embedding import Embedder
from alexandria.knowledge.indexing import IndexEntry, SparseVector, VectorIndex
from alexandria.workflows.clerk import Clerk
from alexandria.workflows.operating.generations import Generation, embedder_of
from alexandria.workflows.operating.sources import Source
from alexandria.workflows.reports import StageReport, stage_report
from alexandria.workflows.stages.piecework import Weighing, weigh_texts
from alexandria.workflows.workspace import Workspace

EMBEDDING_BATCH = 1024
"""Texts in one transaction: a killed run loses at most these, some ten seconds of work."""

STAGING_BATCH = 2000
"""Entries written to a store at once; twice as many save half a second in a hundred, and take
memory."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class _PendingText:
    text_hash: str
    token_count: int


@dataclass(frozen=True, slots=True)
class _Text:
    text_hash: str
    body: str


@dataclass(frozen=True, slots=True)
class _PendingEntry:
    chunk_id: str
    document_id: str
    source_id: str
    tenant_id: str
    access_id: str
    language: str
    tags: list[str]
    modified_at: datetime
    text_hash: str


def embed_chunks(workspace: Workspace, source: Source, generation: Generation) -> StageReport:
    """Embed every text of the source that the model has never seen."""
    database = workspace.database
    parameters = _parameters(source, generation) | {"model_id": generation.model_id}
    with stage_report("embedding/chunk_embeddings") as report:
        pending = database.fetch(_PendingText, "pending_embeddings", **parameters)
        workspace.progress.expect("chunk_embeddings", len(pending))
        with Clerk() as clerk:
            for batch in batches(pending, EMBEDDING_BATCH):
                embedder = embedder_of(workspace, generation)
                clerk.hand(_embed_batch(workspace, batch, embedder, report))
        database.execute("mark_versions_embedded", **parameters)
        report.row_count = len(pending)
        report.token_count = sum(text.token_count for text in pending)
    return report


def stage_postgres(workspace: Workspace, source: Source, generation: Generation) -> StageReport:
    """Write the source's new chunks into the Postgres index, unpublished."""
    index = workspace.postgres_index(generation)
    with stage_report("embedding/postgres_index") as report:
        workspace.database.execute("remove_stale_entries", **_parameters(source, generation))
        workspace.database.execute("settle_entries", **_parameters(source, generation))
        pending = workspace.database.fetch(
            _PendingEntry, "pending_entries", **_parameters(source, generation)
        )
        workspace.progress.expect("postgres_index", len(pending))
        parts = batches(pending, STAGING_BATCH)
        with Clerk() as clerk:
            weighings = _weighings(workspace, parts)
            for done in workspace.workers.run(weigh_texts, weighings):
                part = parts[done.task.number]
                entries = _entries(workspace, part, result_of(done), generation.model_id)
                clerk.hand(partial(_stage, workspace, index, entries))
        if pending:
            index.optimize()
        report.row_count = len(pending)
    return report


def stage_qdrant(workspace: Workspace, source: Source, generation: Generation) -> StageReport:
    """Bring Qdrant in line with the Postgres index for this source; old removals first."""
    database = workspace.database
    identity = {"generation_id": generation.generation_id, "source_id": source.source_id}
    with stage_report("embedding/qdrant_index") as report:
        is_staged = database.value("staged_entry_count", **identity)
        pending: list[str] = database.column("pending_points", **identity)
        removals = pending_removals(workspace, generation)
        if not is_staged and not pending and not removals:
            return report
        with workspace.qdrant_index(generation) as index:
            _reconcile(workspace, generation, index)
            pending = database.column("pending_points", **identity)
            _drop_removed(workspace, generation, index, pending_removals(workspace, generation))
            workspace.progress.expect("qdrant_index", len(pending))
            with Clerk() as clerk:
                for batch in batches(pending, STAGING_BATCH):
                    entries = workspace.postgres_index(generation).entries(batch)
                    clerk.hand(partial(_add_points, workspace, generation, index, entries))
            index.optimize()
        report.row_count = len(pending)
        report.details = {"points_removed": len(removals)}
    return report


def _add_points(
    workspace: Workspace, generation: Generation, index: VectorIndex, entries: Sequence[IndexEntry]
) -> None:
    index.upsert(entries)
    ids = [entry.chunk_id for entry in entries]
    workspace.database.execute("mark_points", generation_id=generation.generation_id, chunk_ids=ids)
    workspace.progress.advance("qdrant_index", len(ids))


def remove_withdrawn_points(workspace: Workspace, generation: Generation) -> int:
    """Drop from Qdrant what Postgres no longer holds; returns how many ids that were."""
    removals = pending_removals(workspace, generation)
    if removals:
        with workspace.qdrant_index(generation) as index:
            _drop_removed(workspace, generation, index, removals)
    return len(removals)


def pending_removals(workspace: Workspace, generation: Generation) -> list[str]:
    """Chunks that Qdrant must still drop."""
    return workspace.database.column("pending_removals", generation_id=generation.generation_id)


def batches(items: Sequence[Item], size: int) -> list[list[Item]]:
    """The items in lists of `size`; the last may be shorter."""
    iterator = iter(items)
    return list(iter(lambda: list(islice(iterator, size)), []))


def _reconcile(workspace: Workspace, generation: Generation, index: VectorIndex) -> None:
    """Note what Qdrant lost or gained behind our back, to be written again or dropped."""
    database, identity = workspace.database, {"generation_id": generation.generation_id}
    points = index.chunk_ids()
    lost = set(database.column("marked_points", **identity)) - points
    foreign = points - set(database.column("entry_ids", **identity))
    foreign -= set(pending_removals(workspace, generation))
    database.execute("unmark_points", chunk_ids=list(lost), **identity)
    database.execute("add_removals", chunk_ids=list(foreign), **identity)


def _drop_removed(
    workspace: Workspace, generation: Generation, index: Any, removals: Sequence[str]
) -> None:
    """A chunk that came back since is in Postgres again and stays."""
    identity = {"generation_id": generation.generation_id}
    for batch in batches(removals, STAGING_BATCH):
        present = set(workspace.database.column("present_entries", chunk_ids=batch, **identity))
        index.delete([chunk_id for chunk_id in batch if chunk_id not in present])
        workspace.database.execute("clear_removals", chunk_ids=batch, **identity)


def _embed_batch(
    workspace: Workspace, batch: Sequence[_PendingText], embedder: Embedder, report: StageReport
) -> Callable[[], None]:
    """Embed a batch; returns what remains to be done: to keep it, in one transaction."""
    hashes = [text.text_hash for text in batch]
    texts = workspace.database.fetch(_Text, "texts_by_hash", text_hashes=hashes)
    with report.model_time():
        vectors = embedder.embed([text.body for text in texts])

    def record() -> None:
        workspace.database.execute(
            "add_embeddings",
            model_id=embedder.model_id,
            text_hashes=[text.text_hash for text in texts],
            vectors=workspace.database.half_vectors(vectors),
        )
        workspace.progress.advance("chunk_embeddings", len(batch))

    return record


def _stage(workspace: Workspace, index: VectorIndex, entries: Sequence[IndexEntry]) -> None:
    index.upsert(entries)
    workspace.progress.advance("postgres_index", len(entries))


def _weighings(
    workspace: Workspace, parts: Sequence[Sequence[_PendingEntry]]
) -> Iterator[Weighing]:
    for number, part in enumerate(parts):
        ids = [item.chunk_id for item in part]
        bodies = dict(workspace.database.pairs("chunk_bodies", chunk_ids=ids))
        texts = [(item.chunk_id, bodies[item.chunk_id], item.language) for item in part]
        yield Weighing(number, texts)


def _entries(
    workspace: Workspace,
    part: Sequence[_PendingEntry],
    weights: Mapping[str, SparseVector],
    model_id: str,
) -> list[IndexEntry]:
    """The entries of those that are embedded."""
    hashes = [item.text_hash for item in part]
    vectors = dict(workspace.database.pairs("known_vectors", model_id=model_id, text_hashes=hashes))
    return [
        IndexEntry(
            chunk_id=item.chunk_id,
            document_id=item.document_id,
            source_id=item.source_id,
            tenant_id=item.tenant_id,
            access_id=item.access_id,
            language=item.language,
            tags=tuple(item.tags),
            modified_at=item.modified_at,
            dense=vectors[item.text_hash].to_numpy(),
            terms=weights[item.chunk_id],
        )
        for item in part
        if item.text_hash in vectors
    ]


def _parameters(source: Source, generation: Generation) -> dict[str, str]:
    return {
        "source_id": source.source_id,
        "generation_id": generation.generation_id,
        "chunker_id": generation.choices.chunker_id(source.module),
    }
