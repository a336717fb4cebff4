"""The API starts in the order it promises and ends without losing what it had begun."""

import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import psutil
import psycopg
import pytest

pytestmark = pytest.mark.xdist_group("faults")

Serve = Callable[..., AbstractContextManager[Any]]
SignIn = Callable[[Any], AbstractContextManager[httpx.Client]]
Eventually = Callable[[Callable[[], Any]], Any]
QUESTION = {"question": "Who kept the lighthouse on Gannet Head?"}


def test_it_lives_before_its_database_does_and_is_ready_only_when_warm(
    home: Any, own_postgres: Any, serve_cold: Serve, signed_in: SignIn, eventually: Eventually
) -> None:
    own_postgres.kill()
    try:
        with serve_cold(home) as api:
            eventually(lambda: api.status("/health/live") == 200)
            told = httpx.get(f"{api.url}/health/ready", timeout=60)
            assert told.status_code == 503
            assert told.headers["retry-after"]
            assert [part["name"] for part in told.json()["parts"]] == ["library"]
            refused = httpx.post(f"{api.url}/api/v2/query", json=QUESTION, timeout=60)
            assert refused.status_code in (401, 503)
            own_postgres.start()
            eventually(api.is_ready)
            parts = httpx.get(f"{api.url}/health/ready", timeout=60).json()["parts"]
            states = {part["name"]: part["state"] for part in parts}
            assert states["postgres"] == states["index"] == states["embedding model"] == "ok"
            with signed_in(api) as client:
                answer = client.post("/api/v2/query", json=QUESTION).json()
            assert "Hester Lowe" in answer["answer"]
            assert answer["metadata"]["fallback_used"] is False
            assert answer["metadata"]["status"] == "ok"
    finally:
        if not own_postgres.answers():
            own_postgres.start()


def test_what_holds_it_up_while_it_warms_does_not_keep_it_from_being_ready_later(
    home: Any, serve: Serve, eventually: Eventually
) -> None:
    with serve(home) as api:
        with psycopg.connect(home.settings.database_url) as other:
            other.execute("LOCK TABLE knowledge.publications IN ACCESS EXCLUSIVE MODE")
            eventually(lambda: "not ready yet" in api.log.read_text())
            assert api.status("/health/ready") == 503
            assert api.status("/health/live") == 200
        eventually(api.is_ready)


class SlowProvider:
    """A language model on this machine that stops in mid-answer until it is let go on."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.let_go = threading.Event()


@pytest.fixture
def provider() -> Iterator[tuple[SlowProvider, str]]:
    """The model, and the address it is asked at."""
    behaviour = SlowProvider()
    handler = type("Handler", (_Handler,), {"provider": behaviour})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield behaviour, f"http://127.0.0.1:{server.server_port}/v1"
        behaviour.let_go.set()
        server.shutdown()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    provider: SlowProvider

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self._send("Hester Lowe kept the lighthouse on Gannet Head. [1] ")
        self._send("She kept it for thirty years")
        self.provider.begun.set()
        assert self.provider.let_go.wait(180)
        self._send(". [1]")
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name upstream)
        """Keep the terminal quiet."""

    def _send(self, text: str) -> None:
        piece = {"index": 0, "delta": {"role": "assistant", "content": text}}
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "test"}
        self.wfile.write(f"data: {json.dumps(chunk | {'choices': [piece]})}\n\n".encode())
        self.wfile.flush()


def test_a_stop_finishes_what_was_begun_and_takes_nothing_new(
    home: Any,
    serve: Serve,
    signed_in: SignIn,
    eventually: Eventually,
    provider: tuple[SlowProvider, str],
) -> None:
    model, address = provider
    settings = {"llm_models": '["openai/test"]', "llm_api_key": "key", "OPENAI_API_BASE": address}
    with serve(home, analytics_flush_interval=3600, **settings) as api:
        eventually(api.is_ready)
        with (
            signed_in(api) as client,
            client.stream("POST", "/api/v2/query/stream", json=QUESTION) as streamed,
        ):
            assert model.begun.wait(180)
            children = psutil.Process(api.process.pid).children(recursive=True)
            api.process.send_signal(signal.SIGTERM)
            eventually(lambda: _is_closed(api.url))
            assert api.process.poll() is None
            model.let_go.set()
            text = streamed.read().decode()
        assert "event: done" in text
        assert "for thirty years. [1]" in text
        # uvicorn ends by the signal it was sent, once all is done; as the first process of a
        # container, which no signal ends, with 0.
        assert api.process.wait(180) in (0, -signal.SIGTERM)
        assert psutil.wait_procs(children, timeout=60)[1] == []
        assert "Application shutdown complete" in api.log.read_text()
    assert home.rows("SELECT question FROM insights.query_events") == [(QUESTION["question"],)]
    used = home.rows("SELECT count(*) FROM insights.usage_events WHERE kind = 'query_executed'")
    assert used == [(1,)]
    waiting = home.rows("SELECT count(*) FROM pg_stat_activity WHERE usename = 'alexandria_api'")
    assert waiting == [(0,)]


def _is_closed(url: str) -> bool:
    try:
        httpx.get(f"{url}/health/live", timeout=60)
    except httpx.TransportError:
        return True
    return False
