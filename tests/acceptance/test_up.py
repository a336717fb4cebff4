"""`alexandria up` as a person runs it: start, drop a file, ask, stop."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import psutil
import pytest

from bench.drop import cited

COMMAND = str(Path(sys.executable).parent / "alexandria")
START_SECONDS = 150
ANSWER_SECONDS = 120

pytestmark = pytest.mark.xdist_group("up")


@dataclass(frozen=True, slots=True)
class RunningLibrary:
    """A library that `up` serves."""

    process: subprocess.Popen[str]
    home: Path
    folder: Path
    api: str
    dagster: str
    link: str
    """The page as it was printed, with the owner's key."""

    @property
    def key(self) -> str:
        return self.link.partition("#key=")[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ignore_interrupts() -> None:
    """As a shell does for what it starts in the background."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def run(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *arguments, "--home", str(home)], capture_output=True, text=True, check=True
    )


def post(url: str, body: dict[str, object], key: str) -> dict[str, object]:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    request = Request(url, json.dumps(body).encode(), headers, method="POST")
    with urlopen(request, timeout=30) as response:
        answer: dict[str, object] = json.load(response)
        return answer


def wait_until(done: object, seconds: float) -> None:
    assert callable(done)
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(1)  # the API lets a user ask 100 times a minute


@pytest.fixture(scope="module")
def library(
    tmp_path_factory: pytest.TempPathFactory, watch_logs: Callable[[Path], None]
) -> Iterator[RunningLibrary]:
    outside = Path(tempfile.mkdtemp(prefix="alexandria-up-"))  # see `postgres_server`
    home = outside / "home"
    folder = tmp_path_factory.mktemp("notes")
    (folder / "first.md").write_text(
        "# Bees\n\nThe hive on the roof was founded by Ottilie Brandt."
    )
    run("sources", "add", str(folder), "--name", "notes", home=home)
    ports = free_port(), free_port()
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [COMMAND, "up", "--home", str(home), "--api-port", str(ports[0]),
         "--dagster-port", str(ports[1]), "--suggest", "Who founded the hive?"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment,
        preexec_fn=ignore_interrupts,
    )  # fmt: skip
    api, dagster = (f"http://127.0.0.1:{port}" for port in ports)
    yield RunningLibrary(process, home, folder, api, dagster, printed_link(process))
    if process.poll() is None:
        process.terminate()
        process.communicate(timeout=90)
    watch_logs(outside)
    shutil.rmtree(outside, ignore_errors=True)


def printed_link(process: subprocess.Popen[str]) -> str:
    """Where it says to ask the library, once it is ready."""
    assert process.stdout
    for line in process.stdout:
        if line.startswith("Ask the library:"):
            return line.split()[-1]
    raise AssertionError("it ended before it was ready")


def is_answering(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (URLError, OSError):
        return False


def quoted(library: RunningLibrary, question: str) -> str:
    return str(post(f"{library.api}/api/v2/query", {"question": question}, library.key)["answer"])


def test_up_serves_the_page_the_api_and_the_graph(library: RunningLibrary) -> None:
    wait_until(lambda: is_answering(f"{library.api}/health/ready"), START_SECONDS)
    wait_until(lambda: is_answering(f"{library.dagster}/server_info"), START_SECONDS)
    with urlopen(library.api) as page:
        assert b"<!doctype html>" in page.read().lower()


def test_the_printed_link_signs_the_owner_in(library: RunningLibrary) -> None:
    assert library.link == f"{library.api}/#key={library.key}"
    me = Request(f"{library.api}/auth/me", headers={"Authorization": f"Bearer {library.key}"})
    with urlopen(me, timeout=30) as response:
        assert json.load(response)["role"] == "admin"
    with pytest.raises(HTTPError, match="401"):
        urlopen(f"{library.api}/auth/me", timeout=30)
    logs = [path.read_bytes() for path in (library.home / "logs").iterdir()]
    assert not [text for text in logs if library.key.encode() in text]


def test_the_sensor_brings_in_a_source_and_a_file_dropped_later(library: RunningLibrary) -> None:
    question = "Who founded the hive on the roof?"
    wait_until(lambda: "Ottilie Brandt" in quoted(library, question), ANSWER_SECONDS)
    (library.folder / "second.txt").write_text("The greenhouse key hangs behind the blue clock.")
    where = "Where does the greenhouse key hang?"
    wait_until(lambda: "blue clock" in quoted(library, where), ANSWER_SECONDS)


def test_the_benchmark_of_dropped_files_is_let_in_and_sees_what_is_cited(
    library: RunningLibrary,
) -> None:
    question = "Who founded the hive on the roof?"
    assert "first.md" in cited(library.api, library.key, question)


def test_a_deleted_file_stops_answering(library: RunningLibrary) -> None:
    (library.folder / "second.txt").unlink()
    where = "Where does the greenhouse key hang?"
    wait_until(lambda: "blue clock" not in quoted(library, where), ANSWER_SECONDS)


def test_ctrl_c_stops_every_process(library: RunningLibrary) -> None:
    children = psutil.Process(library.process.pid).children(recursive=True)
    library.process.send_signal(signal.SIGINT)
    assert library.process.wait(timeout=90) == 0
    assert library.process.stdout
    with library.process.stdout as rest:  # `communicate` would pass over lines read ahead
        output = rest.read()
    assert "Who founded the hive?" in output
    assert output.rstrip().endswith("Stopped.")
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []
    assert json.loads(run("verify", "--json", home=library.home).stdout)["is_sound"] is True
