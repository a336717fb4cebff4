"""What every answer carries, and how large a request may be."""

import base64
import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import anyio
import httpx
import pytest
from fastapi import FastAPI, Request, Response

from alexandria.settings import Settings
from serving.admission.envelope import enclose
from serving.errors import install_error_handlers
from serving.routes import docs

Serve = Callable[[FastAPI], AbstractContextManager[httpx.Client]]
ORIGIN = "https://app.example"
EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
KB = 1024


def build_app(**settings: Any) -> FastAPI:
    """A small app: what it does not have, the layers do."""
    app = FastAPI(docs_url=None, redoc_url=None, title="Small")
    app.include_router(docs.router)

    @app.post("/api/size")
    async def measure(request: Request) -> int:
        return len(await request.body())

    app.add_api_route("/api/upload", measure, methods=["POST"])

    @app.get("/api/fail")
    def fail() -> None:
        raise ZeroDivisionError

    @app.get("/health/live")
    @app.get("/auth/live")
    def live() -> str:
        return "ok"

    @app.get("/api/own")
    def own() -> Response:
        headers = {"Content-Security-Policy": "default-src 'self'", "Cache-Control": "private"}
        return Response(headers=headers | {"X-Request-ID": "another"})

    install_error_handlers(app)
    enclose(app, Settings(**settings), KB, {"/api/upload": 64 * KB})
    return app


@pytest.fixture
def small_api(serve: Serve) -> Iterator[httpx.Client]:
    with serve(build_app()) as client:
        yield client


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/health/live", 200),
        ("GET", "/nowhere", 404),
        ("GET", "/api/size", 405),
        ("POST", "/api/size", 413),
        ("GET", "/api/fail", 500),
    ],
)
def test_every_answer_has_the_headers_once(
    small_api: httpx.Client, method: str, path: str, status: int
) -> None:
    content = b"x" * 2 * KB if method == "POST" else b""
    response = small_api.request(method, path, content=content, headers={"X-Request-ID": "mine-1"})
    assert response.status_code == status
    assert response.headers.items() >= EVERYWHERE.items()
    assert response.headers["x-request-id"] == "mine-1"
    names = [name.lower() for name, _ in response.headers.multi_items()]
    assert len(names) == len(set(names))
    assert "strict-transport-security" not in names
    if status != 200:
        assert response.json()["request_id"] == "mine-1"


def test_answers_of_the_api_are_not_kept(small_api: httpx.Client) -> None:
    assert small_api.get("/auth/live").headers["cache-control"] == "no-store"
    assert small_api.post("/api/size").headers["cache-control"] == "no-store"
    assert "cache-control" not in small_api.get("/health/live").headers


def test_an_answer_keeps_its_own_headers_but_the_id(small_api: httpx.Client) -> None:
    headers = small_api.get("/api/own", headers={"X-Request-ID": "mine-1"}).headers
    assert headers["content-security-policy"] == "default-src 'self'"
    assert headers["cache-control"] == "private"
    assert headers["x-request-id"] == "mine-1"
    rest = EVERYWHERE.keys() - {"content-security-policy"}
    assert all(headers[name] == EVERYWHERE[name] for name in rest)


def test_ids_of_requests_without_one_differ(small_api: httpx.Client) -> None:
    ids = {small_api.get("/health/live").headers["x-request-id"] for _ in range(20)}
    assert len(ids) == 20
    assert all(re.fullmatch("[0-9a-f]{32}", item) for item in ids)


def test_browsers_are_held_to_https_in_production_only(serve: Serve) -> None:
    with serve(build_app(environment="production")) as client:
        assert "max-age=" in client.get("/nowhere").headers["strict-transport-security"]


def test_the_page_of_the_docs_may_run_its_own_script_and_no_other(
    small_api: httpx.Client,
) -> None:
    response = small_api.get("/docs")
    policy = response.headers["content-security-policy"]
    inline = re.findall("<script>(.*?)</script>", response.text, re.DOTALL)
    assert inline
    for script in inline:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe" not in scripts
    for source in re.findall('<script src="(https://[^/"]+)', response.text):
        assert source in scripts


@pytest.mark.parametrize(("path", "limit"), [("/api/size", KB), ("/api/upload", 64 * KB)])
def test_a_body_up_to_the_limit_arrives_whole(
    small_api: httpx.Client, path: str, limit: int
) -> None:
    whole = b"x" * limit
    pieces = [whole[: limit // 2], whole[limit // 2 :]]
    assert small_api.post(path, content=whole).json() == limit
    assert small_api.post(path, content=iter(pieces)).json() == limit


@pytest.mark.parametrize(("path", "limit"), [("/api/size", KB), ("/api/upload", 64 * KB)])
def test_a_body_over_the_limit_is_refused_however_it_comes(
    small_api: httpx.Client, path: str, limit: int
) -> None:
    larger = b"x" * (limit + 1)
    for content in (larger, iter([larger]), iter([larger[:-1], larger[-1:]])):
        response = small_api.post(path, content=content)
        assert response.status_code == 413
        assert response.json()["code"] == "body_too_large"


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Length": "1", "Transfer-Encoding": "chunked"},
        {"Content-Length": "1" * 5000},
        {"Content-Length": "0" * 100 + "1"},
        {"Content-Length": "-1"},
        {"Content-Length": "+1"},
        {"Content-Length": ""},
        {},
    ],
)
def test_a_length_that_binds_nobody_is_not_believed(headers: dict[str, str]) -> None:
    """Servers refuse most of these; one that does not must not open the door."""

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(build_app(), raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            request = client.build_request("POST", "/api/size", content=b"x" * 2 * KB)
            del request.headers["Content-Length"]
            request.headers.update(headers)
            return await client.send(request)

    assert anyio.run(ask).status_code == 413


def test_no_other_origin_may_call_unless_it_is_named(serve: Serve) -> None:
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST"}
    with serve(build_app()) as client:
        for response in (
            client.get("/health/live", headers={"Origin": ORIGIN}),
            client.options("/api/size", headers=asked),
        ):
            assert not [name for name in response.headers if name.startswith("access-control")]


def test_a_named_origin_may_call_without_cookies(serve: Serve) -> None:
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type",
    }
    with serve(build_app(cors_origins=(ORIGIN,))) as client:
        preflight = client.options("/api/size", headers=asked)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == ORIGIN
        assert "authorization" in preflight.headers["access-control-allow-headers"].lower()
        assert preflight.headers["x-frame-options"] == "DENY"
        for path, status in (("/health/live", 200), ("/nowhere", 404), ("/api/fail", 500)):
            response = client.get(path, headers={"Origin": ORIGIN})
            assert response.status_code == status
            assert response.headers["access-control-allow-origin"] == ORIGIN
            assert "retry-after" in response.headers["access-control-expose-headers"].lower()
            assert "access-control-allow-credentials" not in response.headers
        other = client.get("/health/live", headers={"Origin": "https://other.example"})
        assert "access-control-allow-origin" not in other.headers


def test_any_origin_never_brings_cookies(serve: Serve) -> None:
    with serve(build_app(cors_origins=("*",))) as client:
        response = client.get("/health/live", headers={"Origin": ORIGIN, "Cookie": "a=b"})
        assert "access-control-allow-credentials" not in response.headers
