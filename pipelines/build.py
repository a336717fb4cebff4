"""Everything Dagster is to know, assembled; keyword overrides serve tests and the CLI."""

from collections.abc import Mapping
from datetime import timedelta
from types import ModuleType
from typing import Any

import dagster as dg

import assets.chunking.assets
import assets.chunking.checks
import assets.embedding.assets
import assets.embedding.checks
import assets.ingestion.assets
import assets.ingestion.checks
import assets.quality.assets
import assets.quality.checks
from pipelines.jobs import analytics, rebuild_index, sync_source
from pipelines.resources import DBT_MANIFEST, dbt, workspace
from pipelines.schedules import analytics_daily_schedule, sync_source_hourly_schedule
from pipelines.sensors import folder_changed_sensor, upload_arrived_sensor

STAGE_MODULES: Mapping[str, tuple[ModuleType, ...]] = {
    "ingestion": (assets.ingestion.assets, assets.ingestion.checks),
    "chunking": (assets.chunking.assets, assets.chunking.checks),
    "embedding": (assets.embedding.assets, assets.embedding.checks),
    "quality": (assets.quality.assets, assets.quality.checks),
}

FRESHNESS = dg.FreshnessPolicy.time_window(
    fail_window=timedelta(hours=36), warn_window=timedelta(hours=3)
)
"""Sources are looked at hourly and marts are built nightly."""


def build_definitions(
    resources: Mapping[str, Any] | None = None, *, with_analytics: bool = True
) -> dg.Definitions:
    """The code location. A stage's folder gives its assets their group and key prefix.

    Args:
        resources: Replace those of the environment, by name.
        with_analytics: Leave the dbt project out where only a source is synced: reading
            its manifest takes longer than everything else here.
    """
    stages = dict(STAGE_MODULES)
    jobs = [sync_source, rebuild_index]
    schedules: list[Any] = [sync_source_hourly_schedule]
    models: list[dg.AssetsDefinition] = []
    given: dict[str, Any] = {"workspace": workspace}
    if with_analytics:
        import assets.analytics.assets
        import assets.analytics.checks

        stages["analytics"] = (assets.analytics.assets, assets.analytics.checks)
        models = [assets.analytics.assets.dbt_models(DBT_MANIFEST)]
        jobs.append(analytics)
        schedules.append(analytics_daily_schedule)
        given["dbt"] = dbt()
    return dg.Definitions(
        assets=[*_load_assets(stages), *models],
        asset_checks=[
            check
            for modules in stages.values()
            for check in dg.load_asset_checks_from_modules(modules)
        ],
        jobs=jobs,
        schedules=schedules,
        sensors=[folder_changed_sensor, upload_arrived_sensor],
        resources={**given, **(resources or {})},
    )


def _load_assets(stages: Mapping[str, tuple[ModuleType, ...]]) -> list[dg.AssetsDefinition]:
    loaded = [
        asset
        for stage, modules in stages.items()
        for asset in dg.load_assets_from_modules(modules, group_name=stage, key_prefix=stage)
    ]
    return [
        asset.map_asset_specs(lambda spec: spec.replace_attributes(freshness_policy=FRESHNESS))
        for asset in loaded
        if isinstance(asset, dg.AssetsDefinition)
    ]
