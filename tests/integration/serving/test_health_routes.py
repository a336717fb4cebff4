import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import httpx
from fastapi import FastAPI
from prometheus_client.parser import text_string_to_metric_families

from alexandria.settings import Settings
from alexandria.workflows.workspace import Workspace
from serving.app import create_app

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
        assert client.post("/api/v2/documents/search", json={}).json()["total"] == 0


def test_a_missing_model_keeps_the_server_from_being_ready(
    workspace: Workspace, serve: Serve, eventually: Eventually
) -> None:
    settings = workspace.settings.model_copy(update={"embedding_model": "never-exported"})
    with serve(create_app(workspace=replace(workspace, settings=settings))) as client:
        response = eventually(lambda: _if_told_to_set_up(client.get("/health/ready")))
        assert response.status_code == 503


def _if_told_to_set_up(response: httpx.Response) -> httpx.Response | None:
    return response if "make setup" in response.text else None


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
