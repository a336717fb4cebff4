"""Fixtures every test may use: a real Postgres, cloned for each test, and one model.

The server starts once for each test process. The schema is migrated once into a template
database, and a test's database is a copy of it, which takes some 50 milliseconds. The
sample library is built once in the same way, by the stages of the graph themselves.
"""

import atexit
import gc
import json
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import hypothesis
import psycopg
import pytest
from argon2 import PasswordHasher
from copies import (
    built_once,
    clone_database,
    cloned_database,
    copy_home,
    dump_database,
    restore_database,
)
from forked import start_worker_server
from graph_run import run_graph
from psycopg.rows import tuple_row
from secret_watch import OURS, SecretWatch

from alexandria.adapters.embedded_postgres import start_postgres
from alexandria.adapters.identity import password_hashing
from alexandria.adapters.schema import ensure_database, migrate
from alexandria.adapters.text_embedding.openvino import export_folder
from alexandria.knowledge.embedding import Embedder
from alexandria.settings import Settings
from alexandria.workflows.operating.sources import add_source
from alexandria.workflows.quality.labelled_questions import load_questions
from alexandria.workflows.reports import StageReport
from alexandria.workflows.workspace import Workspace, open_workspace

hypothesis.settings.register_profile("alexandria", deadline=None)
hypothesis.settings.load_profile("alexandria")
"""How long an example takes says nothing on a busy machine."""

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
SAMPLE = ROOT / "sample"

Sync = Callable[..., dict[str, StageReport]]
"""See `run_graph`."""
Snapshot = Callable[[Workspace], dict[str, list[str]]]
"""See `read_ledger`."""
Write = Callable[[Path, str | bytes], Path]
"""See `write_settled`."""

_POSTGRES_FOLDERS: list[Path] = []
"""Where this process's servers are; their logs are watched."""

EVENTS = ("check_results", "retrieval_scores")
"""Tables of what happened when; every other one says how things stand."""


MEMORY = Path("/dev/shm")
"""A file system in memory, where there is one."""

MEMORY_BYTES = 6 << 30


def pytest_configure() -> None:
    """Work in memory if there is room: each test makes a database of some 300 files.

    The processes that tests start keep what they compile: most import the same modules.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    gc.set_threshold(100_000, 50, 100)  # what these processes hold, they hold to their end
    is_roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_BYTES
    if is_roomy and "TMPDIR" not in os.environ:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None  # it is chosen anew


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


@pytest.fixture(scope="session", autouse=True)
def slow_hasher() -> Iterator[PasswordHasher]:
    """The hasher of passwords as it is; where nobody asks for it, one that costs a test little."""
    slow = password_hashing._hasher  # type: ignore[reportPrivateUsage]
    with pytest.MonkeyPatch.context() as patch:
        quick = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
        patch.setattr(password_hashing, "_hasher", quick)
        yield slow


@pytest.fixture(scope="session", autouse=True)
def secret_watch(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretWatch]:
    """Fails the session if a secret is in any log of it; see `secret_watch.py`."""
    root, base = logging.getLogger(), tmp_path_factory.getbasetemp()
    watch = SecretWatch(base / "every_record")
    root.addHandler(watch)
    levels = {name: logging.getLogger(name).level for name in OURS}
    for name in OURS:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield watch
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    root.removeHandler(watch)
    found = watch.find([base, *_POSTGRES_FOLDERS])
    assert not found, "Secrets were logged:\n" + "\n".join(found)


@pytest.fixture
def tmp_path(tmp_path: Path, secret_watch: SecretWatch) -> Iterator[Path]:
    """A folder of the test's own, which goes with it if it passes; what it logged is kept."""
    yield tmp_path
    secret_watch.take(tmp_path)


@pytest.fixture(scope="session")
def watch_logs(secret_watch: SecretWatch) -> Callable[[Path], None]:
    """Hand over the logs below a folder that lies elsewhere, before it is removed."""
    return secret_watch.take


@pytest.fixture
def know_secrets(secret_watch: SecretWatch) -> Callable[..., None]:
    """Name secrets that no log may hold, such as tokens that a test was given."""
    return secret_watch.know


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
def worker_server() -> None:
    """What readers are forked from; see `start_worker_server`."""
    start_worker_server()


@pytest.fixture(scope="session")
def postgres_server(worker_server: None) -> str:
    """Address of a running PostgreSQL server of this test process's own.

    It does not wait for the disk, since tests kill clients and never the server. It lies
    outside pytest's folders, which another run of pytest closes to the server's user.
    """
    folder = Path(tempfile.mkdtemp(prefix="alexandria-postgres-"))
    _POSTGRES_FOLDERS.append(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # runs after the server's stop
    address = start_postgres(folder / "postgres")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("ALTER SYSTEM SET full_page_writes = off")
        connection.execute("SELECT pg_reload_conf()")
    return address


@pytest.fixture(scope="session")
def template_database(postgres_server: str) -> str:
    """Name of a database with the newest schema and nothing in it."""
    migrate(ensure_database(postgres_server, "template_alexandria"))
    return "template_alexandria"


@pytest.fixture
def database_address(postgres_server: str, template_database: str) -> Iterator[str]:
    """An empty, migrated database of the test's own."""
    with cloned_database(postgres_server, template_database) as address:
        yield address


@pytest.fixture
def settings(tmp_path: Path, database_address: str) -> Settings:
    """Settings of an empty library in the test's own folder and database."""
    return Settings(home=tmp_path / "home", database_url=database_address)


@pytest.fixture(scope="session")
def embedders() -> dict[str, Embedder]:
    """Models that any test of this process has loaded, by name; loading one takes seconds."""
    return {}


@pytest.fixture
def workspace(settings: Settings, embedders: dict[str, Embedder]) -> Iterator[Workspace]:
    """An empty library, open."""
    with open_workspace(settings) as opened:
        yield replace(opened, _embedders=embedders)


@pytest.fixture(scope="session")
def shared_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run of the tests use."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def library_template(
    postgres_server: str,
    template_database: str,
    embedders: dict[str, Embedder],
    shared_place: Path,
) -> tuple[str, Path]:
    """Name of a database, and a home, that hold the sample library, ingested as `sample`."""
    name = "template_library"

    def build(place: Path) -> None:
        address = clone_database(postgres_server, template_database, "built_library")
        with open_workspace(Settings(home=place / "home", database_url=address)) as opened:
            workspace = replace(opened, _embedders=embedders)
            source = add_source(workspace, SAMPLE / "library", name="sample")
            load_questions(workspace, source, SAMPLE / "questions.csv")
            run_graph(workspace, source)
        copy_home(place / "home", place / "template")
        dump_database(address, place / "database")

    place = built_once(shared_place / "library", build)
    restore_database(place / "database", postgres_server, name)
    return name, place / "template"


@pytest.fixture
def library(
    library_template: tuple[str, Path],
    postgres_server: str,
    embedders: dict[str, Embedder],
    tmp_path: Path,
) -> Iterator[Workspace]:
    """The sample library, open, in a folder and a database of the test's own."""
    template, home = library_template
    copy = copy_home(home, tmp_path / "library")
    with (
        cloned_database(postgres_server, template) as address,
        open_workspace(Settings(home=copy, database_url=address)) as opened,
    ):
        yield replace(opened, _embedders=embedders)


@pytest.fixture(scope="session")
def sync() -> Sync:
    """`run_graph`: every stage and every blocking check of one source, in the graph's order."""
    return run_graph


@pytest.fixture(scope="session")
def snapshot() -> Snapshot:
    """`read_ledger`: every table as it stands, to compare with a later look."""
    return read_ledger


@pytest.fixture(scope="session")
def write() -> Write:
    """`write_settled`: a file that was not modified a moment ago."""
    return write_settled


def read_ledger(workspace: Workspace) -> dict[str, list[str]]:
    """The rows of every table of the ledger as sorted JSON, without the times of events."""
    with psycopg.connect(workspace.database.address, row_factory=tuple_row) as connection:
        tables = connection.execute(
            "SELECT c.oid::regclass::text, array_agg(a.attname) FILTER ("
            "  WHERE (a.atttypid = 'timestamptz'::regtype AND a.attname <> 'modified_at')"
            "  OR a.attname = 'elapsed_seconds') FROM pg_class AS c "
            "JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 "
            "WHERE c.relnamespace = 'knowledge'::regnamespace AND c.relkind IN ('r', 'p') "
            "AND NOT c.relispartition AND NOT c.relname = ANY(%s) GROUP BY c.oid",
            (list(EVENTS),),
        ).fetchall()
        return {
            table: _rows(
                connection, f"SELECT to_jsonb(row) - %s::text[] FROM {table} AS row", times
            )
            for table, times in tables
        }


def _rows(
    connection: psycopg.Connection[tuple[object, ...]], query: str, dropped: list[str] | None
) -> list[str]:
    rows = connection.execute(query, (dropped or [],))  # type: ignore[arg-type]
    return sorted(json.dumps(row[0], sort_keys=True) for row in rows)


def write_settled(path: Path, content: str | bytes) -> Path:
    """Write a file, its folders too, and date it a minute back: a look need not look again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    earlier = time.time_ns() - 60 * 10**9
    os.utime(path, ns=(earlier, earlier))
    return path
