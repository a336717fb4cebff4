"""How close `alexandria ingest` comes to the bare embedding model, and what the rest costs.

The whole command runs in a process of its own on a fresh home: start, Postgres, Dagster,
parsing, chunking, embedding, both indexes, every check, publishing. Then the bare model
embeds exactly the texts that the run embedded. Loading the model is outside the bare figure
and inside the command's. Both are minutes apart: where other programs use the processors, the
ratio by processor time (the database server left out) is the one that still says something.
"""

from collections.abc import Iterator

from bench.embedding import Speed, timed
from bench.figures import Figure, Goal, Reference
from bench.library import Library, Run

MODEL_SHARE = Goal(0.85, at_least=True)
CHUNKS_PER_SECOND = Goal(0.85, at_least=True, of_ratio=True)
MEMORY_MB = Goal(2000)

BARE = "bare model"

_TEXTS = """
    SELECT DISTINCT ON (chunk.text_hash) chunk.body
    FROM knowledge.chunks AS chunk JOIN knowledge.embeddings AS known USING (text_hash)
"""
_MEGABYTE = 1e6


def measure(library: Library) -> Iterator[Figure]:
    """The first ingest of the folder, against the bare model on the same texts.

    Raises:
        ValueError: Nothing in the folder could be embedded.
    """
    run = library.first_run
    texts = run.rows("embedding/chunk_embeddings")
    if not texts:
        raise ValueError("The folder has no readable text: there is nothing to compare.")
    yield Figure("ingest: wall time", run.seconds, "s")
    share = run.model_seconds / run.seconds
    yield Figure("ingest: model's share", share, "share", goal=MODEL_SHARE)
    yield from _by_stage(run)
    yield from _memory(run)
    bare = bare_speed(library)
    by_clock, by_processor = Reference(bare.wall, BARE), Reference(bare.processor, BARE)
    whole = texts / run.seconds
    yield Figure("ingest: whole command", whole, "chunks/s", by_clock, CHUNKS_PER_SECOND)
    inside = texts / run.model_seconds
    yield Figure("ingest: inside the model", inside, "chunks/s", by_clock)
    paid = texts / run.memory.processor_seconds
    yield Figure("ingest: by processor time", paid, "chunks/s", by_processor)


def bare_speed(library: Library) -> Speed:
    """Chunks a second of the model alone, warm, on every text of the library at once."""
    with library.connected() as connection, library.opened() as workspace:
        texts = [str(row[0]) for row in connection.execute(_TEXTS)]
        workspace.embedder.embed(texts[:1])
        return timed(workspace.embedder.embed, texts)


def _by_stage(run: Run) -> Iterator[Figure]:
    for stage in run.stages:
        yield Figure(f"ingest: {stage.asset}", stage.seconds, "s")
    staged = sum(stage.seconds for stage in run.stages)
    yield Figure("ingest: start, checks, records", run.seconds - staged, "s")


def _memory(run: Run) -> Iterator[Figure]:
    yield Figure("ingest: peak memory", run.memory.total / _MEGABYTE, "MB", goal=MEMORY_MB)
    yield Figure("ingest: of it the command", run.memory.command / _MEGABYTE, "MB")
    yield Figure("ingest: of it Postgres", run.memory.postgres / _MEGABYTE, "MB")
