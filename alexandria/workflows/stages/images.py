"""Pictures of documents: described by vectors, and by words where a vision model is set.

A picture is described once for each model, however many documents show it. Vectors come from
thumbnails, which were made where reading is confined: here no foreign picture is decoded.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from alexandria.adapters.litellm import LanguageModel
from alexandria.errors import ConfigurationError, GatewayUnavailableError
from alexandria.knowledge.documents import PARSER_VERSION
from alexandria.knowledge.embedding import ImageDescriber
from alexandria.workflows.clerk import Clerk
from alexandria.workflows.insights.emitting import record_of_source
from alexandria.workflows.operating.sources import Source
from alexandria.workflows.reports import StageReport, stage_report
from alexandria.workflows.stages.embedding import batches
from alexandria.workflows.workspace import Workspace

DESCRIBING_BATCH = 64
"""Pictures in one transaction."""

CAPTIONS_A_RUN = 50
"""The rest waits for the next run: what readers get must not wait for captions."""

_LEAST_SIDE = 64
"""Pixels of a picture worth a caption; smaller ones are icons."""

_MOST_BYTES = 4 << 20
_SENT_AS_THEY_ARE = frozenset({"image/png", "image/jpeg", "image/webp"})


@dataclass(frozen=True, slots=True)
class _Pending:
    content_hash: str
    thumbnail_hash: str


@dataclass(frozen=True, slots=True)
class _Uncaptioned:
    content_hash: str
    thumbnail_hash: str
    media_type: str


def describe_images(workspace: Workspace, source: Source) -> StageReport:
    """Describe every picture of the source that the models have never seen.

    A vision model that does not answer holds nothing up: its captions are left to a later run,
    and the report says so.
    """
    with stage_report("embedding/image_embeddings") as report:
        _add_vectors(workspace, source, report)
        model = LanguageModel.for_pictures(workspace.settings)
        if model is not None:
            _add_captions(workspace, source, model, report)
    return report


def _add_vectors(workspace: Workspace, source: Source, report: StageReport) -> None:
    describer = workspace.image_describer
    pending = workspace.database.fetch(
        _Pending,
        "pending_image_embeddings",
        source_id=source.source_id,
        parser_version=PARSER_VERSION,
        model_id=describer.model_id,
    )
    workspace.progress.expect("image_embeddings", len(pending))
    with Clerk() as clerk:
        for batch in batches(pending, DESCRIBING_BATCH):
            clerk.hand(_describe_batch(workspace, source, batch, describer, report))
    report.row_count += len(pending)


def _describe_batch(
    workspace: Workspace,
    source: Source,
    batch: Sequence[_Pending],
    describer: ImageDescriber,
    report: StageReport,
) -> Callable[[], None]:
    """Describe a batch; returns what remains to be done: to keep it, in one transaction."""
    thumbnails = [workspace.blobs.read(item.thumbnail_hash) for item in batch]
    with report.model_time():
        vectors = describer.describe(thumbnails)

    def record() -> None:
        database = workspace.database
        with database.transaction():
            database.execute(
                "add_image_embeddings",
                model_id=describer.model_id,
                content_hashes=[item.content_hash for item in batch],
                vectors=database.half_vectors(vectors),
            )
            record_of_source(database, "image_processed", source.source_id, len(batch))
        workspace.progress.advance("image_embeddings", len(batch))

    return record


def _add_captions(
    workspace: Workspace, source: Source, model: LanguageModel, report: StageReport
) -> None:
    pending = workspace.database.fetch(
        _Uncaptioned,
        "pending_image_captions",
        source_id=source.source_id,
        parser_version=PARSER_VERSION,
        model_id=model.models[0],
        least_side=_LEAST_SIDE,
    )
    written = 0
    try:
        for item in pending[:CAPTIONS_A_RUN]:
            with report.model_time():
                caption = model.caption(*_picture_to_send(workspace, item))
            workspace.database.execute(
                "add_image_caption",
                content_hash=item.content_hash,
                model_id=model.models[0],
                caption=caption,
            )
            written += 1
            report.token_count += model.usage.token_count
            report.cost_usd += model.usage.cost_usd
    except (GatewayUnavailableError, ConfigurationError) as error:
        report.details["captions_missing_because"] = error.message
    report.row_count += written
    report.details |= {"captions": written, "captions_pending": len(pending) - written}


def _picture_to_send(workspace: Workspace, item: _Uncaptioned) -> tuple[bytes, str]:
    """The picture's bytes and media type if providers take them, else its thumbnail's."""
    if item.media_type in _SENT_AS_THEY_ARE:
        content = workspace.blobs.read(item.content_hash)
        if len(content) <= _MOST_BYTES:
            return content, item.media_type
    return workspace.blobs.read(item.thumbnail_hash), "image/png"
