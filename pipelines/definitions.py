"""Everything Dagster is to know, assembled; keyword overrides serve tests and the CLI."""

from collections.abc import Mapping
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
from pipelines.jobs import sync_source
from pipelines.resources import workspace

STAGE_MODULES: Mapping[str, tuple[ModuleType, ...]] = {
    "ingestion": (assets.ingestion.assets, assets.ingestion.checks),
    "chunking": (assets.chunking.assets, assets.chunking.checks),
    "embedding": (assets.embedding.assets, assets.embedding.checks),
    "quality": (assets.quality.assets, assets.quality.checks),
}


def build_definitions(resources: Mapping[str, Any] | None = None) -> dg.Definitions:
    """The code location. A stage's folder gives its assets their group and key prefix."""
    stage_assets = [
        asset
        for stage, modules in STAGE_MODULES.items()
        for asset in dg.load_assets_from_modules(modules, group_name=stage, key_prefix=stage)
    ]
    stage_checks = [
        check
        for modules in STAGE_MODULES.values()
        for check in dg.load_asset_checks_from_modules(modules)
    ]
    return dg.Definitions(
        assets=stage_assets,
        asset_checks=stage_checks,
        jobs=[sync_source],
        resources={"workspace": workspace, **(resources or {})},
    )


defs = build_definitions()
