"""Qdrant: an index on a server, or Qdrant's own engine in this process on a folder.

`points` says how a chunk lies in Qdrant, once for both. `edge` runs the engine on a folder
that `folder` locks, makes and repairs; `server` asks a server through `requests`, which
decides what is asked again.
"""

from contextlib import AbstractContextManager
from pathlib import Path

from alexandria.adapters.qdrant.edge import QdrantEdgeIndex
from alexandria.adapters.qdrant.server import QdrantServerIndex
from alexandria.errors import ConfigurationError
from alexandria.settings import Settings

__all__ = ["QdrantEdgeIndex", "QdrantServerIndex", "open_edge_index", "open_server_index"]


def open_edge_index(folder: Path, dimension: int) -> AbstractContextManager[QdrantEdgeIndex]:
    """The index in the folder, created when absent; see `QdrantEdgeIndex.open`.

    Raises:
        IndexLockedError: On entering: another open index holds the folder.
    """
    return QdrantEdgeIndex.open(folder, dimension)


def open_server_index(
    settings: Settings, collection: str, dimension: int, *, is_reading: bool = False
) -> AbstractContextManager[QdrantServerIndex]:
    """The collection on the server of the settings; see `QdrantServerIndex.open`.

    Raises:
        ConfigurationError: The settings name no server.
        StoreUnavailableError: On entering, unless only to read: the server does not answer.
    """
    if settings.qdrant_url is None:
        raise ConfigurationError("No Qdrant server is set; set ALEXANDRIA_QDRANT_URL")
    key = settings.qdrant_api_key
    return QdrantServerIndex.open(
        settings.qdrant_url,
        collection,
        dimension,
        api_key=key.get_secret_value() if key else None,
        is_reading=is_reading,
    )
