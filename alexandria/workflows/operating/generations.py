"""Index generations: which one is live, which are fed, how to switch and roll back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alexandria.errors import ConfigurationError, ConflictError, NotFoundError
from alexandria.knowledge.documents import PARSER_VERSION
from alexandria.knowledge.embedding import Embedder
from alexandria.knowledge.generations import GenerationSettings
from alexandria.workflows.identity.audit import OPERATOR, record_event
from alexandria.workflows.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Generation:
    """One index generation. `state` is building, live, standby or retired."""

    generation_id: str
    settings: Mapping[str, Any]
    model_id: str
    dimension: int
    state: str
    entry_count: int
    created_at: datetime
    activated_at: datetime | None

    @property
    def choices(self) -> GenerationSettings:
        """What it is built from."""
        return GenerationSettings.from_json(self.settings)


def target_settings(workspace: Workspace) -> GenerationSettings:
    """The generation that today's settings describe."""
    from alexandria.knowledge.chunking import MODULE_STRATEGIES, strategy_from_json

    strategies = {name: strategy.to_json() for name, strategy in MODULE_STRATEGIES.items()}
    for module, chosen in workspace.settings.chunking.items():
        strategies[module] = strategy_from_json(chosen).to_json()
    return GenerationSettings(
        parser_version=PARSER_VERSION,
        model_name=workspace.settings.embedding_model,
        model_id=workspace.embedder.model_id,
        dimension=workspace.embedder.model.dimension,
        strategies=strategies,
    )


def list_generations(workspace: Workspace) -> list[Generation]:
    """Every generation that is not retired, oldest first."""
    return workspace.database.fetch(Generation, "list_generations")


def live_generation(workspace: Workspace) -> Generation | None:
    """The generation that answers, or None before the first ingest."""
    return workspace.database.fetch_one(Generation, "live_generation")


def fed_generations(workspace: Workspace) -> list[Generation]:
    """Those a sync keeps current: live, standby (to roll back to), and building.

    The first call in a new library creates the first generation.

    Raises:
        ConfigurationError: The model of one of them is not installed any more.
    """
    if live_generation(workspace) is None:
        ensure_target(workspace)
    return list_generations(workspace)


def embedder_of(workspace: Workspace, generation: Generation) -> Embedder:
    """The model whose vectors a generation holds.

    Raises:
        ConfigurationError: What is installed under its name makes other vectors.
    """
    embedder = workspace.load_embedder(generation.choices.model_name)
    if embedder.model_id != generation.model_id:
        raise ConfigurationError(
            f"Generation {generation.generation_id} holds vectors of {generation.model_id}, but "
            f"{embedder.model_id} is installed; run `alexandria index rebuild`."
        )
    return embedder


def ensure_target(workspace: Workspace) -> Generation:
    """The generation of today's settings, created beside the live one if it is new."""
    choices = target_settings(workspace)
    database = workspace.database
    with database.transaction():
        earlier = database.fetch_one(
            Generation, "read_generation", generation_id=choices.generation_id
        )
        database.execute(
            "add_generation",
            generation_id=choices.generation_id,
            settings=choices.to_json(),
            model_id=choices.model_id,
            dimension=choices.dimension,
        )
        database.statement(
            f"CREATE TABLE IF NOT EXISTS knowledge.index_entries_{choices.generation_id} "
            f"PARTITION OF knowledge.index_entries FOR VALUES IN ('{choices.generation_id}')"
        )
        if earlier is None or earlier.state == "retired":
            _tell(workspace, "index.added", choices.generation_id)
    return read_generation(workspace, choices.generation_id)


def read_generation(workspace: Workspace, generation_id: str) -> Generation:
    """One generation.

    Raises:
        NotFoundError: No generation has that id.
    """
    found = workspace.database.fetch_one(Generation, "read_generation", generation_id=generation_id)
    if found is None:
        raise NotFoundError(f"No generation {generation_id}; `alexandria index list` shows them.")
    return found


def switch_generation(workspace: Workspace, generation_id: str) -> Generation:
    """Make a generation live; the one before stays fed, so that switching back is as quick.

    Raises:
        ConflictError: It lacks documents that should be in it; build it first.
    """
    database = workspace.database
    chosen = read_generation(workspace, generation_id)
    if chosen.state == "retired":
        raise ConflictError(f"Generation {generation_id} is retired; rebuild it first.")
    behind = database.value("unpublished_documents", generation_id=generation_id)
    if behind:
        raise ConflictError(
            f"Generation {generation_id} lacks {behind} documents; run `alexandria index rebuild`."
        )
    with database.transaction():
        database.execute("stand_down_live")
        database.execute("make_live", generation_id=generation_id)
        _tell(workspace, "index.switched", generation_id)
    return read_generation(workspace, generation_id)


def retire_generation(workspace: Workspace, generation_id: str) -> None:
    """Drop a generation's entries from both stores; what it published stays in the ledger.

    Raises:
        ConflictError: It is live.
    """
    chosen = read_generation(workspace, generation_id)
    if chosen.state == "live":
        raise ConflictError("The live generation cannot be retired; switch to another first.")
    database = workspace.database
    with database.transaction():
        database.statement(f"DROP TABLE IF EXISTS knowledge.index_entries_{chosen.generation_id}")
        for query in ("forget_term_statistics", "forget_index_removals", "withdraw_generation"):
            database.execute(query, generation_id=generation_id)
        database.execute("retire_generation", generation_id=generation_id)
        _tell(workspace, "index.retired", generation_id)
    with workspace.qdrant_index(chosen) as index:
        index.drop()


def _tell(workspace: Workspace, action: str, generation_id: str) -> None:
    record_event(workspace, action, "generation", generation_id, actor=OPERATOR)
