"""The folder of a Qdrant index in this process: who may open it and how it is made.

One folder is one generation and belongs to one open index at a time; a lock file beside it
says so before the engine touches anything. Nothing else reads or writes the folder.

Laws:
- The engine logs every update before it applies it, so a process killed at any moment
  leaves a folder that loads with every update that had returned.
- The index is a projection. A folder that cannot be loaded (a kill while it was made, a
  damaged disk) is emptied and made anew, with a warning in the log; the caller sees a count
  of 0 and fills it from the ledger. Damage that the engine loads in silence shows in parity.
- A folder is never emptied because of its lock, its dimension, the disk or its rights.
"""

import logging
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from alexandria.adapters.qdrant import points
from alexandria.errors import (
    AlexandriaError,
    ConfigurationError,
    IndexLockedError,
    IntegrityError,
    StoreUnavailableError,
)

if TYPE_CHECKING:
    import qdrant_edge

EXACT_UP_TO = 100_000
"""Points up to which a segment stays without a graph and is searched exactly.

A graph for 50,000 took a minute to build to save 1.5 ms a search.
"""

_log = logging.getLogger(__name__)

# The engine raises nothing finer than Exception itself, and PanicException, which is no
# Exception and has no public name, on damaged files. Its words are all there is to tell by.
_ENGINE_EXCEPTIONS = frozenset({"Exception", "PanicException"})
_FAILURES: tuple[tuple[str, type[AlexandriaError], str], ...] = (
    ("WouldBlock", IndexLockedError, ""),
    ("incompatible", ConfigurationError, "The folder was built for other vectors; use a new one: "),
    ("No space left", StoreUnavailableError, "The disk is full; free some space: "),
    ("Too many open files", StoreUnavailableError, "Raise the limit of open files: "),
    ("Permission denied", ConfigurationError, "Give this user the right to write the index: "),
    ("Read-only file system", ConfigurationError, "Put the index on a writable disk: "),
)


@contextmanager
def engine_errors() -> Generator[None]:
    """Turn the engine's bare exceptions into ours; leave every other one as it is."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ not in _ENGINE_EXCEPTIONS:
            raise
        raise _translated(error) from error


def _translated(error: BaseException) -> AlexandriaError:
    for words, kind, advice in _FAILURES:
        if words in str(error):
            return kind(f"{advice}{error}" if advice else None)
    return IntegrityError(f"The Qdrant engine failed; rebuild the index if it repeats: {error}")


@contextmanager
def lock(folder: Path) -> Generator[None]:
    """Hold the folder alone; its parents are created.

    Raises:
        IndexLockedError: Another open index holds it.
    """
    from filelock import FileLock, Timeout

    folder.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(folder.with_name(f".{folder.name}.lock"))
    try:
        held.acquire(blocking=False)
    except Timeout as error:
        raise IndexLockedError from error
    try:
        yield
    finally:
        held.release()


@engine_errors()
def load(folder: Path, dimension: int) -> "qdrant_edge.EdgeShard":
    """Load the folder, create it when empty, empty it first when it is damaged.

    Raises:
        IndexLockedError: Something holds the engine's own lock.
        ConfigurationError: The folder holds vectors of another dimension or is not ours.
        StoreUnavailableError: The disk is full, or too many files are open.
    """
    from qdrant_edge import EdgeShard

    folder.mkdir(exist_ok=True)
    config = _config(dimension)
    try:
        with engine_errors():
            return EdgeShard.load(str(folder), config)
    except IntegrityError as error:
        _log.warning("The Qdrant index in %s cannot be loaded and starts empty: %s", folder, error)
        shutil.rmtree(folder)
        folder.mkdir()
        return EdgeShard.load(str(folder), config)


def _config(dimension: int) -> "qdrant_edge.EdgeConfig":
    from qdrant_edge import (
        Distance,
        EdgeConfig,
        EdgeOptimizersConfig,
        EdgeSparseVectorParams,
        EdgeVectorParams,
        Modifier,
        VectorStorageDatatype,
    )

    dense = EdgeVectorParams(
        size=dimension, distance=Distance.Cosine, datatype=VectorStorageDatatype.Float16
    )
    bytes_per_point = 2 * dimension
    return EdgeConfig(
        vectors={points.DENSE: dense},
        sparse_vectors={points.TERMS: EdgeSparseVectorParams(modifier=Modifier.Idf)},
        optimizers=EdgeOptimizersConfig(indexing_threshold=EXACT_UP_TO * bytes_per_point // 1024),
    )


@engine_errors()
def create_payload_indexes(shard: "qdrant_edge.EdgeShard") -> None:
    """Add the indexes that are missing: a process may have died between two of them."""
    from qdrant_edge import PayloadSchemaType, UpdateOperation

    keywords = [(name, PayloadSchemaType.Keyword) for name in points.KEYWORD_FIELDS]
    wanted = [*keywords, (points.TIME_FIELD, PayloadSchemaType.Datetime)]
    present = shard.info().payload_schema
    for name, schema in wanted:
        if name not in present:
            shard.update(UpdateOperation.create_field_index(name, schema))
