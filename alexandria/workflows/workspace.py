"""The one place that chooses implementations: settings in, connected parts out."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol

from alexandria.adapters.blobs import BlobStore
from alexandria.adapters.postgres import Database
from alexandria.adapters.postgres_index import PostgresIndex
from alexandria.adapters.workers import Limits, Workers
from alexandria.knowledge.embedding import Embedder, ImageDescriber
from alexandria.knowledge.indexing import VectorIndex
from alexandria.settings import Settings
from alexandria.workflows.progress import Progress, SilentProgress


class GenerationKey(Protocol):
    """What an index must know of its generation."""

    @property
    def generation_id(self) -> str:
        """Names it in every store."""
        ...

    @property
    def dimension(self) -> int:
        """Components of its vectors."""
        ...


@dataclass
class Workspace:
    """An open library: its ledger, its blobs and, when first used, its workers and model."""

    settings: Settings
    database: Database
    blobs: BlobStore
    workers: Workers
    progress: Progress = field(default_factory=SilentProgress)
    _embedders: dict[str, Embedder] = field(default_factory=dict[str, Embedder])
    _describers: dict[str, ImageDescriber] = field(default_factory=dict[str, ImageDescriber])
    _loading: Lock = field(default_factory=Lock)

    @property
    def embedder(self) -> Embedder:
        """The embedding model of the settings.

        Raises:
            ModelMissingError: It was never exported; run `make setup`.
        """
        return self.load_embedder(self.settings.embedding_model)

    def load_embedder(self, model_name: str) -> Embedder:
        """A model by name, loaded once.

        Raises:
            ModelMissingError: It was never exported; run `make setup`.
        """
        from alexandria.adapters.text_embedding.openvino import load_embedder

        with self._loading:
            if model_name not in self._embedders:
                self._embedders[model_name] = load_embedder(
                    self.settings.model_folder, model_name, self.settings.embedding_threads
                )
        return self._embedders[model_name]

    @property
    def image_describer(self) -> ImageDescriber:
        """What compares pictures, by the settings.

        Raises:
            ModelMissingError: The model it names is not on this machine.
        """
        from alexandria.adapters.image_descriptors import load_describer

        name = self.settings.image_model
        with self._loading:
            if name not in self._describers:
                self._describers[name] = load_describer(name)
        return self._describers[name]

    def postgres_index(
        self, generation: GenerationKey, *, with_staged: bool = False
    ) -> PostgresIndex:
        """A generation's entries in Postgres."""
        return PostgresIndex(
            self.database,
            generation.generation_id,
            generation.dimension,
            dense_index_rows=self.settings.dense_index_rows,
            with_staged=with_staged,
        )

    @contextmanager
    def qdrant_index(self, generation: GenerationKey) -> Generator[VectorIndex]:
        """A generation's entries in Qdrant: on the server if one is set, else in-process.

        In-process, Qdrant opens from one process at a time; others wait for the lock.
        """
        if self.settings.qdrant_url:
            from alexandria.adapters.qdrant import open_server_index

            with open_server_index(
                self.settings, generation.generation_id, generation.dimension
            ) as index:
                yield index
            return
        from alexandria.adapters.qdrant import open_edge_index

        folder = self.settings.qdrant_folder / generation.generation_id
        with (
            self.database.lock("qdrant"),
            open_edge_index(folder, generation.dimension) as index,
        ):
            yield index


def resolve_database(settings: Settings) -> str:
    """Address of our database; starts the embedded server if the settings name none."""
    if settings.database_url:
        return settings.database_url
    from alexandria.adapters.embedded_postgres import start_postgres
    from alexandria.adapters.schema import ensure_database

    return ensure_database(start_postgres(settings.postgres_folder), "alexandria")


def resolve_dagster_database(settings: Settings) -> str:
    """Address of Dagster's database: the one that is set, or `dagster` beside ours."""
    from alexandria.adapters.schema import ensure_database

    return settings.dagster_database_url or ensure_database(resolve_database(settings), "dagster")


@contextmanager
def open_workspace(settings: Settings, progress: Progress | None = None) -> Generator[Workspace]:
    """Connect to everything the settings name, bring the schema up to date, close at the end.

    Raises:
        StoreUnavailableError: Postgres did not answer.
    """
    from alexandria.adapters.schema import migrate

    settings.home.mkdir(parents=True, exist_ok=True)
    address = resolve_database(settings)
    migrate(address)
    limits = Limits(settings.reading_memory_bytes, settings.reading_seconds)
    workers = Workers(settings.reading_workers, limits)
    with Database(address) as database, workers:
        blobs = BlobStore(settings.blobs)
        yield Workspace(settings, database, blobs, workers, progress or SilentProgress())
