"""Analytics: the ledger as Parquet, and the marts that dbt builds from it, published.

Postgres -> `analytics/ledger/*.parquet` -> DuckDB (dbt) -> `marts/*.parquet`, all inside
the home. Every step replaces its output as a whole; nothing here writes to Postgres.
"""

from collections.abc import Mapping
from pathlib import Path

from alexandria.adapters.parquet import (
    count_rows,
    count_tables,
    export_queries,
    preview_rows,
    publish_tables,
)
from alexandria.settings import Settings
from alexandria.workflows.reports import StageReport, stage_report
from alexandria.workflows.workspace import Workspace

LEDGER_TABLES = (
    "knowledge.sources",
    "knowledge.documents",
    "knowledge.document_versions",
    "knowledge.parses",
    "knowledge.units",
    "knowledge.chunkings",
    "knowledge.publications",
    "knowledge.quarantine",
    "knowledge.index_generations",
    "knowledge.retrieval_scores",
    "knowledge.check_results",
    "insights.stage_runs",
    "insights.query_events",
    "insights.query_event_chunks",
)
"""What is exported, each to `<schema>.<table>.parquet`."""

MARTS = ("coverage", "costs", "documents", "freshness", "questions")
"""What dbt builds for analysts, each published to `<mart>.parquet`."""


def build_variables(settings: Settings) -> dict[str, str]:
    """The dbt variables of a home: where its ledger files are and its DuckDB file goes."""
    return {
        "ledger_folder": str(_ledger_folder(settings)),
        "duckdb_file": str(_duckdb_file(settings)),
    }


def dbt_folder(settings: Settings) -> Path:
    """Where dbt keeps its artifacts and logs for this home; one build at a time uses it."""
    return settings.analytics_folder / "dbt"


def export_ledger(workspace: Workspace) -> StageReport:
    """Copy what analysts need from Postgres to Parquet, as it stands at one moment.

    Raises:
        StoreUnavailableError: Postgres did not answer.
    """
    with stage_report("analytics/ledger_exports") as report:
        counts = export_queries(
            workspace.database.address,
            {table: f"export_{table.replace('.', '_')}" for table in LEDGER_TABLES},
            _ledger_folder(workspace.settings),
        )
        report.row_count = sum(counts.values())
        report.details = dict(counts)
    return report


def publish_marts(workspace: Workspace) -> StageReport:
    """Copy every mart from DuckDB to its Parquet file; readers have the old ones until then.

    Raises:
        NotFoundError: dbt has not built the marts.
        StoreUnavailableError: Another process is writing the DuckDB file.
    """
    settings = workspace.settings
    with stage_report("analytics/marts") as report:
        counts = publish_tables(
            _duckdb_file(settings),
            {mart: f"marts.{mart}" for mart in MARTS},
            settings.marts_folder,
        )
        report.row_count = sum(counts.values())
        report.details = dict(counts)
    return report


def preview_marts(workspace: Workspace, rows: int = 5) -> str:
    """The first rows of every published mart, in Markdown."""
    folder = workspace.settings.marts_folder
    parts = [f"### {mart}\n\n{preview_rows(folder / f'{mart}.parquet', rows)}" for mart in MARTS]
    return "\n\n".join(parts)


def count_exported(workspace: Workspace) -> Mapping[str, int]:
    """Rows in the ledger files by table, as the files tell; a missing file is left out."""
    return count_rows(_ledger_folder(workspace.settings), LEDGER_TABLES)


def count_built(workspace: Workspace) -> Mapping[str, int]:
    """Rows of every dbt model, by `staging.<view>` or `marts.<table>`.

    Raises:
        NotFoundError: dbt has not built them.
        StoreUnavailableError: Another process is writing the DuckDB file.
    """
    views = [f"staging.stg_{table.replace('.', '__')}" for table in LEDGER_TABLES]
    tables = [f"marts.{mart}" for mart in MARTS]
    return count_tables(_duckdb_file(workspace.settings), views + tables)


def count_published(workspace: Workspace) -> Mapping[str, int]:
    """Rows in the published marts, as the files tell; a missing file is left out."""
    return count_rows(workspace.settings.marts_folder, MARTS)


def _ledger_folder(settings: Settings) -> Path:
    return settings.analytics_folder / "ledger"


def _duckdb_file(settings: Settings) -> Path:
    return settings.analytics_folder / "alexandria.duckdb"
