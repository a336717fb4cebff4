"""Whether each part of a running library answers, and whether it must.

Everybody may read this, so no part says where anything is: that is for the log.
"""

import logging
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from alexandria.errors import AlexandriaError, ModelMissingError
from alexandria.workflows.operating.generations import Generation, live_generation
from alexandria.workflows.workspace import Workspace

State = Literal["ok", "degraded", "down"]

BLOBS_AWAY = "The place of the original files does not answer; the log says why."

_LOG = logging.getLogger(__name__)


class PartName(StrEnum):
    """What a library is made of; each name is a label of a metric too."""

    LIBRARY = "library"
    POSTGRES = "postgres"
    INDEX = "index"
    QDRANT = "qdrant"
    BLOBS = "blobs"
    EMBEDDING_MODEL = "embedding model"
    LANGUAGE_MODEL = "language model"


@dataclass(frozen=True, slots=True)
class PartHealth:
    """One part; the library can answer while every required one is not down."""

    name: PartName
    state: State
    detail: str
    is_required: bool


def check_health(workspace: Workspace) -> list[PartHealth]:
    """Postgres, the index, Qdrant where one is set, blobs, the embedding and language models."""
    postgres = _check_postgres(workspace)
    parts = [postgres]
    if postgres.state == "ok":
        parts += _check_indexes(workspace)
    return [*parts, _check_blobs(workspace), _check_model(workspace), _check_gateway(workspace)]


def unopened_library(progress: str) -> PartHealth:
    """The only part there is while a library opens: asking others would wait for it."""
    return _required(PartName.LIBRARY, "down", progress)


def _check_postgres(workspace: Workspace) -> PartHealth:
    try:
        workspace.database.value("ping")
    except AlexandriaError as error:
        return _required(PartName.POSTGRES, "down", error.message)
    return _required(PartName.POSTGRES, "ok")


def _check_indexes(workspace: Workspace) -> list[PartHealth]:
    try:
        live = live_generation(workspace)
    except AlexandriaError as error:
        return [_required(PartName.INDEX, "down", error.message)]
    if live is None:
        return [_required(PartName.INDEX, "degraded", "Nothing was ingested yet.")]
    parts = [_required(PartName.INDEX, "ok", f"{live.entry_count} chunks")]
    settings = workspace.settings
    if settings.qdrant_url or settings.serving_index == "qdrant":
        parts.append(_check_qdrant(workspace, live))
    return parts


def _check_qdrant(workspace: Workspace, live: Generation) -> PartHealth:
    """What it cannot answer, the entries in Postgres do."""
    outage = workspace.outage
    if not outage.is_on:
        try:
            with workspace.qdrant_index(live, is_reading=True) as index:
                count = index.count()
        except AlexandriaError as error:
            outage.begin(error.message)
        else:
            outage.end()
            if count < live.entry_count:
                lost = f"It holds {count} of {live.entry_count} chunks"
                advice = f"{lost}; run `alexandria verify --repair`."
                return _optional(PartName.QDRANT, "down", advice)
            return _optional(PartName.QDRANT, "ok", f"{count} chunks")
    detail = f"{outage.reason} Postgres answers in its place."
    return _optional(PartName.QDRANT, "down", detail)


def _check_blobs(workspace: Workspace) -> PartHealth:
    try:
        workspace.blobs.exists("0" * 64)
    except OSError as error:
        _LOG.warning("Blobs cannot be reached: %s", error)
        return _optional(PartName.BLOBS, "down", BLOBS_AWAY)
    return _optional(PartName.BLOBS, "ok")


def _check_model(workspace: Workspace) -> PartHealth:
    try:
        workspace.embedder.embed(["ready"])
    except ModelMissingError as error:
        _LOG.warning("The embedding model cannot be used: %s", error.message)
        return _required(PartName.EMBEDDING_MODEL, "down", ModelMissingError().message)
    except AlexandriaError as error:
        return _required(PartName.EMBEDDING_MODEL, "down", error.message)
    return _required(PartName.EMBEDDING_MODEL, "ok", workspace.embedder.model_id)


def _check_gateway(workspace: Workspace) -> PartHealth:
    """By what the last question met: asking a model for nothing would cost money."""
    models = workspace.settings.llm_models
    if not models:
        return _optional(PartName.LANGUAGE_MODEL, "degraded", "None is set; answers are quoted.")
    reason = workspace.gateway_outage.reason
    if reason:
        detail = f"The last question asked of it failed: {reason}"
        return _optional(PartName.LANGUAGE_MODEL, "degraded", detail)
    return _optional(PartName.LANGUAGE_MODEL, "ok", ", ".join(models))


def _required(name: PartName, state: State, detail: str = "") -> PartHealth:
    return PartHealth(name, state, detail, is_required=True)


def _optional(name: PartName, state: State, detail: str = "") -> PartHealth:
    return PartHealth(name, state, detail, is_required=False)
