"""What it costs to let nobody in: requests a second and milliseconds, with and without.

A route that does nothing is asked of the whole API, signed in, and of a bare FastAPI app with
the same route. Both run in uvicorn with a line in the log for each request, both are asked by
the same client over the same kept connections, in turns, so that both see the same machine.
Then the same questions are searched for as an operator, whom nothing filters, and as a reader,
through a session of their own, row-level security and access lists.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from statistics import median

import numpy as np
import psycopg
from fastapi import FastAPI

from alexandria.identity.permissions import Permission, Role
from alexandria.identity.principals import Origin, Principal
from alexandria.workflows.identity.accounts import NewUser, add_user
from alexandria.workflows.identity.identifying import identify
from alexandria.workflows.identity.sessions import open_session
from alexandria.workflows.identity.signing import SigningKeys
from alexandria.workflows.reading.searching import search
from alexandria.workflows.workspace import Workspace, served
from bench.drop import free_port, wait_for
from bench.figures import Figure, Goal, Reference
from bench.library import Library
from bench.search import read_questions
from serving.admission.families import Family
from serving.admission.identity import requires
from serving.app import create_app

CONNECTIONS = 8
TURNS = 6
TURN_SECONDS = 4.0
SINGLE_REQUESTS = 2_000
SHARE = Goal(0.80, at_least=True, of_ratio=True)
ADDED_MS = Goal(2.0)
ROUTE = "/noop"
_LIMIT = "1000000000"


async def answer_nothing() -> dict[str, str]:
    """What both apps do at the route."""
    return {"status": "ok"}


def bare_app() -> FastAPI:
    """An app that is the route and nothing else."""
    app = FastAPI()
    app.add_api_route(ROUTE, answer_nothing)
    return app


def whole_app() -> FastAPI:
    """The API, and the route for those who may view documents."""
    app = create_app()
    family = Family(prefix=ROUTE, dependencies=[requires(Permission.VIEW_DOCUMENTS)])
    family.add_api_route("", answer_nothing)
    app.state.families.add(family)
    return app


def measure(library: Library) -> Iterator[Figure]:
    """Throughput and latency of the route, then of searches."""
    _ = library.first_run
    with library.opened() as workspace, served(workspace) as serving:
        principal, token = _sign_in(serving)
        yield from _measure_route(library, token)
        yield from _measure_search(workspace, serving.acting_for(principal, Origin()))


def _sign_in(serving: Workspace) -> tuple[Principal, str]:
    door = serving.keeping_the_door()
    keys = SigningKeys(door)
    user = add_user(door, NewUser(email="bench@example.org", role=Role.USER))
    token = open_session(door, keys, user.user_id, "bench").access_token
    return identify(door, keys, token), token


def _measure_route(library: Library, token: str) -> Iterator[Figure]:
    environment = library.environment() | {"ALEXANDRIA_RATE_LIMIT_REQUESTS": _LIMIT}
    headers = f"Authorization: Bearer {token}\r\n"
    with (
        _running("bench.security:whole_app", environment, "/health/ready", quiet=True) as ours,
        _running("bench.security:bare_app", environment, ROUTE, quiet=False) as bare,
    ):
        rates = _in_turns([(ours, headers), (bare, headers)])
        single = [
            asyncio.run(_latencies(port, _request(headers), SINGLE_REQUESTS))
            for port in (ours, bare)
        ]
    reference = Reference(rates[1], "bare FastAPI route")
    yield Figure("security: no-op route", rates[0], "requests/s", reference, SHARE)
    ours_ms, bare_ms = (1000 * median(times) for times in single)
    yield Figure("security: p50", ours_ms, "ms", Reference(bare_ms, "bare FastAPI route"))
    yield Figure("security: added at the median", ours_ms - bare_ms, "ms", goal=ADDED_MS)


def _measure_search(operator: Workspace, reader: Workspace) -> Iterator[Figure]:
    with psycopg.connect(operator.database.address) as connection:
        questions = read_questions(connection)
    as_operator: list[float] = []
    as_reader: list[float] = []
    for question in questions[:5] + questions:
        as_operator.append(_timed(lambda asked=question: _ask(operator, asked)))
        as_reader.append(_timed(lambda asked=question: _ask(reader, asked)))
    for percent in (50, 95):
        reference = Reference(float(np.percentile(as_operator[5:], percent)), "as an operator")
        taken = float(np.percentile(as_reader[5:], percent))
        yield Figure(f"security: search as a reader, p{percent}", taken, "ms", reference)


def _ask(workspace: Workspace, question: str) -> None:
    search(workspace, question, workspace.everything)


def _timed(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)


@contextmanager
def _running(app: str, environment: dict[str, str], path: str, *, quiet: bool) -> Generator[int]:
    """Serve an app; `quiet` leaves out uvicorn's line for each request: it writes its own."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", app, "--port", str(port)]
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - the null device is no path to open
        process = subprocess.Popen(
            [*command, "--no-access-log"] if quiet else command,
            env=environment,
            stdout=nowhere,
            stderr=nowhere,
        )
        try:
            wait_for(f"http://127.0.0.1:{port}{path}", 120)
            yield port
        finally:
            process.terminate()
            process.wait()


def _in_turns(servers: Sequence[tuple[int, str]]) -> list[float]:
    """Requests a second of each server, the median of its turns; the first turn warms up."""
    rates: list[list[float]] = [[] for _ in servers]
    for turn in range(TURNS + 1):
        for found, (port, headers) in zip(rates, servers, strict=True):
            rate = asyncio.run(_flood(port, _request(headers)))
            if turn:
                found.append(rate)
    return [median(found) for found in rates]


def _request(headers: str) -> bytes:
    return f"GET {ROUTE} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode()


async def _flood(port: int, request: bytes) -> float:
    ends = time.perf_counter() + TURN_SECONDS
    counts = await asyncio.gather(*(_ask_until(port, request, ends) for _ in range(CONNECTIONS)))
    return sum(counts) / TURN_SECONDS


async def _ask_until(port: int, request: bytes, ends: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    count = 0
    while time.perf_counter() < ends:
        await _exchange(reader, writer, request)
        count += 1
    writer.close()
    return count


async def _latencies(port: int, request: bytes, count: int) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken: list[float] = []
    for _ in range(count):
        started = time.perf_counter()
        await _exchange(reader, writer, request)
        taken.append(time.perf_counter() - started)
    writer.close()
    return taken


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> None:
    """Send one request and read its answer to the end.

    Raises:
        RuntimeError: The answer is not 200.
    """
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(head.decode("latin-1"))
    length = head.lower().split(b"content-length:")[1].split(b"\r\n")[0]
    await reader.readexactly(int(length))
