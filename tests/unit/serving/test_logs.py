"""Log lines: one form for all, the request they belong to, and no secrets."""

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from typing import Any

import pytest
import structlog
from cryptography.fernet import Fernet

from alexandria.adapters.tracing import continue_trace
from alexandria.settings import Settings
from serving.telemetry.logs import (
    REDACTED,
    bind_request,
    install_logs,
    log_request,
    redact,
)

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.MEUCIQDf5-abc_DEF0123456789abcdef"
FERNET_KEY = Fernet.generate_key().decode()
FERNET = Fernet(FERNET_KEY).encrypt(b"a secret").decode()
API_KEY = "alx_k3JxV0m2Qd8wLr5TnYb7Zc1Hs4Fg6Aa9Ee-_0Uu2Ii"

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def logging_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("serving.telemetry.logs._REQUEST", ContextVar("request", default=None))
    names = ["", "uvicorn", "uvicorn.error", "uvicorn.access", "httpx"]
    loggers = [logging.getLogger(name) for name in names]
    before = [(one.level, list(one.handlers), one.propagate) for one in loggers]
    yield
    install_logs(Settings())
    structlog.reset_defaults()
    for one, (level, handlers, propagate) in zip(loggers, before, strict=True):
        one.setLevel(level)
        one.handlers[:] = handlers
        one.propagate = propagate


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """What was written since the last look, each line read as JSON."""
    install_logs(Settings())
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@dataclass
class Route:
    path: str = "/api/v2/documents/{document_id}"


def scope(**more: Any) -> dict[str, Any]:
    return {"type": "http", "method": "GET", "path": "/secret-path", "route": Route(), **more}


def test_a_request_is_one_line_with_its_fields(lines: Lines) -> None:
    bind_request(request_id="r-1")
    bind_request(user_id="u-1", tenant_id="acme")
    log_request(scope(), 404, 0.0125)
    [line] = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "info",
        "event": "request",
        "logger": "serving.access",
        "method": "GET",
        "route": "/api/v2/documents/{document_id}",
        "status": 404,
        "duration_ms": 12.5,
        "request_id": "r-1",
        "user_id": "u-1",
        "tenant_id": "acme",
    }


def test_everyones_lines_have_the_same_form(lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    # A server that a test ran before may have been told to say less.
    monkeypatch.setattr(logging.getLogger("uvicorn.error"), "level", logging.NOTSET)
    logging.getLogger("uvicorn.error").manager._clear_cache()  # type: ignore[attr-defined]
    bind_request(request_id="r-2", tenant_id="acme")
    logging.getLogger("alexandria.adapters.x").warning("Disk %s is full", "b")
    logging.getLogger("uvicorn.error").info("Started")
    structlog.get_logger("own").info("indexed", documents=3)
    found = lines()
    assert [line["event"] for line in found] == ["Disk b is full", "Started", "indexed"]
    assert [line["level"] for line in found] == ["warning", "info", "info"]
    assert [line["logger"] for line in found] == ["alexandria.adapters.x", "uvicorn.error", "own"]
    assert found[2]["documents"] == 3
    for line in found:
        assert list(line)[:4] == ["timestamp", "level", "event", "logger"]
        assert line["request_id"] == "r-2"
        assert line["tenant_id"] == "acme"
        assert "user_id" not in line


def test_what_a_thread_learns_of_a_request_is_known_to_the_rest_of_it(lines: Lines) -> None:
    """A sync dependency finds out who asks, in a thread with a copy of the context."""
    bind_request(request_id="r-3")
    thread = threading.Thread(target=copy_context().run, args=(lambda: bind_request(user_id="u"),))
    thread.start()
    thread.join()
    log_request(scope(), 200, 0.001)
    assert lines()[0]["user_id"] == "u"


def test_requests_that_run_at_once_do_not_mix(lines: Lines) -> None:
    async def serve(number: int) -> None:
        bind_request(request_id=f"r-{number}")
        await asyncio.sleep(0)
        bind_request(user_id=f"u-{number}")
        await asyncio.sleep(0)
        log_request(scope(), 200, 0.001)

    async def serve_all() -> None:
        await asyncio.gather(*(serve(number) for number in range(20)))

    _run(serve_all())
    found = {(line["request_id"], line["user_id"]) for line in lines()}
    assert found == {(f"r-{number}", f"u-{number}") for number in range(20)}


def test_nothing_of_a_request_stays_for_the_next(lines: Lines) -> None:
    def serve() -> None:
        bind_request(request_id="r-4", user_id="u")
        bind_request(request_id="r-5")
        log_request(scope(), 200, 0.001)

    copy_context().run(serve)
    log_request(scope(), 200, 0.001)
    first, second = lines()
    assert (first["request_id"], first.get("user_id")) == ("r-5", None)
    assert "request_id" not in second


def test_lines_name_the_trace_of_the_caller(lines: Lines) -> None:
    with continue_trace([(b"traceparent", f"00-{TRACE}-00f067aa0ba902b7-01".encode())]):
        logging.getLogger("a").warning("inside")
        log_request(scope(), 200, 0.001)
    logging.getLogger("a").warning("outside")
    one, two, three = lines()
    assert (one["trace_id"], one["span_id"]) == (TRACE, "00f067aa0ba902b7")
    assert two["trace_id"] == TRACE
    assert "trace_id" not in three


def test_an_error_brings_its_trace_in_the_same_line(lines: Lines) -> None:
    try:
        int(f"no luck with {API_KEY}")
    except ValueError:
        logging.getLogger("a").exception("It failed:\nbadly")
    [line] = lines()
    assert line["event"] == "It failed:\nbadly"
    assert "ValueError: invalid literal" in line["exception"]
    assert "test_logs.py" in line["exception"]
    assert API_KEY not in json.dumps(line)


def test_levels_below_the_setting_are_left_out(
    lines: Lines, capsys: pytest.CaptureFixture[str]
) -> None:
    install_logs(Settings(log_level="WARNING"))
    logging.getLogger("a").info("quiet")
    log_request(scope(), 200, 0.001)
    log_request(scope(), 500, 0.001)
    [line] = lines()
    assert (line["level"], line["status"]) == ("error", 500)


def test_installing_twice_writes_each_line_once(lines: Lines) -> None:
    install_logs(Settings())
    install_logs(Settings())
    logging.getLogger("a").warning("once")
    assert len(lines()) == 1


def test_the_servers_own_handlers_and_access_log_are_replaced(lines: Lines) -> None:
    access = logging.getLogger("uvicorn.access")
    access.addHandler(logging.StreamHandler())
    logging.getLogger("uvicorn").addHandler(logging.StreamHandler())
    install_logs(Settings())
    access.info("GET /?token=abc")
    logging.getLogger("uvicorn").info("hello")
    assert [line["event"] for line in lines()] == ["hello"]


def test_the_console_shows_the_same_without_secrets(
    lines: Lines, capsys: pytest.CaptureFixture[str]
) -> None:
    install_logs(Settings(log_format="console"))
    bind_request(request_id="r-9")
    logging.getLogger("a").warning("key %s", API_KEY)
    log_request(scope(), 200, 0.001)
    shown = capsys.readouterr().err
    assert API_KEY not in shown
    assert shown.count("r-9") == 2
    assert "/api/v2/documents/{document_id}" in shown


SECRETS = [
    ("Authorization: Bearer abcdefghijklmnop0123", "abcdefghijklmnop0123"),
    ("authorization: Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA"),
    (f"token {JWT} refused", JWT),
    (f"sent {API_KEY}", API_KEY),
    ("password=hunter2 and more", "hunter2"),
    ('{"password": "hunter2", "email": "a@b.example"}', "hunter2"),
    ("client_secret='s3cr3t-value'", "s3cr3t-value"),
    ("refresh_token=abc.def&grant_type=refresh_token", "abc.def"),
    ("GET /callback?code_verifier=qwertyuiop HTTP/1.1", "qwertyuiop"),
    ("postgresql://alexandria:pa55word@db:5432/alexandria", "pa55word"),
    (f"value {FERNET}", FERNET),
    (f"key {FERNET_KEY}", FERNET_KEY),
    ("-----BEGIN PRIVATE KEY-----\nMIGHAgEA\n-----END PRIVATE KEY-----", "MIGHAgEA"),
    ("Cookie: session=abcdef", "session=abcdef"),
]


@pytest.mark.parametrize(
    ("text", "secret"), SECRETS, ids=[text.split()[0][:12] for text, _ in SECRETS]
)
def test_what_looks_like_a_secret_is_masked_wherever_it_stands(
    text: str, secret: str, lines: Lines, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = logging.getLogger("a")
    logger.warning(text)
    logger.warning("said %r", text)
    logger.warning("extra", extra={"detail": text, "nested": {"deep": [text]}})
    bind_request(request_id=text)
    logger.warning("bound")
    found = lines()
    assert len(found) == 4
    shown = json.dumps(found)
    assert secret not in shown
    assert shown.count(REDACTED) >= 4


@pytest.mark.parametrize(
    "name",
    ["password", "new_password", "access_token", "client_secret", "Authorization", "api_key"],
)
def test_what_is_named_like_a_secret_is_masked_whatever_it_looks_like(
    name: str, lines: Lines
) -> None:
    logging.getLogger("a").warning("x", extra={name: "plain", "outer": {name: ["plain"]}})
    [line] = lines()
    assert line[name] == REDACTED
    assert line["outer"][name] == REDACTED


@pytest.mark.parametrize(
    "text",
    [
        "The token count is 12; token_count=12",
        "How do I reset my password? Basic understanding helps.",
        "3f2b8c1e9d7a4f60b5c2d1e0f9a8b7c6",
        "Document 00000000-0000-0000-0000-000000000000 at https://example.org/a?b=c",
        "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "postgresql://db:5432/alexandria",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


def test_numbers_named_like_secrets_stay() -> None:
    assert redact("token_count=5") == "token_count=5"


def test_what_cannot_be_written_as_json_does_not_lose_the_line(lines: Lines) -> None:
    class Odd:
        def __repr__(self) -> str:
            return f"<Odd {API_KEY}>"

    logging.getLogger("a").warning("odd", extra={"thing": Odd(), "raw": b"\xff", "many": {1: {2}}})
    [line] = lines()
    assert line["thing"] == f"<Odd {REDACTED}>"
    assert line["many"] == {"1": "{2}"}


def _run(work: Coroutine[Any, Any, None]) -> None:
    """In a thread: a loop that a library left in this one stays."""
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, work).result()
