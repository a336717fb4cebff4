"""One error body for every route and status."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from alexandria.errors import (
    AlexandriaError,
    ConflictError,
    FileTooLargeError,
    ForbiddenError,
    IndexLockedError,
    IntegrityError,
    InvalidInputError,
    ModelMissingError,
    NotFoundError,
    OverloadedError,
    RateLimitedError,
    SignInFailedError,
    StorageFullError,
    StoreUnavailableError,
    UnauthenticatedError,
    WeakPasswordError,
)
from alexandria.settings import Settings
from alexandria.workflows.workspace import Workspace
from serving.admission.envelope import enclose
from serving.admission.identity import Doorkeeper
from serving.app import create_app
from serving.errors import install_error_handlers
from serving.library import Library
from serving.telemetry.metrics import Metrics

SignIn = Callable[..., dict[str, str]]
Serve = Callable[[FastAPI], AbstractContextManager[httpx.Client]]
WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{1,128}")
MEMBERS = {
    "type",
    "title",
    "status",
    "detail",
    "instance",
    "code",
    "timestamp",
    "request_id",
    "message",
    "fallback_used",
    "retry_after",
    "errors",
}
DOCUMENT = "/api/v2/documents/00000000-0000-0000-0000-000000000000"
IMAGE = "/api/v2/images/00000000-0000-0000-0000-000000000000.0123456789abcdef"
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63"
    "f8ffff3f0005fe02fe0def46b80000000049454e44ae426082"
)
"""A PNG of one white pixel."""
ROUTES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "page": ("GET", "/", {}),
    "page file": ("GET", "/pages/page.js", {}),
    "live": ("GET", "/health/live", {}),
    "ready": ("GET", "/health/ready", {}),
    "metrics": ("GET", "/metrics", {}),
    "query": ("POST", "/api/v2/query", {"json": {"question": "where is it?"}}),
    "stream": ("POST", "/api/v2/query/stream", {"json": {"question": "where is it?"}}),
    "search": ("POST", "/api/v2/documents/search", {"json": {}}),
    "upload": ("POST", "/api/v2/documents/upload", {"files": {"file": ("a.txt", b"a")}}),
    "document": ("GET", DOCUMENT, {}),
    "text": ("GET", f"{DOCUMENT}/text", {}),
    "image upload": ("POST", "/api/v2/images/upload", {"files": {"file": ("a.png", PICTURE)}}),
    "image search": ("POST", "/api/v2/images/search", {"files": {"file": ("a.png", PICTURE)}}),
    "image": ("GET", IMAGE, {}),
    "thumbnail": ("GET", f"{IMAGE}/thumbnail", {}),
    "original": ("GET", f"{IMAGE}/original", {}),
}
IMAGES = ["image", "thumbnail", "original"]
FAILING = ["query", "search", "upload", "document", "text", "image upload", "image search", *IMAGES]
"""Routes whose answer needs the store or the upload folder before it begins."""


def check_problem(response: httpx.Response, status: int) -> dict[str, Any]:
    """Hold a response to the error body; returns it."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert set(problem) == MEMBERS
    assert problem["status"] == status
    assert problem["type"] == f"urn:alexandria:problem:{problem['code']}"
    assert problem["instance"] == response.request.url.path
    assert problem["request_id"] == response.headers["x-request-id"]
    assert datetime.fromisoformat(problem["timestamp"]).tzinfo is not None
    assert problem["title"]
    assert problem["detail"] == problem["message"]
    assert problem["fallback_used"] is False
    assert str(problem["retry_after"] or "") == response.headers.get("retry-after", "")
    return problem


def test_a_path_beside_a_route_is_404(empty_api: httpx.Client) -> None:
    for method, path, _ in ROUTES.values():
        check_problem(empty_api.request(method, f"{path.rstrip('/')}/not/there"), 404)


def test_another_method_is_405(empty_api: httpx.Client) -> None:
    for _, path, _ in ROUTES.values():
        check_problem(empty_api.request("PATCH", path), 405)


def test_a_malformed_body_is_422_and_names_its_fields(empty_api: httpx.Client) -> None:
    for route in ("query", "stream", "search", "upload", "image upload", "image search"):
        method, path, _ = ROUTES[route]
        not_json = empty_api.request(
            method, path, content=b"{", headers={"Content-Type": "application/json"}
        )
        unknown = empty_api.request(method, path, json={"unknown": 1})
        for response in (not_json, unknown):
            fields = check_problem(response, 422)["errors"]
            assert fields
            assert all(item["field"] and item["message"] for item in fields)


def test_a_body_over_the_limit_is_413(empty_api: httpx.Client) -> None:
    content = b'{"question": "' + b"x" * 300_000 + b'"}'
    for route in ("query", "stream", "search"):
        method, path, _ = ROUTES[route]
        check_problem(empty_api.request(method, path, content=content), 413)
        check_problem(empty_api.request(method, path, content=iter([content])), 413)


def test_what_is_not_there_is_404(empty_api: httpx.Client) -> None:
    for route in ("document", "text", *IMAGES):
        method, path, _ = ROUTES[route]
        check_problem(empty_api.request(method, path), 404)


@pytest.fixture
def broken_api(
    workspace: Workspace, tmp_path: Path, serve: Serve, sign_in: SignIn
) -> Iterator[httpx.Client]:
    """A server whose tables went and whose upload folder is a file."""
    blocked = tmp_path / "uploads"
    blocked.write_text("in the way")
    settings = workspace.settings.model_copy(update={"upload_folder": blocked})
    app = create_app(workspace=replace(workspace, settings=settings))
    with serve(app) as client:
        assert isinstance(app.state.library, Library)
        assert app.state.library.wait_until_warm(120)
        client.headers.update(sign_in(workspace))
        workspace.database.statement("DROP SCHEMA knowledge CASCADE")
        yield client


def test_a_failure_inside_is_500_and_tells_nothing_of_it(broken_api: httpx.Client) -> None:
    for route in FAILING:
        method, path, body = ROUTES[route]
        response = broken_api.request(method, path, headers={"X-Request-ID": "mine-1"}, **body)
        problem = check_problem(response, 500)
        assert problem["request_id"] == "mine-1"
        assert problem["code"] == "internal_error"
        assert not re.search("knowledge|uploads|psycopg|relation|Error", problem["detail"])


def test_the_process_answers_while_its_store_is_broken(broken_api: httpx.Client) -> None:
    for path in ("/health/live", "/", "/metrics"):
        assert broken_api.get(path).status_code == 200


class _UnknownError(AlexandriaError):
    """The password of the database is hunter2."""


STATUSES = [
    (UnauthenticatedError("who are you"), 401, True),
    (SignInFailedError("not that one"), 401, True),
    (ForbiddenError("not you"), 403, True),
    (NotFoundError("no such book"), 404, True),
    (ConflictError("it is there"), 409, True),
    (InvalidInputError("not like this"), 422, True),
    (FileTooLargeError("split it"), 413, True),
    (WeakPasswordError("longer"), 422, True),
    (RateLimitedError("slower", retry_after=7), 429, True),
    (StorageFullError("make room"), 507, True),
    (OverloadedError("one by one"), 503, True),
    (StoreUnavailableError("it is starting"), 503, True),
    (IndexLockedError("a run holds it"), 503, True),
    (IntegrityError("chunk 7 is missing"), 500, False),
    (ModelMissingError("no model at /secret"), 500, False),
    (_UnknownError(), 500, False),
]


def test_each_class_of_errors_has_its_status(serve: Serve) -> None:
    app = FastAPI()
    app.state.metrics = Metrics()
    app.state.doorkeeper = Doorkeeper(Library(Settings()))
    install_error_handlers(app)

    def fail(number: int) -> None:
        raise STATUSES[number][0]

    app.add_api_route("/fail/{number}", fail)
    enclose(app, Settings(), 1024, {})
    with serve(app) as client:
        for number, (error, status, is_shown) in enumerate(STATUSES):
            response = client.get(f"/fail/{number}")
            problem = check_problem(response, status)
            assert (error.message in problem["detail"]) == is_shown
            assert (problem["code"] == error.code) == is_shown
            assert ("retry-after" in response.headers) == (status in {429, 503, 507})
            assert ("www-authenticate" in response.headers) == (status == 401)


@pytest.mark.parametrize(
    "route", ["query", "stream", "search", "document", "text", "image search", "ready", *IMAGES]
)
def test_a_library_that_is_not_open_yet_is_503(settings: Settings, route: str) -> None:
    """Without its lifespan an app never opens its library."""
    import anyio

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(create_app(settings))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            method, path, body = ROUTES[route]
            bearer = {"Authorization": "Bearer alx_nobody"}
            return await client.request(method, path, headers=bearer, **body)

    response = anyio.run(ask)
    assert int(response.headers["retry-after"]) > 0
    if route == "ready":
        assert response.status_code == 503
        assert response.json()["status"] == "down"
    else:
        assert check_problem(response, 503)["code"] == "store_unavailable"


def test_a_well_formed_request_id_is_kept(empty_api: httpx.Client) -> None:
    for brought in ("a-b_c.1", "x" * 128, "x" * 129, "a b", "a\u00e9", ""):
        response = empty_api.get("/health/live", headers={b"X-Request-ID": brought.encode()})
        is_kept = response.headers["x-request-id"] == brought
        assert is_kept == bool(WELL_FORMED.fullmatch(brought))
        assert WELL_FORMED.fullmatch(response.headers["x-request-id"])
