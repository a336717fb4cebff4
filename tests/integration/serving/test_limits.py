"""What is refused because it is too much, and what is answered all the same."""

import threading
from collections.abc import Callable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from alexandria.adapters.postgres import Database
from alexandria.adapters.rate_limits import RateLimiter
from alexandria.errors import StoreUnavailableError
from alexandria.identity.principals import nobody
from alexandria.settings import Settings
from serving.admission.envelope import enclose
from serving.admission.identity import Doorkeeper
from serving.admission.limits import LimitMiddleware, RequestLimits, address_of
from serving.errors import install_error_handlers
from serving.library import Library
from serving.telemetry.metrics import Metrics

Serve = Callable[[FastAPI], AbstractContextManager[httpx.Client]]
Eventually = Callable[[Callable[[], Any]], Any]
LIMIT = 3
SIGNED_IN = {"Authorization": "Bearer anything"}
SOMEBODY = nobody("default")


class Gate:
    """Holds requests until a test lets them go on."""

    def __init__(self) -> None:
        self.waiting = 0
        self.opened = threading.Event()

    def wait(self) -> str:
        self.waiting += 1
        assert self.opened.wait(60)
        return "done"


def build_app(database: Callable[[], Database], gate: Gate | None = None) -> FastAPI:
    """A small app whose database is given."""
    settings = Settings(
        rate_limit_requests=LIMIT, sign_in_limit=2, max_concurrent_requests=2, rate_limit_window=90
    )
    limits = RequestLimits(RateLimiter(database), settings)
    app = FastAPI()

    @app.get("/open")
    @app.get("/health/live")
    @app.get("/metrics")
    def answer() -> str:
        return "ok"

    @app.get("/own/{user_id}")
    async def answer_user(user_id: str, request: Request) -> str:
        await limits.check_user(request.scope, user_id)
        return "ok"

    @app.get("/sign-in")
    async def sign_in(request: Request) -> str:
        await limits.check_sign_in(request.scope)
        return "ok"

    if gate:
        app.add_api_route("/wait", gate.wait)
    app.state.metrics = Metrics()
    doorkeeper = Doorkeeper(Library(settings))
    app.state.doorkeeper = doorkeeper

    @app.middleware("http")
    async def remember(request: Request, go_on: Any) -> Any:
        """Somebody whom the app knows throughout."""
        doorkeeper.believe("anything", SOMEBODY)
        return await go_on(request)

    doorkeeper.believe("anything", SOMEBODY)
    app.add_middleware(LimitMiddleware, limits=limits, doorkeeper=doorkeeper)
    install_error_handlers(app)
    enclose(app, settings, 1024, {})
    return app


def gone() -> Database:
    raise StoreUnavailableError


@pytest.fixture
def database(database_address: str) -> Iterator[Database]:
    with Database(database_address) as opened:
        yield opened


@pytest.fixture
def limited_api(serve: Serve, database: Database) -> Iterator[httpx.Client]:
    with serve(build_app(lambda: database)) as client:
        yield client


def check_refusal(response: httpx.Response) -> None:
    assert response.status_code == 429
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "rate_limited"
    assert response.json()["request_id"] == response.headers["x-request-id"]
    assert 1 <= int(response.headers["retry-after"]) <= 90
    assert response.headers["ratelimit"].endswith(f";r=0;t={response.headers['retry-after']}")
    assert response.headers["x-frame-options"] == "DENY"


def test_an_address_has_so_many_requests_without_credentials(limited_api: httpx.Client) -> None:
    for left in range(LIMIT - 1, -1, -1):
        response = limited_api.get("/open")
        assert response.status_code == 200
        assert response.headers["ratelimit-policy"] == f'"address";q={LIMIT};w=90'
        assert response.headers["ratelimit"].startswith(f'"address";r={left};t=')
    check_refusal(limited_api.get("/open"))
    check_refusal(limited_api.get("/nowhere"))


@pytest.mark.parametrize("header", ["Basic eA==", "Bearer junk", "x"])
def test_what_is_no_token_of_ours_counts_against_the_address(
    limited_api: httpx.Client, header: str
) -> None:
    sent = {"Authorization": header}
    for _ in range(LIMIT):
        assert limited_api.get("/open", headers=sent).status_code == 200
    check_refusal(limited_api.get("/open", headers=sent))
    check_refusal(limited_api.get("/nowhere", headers=sent))
    check_refusal(limited_api.get("/open"))
    assert limited_api.get("/own/ada", headers=SIGNED_IN).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "[evil", ""])
def test_other_names_than_ours_are_refused(limited_api: httpx.Client, host: str) -> None:
    refused = limited_api.get("/open", headers={"Host": host})
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")
    assert limited_api.get("/health/live", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["localhost", "app.localhost:9", "127.0.0.1:80", "[::1]", "10.0.0.7"]
)
def test_names_of_this_machine_and_addresses_are_answered(
    limited_api: httpx.Client, host: str
) -> None:
    assert limited_api.get("/open", headers={"Host": host}).status_code == 200


def test_other_processes_know_of_it(serve: Serve, database: Database) -> None:
    with serve(build_app(lambda: database)) as one, serve(build_app(lambda: database)) as another:
        for client in (one, another, one):
            assert client.get("/open").status_code == 200
        check_refusal(one.get("/open"))
        check_refusal(another.get("/open"))


def test_users_are_counted_apart_from_their_address(limited_api: httpx.Client) -> None:
    for _ in range(LIMIT):
        limited_api.get("/open")
    for user in ("ada", "ben"):
        for _ in range(LIMIT):
            response = limited_api.get(f"/own/{user}", headers=SIGNED_IN)
            assert response.status_code == 200
            assert response.headers["ratelimit-policy"].startswith('"user";')
        check_refusal(limited_api.get(f"/own/{user}", headers=SIGNED_IN))


def test_attempts_to_sign_in_have_a_limit_of_their_own(limited_api: httpx.Client) -> None:
    for _ in range(2):
        assert limited_api.get("/sign-in", headers=SIGNED_IN).status_code == 200
    check_refusal(limited_api.get("/sign-in", headers=SIGNED_IN))
    assert limited_api.get("/open").status_code == 200


def test_health_and_metrics_answer_without_end(limited_api: httpx.Client) -> None:
    for path in ("/health/live", "/metrics") * LIMIT * 2:
        assert limited_api.get(path).status_code == 200


def test_without_a_database_requests_go_on_and_nobody_signs_in(serve: Serve) -> None:
    with serve(build_app(gone)) as client:
        for _ in range(LIMIT):
            assert client.get("/open").status_code == 200
        check_refusal(client.get("/open"))
        refused = client.get("/sign-in", headers=SIGNED_IN)
        assert refused.status_code == 503
        assert refused.json()["code"] == "store_unavailable"


def test_what_is_too_much_at_once_is_refused_and_later_answered(
    serve: Serve, database: Database, eventually: Eventually
) -> None:
    gate = Gate()
    with serve(build_app(lambda: database, gate)) as client, ThreadPoolExecutor(2) as others:
        held = [others.submit(client.get, "/wait", headers=SIGNED_IN) for _ in range(2)]
        try:
            eventually(lambda: gate.waiting == 2)
            refused = client.get("/own/ada", headers=SIGNED_IN)
            assert refused.status_code == 503
            assert refused.json()["code"] == "overloaded"
            assert int(refused.headers["retry-after"]) > 0
            assert client.get("/health/live").status_code == 200
            assert client.get("/metrics").status_code == 200
        finally:
            gate.opened.set()
        assert [work.result().status_code for work in held] == [200, 200]
        eventually(lambda: client.get("/own/ada", headers=SIGNED_IN).status_code == 200)


def test_a_client_that_left_frees_its_place(
    serve: Serve, database: Database, eventually: Eventually
) -> None:
    gate = Gate()
    with serve(build_app(lambda: database, gate)) as client:
        for number in range(1, 3):
            with pytest.raises(httpx.ReadTimeout):
                client.get("/wait", headers=SIGNED_IN, timeout=0.2)
            eventually(lambda count=number: gate.waiting == count)
        gate.opened.set()
        eventually(lambda: client.get("/own/ada", headers=SIGNED_IN).status_code == 200)


@pytest.mark.parametrize(
    ("one", "another", "is_same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", True),
        ("2001:db8:0:1::1", "2001:db8:0:2::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("a name", "another name", False),
    ],
)
def test_an_address_is_what_one_client_has(one: str, another: str, is_same: bool) -> None:
    scopes: list[MutableMapping[str, Any]] = [{"client": (name, 1)} for name in (one, another)]
    assert (address_of(scopes[0]) == address_of(scopes[1])) == is_same


def test_clients_of_a_socket_have_no_address() -> None:
    assert address_of({"client": None}) == address_of({}) == ""
