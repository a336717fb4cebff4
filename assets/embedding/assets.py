"""Vectors of chunks and of pictures, and the two indexes that hold those of chunks."""

import dagster as dg

from alexandria.workflows.stages.embedding import embed_chunks, stage_postgres, stage_qdrant
from alexandria.workflows.stages.images import describe_images
from alexandria.workflows.workspace import Workspace
from assets.partitions import source_partitions
from assets.reporting import TEAM, for_each_generation, run_stage


@dg.asset(
    deps=[["chunking", "chunks"]],
    partitions_def=source_partitions,
    kinds={"openvino", "postgres"},
    owners=TEAM,
)
def chunk_embeddings(
    context: dg.AssetExecutionContext, workspace: dg.ResourceParam[Workspace]
) -> dg.MaterializeResult[None]:
    """A vector for each text and model. The same text is embedded once, ever."""
    return run_stage(context, workspace, for_each_generation(embed_chunks))


@dg.asset(
    deps=[["chunking", "parsed_documents"]],
    partitions_def=source_partitions,
    kinds={"pillow", "postgres"},
    owners=TEAM,
)
def image_embeddings(
    context: dg.AssetExecutionContext, workspace: dg.ResourceParam[Workspace]
) -> dg.MaterializeResult[None]:
    """A vector for each picture and model, and a caption where a vision model is set."""
    return run_stage(context, workspace, describe_images)


@dg.asset(
    deps=[chunk_embeddings],
    partitions_def=source_partitions,
    kinds={"postgres", "pgvector"},
    owners=TEAM,
)
def postgres_index(
    context: dg.AssetExecutionContext, workspace: dg.ResourceParam[Workspace]
) -> dg.MaterializeResult[None]:
    """New chunks with dense and BM25 vectors in Postgres, staged: no reader sees them yet."""
    return run_stage(context, workspace, for_each_generation(stage_postgres))


@dg.asset(
    deps=[postgres_index],
    partitions_def=source_partitions,
    kinds={"qdrant"},
    owners=TEAM,
)
def qdrant_index(
    context: dg.AssetExecutionContext, workspace: dg.ResourceParam[Workspace]
) -> dg.MaterializeResult[None]:
    """The same chunks under the same ids in Qdrant; withdrawn ones are dropped."""
    return run_stage(context, workspace, for_each_generation(stage_qdrant))
