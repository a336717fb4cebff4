"""From a small ledger to the published marts, through Dagster and dbt, built once."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import psycopg
import pyarrow.parquet as pq
import pytest
from dagster_dbt import DbtCliResource

import assets.analytics.assets as analytics_assets
import assets.analytics.checks as analytics_checks
from alexandria.adapters.schema import ensure_database, migrate
from alexandria.errors import NotFoundError
from alexandria.settings import Settings
from alexandria.workflows.stages.analytics import LEDGER_TABLES, MARTS, export_ledger, publish_marts
from alexandria.workflows.workspace import Workspace, open_workspace

ROOT = Path(__file__).resolve().parents[2]
PROJECT = ROOT / "dbt"
DBT = Path(sys.executable).with_name("dbt")
LEDGER = Path(__file__).with_name("analytics_ledger.sql")


@dataclass(frozen=True)
class Built:
    """A home after one run of the analytics job."""

    workspace: Workspace
    result: dg.ExecuteInProcessResult
    manifest: dict[str, Any]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What an analyst gets who works in the home folder."""
        home = self.workspace.settings.home
        with duckdb.connect(config={"file_search_path": str(home)}) as connection:
            return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """dbt's manifest, parsed as `make setup` does, with no variable set."""
    target = tmp_path_factory.mktemp("target")
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [DBT, "--quiet", "parse", "--project-dir", PROJECT, "--profiles-dir", PROJECT]
    command += ["--target-path", target, "--log-path", target]
    subprocess.run(command, env=environment, cwd=target, check=True)
    return target / "manifest.json"


@pytest.fixture(scope="module")
def built(
    postgres_server: str, manifest: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Built]:
    address = ensure_database(postgres_server, "analytics")
    migrate(address)
    with psycopg.connect(address) as connection:
        connection.execute(LEDGER.read_bytes())
    home = tmp_path_factory.mktemp("o'brien and sons")
    kept = 100 * 365  # the ledger's questions are of a fixed day
    settings = Settings(home=home, database_url=address, analytics_retention_days=kept)
    with open_workspace(settings) as workspace:
        result = run_analytics(workspace, manifest)
        yield Built(workspace, result, json.loads(manifest.read_text()))


def run_analytics(
    workspace: Workspace, manifest: Path, only: list[str] | None = None
) -> dg.ExecuteInProcessResult:
    plain = dg.load_assets_from_modules(
        [analytics_assets], group_name="analytics", key_prefix="analytics"
    )
    definitions = dg.Definitions(
        assets=[*plain, analytics_assets.dbt_models(manifest)],
        asset_checks=dg.load_asset_checks_from_modules([analytics_checks]),
        jobs=[
            dg.define_asset_job(
                "analytics",
                selection=dg.AssetSelection.groups("analytics"),
                executor_def=dg.in_process_executor,
            )
        ],
        resources={
            "workspace": workspace,
            "dbt": DbtCliResource(PROJECT, profiles_dir=PROJECT, dbt_executable=DBT),
        },
    )
    return definitions.resolve_job_def("analytics").execute_in_process(
        raise_on_error=False,
        asset_selection=[dg.AssetKey(key.split("/")) for key in only] if only else None,
    )


def test_every_asset_is_materialized_and_every_check_passes(built: Built) -> None:
    assert built.result.success
    made = {event.asset_key.to_user_string() for event in materializations(built)}
    staging = {f"staging/stg_{table.replace('.', '__')}" for table in LEDGER_TABLES}
    marts = {f"marts/{mart}" for mart in MARTS}
    assert made == {"analytics/ledger_exports", "analytics/marts"} | staging | marts
    checks = built.result.get_asset_check_evaluations()
    assert all(check.passed for check in checks)
    checked = {check.asset_key.to_user_string() for check in checks}
    assert {"analytics/ledger_exports", "analytics/marts"} | marts <= checked


def test_tables_show_their_row_counts(built: Built) -> None:
    counts: dict[str, Any] = {
        event.asset_key.to_user_string(): event.metadata["dagster/row_count"].value
        for event in materializations(built)
        if "dagster/row_count" in event.metadata
    }
    assert counts["marts/documents"] == counts["staging/stg_knowledge__documents"] == 4
    assert len(counts) == 2 + len(LEDGER_TABLES) + len(MARTS)
    assert counts["analytics/marts"] == sum(counts[f"marts/{mart}"] for mart in MARTS)


def test_the_export_shows_what_was_too_old_to_keep(built: Built) -> None:
    [found] = [
        event.metadata
        for event in materializations(built)
        if event.asset_key.to_user_string() == "analytics/ledger_exports"
    ]
    assert found["forgotten_usage_events"].value == 1
    assert found["forgotten_questions"].value == 0


def test_units_balance_and_fall_on_utc_days(built: Built) -> None:
    rows = built.rows(
        "select source_name, day, documents, units_found, units_indexed, units_quarantined,"
        " units_pending from 'marts/coverage.parquet' order by source_name, day"
    )
    assert rows == [
        ("manuals", date(2026, 1, 1), 1, 3, 2, 1, 0),
        ("manuals", date(2026, 1, 2), 1, 1, 0, 0, 1),
        ("notes", date(2026, 1, 2), 1, 0, 0, 0, 0),
    ]


def test_costs_are_shared_by_tokens_and_none_is_lost(built: Built) -> None:
    shares = built.rows("select path, cost_usd from 'marts/documents.parquet' order by path")
    assert shares == [("lamp.pdf", 1.5), ("lens.pdf", 0), ("locked.docx", 0), ("oil.pdf", 0.5)]
    spent = "select sum(cost_usd), sum(run_count) from 'marts/costs.parquet' where cost_usd > 0"
    assert built.rows(spent) == [(2.0, 2)]


def test_freshness_tells_what_waits_and_leaves_removed_sources_out(built: Built) -> None:
    rows = built.rows(
        "select source_name, documents, documents_pending, round(hours_since_sync, 1),"
        " hours_pending > 0, round(hours_to_publish, 2)"
        " from 'marts/freshness.parquet' order by source_name"
    )
    assert rows == [("manuals", 2, 1, 2.0, True, 1.5), ("notes", 1, 0, None, None, None)]


def test_questions_count_by_day(built: Built) -> None:
    rows = built.rows(
        "select day, asked_count, answered_share, p50_ms"
        " from 'marts/questions.parquet' order by day"
    )
    assert rows == [(date(2026, 1, 3), 2, 0.5, 30.0), (date(2026, 1, 4), 1, 1.0, 60.0)]


def test_tags_keep_their_commas(built: Built) -> None:
    folder = built.workspace.settings.analytics_folder
    with duckdb.connect(str(folder / "alexandria.duckdb"), read_only=True) as connection:
        query = "select tags from staging.stg_knowledge__sources where source_name = 'manuals'"
        assert connection.execute(query).fetchall() == [(["lamps", "for, repairs"],)]


def test_published_marts_are_those_of_the_dbt_project(built: Built) -> None:
    nodes = built.manifest["nodes"].values()
    models = [node for node in nodes if node["resource_type"] == "model"]
    assert {node["name"] for node in models if node["schema"] == "marts"} == set(MARTS)
    sources = built.manifest["sources"].values()
    assert {f"{node['schema']}.{node['name']}" for node in sources} == set(LEDGER_TABLES)
    for node in models:
        described = [column["description"] for column in node["columns"].values()]
        assert node["description"]
        assert described
        assert all(described)


def test_lineage_reaches_from_the_ledger_to_the_published_marts(manifest: Path) -> None:
    models = analytics_assets.dbt_models(manifest)
    documents = models.asset_deps[dg.AssetKey(["staging", "stg_knowledge__documents"])]
    assert documents == {dg.AssetKey(["analytics", "ledger_exports"])}
    assert set(models.group_names_by_key.values()) == {"analytics"}


@pytest.mark.parametrize(
    "query",
    re.findall(r"```sql\n(.*?)```", (ROOT / "docs" / "analytics.md").read_text(), re.DOTALL),
)
def test_the_documented_queries_run(built: Built, query: str) -> None:
    assert built.rows(query)


def test_the_documented_columns_are_the_marts_columns(built: Built) -> None:
    text = (ROOT / "docs" / "analytics.md").read_text()
    for mart in MARTS:
        section = text.split(f"### `{mart}`")[1].split("\n##")[0]
        cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
        documented = re.findall(r"`(\w+)`", " ".join(cells))
        schema = pq.read_schema(built.workspace.settings.marts_folder / f"{mart}.parquet")
        assert sorted(documented) == sorted(schema.names)


def test_publishing_again_gives_the_same_bytes_and_leaves_nothing_behind(built: Built) -> None:
    folder = built.workspace.settings.marts_folder
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    publish_marts(built.workspace)
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    assert set(before) == {f"{mart}.parquet" for mart in MARTS}


def test_a_reader_keeps_the_file_it_opened(built: Built) -> None:
    file = built.workspace.settings.marts_folder / "documents.parquet"
    with file.open("rb") as opened:
        publish_marts(built.workspace)
        assert pq.read_metadata(opened).num_rows == 4


def test_an_empty_ledger_is_exported_with_types(workspace: Workspace) -> None:
    report = export_ledger(workspace)
    assert report.row_count == 0
    folder = workspace.settings.analytics_folder / "ledger"
    assert {file.name for file in folder.iterdir()} == {f"{name}.parquet" for name in LEDGER_TABLES}
    types = {
        field.name: str(field.type)
        for field in pq.read_schema(folder / "insights.query_events.parquet")
    }
    assert types["asked_at"] == "timestamp[us, tz=UTC]"
    assert types["is_answered"] == "bool"
    assert types["elapsed_ms"] == "double"
    assert types["token_count"] == "int64"


def test_publishing_before_building_says_what_to_run(workspace: Workspace) -> None:
    with pytest.raises(NotFoundError, match="run the analytics job"):
        publish_marts(workspace)


def test_a_failed_dbt_test_shows_as_a_check_and_stops_publishing(
    built: Built, manifest: Path
) -> None:
    """The last test here: it breaks the ledger by quarantining a page that is published."""
    folder = built.workspace.settings.marts_folder
    before = {file.name: file.stat().st_mtime_ns for file in folder.iterdir()}
    with psycopg.connect(built.workspace.database.address) as connection:
        connection.execute("UPDATE knowledge.quarantine SET unit = 'Page 1' WHERE unit <> ''")
    export_ledger(built.workspace)
    chosen = ["marts/documents", "marts/coverage", "analytics/marts"]
    result = run_analytics(built.workspace, manifest, chosen)
    assert not result.success
    failed = [check for check in result.get_asset_check_evaluations() if not check.passed]
    assert [check.check_name for check in failed] == ["units_balance"]
    assert {file.name: file.stat().st_mtime_ns for file in folder.iterdir()} == before


def materializations(built: Built) -> list[dg.AssetMaterialization]:
    events = built.result.get_asset_materialization_events()
    return [event.step_materialization_data.materialization for event in events]
