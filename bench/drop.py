"""Seconds from dropping a file into a watched folder until the API answers from it.

`alexandria up` runs on free ports; files of one made-up fact each are written one after the
other, and the question is asked twice a second until the answer cites the file. The
reference is one `alexandria ingest` by hand that finds nothing to do: starting Python,
opening the stores and an empty run of the graph.
"""

import json
import socket
import statistics
import subprocess
import time
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

from alexandria.workflows.identity.owner import renew_owner_key
from bench.figures import Figure, Goal, Reference
from bench.library import COMMAND, Library

DROPS = 10
SECONDS = Goal(30)
READY_SECONDS = 180
ANSWER_SECONDS = 180
POLL_SECONDS = 0.5
_LIMIT = "100000"
"""Requests a minute: to ask twice a second is more than a person may."""


def measure(library: Library) -> Iterator[Figure]:
    """Drop files into the running library and wait for each to be cited."""
    by_hand = Reference(library.idle_run.seconds, "ingest by hand, nothing new")
    with running(library) as address:
        key = sign_in(library)
        taken = [seconds_to_answer(library.folder, address, key) for _ in range(DROPS)]
    name = f"drop: median of {DROPS}"
    yield Figure(name, statistics.median(taken), "s", by_hand, SECONDS)
    yield Figure("drop: slowest", max(taken), "s", by_hand)
    yield Figure("drop: fastest", min(taken), "s", by_hand)


@contextmanager
def running(library: Library) -> Generator[str]:
    """`alexandria up` on the library; yields the address of the API.

    Raises:
        RuntimeError: It stopped by itself; the message is what it said.
        TimeoutError: It was not ready in time.
    """
    api, dagster = free_port(), free_port()
    log = library.home / "up.log"
    ports = ["--api-port", str(api), "--dagster-port", str(dagster)]
    with log.open("wb") as said:
        process = subprocess.Popen(
            [COMMAND, "up", "--no-link", "--home", library.home, *ports],
            env=library.environment() | {"ALEXANDRIA_RATE_LIMIT_REQUESTS": _LIMIT},
            stdout=said,
            stderr=said,
        )
    try:
        wait_for(f"http://127.0.0.1:{api}/health/ready", READY_SECONDS)
        wait_for(f"http://127.0.0.1:{dagster}/server_info", READY_SECONDS)
        yield f"http://127.0.0.1:{api}"
    except OSError as error:
        raise RuntimeError(f"`alexandria up`: {log.read_text()}") from error
    finally:
        process.terminate()
        process.wait()


def sign_in(library: Library) -> str:
    """An API key of the library's owner.

    A link of `alexandria up` has one too, which ends the one before: here it prints none.
    """
    with library.opened() as workspace:
        key = renew_owner_key(workspace)
    assert key, "the library is new: nobody has taken the owner's rights away"
    return key


def seconds_to_answer(folder: Path, address: str, key: str) -> float:
    """Write one file and ask until it is cited.

    Raises:
        TimeoutError: It never was.
    """
    word = f"quill{uuid.uuid4().hex[:8]}"
    name = f"{word}.txt"
    (folder / name).write_text(
        f"Notes on {word}\n\nThe harbour pilot of {word} keeps eleven brass lanterns.\n",
        encoding="utf-8",
    )
    started = time.perf_counter()
    while time.perf_counter() - started < ANSWER_SECONDS:
        question = f"How many brass lanterns does the pilot of {word} keep?"
        if name in cited(address, key, question):
            return time.perf_counter() - started
        time.sleep(POLL_SECONDS)
    raise TimeoutError(f"{name} was not answered from within {ANSWER_SECONDS} seconds.")


def cited(address: str, key: str, question: str) -> set[str]:
    """Paths of the documents that the answer cites."""
    request = Request(
        f"{address}/api/v2/query",
        data=json.dumps({"question": question}).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
    )
    with urlopen(request, timeout=60) as response:
        answer: dict[str, Any] = json.load(response)
    return {str(source["path"]) for source in answer["sources"]}


def wait_for(url: str, seconds: float) -> float:
    """Ask until it answers 200; returns how long that took.

    Raises:
        TimeoutError: It did not.
    """
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        try:
            with urlopen(url, timeout=5) as response:
                if response.status == 200:
                    return time.perf_counter() - started
        except (URLError, OSError):
            time.sleep(0.05)
    raise TimeoutError(f"{url} did not answer within {seconds} seconds.")


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
