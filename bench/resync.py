"""What a second run costs when nothing has changed: no document, and how many seconds."""

from collections.abc import Iterator

from bench.figures import Figure, Goal, Reference
from bench.library import Library

ROWS = Goal(0)


def measure(library: Library) -> Iterator[Figure]:
    """The same command again, against the first run."""
    first, again = library.first_run, library.idle_run
    rows = sum(stage.rows for stage in again.stages)
    yield Figure("resync: rows written", rows, "rows", goal=ROWS)
    yield Figure("resync: wall time", again.seconds, "s", Reference(first.seconds, "first run"))
