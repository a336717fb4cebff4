"""The commands of `docker-compose.yml`, run here as they stand, without containers.

Ports and host names are those of this machine; Postgres is the tests' own, and Qdrant the
engine in the process. Each service counts as running when its own health check says so.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from house_files import ROOT
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from alexandria.adapters.identity.ciphers import new_key
from alexandria.adapters.schema import API_ACCOUNT, address_of, ensure_database

BIN = Path(sys.executable).parent
PATIENCE_SECONDS = 240
LASTING = ("code", "webserver", "api", "daemon")


@pytest.fixture(scope="module")
def services() -> dict[str, dict[str, Any]]:
    """The services of the file by name."""
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]


@pytest.fixture(scope="module")
def server_environment(
    postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """Variables of a container, with two empty databases on the test's server."""
    tmp_path = tmp_path_factory.mktemp("compose")
    name = f"compose_{uuid.uuid4().hex[:8]}"
    api = {**conninfo_to_dict(postgres_server), "user": API_ACCOUNT, "password": "4f1d9c0e7a"}
    yield {
        "PATH": f"{BIN}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "ALEXANDRIA_HOME": str(tmp_path / "library"),
        "ALEXANDRIA_DATABASE_URL": ensure_database(postgres_server, name),
        "ALEXANDRIA_DAGSTER_DATABASE_URL": ensure_database(postgres_server, f"{name}_dagster"),
        "ALEXANDRIA_SERVING_DATABASE_URL": address_of(api, name),
        "ALEXANDRIA_SECRET_KEYS": json.dumps([new_key()]),
        "DAGSTER_HOME": str(tmp_path / "library" / "dagster"),
        "DO_NOT_TRACK": "1",
    }
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        for database in (name, f"{name}_dagster"):
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database))
            connection.execute(drop)
        forget = sql.SQL("ALTER ROLE {} PASSWORD NULL").format(sql.Identifier(API_ACCOUNT))
        connection.execute(forget)


def _migrate(services: dict[str, dict[str, Any]], environment: dict[str, str]) -> None:
    done = subprocess.run(
        services["migrate"]["command"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.fixture(scope="module")
def migrated(
    services: dict[str, dict[str, Any]], server_environment: dict[str, str]
) -> dict[str, str]:
    """The same variables, once both databases were prepared."""
    _migrate(services, server_environment)
    return server_environment


def test_migrating_prepares_both_databases_and_may_be_repeated(
    services: dict[str, dict[str, Any]], migrated: dict[str, str]
) -> None:
    _migrate(services, migrated)
    for variable, table in (
        ("ALEXANDRIA_DATABASE_URL", "knowledge.documents"),
        ("ALEXANDRIA_DAGSTER_DATABASE_URL", "runs"),
    ):
        with psycopg.connect(migrated[variable]) as connection:
            found = connection.execute("SELECT to_regclass(%s)::text", (table,)).fetchone()
        assert found == (table,)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _here(words: Sequence[str], ports: dict[str, str], workspace: Path) -> list[str]:
    """A command of the file with this machine's ports, host and workspace file."""
    pattern = re.compile(r"\b(" + "|".join(ports) + r")\b")
    local = (word.replace("0.0.0.0", "127.0.0.1") for word in words)
    return [
        pattern.sub(lambda found: ports[found[1]], word).replace(
            "deploy/workspace.yaml", str(workspace)
        )
        for word in local
    ]


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _start(
    stack: ExitStack, command: list[str], environment: dict[str, str], log: Path
) -> subprocess.Popen[bytes]:
    output = stack.enter_context(log.open("wb"))
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
    )
    stack.callback(_stop, process)
    return process


@dataclass(frozen=True, slots=True)
class Started:
    """A service as it runs here, and its own check of its health."""

    process: subprocess.Popen[bytes]
    environment: dict[str, str]
    check: list[str]
    log: Path

    def wait_until_healthy(self, port: int | None) -> None:
        """Until the check says so: it is a process of its own, so not before the port is open."""
        if port is not None:
            self._wait(lambda: _is_open(port), 0.1)
        self._wait(self._is_healthy, 2)

    def _is_healthy(self) -> bool:
        checked = subprocess.run(
            self.check, cwd=ROOT, env=self.environment, capture_output=True, check=False
        )
        return checked.returncode == 0

    def _wait(self, is_done: Callable[[], bool], pause: float) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_done():
            tail = self.log.read_text(errors="replace")[-2000:]
            assert self.process.poll() is None, f"It ended by itself:\n{tail}"
            assert time.monotonic() < deadline, f"It does not become healthy:\n{tail}"
            time.sleep(pause)


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _of_the_api(owner: dict[str, str]) -> dict[str, str]:
    """Variables of the API's container: production, and no address but its own."""
    owned = ("ALEXANDRIA_DATABASE_URL", "ALEXANDRIA_DAGSTER_DATABASE_URL", "DAGSTER_HOME")
    given = {key: value for key, value in owner.items() if key not in owned}
    return given | {
        "ALEXANDRIA_ENVIRONMENT": "production",
        "ALEXANDRIA_PUBLIC_URL": "https://library.example.org",
        "ALEXANDRIA_REGISTRATION": "closed",
    }


def test_every_service_starts_and_its_health_check_says_so(
    services: dict[str, dict[str, Any]],
    migrated: dict[str, str],
    model_folder: Path,
    tmp_path: Path,
) -> None:
    assert model_folder.exists(), "run `make setup`"
    ports = {name: str(_free_port()) for name in ("3000", "4000", "8000")}
    workspace = tmp_path / "workspace.yaml"
    text = (ROOT / "deploy" / "workspace.yaml").read_text(encoding="utf-8")
    workspace.write_text(
        text.replace("host: code", "host: 127.0.0.1").replace("4000", ports["4000"])
    )
    with ExitStack() as stack:
        started: dict[str, Started] = {}
        for name in LASTING:
            log = tmp_path / f"{name}.log"
            command = _here(services[name]["command"], ports, workspace)
            check = _here(services[name]["healthcheck"]["test"][1:], ports, workspace)
            environment = _of_the_api(migrated) if name == "api" else migrated
            process = _start(stack, command, environment, log)
            started[name] = Started(process, environment, check, log)
            if name == "code":  # the others wait for it
                started[name].wait_until_healthy(int(ports["4000"]))
        started["webserver"].wait_until_healthy(int(ports["3000"]))
        started["api"].wait_until_healthy(int(ports["8000"]))
        started["daemon"].wait_until_healthy(None)
