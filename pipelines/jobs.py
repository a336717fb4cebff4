"""The three ways the graph is run."""

import dagster as dg

SYNCED = ("ingestion", "chunking", "embedding", "quality")
REBUILT = ("chunking", "embedding", "quality")

sync_source = dg.define_asset_job(
    "sync_source",
    selection=dg.AssetSelection.groups(*SYNCED),
    executor_def=dg.in_process_executor,
    description="Look at one source and bring everything up to publication in line with it.",
)

rebuild_index = dg.define_asset_job(
    "rebuild_index",
    selection=dg.AssetSelection.groups(*REBUILT),
    executor_def=dg.in_process_executor,
    description="Build the generation of today's settings for one source, beside the live one.",
)

analytics = dg.define_asset_job(
    "analytics",
    selection=dg.AssetSelection.groups("analytics"),
    executor_def=dg.in_process_executor,
    description="Export the ledger, build the marts with dbt and publish them as Parquet.",
)
