"""`quality/publications`, the gate's far side, and `quality/near_duplicates`."""

import dagster as dg

from alexandria.workflows.quality.near_duplicates import link_copies
from alexandria.workflows.stages.publishing import publish_versions
from alexandria.workflows.workspace import Workspace
from assets.coverage import describe_coverage
from assets.partitions import source_partitions
from assets.reporting import TEAM, for_each_generation, run_stage


@dg.asset(
    deps=[["embedding", "qdrant_index"], ["embedding", "image_embeddings"]],
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
    return run_stage(context, workspace, for_each_generation(publish_versions), describe_coverage)


@dg.asset(
    deps=[publications],
    partitions_def=source_partitions,
    kinds={"python", "postgres"},
    owners=TEAM,
)
def near_duplicates(
    context: dg.AssetExecutionContext, workspace: dg.ResourceParam[Workspace]
) -> dg.MaterializeResult[None]:
    """Which documents of the tenant hold the same text, each linked to its best copy.

    The same book as EPUB and as TXT, a report that was exported again. Searches show the best
    copy that the reader's filters let through and name the others.
    """
    return run_stage(context, workspace, link_copies)
