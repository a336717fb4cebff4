"""`alexandria status` and `alexandria verify`: how the library stands, and the proof."""

from typing import Annotated

import typer

from alexandria.workflows.identity.audit import OPERATOR, record_event
from alexandria.workflows.operating.sources import list_sources
from alexandria.workflows.operating.status import Status, read_status
from alexandria.workflows.quality.verification import repair_qdrant
from alexandria.workflows.quality.verification import verify as count_stores
from alexandria.workflows.stages.parsing import restore_blobs
from alexandria.workflows.workspace import Workspace
from pipelines.cli.console import HomeOption, JsonOption, opened, out, print_json, print_table

SHOWN_UNITS = 5
"""Units of a document that are named; the rest are counted. `--json` names them all."""


def status(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show sources, coverage, quarantine with reasons, and index generations.

    Example: alexandria status
    """
    with opened(home) as workspace:
        current = read_status(workspace)
    if as_json:
        print_json(current)
        return
    _print_sources(current)
    _print_coverage(current)
    _print_quarantine(current)
    for check in current.failed_checks:
        out.print(
            f"[bold red]{check.source_name} is not published:[/] {check.name}: {check.description}",
            highlight=False,
        )
    generations = [
        [item.generation_id, item.state, item.model_id, item.entry_count, item.created_at]
        for item in current.generations
    ]
    print_table("Index generations", ["Id", "State", "Model", "Entries", "Created"], generations)


def verify(
    repair: Annotated[
        bool,
        typer.Option("--repair", help="First write again what Qdrant and the blob store lost."),
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Count every store again and compare with the ledger; exit code 1 on any difference.

    Example: alexandria verify && echo sound
    """
    with opened(home) as workspace:
        if repair:
            _repair(workspace)
        counts = count_stores(workspace)
    wrong = [count for count in counts if not count.is_equal]
    if as_json:
        print_json({"is_sound": not wrong, "counts": counts})
    else:
        rows = [
            [item.store, item.what, item.expected, item.found, "ok" if item.is_equal else "WRONG"]
            for item in counts
        ]
        print_table("Counted twice", ["Store", "What", "Ledger", "Found", ""], rows)
    if wrong:
        raise typer.Exit(1)


def _repair(workspace: Workspace) -> None:
    files = sum(restore_blobs(workspace, source) for source in list_sources(workspace))
    points = repair_qdrant(workspace)
    if files or points:
        told = {"files": files, "points": points}
        record_event(workspace, "stores.repaired", "library", details=told, actor=OPERATOR)


def _print_sources(current: Status) -> None:
    rows = [
        [
            item.name,
            item.documents,
            item.published,
            item.pending,
            item.quarantined,
            item.duplicates,
            item.chunks,
            item.synced_at,
        ]
        for item in current.sources
    ]
    columns = [
        "Source",
        "Documents",
        "Published",
        "Pending",
        "Quarantined",
        "Duplicates",
        "Chunks",
        "Synced",
    ]
    print_table("Sources", columns, rows)


def _print_coverage(current: Status) -> None:
    """What the documents consist of; pictures and notes only where there are any."""
    rows = [
        [
            item.name,
            item.coverage.found,
            item.coverage.indexed,
            item.coverage.pending,
            item.coverage.quarantined_count,
            item.coverage.recognized,
            item.coverage.images,
            item.coverage.images_with_text,
        ]
        for item in current.sources
        if item.coverage.found
    ]
    columns = [
        "Source",
        "Units",
        "Indexed",
        "Pending",
        "Quarantined",
        "Recognized",
        "Pictures",
        "With text",
    ]
    if rows:
        print_table("Coverage, in pages, chapters, slides, sheets and messages", columns, rows)
    notes = [
        [item.name, code, count]
        for item in current.sources
        for code, count in item.coverage.notes.items()
    ]
    if notes:
        print_table("Notes", ["Source", "Note", "Times"], notes)


def _print_quarantine(current: Status) -> None:
    """Every reason with its advice, then what stands in quarantine for it."""
    if not current.quarantine:
        return
    reasons = [
        [item.source_name, item.code, item.documents, item.units, item.advice]
        for item in current.reasons
    ]
    columns = ["Source", "Reason", "Documents", "Units", "What to do"]
    print_table("Why parts are missing", columns, reasons)
    places: dict[tuple[str, str], list[str]] = {}
    for item in current.quarantine:
        key = (f"{item.source_name}: {item.path}", item.reason)
        places.setdefault(key, []).append(item.unit)
    rows = [[document, _some(units), reason] for (document, reason), units in places.items()]
    print_table("Quarantine", ["Document", "Units", "Reason"], rows)


def _some(units: list[str]) -> str:
    """The first units by name; the number of the others."""
    shown = ", ".join(units[:SHOWN_UNITS])
    more = len(units) - SHOWN_UNITS
    return f"{shown} and {more} more" if more > 0 else shown
