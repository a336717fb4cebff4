"""Milliseconds of one search with one client, and seconds until the API is ready.

The same questions are asked in turn of the library's own search, embedding of the question
included, and of the two things it cannot do without: the bare model, and one nearest
neighbour query in pgvector. The questions are first words of chunks of the library itself.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import psycopg
from pgvector import HalfVector
from pgvector.psycopg import register_vector

from alexandria.workflows.operating.generations import live_generation
from alexandria.workflows.reading.searching import search
from alexandria.workflows.workspace import Workspace
from bench.drop import free_port, wait_for
from bench.figures import Figure, Goal, Reference
from bench.library import Library

QUESTIONS = 200
WORDS = 9
P50_MS, P95_MS = Goal(15), Goal(30)
LIVE_SECONDS, READY_SECONDS = Goal(2), Goal(5)

_QUESTIONS = """
    SELECT body FROM knowledge.chunks WHERE token_count > 20 ORDER BY text_hash LIMIT %s
"""
_IMPORTS = "import fastapi, uvicorn, openvino, psycopg, tokenizers"

Search = Callable[[str], object]


def measure(library: Library) -> Iterator[Figure]:
    """Latencies in this process, then the start of the API."""
    _ = library.first_run
    with library.opened() as workspace, psycopg.connect(workspace.database.address) as connection:
        questions = read_questions(connection)
        chunks = int(connection.execute("SELECT count(*) FROM knowledge.chunks").fetchone()[0])  # type: ignore[index]
        ours, bare = _in_turn(questions, _whole(workspace), _bare(workspace, connection))
    yield Figure("search: chunks in the library", chunks, "chunks")
    for percent, goal in ((50, P50_MS), (95, P95_MS)):
        reference = Reference(float(np.percentile(bare, percent)), "bare model + bare pgvector")
        measured = float(np.percentile(ours, percent))
        yield Figure(f"search: p{percent}", measured, "ms", reference, goal)
    yield from _start(library)


def read_questions(connection: psycopg.Connection[tuple[Any, ...]]) -> list[str]:
    """First words of chunks of the library."""
    bodies = [str(row[0]) for row in connection.execute(_QUESTIONS, (QUESTIONS,))]
    return [" ".join(body.split()[:WORDS]) for body in bodies]


def _whole(workspace: Workspace) -> Search:
    return lambda question: search(workspace, question, workspace.everything)


def _bare(workspace: Workspace, connection: psycopg.Connection[tuple[Any, ...]]) -> Search:
    live = live_generation(workspace)
    assert live is not None, "the library was ingested"
    register_vector(connection)
    statement = (
        f"SELECT chunk_id FROM knowledge.index_entries_{live.generation_id} "
        f"ORDER BY dense::halfvec({live.dimension}) <=> %s LIMIT 10"
    ).encode()

    def ask(question: str) -> object:
        vector = workspace.embedder.embed([question])[0]
        return connection.execute(statement, (HalfVector(vector),)).fetchall()

    return ask


def _in_turn(questions: list[str], *searches: Search) -> list[list[float]]:
    """Milliseconds of each search by question; the first five questions only warm up."""
    taken: list[list[float]] = [[] for _ in searches]
    for question in questions[:5] + questions:
        for times, ask in zip(taken, searches, strict=True):
            started = time.perf_counter()
            ask(question)
            times.append(1000 * (time.perf_counter() - started))
    return [times[5:] for times in taken]


def _start(library: Library) -> Iterator[Figure]:
    """From nothing to live and to ready, beside importing what the API is made of."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", _IMPORTS], check=True)
    imports = Reference(time.perf_counter() - started, "bare imports")
    port = free_port()
    with library.opened():
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "--factory", "serving.app:create_app",
             "--port", str(port), "--log-level", "error"],
            env=library.environment(),
        )  # fmt: skip
        try:
            live = wait_for(f"http://127.0.0.1:{port}/health/live", 120)
            ready = live + wait_for(f"http://127.0.0.1:{port}/health/ready", 120)
        finally:
            process.terminate()
            process.wait()
    yield Figure("search: API live", live, "s", imports, LIVE_SECONDS)
    yield Figure("search: API ready, model warm", ready, "s", imports, READY_SECONDS)
