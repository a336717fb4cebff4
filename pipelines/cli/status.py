"""`alexandria status` and `alexandria verify`: how the library stands, and the proof."""

from typing import Annotated

import typer

from alexandria.workflows.operating.sources import list_sources
from alexandria.workflows.operating.status import Status, read_status
from alexandria.workflows.quality.verification import repair_qdrant
from alexandria.workflows.quality.verification import verify as count_stores
from alexandria.workflows.stages.ingestion import restore_blobs
from pipelines.cli.console import HomeOption, JsonOption, opened, out, print_json, print_table


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
            for source in list_sources(workspace):
                restore_blobs(workspace, source)
            repair_qdrant(workspace)
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


def _print_sources(current: Status) -> None:
    rows = [
        [
            item.name,
            item.documents,
            item.published,
            item.pending,
            item.quarantined,
            item.duplicates,
            f"{item.units_found - item.units_quarantined}/{item.units_found}",
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
        "Units",
        "Chunks",
        "Synced",
    ]
    print_table("Sources", columns, rows)


def _print_quarantine(current: Status) -> None:
    if current.quarantine:
        rows = [
            [f"{item.source_name}: {item.path}", item.unit, item.reason, item.advice]
            for item in current.quarantine
        ]
        print_table("Quarantine", ["Document", "Unit", "Reason", "Advice"], rows)
