"""What every asset of the graph says about itself, and that all of it hangs together."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from house_files import ROOT

SNAPSHOT = Path(__file__).with_name("asset_keys.txt")
STAGES = ("ingestion", "chunking", "embedding", "quality", "analytics")
DBT_PREFIXES = ("staging", "marts")
"""dbt names its models' keys after their folders; their group is `analytics`."""

JOBS = {"sync_source", "rebuild_index", "analytics"}
SCHEDULES = {
    "sync_source_hourly_schedule": ("0 * * * *", "sync_source"),
    "analytics_daily_schedule": ("0 2 * * *", "analytics"),
}
SENSORS = {"folder_changed_sensor", "upload_arrived_sensor"}
MANIFEST = ROOT / "dbt" / "target" / "manifest.json"


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    """The code location as Dagster loads it."""
    if not MANIFEST.exists():
        pytest.fail("dbt's manifest is missing; run `make setup`.")
    from pipelines.definitions import defs

    return defs


@pytest.fixture(scope="module")
def specs(definitions: dg.Definitions) -> list[dg.AssetSpec]:
    """Every asset."""
    return list(definitions.resolve_all_asset_specs())


@pytest.fixture(scope="module")
def checks(definitions: dg.Definitions) -> list[dg.AssetCheckSpec]:
    """Every asset check."""
    return list(_check_specs(definitions))


def _check_specs(definitions: dg.Definitions) -> Iterator[dg.AssetCheckSpec]:
    repository = definitions.get_repository_def()
    graph = repository.asset_graph
    for key in sorted(graph.asset_check_keys, key=str):
        yield graph.get_check_spec(key)


def _is_dbt_model(spec: dg.AssetSpec) -> bool:
    return spec.key.path[0] in DBT_PREFIXES


def test_the_list_of_assets_is_the_one_that_was_agreed(specs: list[dg.AssetSpec]) -> None:
    found = sorted(spec.key.to_user_string() for spec in specs)
    agreed = SNAPSHOT.read_text(encoding="utf-8").split()
    assert found == agreed, f"If this change is meant, write it into {SNAPSHOT.name}, one per line."


def test_every_asset_tells_what_it_is(specs: list[dg.AssetSpec]) -> None:
    for spec in specs:
        name = spec.key.to_user_string()
        assert spec.description, f"{name}: say what it holds, in the asset's docstring."
        assert spec.owners, f"{name}: give it owners=TEAM."
        assert 1 <= len(spec.kinds) <= 3, f"{name}: name one to three technologies in kinds."
        assert all(kind == kind.lower() for kind in spec.kinds), f"{name}: kinds in lower case."


def test_folder_group_and_prefix_are_one_word(specs: list[dg.AssetSpec]) -> None:
    for spec in specs:
        name = spec.key.to_user_string()
        assert len(spec.key.path) == 2, f"{name}: a key is <stage>/<plural noun>."
        prefix = "analytics" if _is_dbt_model(spec) else spec.key.path[0]
        assert spec.group_name == prefix, f"{name}: its group is {spec.group_name}, not {prefix}."
        assert prefix in STAGES
        assert (ROOT / "assets" / prefix).is_dir()


def _unmade_parents(definitions: dg.Definitions) -> dict[str, list[str]]:
    """Upstream keys that nobody makes, by the asset that names them."""
    made = definitions.get_repository_def().asset_graph.materializable_asset_keys
    missing = {
        spec.key.to_user_string(): [
            dep.asset_key.to_user_string() for dep in spec.deps if dep.asset_key not in made
        ]
        for spec in definitions.resolve_all_asset_specs()
    }
    return {name: keys for name, keys in missing.items() if keys}


def test_every_upstream_exists(definitions: dg.Definitions) -> None:
    assert not _unmade_parents(definitions), (
        "Dagster shows an empty box for a key that nobody makes, and never runs it. Correct deps."
    )


def test_a_wrong_key_is_noticed() -> None:
    @dg.asset(deps=[["chunking", "chunk"]])
    def chunk_embeddings() -> None: ...

    planted = dg.Definitions(assets=[chunk_embeddings])
    assert _unmade_parents(planted) == {"chunk_embeddings": ["chunking/chunk"]}


def test_everything_descends_from_the_files_of_a_source(specs: list[dg.AssetSpec]) -> None:
    roots = [spec.key.to_user_string() for spec in specs if not list(spec.deps)]
    assert roots == ["ingestion/source_files"]


def test_every_asset_can_be_made(definitions: dg.Definitions, specs: list[dg.AssetSpec]) -> None:
    graph = definitions.get_repository_def().asset_graph
    assert graph.materializable_asset_keys == {spec.key for spec in specs}


def test_every_asset_is_checked(specs: list[dg.AssetSpec], checks: list[dg.AssetCheckSpec]) -> None:
    checked = {check.asset_key for check in checks}
    bare = [spec.key.to_user_string() for spec in specs if spec.key not in checked]
    assert not bare, f"Write a check that is true when all is well, and load it, for {bare}."


def test_every_check_says_what_it_means(
    specs: list[dg.AssetSpec], checks: list[dg.AssetCheckSpec]
) -> None:
    models = {spec.key for spec in specs if _is_dbt_model(spec)}
    mute = [
        check.name for check in checks if check.asset_key not in models and not check.description
    ]
    assert not mute, (
        f"Describe these checks in a sentence (dbt's tests say it by their names): {mute}"
    )


def test_what_stands_before_publishing_blocks(checks: list[dg.AssetCheckSpec]) -> None:
    staged = ("ingestion", "chunking", "embedding")
    open_gates = [
        check.name for check in checks if check.asset_key.path[0] in staged and not check.blocking
    ]
    assert not open_gates, f"Use blocking=True, or bad content gets past: {open_gates}"


def test_every_asset_of_a_stage_has_a_freshness_policy(specs: list[dg.AssetSpec]) -> None:
    without = [
        spec.key.to_user_string()
        for spec in specs
        if not _is_dbt_model(spec) and spec.freshness_policy is None
    ]
    assert not without, f"Load these through pipelines.build, which sets it: {without}"


def test_sources_are_the_partitions(specs: list[dg.AssetSpec]) -> None:
    for spec in specs:
        wanted = "source" if spec.group_name != "analytics" else None
        name = spec.partitions_def.name if spec.partitions_def else None  # type: ignore[attr-defined]
        assert name == wanted, f"{spec.key.to_user_string()}: partitions are {name}, not {wanted}."


def test_jobs_schedules_and_sensors(definitions: dg.Definitions) -> None:
    repository = definitions.get_repository_def()
    assert {job.name for job in repository.get_all_jobs()} - {"__ASSET_JOB"} == JOBS
    schedules = {
        item.name: (item.cron_schedule, item.job_name) for item in repository.schedule_defs
    }
    assert schedules == SCHEDULES
    assert {sensor.name for sensor in repository.sensor_defs} == SENSORS
    for part in (*repository.schedule_defs, *repository.sensor_defs):
        assert part.description, f"{part.name}: say when and why it runs."
        assert part.default_status.value == "RUNNING", f"{part.name} would never start by itself."


def test_every_asset_belongs_to_a_job_that_something_starts(definitions: dg.Definitions) -> None:
    repository = definitions.get_repository_def()
    reached = {
        key
        for name in ("sync_source", "analytics")
        for key in repository.get_job(name).asset_layer.executable_asset_keys
    }
    assert reached == repository.asset_graph.materializable_asset_keys
