"""`chunking/parsed_documents` and `chunking/chunks`."""

import dagster as dg

from alexandria.workflows.stages.chunking import chunk_documents
from alexandria.workflows.stages.parsing import parse_documents
from alexandria.workflows.workspace import Workspace
from assets.coverage import describe_reading
from assets.partitions import source_partitions
from assets.reporting import TEAM, for_each_generation, run_stage


@dg.asset(
    deps=[["ingestion", "document_versions"]],
    partitions_def=source_partitions,
    kinds={"python", "postgres"},
    owners=TEAM,
)
def parsed_documents(
    context: dg.AssetExecutionContext, workspace: dg.ResourceParam[Workspace]
) -> dg.MaterializeResult[None]:
    """Every content as text, with its blocks and its units (pages, chapters, slides, sheets).

    Each unit is read or listed in quarantine with a reason; none is lost in silence.
    """
    return run_stage(context, workspace, parse_documents, describe_reading)


@dg.asset(
    deps=[parsed_documents],
    partitions_def=source_partitions,
    kinds={"python", "postgres"},
    owners=TEAM,
)
def chunks(
    context: dg.AssetExecutionContext, workspace: dg.ResourceParam[Workspace]
) -> dg.MaterializeResult[None]:
    """Passages cut by structure, each with its place: span, anchor and section path."""
    return run_stage(context, workspace, for_each_generation(chunk_documents))
