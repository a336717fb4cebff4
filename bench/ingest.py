"""How close `alexandria ingest` comes to the bare embedding model, and what the rest costs.

The whole command runs in a process of its own on a fresh home: start, Postgres, Dagster,
parsing, chunking, embedding, both indexes, every check, publishing. Then the bare model
embeds exactly the texts that the run embedded. Wall seconds throughout; the model's load is
outside the bare figure and inside the command's.
"""

import time
from collections.abc import Iterator

from bench.figures import Figure, Goal, Reference
from bench.library import Library, Run

MODEL_SHARE = Goal(0.85, at_least=True)
CHUNKS_PER_SECOND = Goal(0.85, at_least=True, of_ratio=True)
MEMORY_MB = Goal(2000)

_TEXTS = """
    SELECT DISTINCT ON (chunk.text_hash) chunk.body
    FROM knowledge.chunks AS chunk JOIN knowledge.embeddings AS known USING (text_hash)
"""
_MEGABYTE = 1e6


def measure(library: Library) -> Iterator[Figure]:
    """The first ingest of the folder, against the bare model on the same texts."""
    run = library.first_run
    texts = run.rows("embedding/chunk_embeddings")
    bare = bare_speed(library)
    yield Figure("ingest: wall time", run.seconds, "s")
    yield Figure(
        "ingest: model's share", run.model_seconds / run.seconds, "share", goal=MODEL_SHARE
    )
    yield Figure(
        "ingest: whole command",
        texts / run.seconds,
        "chunks/s",
        Reference(bare, "bare model"),
        CHUNKS_PER_SECOND,
    )
    yield Figure(
        "ingest: inside the model",
        texts / run.model_seconds,
        "chunks/s",
        Reference(bare, "bare model"),
    )
    yield from _by_stage(run)
    yield from _memory(run)


def bare_speed(library: Library) -> float:
    """Chunks a second of the model alone, warm, on every text of the library at once."""
    with library.connected() as connection, library.opened() as workspace:
        texts = [str(row[0]) for row in connection.execute(_TEXTS)]
        workspace.embedder.embed(texts[:1])
        started = time.perf_counter()
        workspace.embedder.embed(texts)
        return len(texts) / (time.perf_counter() - started)


def _by_stage(run: Run) -> Iterator[Figure]:
    for stage in run.stages:
        yield Figure(f"ingest: {stage.asset}", stage.seconds, "s")
    staged = sum(stage.seconds for stage in run.stages)
    yield Figure("ingest: start, checks, records", run.seconds - staged, "s")


def _memory(run: Run) -> Iterator[Figure]:
    yield Figure("ingest: peak memory", run.memory.total / _MEGABYTE, "MB", goal=MEMORY_MB)
    yield Figure("ingest: of it the command", run.memory.command / _MEGABYTE, "MB")
    yield Figure("ingest: of it Postgres", run.memory.postgres / _MEGABYTE, "MB")
