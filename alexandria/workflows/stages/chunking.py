"""Chunking: parsed documents to chunks, cut in worker processes.

A chunk's id comes from its document and its text, so the chunks an edit leaves alone keep
theirs.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from alexandria.knowledge.chunking import Chunk
from alexandria.knowledge.documents import (
    PARSER_VERSION,
    Block,
    BlockKind,
    ParsedDocument,
    Problem,
    Unit,
    UnitKind,
    under_name,
)
from alexandria.knowledge.identifiers import derive_id, hash_text
from alexandria.workflows.clerk import Clerk
from alexandria.workflows.operating.generations import Generation
from alexandria.workflows.operating.sources import Source
from alexandria.workflows.reports import StageReport, stage_report
from alexandria.workflows.stages.ingestion import record_quarantine
from alexandria.workflows.stages.piecework import (
    Cutting,
    cut_document,
    problem_columns,
    problem_of,
    seconds_for,
)
from alexandria.workflows.workspace import Workspace


@dataclass(frozen=True, slots=True)
class _PendingChunking:
    document_id: str
    version_id: str
    parse_id: str
    title: str


@dataclass(frozen=True, slots=True)
class _StoredParse:
    title: str
    author: str
    language: str
    media_type: str
    body: str
    blocks: list[list[Any]]


@dataclass(frozen=True, slots=True)
class StoredUnit:
    """A unit as the ledger keeps it."""

    ordinal: int
    kind: str
    label: str
    anchor: str
    start_offset: int
    end_offset: int
    problem_code: str | None
    problem_reason: str | None
    problem_advice: str | None
    language: str
    confidence: float | None


def chunk_documents(workspace: Workspace, source: Source, generation: Generation) -> StageReport:
    """Cut every parsed version of the source as the generation says; one transaction each."""
    database = workspace.database
    chunker_id = generation.choices.chunker_id(source.module)
    parameters = {"source_id": source.source_id, "chunker_id": chunker_id}
    with stage_report("chunking/chunks") as report:
        pending = database.fetch(
            _PendingChunking, "pending_chunkings", parser_version=PARSER_VERSION, **parameters
        )
        workspace.progress.expect("chunks", len(pending))
        refused = 0
        with Clerk() as clerk:
            cuttings = _cuttings(workspace, pending, generation, source.module)
            for done in workspace.workers.run(cut_document, cuttings, _time_of(workspace)):
                item = pending[done.task.number]
                if done.result is None:
                    _refuse(workspace, item, problem_of(done.error))
                    refused += 1
                    continue
                report.row_count += len(done.result)
                clerk.hand(partial(_save_chunks, workspace, item, chunker_id, done.result))
        workspace.workers.close()  # what the readers loaded is memory the model can use
        if pending:
            database.execute("analyze_chunks")
        if refused:
            with database.transaction():
                record_quarantine(workspace, source)
        database.execute("mark_versions_chunked", **parameters)
        report.details = {"documents_chunked": len(pending) - refused}
    return report


def load_parse(workspace: Workspace, parse_id: str) -> ParsedDocument:
    """A parsed document back from the ledger."""
    stored = workspace.database.fetch_one(_StoredParse, "read_parse", parse_id=parse_id)
    assert stored is not None, "the foreign key keeps parses that are in use"
    units = workspace.database.fetch(StoredUnit, "read_units", parse_id=parse_id)
    return ParsedDocument(
        title=stored.title,
        author=stored.author,
        language=stored.language,
        media_type=stored.media_type,
        text=stored.body,
        units=tuple(_to_unit(unit) for unit in units),
        blocks=tuple(Block(BlockKind(kind), *rest) for kind, *rest in stored.blocks),
    )


def _refuse(workspace: Workspace, item: _PendingChunking, problem: Problem) -> None:
    """A text that breaks what cuts it goes to quarantine like a file that breaks its reader."""
    workspace.database.execute("refuse_parse", parse_id=item.parse_id, **problem_columns(problem))


def _time_of(workspace: Workspace) -> Callable[[Cutting], float]:
    limit = workspace.settings.reading_seconds
    return lambda task: seconds_for(len(task.document.text) / 1e6, limit)


def _cuttings(
    workspace: Workspace, pending: Sequence[_PendingChunking], generation: Generation, module: str
) -> Iterator[Cutting]:
    for number, item in enumerate(pending):
        yield Cutting(
            number=number,
            document=under_name(load_parse(workspace, item.parse_id), item.title),
            strategy=dict(generation.choices.strategies[module]),
            model_folder=workspace.settings.model_folder,
            model_name=generation.choices.model_name,
        )


def _to_unit(unit: StoredUnit) -> Unit:
    problem = None
    if unit.problem_code:
        problem = Problem(unit.problem_code, unit.problem_reason or "", unit.problem_advice or "")
    return Unit(
        unit.ordinal,
        UnitKind(unit.kind),
        unit.label,
        unit.anchor,
        unit.start_offset,
        unit.end_offset,
        problem,
        unit.language,
        unit.confidence,
    )


def _save_chunks(
    workspace: Workspace, item: _PendingChunking, chunker_id: str, chunks: Sequence[Chunk]
) -> None:
    hashes = [hash_text(chunk.text) for chunk in chunks]
    ids = _chunk_ids(item.document_id, hashes)
    identity = {"version_id": item.version_id, "chunker_id": chunker_id}
    database = workspace.database
    with database.transaction():
        database.execute(
            "add_chunks",
            chunk_ids=ids,
            document_ids=[item.document_id] * len(ids),
            text_hashes=hashes,
            bodies=[chunk.text for chunk in chunks],
            token_counts=[chunk.token_count for chunk in chunks],
        )
        database.execute("replace_chunking", **identity)
        database.execute(
            "add_chunking", parse_id=item.parse_id, chunk_count=len(chunks), **identity
        )
        database.execute(
            "add_version_chunks",
            ordinals=[chunk.ordinal for chunk in chunks],
            chunk_ids=ids,
            starts=[chunk.start for chunk in chunks],
            ends=[chunk.end for chunk in chunks],
            units=[chunk.unit for chunk in chunks],
            anchors=[chunk.anchor for chunk in chunks],
            section_paths=[database.json(list(chunk.section_path)) for chunk in chunks],
            **identity,
        )
    workspace.progress.advance("chunks")


def _chunk_ids(document_id: str, text_hashes: list[str]) -> list[str]:
    """The n-th occurrence of a text in a document is its own chunk."""
    seen: Counter[str] = Counter()
    ids: list[str] = []
    for text_hash in text_hashes:
        ids.append(derive_id("chunk", document_id, text_hash, str(seen[text_hash])))
        seen[text_hash] += 1
    return ids
