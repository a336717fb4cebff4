"""`analytics/ledger_exports`, the dbt models, and `analytics/marts`.

The models are not made when this module is imported, because they are read from the
manifest that `dbt parse` writes: `dbt_models(manifest)` makes them.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliResource,
    dbt_assets,
)

from alexandria.workflows.insights.usage import forget_old_usage
from alexandria.workflows.reports import StageReport, record_stage_run
from alexandria.workflows.stages.analytics import (
    MARTS,
    build_variables,
    count_built,
    dbt_folder,
    export_ledger,
    preview_marts,
    publish_marts,
)
from alexandria.workflows.workspace import Workspace
from assets.reporting import TEAM, report_metadata


@dg.asset(
    deps=[["quality", "publications"]],
    kinds={"postgres", "parquet"},
    owners=TEAM,
)
def ledger_exports(
    context: dg.AssetExecutionContext, workspace: dg.ResourceParam[Workspace]
) -> dg.MaterializeResult[None]:
    """The ledger and its events as Parquet files that all show the same moment.

    Texts stay behind: an analyst gets counts, states, dates and what was asked. Events and
    questions that are past the retention are deleted first.
    """
    forgotten = forget_old_usage(workspace)
    report = export_ledger(workspace)
    report.details["forgotten_usage_events"] = forgotten.usage_events
    report.details["forgotten_questions"] = forgotten.questions
    return _materialized(context, workspace, report)


@dg.asset(
    deps=[["marts", mart] for mart in MARTS],
    kinds={"duckdb", "parquet"},
    owners=TEAM,
)
def marts(
    context: dg.AssetExecutionContext, workspace: dg.ResourceParam[Workspace]
) -> dg.MaterializeResult[None]:
    """The marts as Parquet files, replaced whole: no reader waits for a build or breaks one."""
    report = publish_marts(workspace)
    preview = dg.MetadataValue.md(preview_marts(workspace))
    return _materialized(context, workspace, report, preview=preview)


def dbt_models(manifest: Path) -> dg.AssetsDefinition:
    """Every dbt model as `staging/<model>` or `marts/<model>`, dbt's tests as their checks.

    Args:
        manifest: What `dbt parse` wrote, `target/manifest.json` of the dbt project.

    Returns:
        One step that builds and tests all of them; it needs the resources `dbt` and
        `workspace`.

    Raises:
        DagsterDbtManifestNotFoundError: The manifest is not there; run `make setup`.
    """
    settings = DagsterDbtTranslatorSettings(enable_duplicate_source_asset_keys=True)

    @dbt_assets(manifest=manifest, dagster_dbt_translator=DagsterDbtTranslator(settings))
    def build_models(
        context: dg.AssetExecutionContext,
        dbt: DbtCliResource,
        workspace: dg.ResourceParam[Workspace],
    ) -> Iterator[Any]:
        invocation = dbt.cli(
            ["build", "--vars", json.dumps(build_variables(workspace.settings))],
            context=context,
            target_path=dbt_folder(workspace.settings),
            raise_on_error=False,
        )
        events = list(invocation.stream())
        error = invocation.get_error()
        yield from events if error else _with_row_counts(context, workspace, events)
        if error:
            raise error

    return build_models


def _with_row_counts(
    context: dg.AssetExecutionContext, workspace: Workspace, events: Iterable[Any]
) -> Iterator[Any]:
    """The events of a build that succeeded; a model's tells its rows.

    Counted here in one short connection: dagster-dbt would keep the DuckDB file open.
    """
    counts = count_built(workspace)
    for event in events:
        if isinstance(event, dg.Output):
            key = context.asset_key_for_output(event.output_name)
            rows = counts[".".join(key.path)]
            yield event.with_metadata({**event.metadata, "dagster/row_count": rows})
        else:
            yield event


def _materialized(
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    report: StageReport,
    **metadata: dg.MetadataValue[Any],
) -> dg.MaterializeResult[None]:
    """Record the report, which is of the whole library and no single source, and show it."""
    record_stage_run(workspace.database, report, source_id=None, run_id=context.run_id)
    return dg.MaterializeResult(metadata={**report_metadata(report), **metadata}, value=None)
