"""Whether each part of a running library answers, and whether it must."""

from dataclasses import dataclass
from typing import Literal

from alexandria.errors import AlexandriaError
from alexandria.workflows.operating.generations import live_generation
from alexandria.workflows.workspace import Workspace

State = Literal["ok", "degraded", "down"]


@dataclass(frozen=True, slots=True)
class PartHealth:
    """One part; the library can answer while every required one is not down."""

    name: str
    state: State
    detail: str
    is_required: bool


def check_health(workspace: Workspace) -> list[PartHealth]:
    """Postgres, the index, blobs, the embedding model, the language model."""
    return [
        _check_postgres(workspace),
        _check_index(workspace),
        _check_blobs(workspace),
        _check_model(workspace),
        _check_gateway(workspace),
    ]


def _check_postgres(workspace: Workspace) -> PartHealth:
    try:
        workspace.database.value("ping")
    except AlexandriaError as error:
        return PartHealth("postgres", "down", error.message, is_required=True)
    return PartHealth("postgres", "ok", "", is_required=True)


def _check_index(workspace: Workspace) -> PartHealth:
    name = f"index ({workspace.settings.serving_index})"
    try:
        live = live_generation(workspace)
        if live is None:
            return PartHealth(name, "degraded", "Nothing was ingested yet.", is_required=True)
        if workspace.settings.serving_index == "qdrant":
            with workspace.qdrant_index(live) as index:
                index.count()
    except AlexandriaError as error:
        return PartHealth(name, "down", error.message, is_required=True)
    return PartHealth(name, "ok", f"{live.entry_count} chunks", is_required=True)


def _check_blobs(workspace: Workspace) -> PartHealth:
    try:
        workspace.blobs.exists("0" * 64)
    except OSError as error:
        return PartHealth("blobs", "down", str(error), is_required=False)
    return PartHealth("blobs", "ok", "", is_required=False)


def _check_model(workspace: Workspace) -> PartHealth:
    try:
        workspace.embedder.embed(["ready"])
    except AlexandriaError as error:
        return PartHealth("embedding model", "down", error.message, is_required=True)
    return PartHealth("embedding model", "ok", workspace.embedder.model_id, is_required=True)


def _check_gateway(workspace: Workspace) -> PartHealth:
    models = workspace.settings.llm_models
    detail = ", ".join(models) or "None is set; answers are quoted."
    return PartHealth("language model", "ok" if models else "degraded", detail, is_required=False)
