"""Fixtures every test may use: a real Postgres, cloned for each test, and one model.

The server starts once for each test process. The schema is migrated once into a template
database, and a test's database is a copy of it, which takes some 50 milliseconds.
"""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from alexandria.adapters.embedded_postgres import start_postgres
from alexandria.adapters.openvino import export_folder
from alexandria.adapters.schema import address_of, ensure_database, migrate
from alexandria.settings import Settings
from alexandria.workflows.workspace import Workspace, open_workspace

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


@pytest.fixture(scope="session", autouse=True)
def clean_environment() -> Iterator[None]:
    """No test sees the settings of whoever runs it."""
    patch = pytest.MonkeyPatch()
    for name in list(os.environ):
        if name.startswith("ALEXANDRIA_"):
            patch.delenv(name)
    patch.setenv("DO_NOT_TRACK", "1")
    yield
    patch.undo()


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The open sample corpus, where it lies beside the repository."""
    folder = SHARED / "corpus"
    if not folder.exists():
        pytest.skip("the open corpus is not beside the repository")
    return folder


@pytest.fixture(scope="session")
def labelled_sets() -> Path:
    """The open labelled sets, where they lie beside the repository."""
    folder = SHARED / "eval"
    if not folder.exists():
        pytest.skip("the labelled sets are not beside the repository")
    return folder


@pytest.fixture(scope="session")
def model_folder() -> Path:
    """The folder of the exported default model; `make setup` makes it."""
    return export_folder(Settings().model_folder, Settings().embedding_model)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Address of a running PostgreSQL server of this test process's own."""
    return start_postgres(tmp_path_factory.mktemp("server") / "postgres")


@pytest.fixture(scope="session")
def template_database(postgres_server: str) -> str:
    """Name of a database with the newest schema and nothing in it."""
    migrate(ensure_database(postgres_server, "template_alexandria"))
    return "template_alexandria"


@pytest.fixture
def database_address(postgres_server: str, template_database: str) -> Iterator[str]:
    """An empty, migrated database of the test's own."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template_database}")  # type: ignore[arg-type]
    yield address_of(psycopg.conninfo.conninfo_to_dict(postgres_server), name)
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


@pytest.fixture
def settings(tmp_path: Path, database_address: str) -> Settings:
    """Settings of an empty library in the test's own folder and database."""
    return Settings(home=tmp_path / "home", database_url=database_address)


@pytest.fixture
def workspace(settings: Settings) -> Iterator[Workspace]:
    """An empty library, open."""
    with open_workspace(settings) as opened:
        yield opened
