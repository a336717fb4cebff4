import socket
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from threading import Event
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from alexandria.errors import StoreUnavailableError
from alexandria.knowledge.embedding import Embedder, Vectors
from alexandria.settings import Settings
from alexandria.workflows.workspace import Workspace
from serving.app import create_app
from serving.library import Library

Eventually = Callable[[Callable[[], Any]], Any]
Serve = Callable[[FastAPI], AbstractContextManager[httpx.Client]]


def _samples(client: httpx.Client, name: str) -> list[tuple[dict[str, str], float]]:
    return [
        (sample.labels, sample.value)
        for family in text_string_to_metric_families(client.get("/metrics").text)
        for sample in family.samples
        if sample.name == name
    ]


def test_a_warm_server_is_ready_and_shows_its_parts(api: httpx.Client) -> None:
    response = api.get("/health/ready")
    assert response.status_code == 200
    parts = {part["name"]: part for part in response.json()["parts"]}
    assert {name for name, part in parts.items() if part["state"] == "ok"} >= {
        "postgres",
        "embedding model",
    }
    assert response.json()["status"] == "ok"


def test_a_server_that_opens_its_own_library_becomes_ready(
    settings: Settings, serve: Serve, eventually: Eventually
) -> None:
    with serve(create_app(settings)) as client:
        assert client.get("/health/live").json() == {"status": "ok"}
        eventually(lambda: client.get("/health/ready").status_code == 200)
        body = client.get("/health/ready").json()
        assert {part["name"] for part in body["parts"]} > {"postgres", "blobs"}


def test_a_missing_model_keeps_the_server_from_being_ready(
    workspace: Workspace, serve: Serve, eventually: Eventually
) -> None:
    settings = workspace.settings.model_copy(update={"embedding_model": "never-exported"})
    with serve(create_app(workspace=replace(workspace, settings=settings))) as client:
        response = eventually(lambda: _if_told_to_set_up(client.get("/health/ready")))
        assert response.status_code == 503


def _if_told_to_set_up(response: httpx.Response) -> httpx.Response | None:
    return response if "make setup" in response.text else None


class SlowEmbedder:
    """The embedding model, which a check of its health waits for until it is let go."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.checks = 0
        self.let_go = Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._embedder, name)

    def embed(self, texts: Sequence[str]) -> Vectors:
        if list(texts) == ["ready"]:
            self.checks += 1
            assert self.let_go.wait(60)
        return self._embedder.embed(texts)


def test_a_flood_of_questions_after_its_health_costs_one_check(
    workspace: Workspace, serve: Serve, eventually: Eventually
) -> None:
    """Nobody waits for a check in a thread, so metrics are shown while it hangs."""
    slow = SlowEmbedder(workspace.embedder)
    embedders: Any = {workspace.settings.embedding_model: slow}
    app = create_app(workspace=replace(workspace, _embedders=embedders))
    with serve(app) as client, ThreadPoolExecutor(30) as pool:
        assert isinstance(app.state.library, Library)
        assert app.state.library.wait_until_warm(120)
        try:
            asked = [pool.submit(client.get, "/health/ready") for _ in range(30)]
            eventually(lambda: _samples(client, "http_requests_in_progress")[0][1] == 31)
        finally:
            slow.let_go.set()
        answers = [one.result() for one in asked]
        assert slow.checks == 1
        assert {answer.status_code for answer in answers} == {200}
        assert len({answer.text for answer in answers}) == 1
        eventually(lambda: client.get("/health/ready").is_success and slow.checks == 2)


def test_a_client_that_leaves_does_not_end_the_check_of_the_others(
    workspace: Workspace, serve: Serve, eventually: Eventually
) -> None:
    slow = SlowEmbedder(workspace.embedder)
    embedders: Any = {workspace.settings.embedding_model: slow}
    app = create_app(workspace=replace(workspace, _embedders=embedders))
    with serve(app) as client, ThreadPoolExecutor(1) as pool:
        assert isinstance(app.state.library, Library)
        assert app.state.library.wait_until_warm(120)
        try:
            with pytest.raises(httpx.ReadTimeout):
                client.get("/health/ready", timeout=0.5)
            other = pool.submit(client.get, "/health/ready")
            eventually(lambda: slow.checks == 1)
        finally:
            slow.let_go.set()
        assert other.result().status_code == 200


def test_a_library_that_cannot_be_opened_tells_nobody_where_its_parts_are(
    settings: Settings,
    serve: Serve,
    eventually: Eventually,
    caplog: pytest.LogCaptureFixture,
    unused_port: int,
) -> None:
    address = f"postgresql://librarian:hunter2@127.0.0.1:{unused_port}/books"
    serving_url = SecretStr(address)
    closed = settings.model_copy(
        update={"database_url": address, "serving_database_url": serving_url}
    )
    with serve(create_app(closed)) as client:
        eventually(lambda: str(unused_port) in caplog.text)
        told = [
            client.get("/health/ready"),
            client.get("/auth/me", headers={"Authorization": "Bearer x"}),
        ]
    for response in told:
        assert response.status_code == 503, response.text
        for inside in ("127.0.0.1", str(unused_port), "connection", "librarian", "books"):
            assert inside not in response.text
        assert StoreUnavailableError().message in response.text
    assert "hunter2" not in caplog.text


@pytest.fixture
def unused_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_requests_are_counted_by_template_and_never_by_path(empty_api: httpx.Client) -> None:
    for number in range(5):
        empty_api.get(f"/api/v2/documents/00000000-0000-0000-0000-00000000000{number}")
        empty_api.get(f"/nothing/{number}")
        empty_api.get(f"/pages/{number}.js")
        empty_api.request(f"METHOD{number}", "/health/live")
    labels = [labels for labels, _ in _samples(empty_api, "http_requests_total")]
    assert {item["route"] for item in labels} <= {
        "/api/v2/documents/{document_id}",
        "/health/live",
        "/pages",
        "/metrics",
        "unmatched",
    }
    assert {item["method"] for item in labels} <= {"GET", "other"}
    counted = {
        (item["route"], item["status"]): value
        for item, value in _samples(empty_api, "http_requests_total")
    }
    assert counted["/api/v2/documents/{document_id}", "404"] == 5


def test_questions_and_documents_are_counted(api: httpx.Client, eventually: Eventually) -> None:
    api.post("/api/v2/query", json={"question": "How many steps has the tower?"})
    assert sum(value for _, value in _samples(api, "rag_queries_total")) == 1
    assert sum(value for _, value in _samples(api, "rag_query_duration_seconds_count")) == 1
    # Documents are counted after each answer, for the next one.
    documents = eventually(lambda: _samples(api, "rag_documents_indexed"))
    assert sum(value for _, value in documents) > 10
    assert all(set(labels) == {"source_type"} for labels, _ in documents)


def test_two_apps_count_apart(workspace: Workspace, serve: Serve) -> None:
    with (
        serve(create_app(workspace=workspace)) as one,
        serve(create_app(workspace=workspace)) as other,
    ):
        one.get("/health/live")
        assert not [
            labels
            for labels, _ in _samples(other, "http_requests_total")
            if labels["route"] == "/health/live"
        ]


HEAVY = "dagster assets pipelines torch sentence_transformers litellm openvino unstructured dlt"


def test_importing_the_api_loads_nothing_heavy() -> None:
    script = "import sys, serving.app; print(*(sys.modules.keys() & set(sys.argv[1:])))"
    command = [sys.executable, "-c", script, *HEAVY.split()]
    assert subprocess.run(command, check=True, capture_output=True).stdout.strip() == b""
