"""The three ways the graph is run."""

import dagster as dg

from assets.partitions import source_partitions

STAGES = ("ingestion", "chunking", "embedding", "quality")

sync_source = dg.define_asset_job(
    "sync_source",
    selection=dg.AssetSelection.groups(*STAGES),
    partitions_def=source_partitions,
    executor_def=dg.in_process_executor,
    description="Look at one source and bring everything up to publication in line with it.",
)
