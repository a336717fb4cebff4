"""The client of a Qdrant server: its generations, and servers that refuse or are away."""

import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from qdrant_model import DIMENSION, entry

from alexandria.adapters.qdrant import open_server_index
from alexandria.adapters.qdrant import requests as qdrant_requests
from alexandria.adapters.qdrant.server import QdrantServerIndex
from alexandria.errors import (
    ConfigurationError,
    InvalidInputError,
    NotFoundError,
    StoreUnavailableError,
)
from alexandria.settings import Settings


def test_one_client_holds_several_generations() -> None:
    from qdrant_client import QdrantClient

    client = QdrantClient(":memory:")
    first = QdrantServerIndex(client, "first", DIMENSION)
    first.upsert([entry(1)])
    again = QdrantServerIndex(client, "first", DIMENSION)
    second = QdrantServerIndex(client, "second", DIMENSION)
    assert (again.count(), second.count()) == (1, 0)
    with pytest.raises(ConfigurationError, match="16 dimensions"):
        QdrantServerIndex(client, "first", 8)
    first.drop()
    assert not client.collection_exists("first")
    client.close()


@contextmanager
def broken_server(status: int) -> Generator[tuple[str, list[str]]]:
    """An address that answers everything with `status`, and the paths it was asked for."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


ANSWERS = [
    (503, StoreUnavailableError, qdrant_requests.ATTEMPTS),
    (429, StoreUnavailableError, qdrant_requests.ATTEMPTS),
    (401, ConfigurationError, 1),
    (404, NotFoundError, 1),
    (422, InvalidInputError, 1),
]


@pytest.mark.parametrize(("status", "error", "attempts"), ANSWERS)
def test_only_passing_trouble_is_tried_again(
    status: int, error: type[Exception], attempts: int
) -> None:
    with broken_server(status) as (url, asked):
        with pytest.raises(error), QdrantServerIndex.open(url, "generation", DIMENSION):
            pass
        assert len(asked) == attempts


def test_settings_without_a_server_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="ALEXANDRIA_QDRANT_URL"):
        open_server_index(Settings(home=tmp_path, qdrant_url=None), "generation", DIMENSION)
    with broken_server(401) as (url, _):
        settings = Settings(home=tmp_path, qdrant_url=url)
        opening = open_server_index(settings, "generation", DIMENSION)
        with pytest.raises(ConfigurationError, match="API key"), opening:
            pass


def test_a_server_that_is_away_is_unavailable() -> None:
    with broken_server(503) as (url, _):
        pass  # its port is free again
    opening = QdrantServerIndex.open(url, "generation", DIMENSION)
    with pytest.raises(StoreUnavailableError, match="did not answer"), opening:
        pass
