"""`ingestion/source_files` and `ingestion/document_versions`."""

import dagster as dg

from alexandria.workflows.stages.ingestion import register_versions
from alexandria.workflows.stages.ingestion import sync_source_files as sync_files
from alexandria.workflows.workspace import Workspace
from assets.partitions import source_partitions
from assets.reporting import TEAM, run_stage


@dg.asset(partitions_def=source_partitions, kinds={"dlt", "postgres"}, owners=TEAM)
def source_files(
    context: dg.AssetExecutionContext, workspace: dg.ResourceParam[Workspace]
) -> dg.MaterializeResult[None]:
    """The files of a source as they are now: path, size, date and content hash.

    A file whose size, date and inode did not change is not read again. The hash alone
    decides whether its content changed.
    """
    return run_stage(context, workspace, sync_files)


@dg.asset(
    deps=[source_files],
    partitions_def=source_partitions,
    kinds={"postgres", "fsspec"},
    owners=TEAM,
)
def document_versions(
    context: dg.AssetExecutionContext, workspace: dg.ResourceParam[Workspace]
) -> dg.MaterializeResult[None]:
    """Documents and their versions, with the bytes kept under their hash.

    A renamed file keeps its document, an edited one gets a version, a deleted one leaves.
    Equal contents are kept once, whatever they are called and wherever they lie.
    """
    return run_stage(context, workspace, register_versions)
