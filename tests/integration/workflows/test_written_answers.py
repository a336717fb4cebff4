"""Answers that a language model writes, from a server on this machine that talks like one."""

import json
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from alexandria.errors import ConfigurationError
from alexandria.knowledge.indexing import SearchFilter
from alexandria.knowledge.quoting import NO_ANSWER
from alexandria.workflows.operating.health import PartHealth, PartName, check_health
from alexandria.workflows.operating.sources import Source
from alexandria.workflows.reading.answering import (
    EXTRACTIVE,
    UNSUPPORTED_MARK,
    Answered,
    answer,
    stream_answer,
)
from alexandria.workflows.reports import StageReport
from alexandria.workflows.workspace import Workspace

Sync = Callable[..., dict[str, StageReport]]
QUESTION = "Who kept the lighthouse on Gannet Head?"
WHERE = SearchFilter()


@dataclass
class Provider:
    """What the server does: a status, or pieces of text; `breaks_off` cuts the stream short.

    `refused` models are answered with 503; `asked` lists the models in the order they were.
    """

    write: Callable[[str], Sequence[str]] = lambda prompt: []
    status: int = 200
    breaks_off: bool = False
    refused: tuple[str, ...] = ()
    asked: list[str] = field(default_factory=list[str])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    provider: Provider

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = str(body["messages"][-1]["content"])
        self.provider.asked.append(body["model"])
        if self.provider.status != 200 or body["model"] in self.provider.refused:
            self._refuse()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in self.provider.write(prompt):
            self._send(choices=[{"index": 0, "delta": {"role": "assistant", "content": piece}}])
        if self.provider.breaks_off:
            self.close_connection = True
            return
        self._send(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
        usage = {"prompt_tokens": 90, "completion_tokens": 10, "total_tokens": 100}
        self._send(choices=[], usage=usage)
        self._send_chunk(b"data: [DONE]\n\n")
        self._send_chunk(b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name upstream)
        """Keep the terminal quiet."""

    def _send(self, **fields: Any) -> None:
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "test"}
        self._send_chunk(f"data: {json.dumps(chunk | fields)}\n\n".encode())

    def _send_chunk(self, content: bytes) -> None:
        self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
        self.wfile.flush()

    def _refuse(self) -> None:
        body = json.dumps({"error": {"message": "not now", "type": "error"}}).encode()
        self.send_response(self.provider.status if self.provider.status != 200 else 503)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """A provider that answers on this machine."""
    behaviour = Provider()
    handler = type("Handler", (_Handler,), {"provider": behaviour})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        monkeypatch.setenv("OPENAI_API_BASE", f"http://127.0.0.1:{server.server_port}/v1")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield behaviour
        server.shutdown()
        thread.join()


@pytest.fixture
def shelf_with_model(workspace: Workspace, source: Source, sync: Sync) -> Workspace:
    """The shelf, published, in a library that is set up with a language model."""
    sync(workspace, source)
    changes = {"llm_models": ("openai/test",), "llm_api_key": SecretStr("key")}
    workspace.settings = workspace.settings.model_copy(update=changes)
    return workspace


def _number_of(prompt: str, words: str) -> str:
    """The number under which the prompt shows the passage with these words."""
    shown = prompt.split("\n\nQuestion:")[0]
    before = shown[: shown.index(words)]
    return re.findall(r"^\[(\d+)\]", before, flags=re.MULTILINE)[-1]


def test_a_written_answer_cites_the_passages_it_stands_on(
    shelf_with_model: Workspace, provider: Provider
) -> None:
    def write(prompt: str) -> list[str]:
        number = _number_of(prompt, "Hester Lowe kept")
        return ["Hester Lowe ke", "pt the lighthouse on Gannet ", f"Head [{number}", "]."]

    provider.write = write
    answered = answer(shelf_with_model, QUESTION, WHERE)
    (citation,) = answered.citations
    assert answered.is_answered
    assert answered.model == "test"
    assert answered.token_count == 100
    assert f"[{citation.number}]" in answered.text
    assert UNSUPPORTED_MARK not in answered.text
    assert citation.path == "lighthouse.txt"
    assert citation.quote.startswith("Hester Lowe kept the lighthouse")


def test_the_pieces_of_a_written_answer_join_to_the_whole(
    shelf_with_model: Workspace, provider: Provider
) -> None:
    provider.write = lambda prompt: [
        f"Hester Lowe kept the lighthouse [{_number_of(prompt, 'Hester Lowe kept')}]. ",
        f"She lit the lamp at dusk [{_number_of(prompt, 'She lit')}].",
    ]
    events = list(stream_answer(shelf_with_model, QUESTION, WHERE))
    whole = events[-1].data
    assert isinstance(whole, Answered)
    assert "".join(str(event.data) for event in events if event.kind == "text") == whole.text
    assert events[0].kind == "passages"
    assert [event.data for event in events if event.kind == "citation"] == whole.citations


def test_a_sentence_that_its_passage_does_not_carry_is_marked(
    shelf_with_model: Workspace, provider: Provider
) -> None:
    provider.write = lambda prompt: [
        f"Hester Lowe kept the lighthouse [{_number_of(prompt, 'Hester Lowe kept')}]. ",
        f"The bakery burned down in 1871 [{_number_of(prompt, 'Hester Lowe kept')}].",
    ]
    text = answer(shelf_with_model, QUESTION, WHERE).text
    first, second = text.split("]. ", 1)
    assert UNSUPPORTED_MARK not in first
    assert second.endswith(UNSUPPORTED_MARK)


def test_a_mark_that_names_no_passage_is_flagged(
    shelf_with_model: Workspace, provider: Provider
) -> None:
    provider.write = lambda prompt: [
        f"Hester Lowe kept the lighthouse [{_number_of(prompt, 'Hester Lowe kept')}][99]."
    ]
    answered = answer(shelf_with_model, QUESTION, WHERE)
    assert any("[99]" in note for note in answered.notes)
    assert [item.number for item in answered.citations] != [99]


def test_a_model_that_finds_no_answer_is_believed(
    shelf_with_model: Workspace, provider: Provider
) -> None:
    provider.write = lambda prompt: [NO_ANSWER]
    answered = answer(shelf_with_model, QUESTION, WHERE)
    assert (answered.text, answered.is_answered, answered.citations) == (NO_ANSWER, False, [])


@pytest.mark.parametrize("status", [500, 503, 429, 400])
def test_a_provider_that_does_not_answer_leaves_a_quoted_answer_with_a_note(
    shelf_with_model: Workspace, provider: Provider, status: int
) -> None:
    provider.status = status
    answered = answer(shelf_with_model, QUESTION, WHERE)
    assert answered.model == EXTRACTIVE
    assert answered.citations[0].path == "lighthouse.txt"
    assert any("language model" in note for note in answered.notes)


def test_nobody_listening_leaves_a_quoted_answer_with_a_note(
    shelf_with_model: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_BASE", "http://127.0.0.1:9/v1")
    answered = answer(shelf_with_model, QUESTION, WHERE)
    assert answered.model == EXTRACTIVE
    assert any("language model" in note for note in answered.notes)


def test_a_stream_that_breaks_off_keeps_what_was_written_and_says_so(
    shelf_with_model: Workspace, provider: Provider
) -> None:
    provider.breaks_off = True
    provider.write = lambda prompt: [
        f"Hester Lowe kept the lighthouse [{_number_of(prompt, 'Hester Lowe kept')}]. ",
        "She lit the lamp at dusk. ",
        "And th",
    ]
    events = list(stream_answer(shelf_with_model, QUESTION, WHERE))
    whole = events[-1].data
    assert isinstance(whole, Answered)
    assert "".join(str(event.data) for event in events if event.kind == "text") == whole.text
    assert whole.text.startswith("Hester Lowe kept the lighthouse")
    assert whole.citations
    assert whole.notes


def test_a_refused_key_says_so(shelf_with_model: Workspace, provider: Provider) -> None:
    provider.status = 401
    with pytest.raises(ConfigurationError, match="refused"):
        answer(shelf_with_model, QUESTION, WHERE)


def test_the_second_model_answers_when_the_first_does_not(
    shelf_with_model: Workspace, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {"llm_models": ("openai/first", "openai/test")}
    shelf_with_model.settings = shelf_with_model.settings.model_copy(update=changes)
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    provider.refused = ("first",)
    provider.write = lambda prompt: [
        f"Hester Lowe kept the lighthouse [{_number_of(prompt, 'Hester Lowe kept')}]."
    ]
    answered = answer(shelf_with_model, QUESTION, WHERE)
    assert answered.is_answered
    assert (answered.model, answered.notes) == ("test", [])
    assert set(provider.asked) == {"first", "test"}


def _language_model(workspace: Workspace) -> PartHealth:
    return next(one for one in check_health(workspace) if one.name == PartName.LANGUAGE_MODEL)


def test_health_tells_what_the_last_question_met(
    shelf_with_model: Workspace, provider: Provider
) -> None:
    provider.write = lambda prompt: [NO_ANSWER]
    assert _language_model(shelf_with_model).state == "ok"
    for status in (503, 401):
        provider.status = status
        with suppress(ConfigurationError):
            answer(shelf_with_model, QUESTION, WHERE)
        part = _language_model(shelf_with_model.keeping_the_door())
        assert (part.state, part.is_required) == ("degraded", False)
        assert "failed" in part.detail
        provider.status = 200
        answer(shelf_with_model, QUESTION, WHERE)
        assert _language_model(shelf_with_model).state == "ok"
    provider.breaks_off = True
    provider.write = lambda prompt: ["Hester Lowe kept it. ", "And th"]
    answer(shelf_with_model, QUESTION, WHERE)
    assert _language_model(shelf_with_model).state == "degraded"
