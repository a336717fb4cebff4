"""Spans reach a collector as one trace; switched off, nothing of the SDK is loaded."""

import asyncio
import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from alexandria.adapters.tracing import (
    continue_trace,
    current_trace,
    install_tracing,
    lasting_span,
    request_span,
    span,
)
from alexandria.settings import Settings
from serving.telemetry.metrics import Metrics, MetricsMiddleware

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"
HEADERS = [(b"host", b"x"), (b"traceparent", f"00-{TRACE}-{CALLER}-01".encode())]


class Collector(ThreadingHTTPServer):
    """Takes OTLP over HTTP, as any collector does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Receiver)
        self.received: list[Any] = []

    @property
    def spans(self) -> dict[str, Any]:
        """What arrived, by name."""
        return {item.name: item for item in self.received}


class _Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Collector)
        received = self.server.received
        body = self.rfile.read(int(self.headers["Content-Length"]))
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            names = {item.key: item.value.string_value for item in resource.resource.attributes}
            assert names["service.name"] == "alexandria"
            for scope in resource.scope_spans:
                received.extend(scope.spans)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (as its parent has it)
        """Say nothing."""


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    server = Collector()
    threading.Thread(target=server.serve_forever).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def finish(collector: Collector) -> Iterator[Callable[[], dict[str, Any]]]:
    """Send what is left, and give what arrived."""
    shut_down = install_tracing(Settings(trace_exporter="otlp"))

    def send_all() -> dict[str, Any]:
        shut_down()
        return collector.spans

    yield send_all
    shut_down()


def attributes(item: Any) -> dict[str, Any]:
    return {
        one.key: one.value.string_value or one.value.int_value or one.value.double_value
        for one in item.attributes
    }


def test_spans_arrive_as_a_tree_under_the_callers_trace(
    finish: Callable[[], dict[str, Any]],
) -> None:
    with continue_trace(HEADERS), request_span("GET /x") as outer:
        outer.note(answered=3)
        with span("sql read_thing", rows=2):
            inside = current_trace()
    spans = finish()
    request, query = spans["GET /x"], spans["sql read_thing"]
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, CALLER)
    assert (query.trace_id.hex(), query.parent_span_id) == (TRACE, request.span_id)
    assert inside == (TRACE, query.span_id.hex())
    assert attributes(request) == {"answered": 3}
    assert attributes(query) == {"rows": 2}


def test_a_thread_with_the_requests_context_belongs_to_it(
    finish: Callable[[], dict[str, Any]],
) -> None:
    def work() -> None:
        with span("in a thread"):
            pass

    with request_span("outer"), ThreadPoolExecutor(1) as threads:
        threads.submit(copy_context().run, work).result()
    spans = finish()
    assert spans["in a thread"].parent_span_id == spans["outer"].span_id


def test_an_error_marks_its_span_without_its_message(finish: Callable[[], dict[str, Any]]) -> None:
    with contextlib.suppress(ValueError), span("bad"):
        raise ValueError("a private message")
    bad = finish()["bad"]
    assert attributes(bad) == {"error.type": "ValueError"}
    assert bad.status.code == 2
    assert "private" not in str(bad)


def test_a_generator_that_goes_on_elsewhere_keeps_its_span_and_changes_no_context(
    finish: Callable[[], dict[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    def pieces() -> Generator[int]:
        with lasting_span("streamed"):
            yield 1
            yield 2

    with request_span("outer"):
        generator = pieces()
        here = current_trace()
        assert copy_context().run(next, generator) == 1
        assert current_trace() == here
    assert copy_context().run(next, generator) == 2
    generator.close()
    spans = finish()
    assert spans["streamed"].parent_span_id == spans["outer"].span_id
    assert not caplog.records


def test_the_middleware_names_a_span_by_its_route(finish: Callable[[], dict[str, Any]]) -> None:
    class Route:
        path = "/api/v2/documents/{document_id}"

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["route"] = Route()
        await send({"type": "http.response.start", "status": 404, "headers": []})

    async def ignore(*_: Any) -> Any:
        return None

    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/api/v2/documents/secret-1",
        "headers": HEADERS,
    }
    _run(MetricsMiddleware(app, Metrics())(scope, ignore, ignore))
    [found] = finish().values()
    assert found.name == "GET /api/v2/documents/{document_id}"
    assert found.kind == 2
    assert found.trace_id.hex() == TRACE
    assert attributes(found) == {
        "http.request.method": "GET",
        "http.route": "/api/v2/documents/{document_id}",
        "http.response.status_code": 404,
    }
    assert "secret-1" not in str(found)


def test_what_is_shut_down_sends_no_more(
    collector: Collector, finish: Callable[[], dict[str, Any]]
) -> None:
    with span("before"):
        pass
    finish()
    with span("after"):
        assert current_trace() is None
    assert set(collector.spans) == {"before"}


def test_installing_again_takes_the_place_of_what_was(collector: Collector) -> None:
    first = install_tracing(Settings(trace_exporter="otlp"))
    second = install_tracing(Settings(trace_exporter="otlp"))
    first()
    with span("later"):
        pass
    second()
    assert set(collector.spans) == {"later"}


def test_the_console_shows_spans_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    shut_down = install_tracing(Settings(trace_exporter="console"))
    with span("shown", rows=1):
        pass
    shut_down()
    captured = capsys.readouterr()
    assert json.loads(captured.err)["name"] == "shown"
    assert not captured.out


@pytest.mark.parametrize(
    "value",
    [b"", b"00-x-y-z", b"\xff", b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01", b"a" * 10_000],
)
def test_a_malformed_traceparent_is_ignored(value: bytes) -> None:
    with continue_trace([(b"traceparent", value)]):
        assert current_trace() is None


def test_without_an_exporter_the_callers_trace_is_still_known() -> None:
    with continue_trace(HEADERS), span("nothing"):
        assert current_trace() == (TRACE, CALLER)
    assert current_trace() is None


def test_nothing_of_the_sdk_is_loaded_without_an_exporter() -> None:
    script = (
        "import sys; from alexandria.adapters import tracing; "
        "from alexandria.settings import Settings; "
        "tracing.install_tracing(Settings())(); "
        "print(*(name for name in sys.modules if name.startswith('opentelemetry.sdk')))"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
    assert done.stdout.strip() == b""


def _run(work: Coroutine[Any, Any, None]) -> None:
    """In a thread: a loop that a library left in this one stays."""
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, work).result()
