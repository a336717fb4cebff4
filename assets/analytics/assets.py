"""`analytics/ledger_exports`, the dbt models, and `analytics/marts`.

The models are not made when this module is imported, because they are read from the
manifest that `dbt parse` writes: `dbt_models(manifest)` makes them.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import (
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliResource,
    dbt_assets,
)

from alexandria.workflows.analytics import (
    MARTS,
    build_variables,
    count_exported,
    count_published,
    dbt_folder,
    export_ledger,
    preview_marts,
    publish_marts,
)
from alexandria.workflows.reports import StageReport, record_stage_run
from alexandria.workflows.workspace import Workspace
from assets.reporting import TEAM, report_metadata


@dg.asset(
    deps=[["quality", "publications"]],
    check_specs=[
        dg.AssetCheckSpec(
            "files_are_whole",
            asset="ledger_exports",
            blocking=True,
            description="Every file holds as many rows as the ledger gave.",
        )
    ],
    kinds={"postgres", "parquet"},
    owners=TEAM,
)
def ledger_exports(
    context: dg.AssetExecutionContext, workspace: dg.ResourceParam[Workspace]
) -> dg.MaterializeResult[Any]:
    """The ledger and its events as Parquet files that all show the same moment.

    Texts stay behind: an analyst gets counts, states, dates and what was asked.
    """
    report = export_ledger(workspace)
    return _materialized(context, workspace, report, count_exported(workspace), {})


@dg.asset(
    deps=[["marts", mart] for mart in MARTS],
    check_specs=[
        dg.AssetCheckSpec(
            "files_are_whole",
            asset="marts",
            description="Every mart is published with as many rows as dbt built.",
        )
    ],
    kinds={"duckdb", "parquet"},
    owners=TEAM,
)
def marts(
    context: dg.AssetExecutionContext, workspace: dg.ResourceParam[Workspace]
) -> dg.MaterializeResult[Any]:
    """The marts as Parquet files, replaced whole: no reader waits for a build or breaks one."""
    report = publish_marts(workspace)
    preview = {"preview": dg.MetadataValue.md(preview_marts(workspace))}
    return _materialized(context, workspace, report, count_published(workspace), preview)


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
        variables = json.dumps(build_variables(workspace.settings))
        invocation = dbt.cli(
            ["build", "--vars", variables],
            context=context,
            target_path=dbt_folder(workspace.settings),
        )
        yield from invocation.stream().fetch_row_counts()

    return build_models


def _materialized(
    context: dg.AssetExecutionContext,
    workspace: Workspace,
    report: StageReport,
    files: Mapping[str, int],
    preview: Mapping[str, dg.MetadataValue[Any]],
) -> dg.MaterializeResult[Any]:
    """Record the report; show it, and whether the files hold what it says."""
    record_stage_run(workspace.database, report, source_id=None, run_id=context.run_id)
    check = dg.AssetCheckResult(
        check_name="files_are_whole", passed=files == report.details, metadata=dict(files)
    )
    metadata = {**report_metadata(report), **preview}
    return dg.MaterializeResult(metadata=metadata, check_results=[check])
