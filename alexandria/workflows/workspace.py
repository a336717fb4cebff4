"""The one place that chooses implementations: settings in, connected parts out.

A workspace is an operator's, who sees all of one tenant, until it acts for a principal: then
its database session takes the principal's role and every query gets their filters.
"""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from alexandria.adapters.blobs import BlobStore
from alexandria.adapters.postgres import Database, Patience
from alexandria.adapters.postgres_index import PostgresIndex
from alexandria.adapters.workers import Limits, Workers
from alexandria.identity.principals import Origin, Principal
from alexandria.knowledge.embedding import Embedder, ImageDescriber
from alexandria.knowledge.indexing import SearchFilter, VectorIndex
from alexandria.settings import Settings
from alexandria.workflows.identity.acting import doorkeeping, operating, reading
from alexandria.workflows.outage import Outage
from alexandria.workflows.progress import Progress, SilentProgress

if TYPE_CHECKING:
    from alexandria.adapters.identity.ciphers import ContentCipher


_API_PATIENCE = Patience(connection=5, retrying=2, statement=15, lock=5)
"""A request that cannot be answered is told so while its client still waits."""

_PRELOADED = "alexandria.workflows.stages.preloaded"


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
    principal: Principal | None = None
    origin: Origin = field(default_factory=Origin)
    _embedders: dict[str, Embedder] = field(default_factory=dict[str, Embedder])
    _describers: dict[str, ImageDescriber] = field(default_factory=dict[str, ImageDescriber])
    _loading: Lock = field(default_factory=Lock)
    outage: Outage = field(default_factory=Outage)
    gateway_outage: Outage = field(default_factory=Outage)

    @property
    def tenant_id(self) -> str:
        """Whose library it works on."""
        return self.principal.tenant_id if self.principal else self.settings.tenant_id

    @property
    def everything(self) -> SearchFilter:
        """The filter that leaves open whatever may be left open."""
        return SearchFilter(
            tenant_id=self.tenant_id,
            access_ids=self.principal.access_ids if self.principal else None,
        )

    @property
    def uploads(self) -> Path:
        """The folder that the tenant's uploads land in."""
        return self.settings.uploads / self.tenant_id

    def acting_for(self, principal: Principal, origin: Origin) -> "Workspace":
        """The same library as a principal may see it."""
        session = self.database.session(reading(principal))
        return replace(self, database=session, principal=principal, origin=origin)

    def keeping_the_door(
        self, origin: Origin | None = None, principal: Principal | None = None
    ) -> "Workspace":
        """The same library, with nothing to be seen in it but accounts.

        Args:
            origin: Where a request came from, for the audit log.
            principal: Whose own account is worked on; None while nobody knows who asks.
        """
        tenant_id = principal.tenant_id if principal else self.settings.tenant_id
        session = self.database.session(doorkeeping(tenant_id))
        return replace(self, database=session, principal=principal, origin=origin or Origin())

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
    def qdrant_index(
        self, generation: GenerationKey, *, is_reading: bool = False
    ) -> Generator[VectorIndex]:
        """A generation's entries in Qdrant: on the server if one is set, else in-process.

        In-process, Qdrant opens from one process at a time; others wait for the lock.

        Args:
            generation: Which.
            is_reading: Somebody waits: a server is asked for nothing but answers, and once.
        """
        if self.settings.qdrant_url:
            from alexandria.adapters.qdrant import open_server_index

            with open_server_index(
                self.settings,
                generation.generation_id,
                generation.dimension,
                is_reading=is_reading,
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


def content_cipher(settings: Settings) -> "ContentCipher | None":
    """What original files are encrypted with; None where the settings do not ask for it."""
    if not settings.encrypt_blobs:
        return None
    from alexandria.adapters.identity.ciphers import open_keyring

    return open_keyring(settings).content_cipher()


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
    with Database(address, acting=operating(settings.tenant_id)) as database:
        yield from _connected(settings, database, progress)


@contextmanager
def open_serving_workspace(settings: Settings) -> Generator[Workspace]:
    """The same for the API, whose connections may do nothing until they act for somebody.

    Raises:
        StoreUnavailableError: Postgres did not answer, or its schema is not the newest.
    """
    from alexandria.adapters.schema import check_migrated, migrate, serving_address

    settings.home.mkdir(parents=True, exist_ok=True)
    if settings.serving_database_url:
        address = settings.serving_database_url.get_secret_value()
        check_migrated(address)
    else:
        owner = resolve_database(settings)
        migrate(owner)
        address = serving_address(owner)
    with _serving_database(address, settings) as database:
        yield from _connected(settings, database, None)


@contextmanager
def served(workspace: Workspace) -> Generator[Workspace]:
    """An operator's open library for the API, over connections of the API's own."""
    from alexandria.adapters.schema import serving_address

    address = serving_address(workspace.database.address)
    with _serving_database(address, workspace.settings) as database:
        yield replace(workspace, database=database)


def _serving_database(address: str, settings: Settings) -> Database:
    return Database(address, connections=settings.serving_connections, patience=_API_PATIENCE)


def _connected(
    settings: Settings, database: Database, progress: Progress | None
) -> Generator[Workspace]:
    limits = Limits(settings.reading_memory_bytes, settings.reading_seconds)
    with Workers(settings.reading_workers, limits, _PRELOADED) as workers:
        blobs = BlobStore(settings.blobs, content_cipher(settings))
        yield Workspace(settings, database, blobs, workers, progress or SilentProgress())
