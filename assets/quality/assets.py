"""`quality/publications`: the gate's far side."""

import dagster as dg

from alexandria.workflows.stages.publishing import publish_versions
from alexandria.workflows.workspace import Workspace
from assets.partitions import source_partitions
from assets.reporting import TEAM, for_each_generation, run_stage


@dg.asset(
    deps=[["embedding", "qdrant_index"]],
    partitions_def=source_partitions,
    kinds={"postgres", "qdrant"},
    owners=TEAM,
)
def publications(
    context: dg.AssetExecutionContext, workspace: dg.ResourceParam[Workspace]
) -> dg.MaterializeResult[None]:
    """What readers see: new versions in and old ones out, in one transaction.

    Runs only when every blocking check on what was staged has passed; until then readers
    keep what they had.
    """
    return run_stage(context, workspace, for_each_generation(publish_versions))
