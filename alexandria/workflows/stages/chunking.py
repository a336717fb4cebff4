"""Chunking: bytes to text with units and blocks, then text to chunks.

A content is parsed once for each parser version, whatever names it goes by. A chunk's id
comes from its document and its text, so the chunks an edit leaves alone keep theirs.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from alexandria.errors import UnreadableError
from alexandria.knowledge.chunking import Chunk
from alexandria.knowledge.documents import (
    PARSER_VERSION,
    Block,
    BlockKind,
    ParsedDocument,
    Problem,
    Unit,
    UnitKind,
)
from alexandria.knowledge.identifiers import derive_id, hash_text
from alexandria.workflows.clerk import Clerk
from alexandria.workflows.operating.generations import Generation, embedder_of
from alexandria.workflows.operating.sources import Source
from alexandria.workflows.reports import StageReport, stage_report
from alexandria.workflows.stages.ingestion import record_quarantine
from alexandria.workflows.workspace import Workspace


@dataclass(frozen=True, slots=True)
class _PendingParse:
    content_hash: str
    path: str


@dataclass(frozen=True, slots=True)
class _PendingChunking:
    document_id: str
    version_id: str
    parse_id: str


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


def parse_documents(workspace: Workspace, source: Source) -> StageReport:
    """Read every content of the source that this parser has not read; one transaction each."""
    database = workspace.database
    parameters = {"source_id": source.source_id, "parser_version": PARSER_VERSION}
    with stage_report("chunking/parsed_documents") as report:
        pending = database.fetch(_PendingParse, "pending_parses", **parameters)
        workspace.progress.expect("parsed_documents", len(pending))
        tally: Counter[str] = Counter()
        for item in pending:
            tally += _parse(workspace, item)
            workspace.progress.advance("parsed_documents")
        with database.transaction():
            database.execute("mark_versions_parsed", **parameters)
            quarantined = record_quarantine(workspace, source)
        report.row_count = len(pending)
        report.details = {**tally, "quarantine_entries": quarantined}
    return report


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
        with Clerk() as clerk:
            for item in pending:
                chunks = _chunk(workspace, item, generation, source.module)
                report.row_count += len(chunks)
                clerk.hand(partial(_save_chunks, workspace, item, chunker_id, chunks))
        if pending:
            database.execute("analyze_chunks")
        database.execute("mark_versions_chunked", **parameters)
        report.details = {"documents_chunked": len(pending)}
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


def _parse(workspace: Workspace, item: _PendingParse) -> Counter[str]:
    from alexandria.knowledge.parsing import parse_document

    started = time.perf_counter()
    name = item.path.rsplit("/", 1)[-1]
    document: ParsedDocument | None = None
    problem: Problem | None = None
    try:
        document = parse_document(workspace.blobs.read(item.content_hash), name)
    except UnreadableError as error:
        problem = Problem(error.code, error.message, error.advice)
    elapsed = time.perf_counter() - started
    with workspace.database.transaction():
        _save_parse(workspace, item.content_hash, document, problem, elapsed)
    units = document.units if document else ()
    found = Counter({"units_found": len(units), "documents_unreadable": int(document is None)})
    found["units_quarantined"] = sum(unit.problem is not None for unit in units)
    return found


def _save_parse(
    workspace: Workspace,
    content_hash: str,
    document: ParsedDocument | None,
    problem: Problem | None,
    elapsed: float,
) -> None:
    parse_id = derive_id("parse", content_hash, PARSER_VERSION)
    document = document or ParsedDocument("", "", "und", "", "", (), ())
    blocks = [
        [block.kind, block.start, block.end, block.unit, block.level, block.anchor]
        for block in document.blocks
    ]
    workspace.database.execute(
        "add_parse",
        parse_id=parse_id,
        content_hash=content_hash,
        parser_version=PARSER_VERSION,
        title=document.title,
        author=document.author,
        language=document.language,
        media_type=document.media_type,
        body=document.text,
        blocks=workspace.database.json(blocks),
        elapsed_seconds=elapsed,
        **_problem_columns(problem),
    )
    workspace.database.execute_many(
        "add_unit", [_unit_row(parse_id, unit) for unit in document.units]
    )


def _unit_row(parse_id: str, unit: Unit) -> dict[str, object]:
    return {
        "parse_id": parse_id,
        "ordinal": unit.ordinal,
        "kind": unit.kind,
        "label": unit.label,
        "anchor": unit.anchor,
        "start_offset": unit.start,
        "end_offset": unit.end,
        **_problem_columns(unit.problem),
    }


def _problem_columns(problem: Problem | None) -> dict[str, str | None]:
    return {
        "problem_code": problem.code if problem else None,
        "problem_reason": problem.reason if problem else None,
        "problem_advice": problem.advice if problem else None,
    }


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
    )


def _chunk(
    workspace: Workspace, item: _PendingChunking, generation: Generation, module: str
) -> list[Chunk]:
    from alexandria.knowledge.chunking import split, strategy_from_json

    strategy = strategy_from_json(generation.choices.strategies[module])
    document = load_parse(workspace, item.parse_id)
    return split(document, strategy, embedder_of(workspace, generation).token_spans)


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
