"""From a workflow's report to what Dagster shows and what the analysts count."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import dagster as dg

from alexandria.errors import TransientError
from alexandria.workflows.operating.generations import Generation, ensure_target, fed_generations
from alexandria.workflows.operating.sources import Source, read_source
from alexandria.workflows.reports import StageReport, record_stage_run
from alexandria.workflows.workspace import Workspace

TEAM = ["team:library"]

Metadata = Mapping[str, int | float | str | dg.MarkdownMetadataValue]
"""What the Dagster UI shows of a materialization, by name."""

REBUILD_JOB = "rebuild_index"
"""The job that also builds the generation of today's settings, if it is a new one."""


def run_stage(
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    work: Callable[[Workspace, Source], StageReport],
    describe: Callable[[Workspace, Source], Metadata] | None = None,
) -> dg.MaterializeResult[None]:
    """Do one stage's work for the source of the partition; record and show its report.

    `describe` tells what else to show, of the source as it stands after the work. An error
    that may pass is tried again after 2, 4 and 8 seconds; any other ends the run.
    """
    source = read_source(workspace, context.partition_key)
    if context.run.job_name == REBUILD_JOB:
        ensure_target(workspace)
    try:
        with workspace.database.lock(f"source {source.source_id}"):
            report = work(workspace, source)
    except TransientError as error:
        wait = 2 ** (context.retry_number + 1)
        raise dg.RetryRequested(max_retries=3, seconds_to_wait=wait) from error
    record_stage_run(workspace.database, report, source_id=source.source_id, run_id=context.run_id)
    more = describe(workspace, source) if describe else {}
    return dg.MaterializeResult(value=None, metadata={**report_metadata(report), **more})


def report_metadata(report: StageReport) -> dict[str, int | float | str]:
    """What the Dagster UI shows of a report."""
    return {
        "dagster/row_count": report.row_count,
        "elapsed_seconds": round(report.elapsed_seconds, 3),
        "model_seconds": round(report.model_seconds, 3),
        "tokens": report.token_count,
        "cost_usd": report.cost_usd,
        **report.details,
    }


def for_each_generation(
    work: Callable[[Workspace, Source, Generation], StageReport],
) -> Callable[[Workspace, Source], StageReport]:
    """The same work for every generation that is fed, its reports added up."""

    def work_on_all(workspace: Workspace, source: Source) -> StageReport:
        return add_reports([work(workspace, source, each) for each in fed_generations(workspace)])

    return work_on_all


def add_reports(reports: Sequence[StageReport]) -> StageReport:
    """One report of several of the same asset."""
    total = StageReport(reports[0].asset)
    for report in reports:
        total.row_count += report.row_count
        total.elapsed_seconds += report.elapsed_seconds
        total.model_seconds += report.model_seconds
        total.token_count += report.token_count
        total.cost_usd += report.cost_usd
        _add_details(total.details, report.details.items())
    return total


def _add_details(
    total: dict[str, int | float | str], details: Iterable[tuple[str, int | float | str]]
) -> None:
    for name, value in details:
        known = total.get(name, 0)
        numbers = isinstance(value, int | float) and isinstance(known, int | float)
        total[name] = known + value if numbers else value  # type: ignore[operator]
