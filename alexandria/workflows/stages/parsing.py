"""Parsing: kept files become text with units and blocks; files inside them become documents.

A content is read once for each parser version, whatever names it goes by, in a worker
process with limits: a file that breaks its reader, hangs it or wants too much memory costs
itself and is quarantined with that reason.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import PurePath

from alexandria.adapters.great_expectations import import_ahead
from alexandria.adapters.reading_tools import choose_tools
from alexandria.adapters.workers import Done
from alexandria.errors import (
    NoTextLayerError,
    ReaderCrashedError,
    ReaderMemoryError,
    ReaderTimeoutError,
)
from alexandria.knowledge.documents import PARSER_VERSION, ParsedDocument, Unit
from alexandria.knowledge.identifiers import derive_id
from alexandria.workflows.clerk import Clerk
from alexandria.workflows.operating.sources import Source
from alexandria.workflows.reports import StageReport, stage_report
from alexandria.workflows.stages.ingestion import (
    DEEPEST_FILE,
    record_quarantine,
    register_contained_files,
    restore_files,
)
from alexandria.workflows.stages.piecework import (
    Outcome,
    Reading,
    problem_columns,
    problem_of,
    read_file,
    seconds_for,
)
from alexandria.workflows.workspace import Workspace, content_cipher

_PASSING = (NoTextLayerError, ReaderTimeoutError, ReaderMemoryError, ReaderCrashedError)
"""What another setting, or another day, may mend."""

_PICTURE_UNREAD = "image_not_recognized"
"""The note of a document that was read, but for the text in its pictures."""

_NOTHING = ParsedDocument("", "", "und", "", "", (), ())

_FEW_BYTES = 5_000_000
"""Read so quickly that seconds saved beside it show."""


@dataclass(frozen=True, slots=True)
class _PendingParse:
    content_hash: str
    path: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class _Held:
    held_hash: str
    content_hash: str
    path: str
    size_bytes: int


def parse_documents(workspace: Workspace, source: Source) -> StageReport:
    """Read every content of the source that this parser has not read; one transaction each.

    What lies inside a file is read in the next round, until nothing new turns up.
    """
    parameters = {"source_id": source.source_id, "parser_version": PARSER_VERSION}
    with stage_report("chunking/parsed_documents") as report:
        tally: Counter[str] = Counter()
        _forget_what_may_be_mended(workspace, parameters)
        while pending := _readable(workspace, source):
            workspace.progress.expect("parsed_documents", len(pending))
            tally += _read_all(workspace, pending)
            report.row_count += len(pending)
            tally["files_contained"] += register_contained_files(workspace, source)
        with workspace.database.transaction():
            workspace.database.execute("mark_versions_parsed", **parameters)
            quarantined = record_quarantine(workspace, source)
        report.details = {**tally, "quarantine_entries": quarantined}
    return report


def _forget_what_may_be_mended(workspace: Workspace, parameters: Mapping[str, str]) -> None:
    """Have read again what lacked a tool, time or memory, where there are others now."""
    passing = {
        "problem_codes": [item.code for item in _PASSING],
        "note_codes": [_PICTURE_UNREAD],
        "tools": _means(workspace),
    }
    for query in ("forget_unrecognized", "replace_part_read"):
        workspace.database.execute(query, **parameters, **passing)


def _means(workspace: Workspace) -> str:
    """What there is to read files with: tools, time and memory."""
    settings = workspace.settings
    limits = f"{settings.reading_seconds:g} s, {settings.reading_memory_bytes} bytes"
    return f"{choose_tools(settings)}, {limits}"


def _readable(workspace: Workspace, source: Source) -> list[_PendingParse]:
    """Contents to read whose bytes are kept, or can be had again."""
    parameters = {"source_id": source.source_id, "parser_version": PARSER_VERSION}
    pending = workspace.database.fetch(_PendingParse, "pending_parses", **parameters)
    if not all(workspace.blobs.exists(item.content_hash) for item in pending):
        restore_blobs(workspace, source)
    return [item for item in pending if workspace.blobs.exists(item.content_hash)]


def restore_blobs(workspace: Workspace, source: Source) -> int:
    """Keep again what the blob store lost and the source still has; returns how many it lacked.

    Pictures and files inside files come out of their containers again, the outermost first.
    """
    lacked = restore_files(workspace, source)
    parameters = {"source_id": source.source_id, "tenant_id": source.tenant_id}
    held = workspace.database.fetch(_Held, "held_contents", **parameters)
    lacked += sum(not workspace.blobs.exists(item.held_hash) for item in held)
    for _ in range(DEEPEST_FILE + 1):
        lost = [item for item in held if not workspace.blobs.exists(item.held_hash)]
        holders = {
            item.content_hash: item for item in lost if workspace.blobs.exists(item.content_hash)
        }
        if not holders:
            break
        readings = _readings(workspace, holders.values())
        for _ in workspace.workers.run(read_file, readings, _time_of(workspace)):
            pass
    return lacked


def _readings(workspace: Workspace, contents: Iterable[_PendingParse | _Held]) -> Iterator[Reading]:
    blob_url, tools = workspace.settings.blobs, choose_tools(workspace.settings)
    cipher = content_cipher(workspace.settings)
    for item in contents:
        name = PurePath(item.path).name
        yield Reading(blob_url, cipher, item.content_hash, name, item.size_bytes, tools)


def _time_of(workspace: Workspace) -> Callable[[Reading], float]:
    limit = workspace.settings.reading_seconds
    return lambda task: seconds_for(task.size_bytes / 1e6, limit)


def _read_all(workspace: Workspace, pending: Sequence[_PendingParse]) -> Counter[str]:
    """Largest first, so that no worker begins the longest file when the others are done."""
    readings = _readings(workspace, sorted(pending, key=lambda item: -item.size_bytes))
    tally: Counter[str] = Counter()
    if _leaves_room(workspace, pending):
        import_ahead()  # the checks that follow need it, and this process waits for the workers
    with Clerk() as clerk:
        for done in workspace.workers.run(read_file, readings, _time_of(workspace)):
            outcome = _outcome(done)
            tally += _count(outcome)
            seconds = outcome.seconds or done.seconds
            clerk.hand(partial(_save, workspace, done.task.content_hash, outcome, seconds))
    return tally


def _leaves_room(workspace: Workspace, pending: Sequence[_PendingParse]) -> bool:
    """Whether reading is far from the memory a run may take: text recognition takes most of it."""
    size = sum(item.size_bytes for item in pending)
    return workspace.settings.ocr_engine == "off" or size < _FEW_BYTES


def _outcome(done: Done[Reading, Outcome]) -> Outcome:
    """What came of a reading, the ends of its worker among it."""
    return done.result or Outcome(None, problem_of(done.error))


def _count(outcome: Outcome) -> Counter[str]:
    units = outcome.document.units if outcome.document else ()
    return Counter(
        units_found=len(units),
        units_quarantined=sum(unit.problem is not None for unit in units),
        documents_unreadable=int(outcome.document is None),
        images_found=len(outcome.images),
    )


def _save(workspace: Workspace, content_hash: str, outcome: Outcome, seconds: float) -> None:
    document = outcome.document or _NOTHING
    database = workspace.database
    with database.transaction():
        identity = {"content_hash": content_hash, "parser_version": PARSER_VERSION}
        replaced = database.value("count_replaced_parses", **identity)
        parse_id = derive_id("parse", *identity.values(), *([str(replaced)] if replaced else []))
        is_first = database.execute(
            "add_parse",
            parse_id=parse_id,
            **identity,
            title=document.title,
            author=document.author,
            language=document.language,
            media_type=document.media_type,
            body=document.text,
            blocks=database.json(
                [
                    [one.kind, one.start, one.end, one.unit, one.level, one.anchor, one.confidence]
                    for one in document.blocks
                ]
            ),
            notes=database.json([asdict(note) for note in document.notes]),
            tools=_means(workspace),
            elapsed_seconds=seconds,
            **problem_columns(outcome.problem),
        )
        if not is_first:  # another run was quicker; its units are those of its text
            return
        database.execute_many("add_unit", [_unit_row(parse_id, unit) for unit in document.units])
        database.execute_many(
            "add_image",
            [
                asdict(image) | {"parse_id": parse_id, "ordinal": ordinal}
                for ordinal, image in enumerate(outcome.images)
            ],
        )
        database.execute_many(
            "add_attachment",
            [
                asdict(attachment) | {"parse_id": parse_id, "ordinal": ordinal}
                for ordinal, attachment in enumerate(outcome.attachments)
            ],
        )
    workspace.progress.advance("parsed_documents")


def _unit_row(parse_id: str, unit: Unit) -> dict[str, object]:
    return {
        "parse_id": parse_id,
        "ordinal": unit.ordinal,
        "kind": unit.kind,
        "label": unit.label,
        "anchor": unit.anchor,
        "start_offset": unit.start,
        "end_offset": unit.end,
        "language": unit.language,
        "confidence": unit.confidence,
        **problem_columns(unit.problem),
    }
