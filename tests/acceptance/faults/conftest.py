"""Processes to break: a PostgreSQL server of these tests' own, and the API under uvicorn."""

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest
from copies import cloned_database, copy_home
from forked import Forked, Parent, forking
from psycopg.rows import tuple_row

from alexandria.adapters.embedded_postgres import start_postgres
from alexandria.adapters.schema import ensure_database
from alexandria.identity.permissions import Role
from alexandria.knowledge.embedding import Embedder
from alexandria.settings import Settings
from alexandria.workflows.identity.accounts import NewUser, add_user
from alexandria.workflows.operating.sources import add_source
from alexandria.workflows.workspace import Workspace, open_workspace, served
from pipelines.cli.up import SERVING

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_SECONDS = 180
PASSWORD = "quarry lantern 47 willow"
ADMIN = "keeper@example.org"
SHELF = {
    "lighthouse.txt": "Hester Lowe kept the lighthouse on Gannet Head for thirty years.\n",
    "bakery.md": "# The bakery\n\nThe bakery in Mill Lane opens at five in the morning.\n",
    "garden.txt": "The walled garden grows quinces, medlars and one old pear tree.\n",
}

Sync = Callable[..., object]
Write = Callable[[Path, str | bytes], Path]
Eventually = Callable[[Callable[[], Any]], Any]
"""Ask again and again until the answer is true; returns it."""


class OwnPostgres:
    """A server that nobody else uses, so that it may be killed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: subprocess.Popen[bytes] | None = None
        self.address = start_postgres(folder)

    def kill(self) -> None:
        """End every process of it at once, as a lack of memory or of power does."""
        postmaster = psutil.Process(self._pid())
        processes = [postmaster, *postmaster.children(recursive=True)]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._see_it_end()
        psutil.wait_procs(processes, timeout=PATIENCE_SECONDS)

    def start(self) -> None:
        """Start it again as it was started, and wait until it answers."""
        owner = self._folder.stat()
        with (self._folder / "log").open("ab") as log:
            self._started = subprocess.Popen(
                shlex.split((self._folder / "postmaster.opts").read_text()),
                stdout=log,
                stderr=log,
                user=owner.st_uid,
                group=owner.st_gid,
                extra_groups=[],
                start_new_session=True,
                cwd=self._folder,
            )
        wait_until(self.answers)

    def stop(self) -> None:
        """End it for good; nothing is to be kept."""
        with suppress(FileNotFoundError, psutil.NoSuchProcess):
            process = psutil.Process(self._pid())
            process.send_signal(signal.SIGINT)
            self._see_it_end()
            process.wait(PATIENCE_SECONDS)

    def _see_it_end(self) -> None:
        if self._started is not None:
            self._started.wait(PATIENCE_SECONDS)

    def _pid(self) -> int:
        return int((self._folder / "postmaster.pid").read_text().split()[0])

    def answers(self) -> bool:
        """Whether it takes connections."""
        try:
            psycopg.connect(self.address, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Home:
    """A published library of three short documents, and the settings that open it."""

    settings: Settings

    @property
    def uploads(self) -> Path:
        """Where uploads of the one tenant land."""
        return self.settings.uploads / self.settings.tenant_id

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the ledger as its owner."""
        assert self.settings.database_url is not None
        with psycopg.connect(self.settings.database_url, row_factory=tuple_row) as connection:
            return connection.execute(query).fetchall()  # type: ignore[call-overload]

    def change(self, statement: str) -> None:
        """Change the ledger as its owner."""
        assert self.settings.database_url is not None
        with psycopg.connect(self.settings.database_url, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]


@dataclass(frozen=True, slots=True)
class RunningApi:
    """The API in a process of its own."""

    process: Forked | subprocess.Popen[bytes]
    url: str
    log: Path

    def client(self, **headers: str) -> httpx.Client:
        """Talks to it; the timeout is that of somebody who still waits."""
        return httpx.Client(base_url=self.url, timeout=PATIENCE_SECONDS, headers=headers)

    def is_ready(self) -> bool:
        """Whether `/health/ready` says so."""
        return self.status("/health/ready") == 200

    def status(self, path: str) -> int:
        """The status of a GET; 0 while nobody answers."""
        assert self.process.poll() is None, self.log.read_text()
        try:
            return httpx.get(f"{self.url}{path}", timeout=PATIENCE_SECONDS).status_code
        except httpx.TransportError:
            return 0


Serve = Callable[..., AbstractContextManager[RunningApi]]
"""See `_running`."""


def wait_until(question: Callable[[], Any]) -> Any:
    """Ask again and again until the answer is true; returns it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := question()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return found


@pytest.fixture(scope="session")
def eventually() -> Eventually:
    """Wait for what happens in another process."""
    return wait_until


@pytest.fixture(scope="session")
def own_postgres() -> Iterator[OwnPostgres]:
    """A server to be killed. It lies where the account it runs as may go."""
    folder = Path(tempfile.mkdtemp(prefix="alexandria-faults-"))
    server = OwnPostgres(folder / "postgres")
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def shelf_template(
    own_postgres: OwnPostgres,
    embedders: dict[str, Embedder],
    tmp_path_factory: pytest.TempPathFactory,
    sync: Sync,
    write: Write,
) -> tuple[str, Path]:
    """Name of a database, and a home, that hold the shelf and one account."""
    place = tmp_path_factory.mktemp("shelf")
    for name, text in SHELF.items():
        write(place / "shelf" / name, text)
    address = ensure_database(own_postgres.address, "template_shelf")
    settings = Settings(home=place / "home", database_url=address)
    with open_workspace(settings) as opened:
        workspace = replace(opened, _embedders=embedders)
        sync(workspace, add_source(workspace, place / "shelf"))
        _add_admin(workspace)
    return "template_shelf", place / "home"


def _add_admin(workspace: Workspace) -> None:
    with served(workspace) as serving:
        add_user(serving.keeping_the_door(), NewUser(ADMIN, PASSWORD, role=Role.ADMIN))


@pytest.fixture
def home(
    own_postgres: OwnPostgres, shelf_template: tuple[str, Path], tmp_path: Path
) -> Iterator[Home]:
    """The shelf in a folder and a database of the test's own."""
    template, folder = shelf_template
    copy = copy_home(folder, tmp_path / "home")
    with cloned_database(own_postgres.address, template) as address:
        yield Home(Settings(home=copy, database_url=address))


@pytest.fixture(scope="session")
def parent() -> Iterator[Parent]:
    """What the API's processes are forked from."""
    with forking("serving.app", "uvicorn", "alembic.context") as process:
        yield process


@pytest.fixture
def serve(tmp_path: Path, parent: Parent) -> Serve:
    """Run the API over a home, with further settings; it is killed if it does not end by itself."""
    return lambda home, **settings: _running(home, tmp_path / "api.log", settings, parent)


@pytest.fixture
def serve_cold(tmp_path: Path) -> Serve:
    """The same in a process that was started for it, as `alexandria up` does."""
    return lambda home, **settings: _running(home, tmp_path / "api.log", settings, None)


@contextmanager
def _running(
    home: Home, log: Path, settings: Mapping[str, object], parent: Parent | None
) -> Generator[RunningApi]:
    port = free_port()
    given: dict[str, object] = {
        "home": home.settings.home,
        "database_url": home.settings.database_url,
        "rate_limit_requests": 1_000_000,
        "sign_in_limit": 1_000_000,
        "registration": "open",
        "embedding_threads": 1,
        **settings,
    }
    environment = {name: value for name, value in os.environ.items() if "ALEXANDRIA_" not in name}
    for name, value in given.items():
        is_foreign = name.isupper()
        environment[name if is_foreign else f"ALEXANDRIA_{name.upper()}"] = str(value)
    command = ["-m", "uvicorn", "--factory", "serving.app:create_app", "--port", str(port)]
    command += SERVING
    if parent:
        process = parent.start(command, log, environment)
    else:
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
    try:
        yield RunningApi(process, f"http://127.0.0.1:{port}", log)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(PATIENCE_SECONDS)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def closed_port() -> int:
    """A port that nobody listens on."""
    return free_port()


SignIn = Callable[[RunningApi], AbstractContextManager[httpx.Client]]


@contextmanager
def _signed_in(api: RunningApi) -> Generator[httpx.Client]:
    with api.client() as client:
        answer = client.post("/auth/login", data={"username": ADMIN, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


@pytest.fixture(scope="session")
def signed_in() -> SignIn:
    """A client signed in as the administrator, by password as everyone is."""
    return _signed_in


@pytest.fixture(scope="session")
def is_refusal() -> Callable[[httpx.Response], bool]:
    """Whether an answer says that it works later; every error is checked for its form."""
    return _is_refusal


def _is_refusal(response: httpx.Response) -> bool:
    """Whether it says, as every error does, that this works later; it tells nothing of inside."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem = response.json()
    assert problem["status"] == response.status_code
    assert problem["request_id"] == response.headers["x-request-id"]
    for inner in ("postgresql://", "/tmp", "socket", "psycopg", "SELECT", "canceling"):
        assert inner not in response.text
    if response.status_code not in (429, 503):
        return False
    assert problem["retry_after"] == int(response.headers["retry-after"]) > 0
    return True
