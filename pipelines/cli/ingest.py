"""`alexandria ingest`: register folders or files and run the graph on them."""

import time
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Annotated

import typer

from alexandria.settings import Module
from alexandria.workflows.operating.sources import Source, add_source
from alexandria.workflows.operating.status import SourceStatus, list_source_status
from alexandria.workflows.workspace import Workspace
from pipelines.cli.console import HomeOption, JsonOption, err, opened, out, print_json, print_table
from pipelines.cli.progress import StageBars
from pipelines.collector import collect_rarely


@dataclass(frozen=True, slots=True)
class IngestSummary:
    """What one run did to one source, and how the source stands after it."""

    source: str
    run_id: str
    is_success: bool
    is_unchanged: bool
    seconds: float
    reasons: list[str]
    status: SourceStatus | None


def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Folders or files to bring in.")],
    name: Annotated[str | None, typer.Option(help="Name of the source; for one path.")] = None,
    module: Annotated[
        str | None, typer.Option(help="library (default), lms or marketplace.")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Tag for the source; repeatable.")] = None,
    questions: Annotated[
        Path | None,
        typer.Option(help="CSV with columns question, document (path), phrase, kind: the gate."),
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Bring folders or files into the library and make them answerable.

    Run it again after files changed: only what changed is done.

    Example: alexandria ingest ~/Books ~/notes.md
    """
    collect_rarely()
    bars = StageBars(err, quiet=as_json)
    Thread(target=_import_ahead, name="import dagster", daemon=True).start()
    with opened(home, bars) as workspace:
        sources = [
            add_source(workspace, path, name=name, module=as_module(module), tags=tag)
            for path in paths
        ]
        if questions is not None:
            from alexandria.workflows.quality.labelled_questions import load_questions

            load_questions(workspace, sources[0], questions)
        with bars:
            summaries = [ingest_source(workspace, source) for source in sources]
    _print(summaries, as_json=as_json)
    if not all(summary.is_success for summary in summaries):
        raise typer.Exit(1)


def _import_ahead() -> None:
    """What the run needs is imported while Postgres starts."""
    from pipelines import build, instance

    _ = build, instance


def ingest_source(workspace: Workspace, source: Source) -> IngestSummary:
    """Run `sync_source` on one source in this process."""
    from pipelines.instance import open_instance, run_job

    started = time.perf_counter()
    with open_instance(workspace.settings) as instance:
        outcome = run_job(workspace, instance, "sync_source", source.name)
    return IngestSummary(
        source=source.name,
        run_id=outcome.run_id,
        is_success=outcome.is_success,
        is_unchanged=outcome.is_success and outcome.rows_written == 0,
        seconds=time.perf_counter() - started,
        reasons=outcome.reasons,
        status=_status_of(workspace, source),
    )


def _status_of(workspace: Workspace, source: Source) -> SourceStatus | None:
    """None for a source that was removed."""
    found = [item for item in list_source_status(workspace) if item.name == source.name]
    return found[0] if found else None


def as_module(name: str | None) -> Module | None:
    """The module of that name; None for none, which keeps what the source has."""
    if name is None:
        return None
    modules: dict[str, Module] = {"library": "library", "lms": "lms", "marketplace": "marketplace"}
    if name not in modules:
        raise typer.BadParameter(f"{name} is none of {', '.join(modules)}.")
    return modules[name]


def _print(summaries: list[IngestSummary], *, as_json: bool) -> None:
    if as_json:
        print_json(summaries)
        return
    for summary in summaries:
        if summary.is_unchanged:
            out.print(f"[green]{summary.source}: nothing new; no document was touched.[/]")
        for reason in summary.reasons:
            err.print(f"[bold red]{summary.source}:[/] {reason}", highlight=False)
    columns = [
        "Source",
        "Documents",
        "Published",
        "Units",
        "Indexed",
        "Quarantined",
        "Chunks",
        "Seconds",
    ]
    print_table("Ingested", columns, [_row(summary) for summary in summaries])
    quarantined = sum(item.status.quarantined for item in summaries if item.status)
    if quarantined:
        out.print(f"In quarantine: {quarantined} of them; `alexandria status` says why.")


def _row(summary: IngestSummary) -> list[object]:
    status = summary.status
    assert status is not None, "an ingested source is not removed"
    return [
        summary.source,
        status.documents,
        status.published,
        status.units_found,
        status.units_found - status.units_quarantined,
        status.units_quarantined,
        status.chunks,
        round(summary.seconds, 1),
    ]
