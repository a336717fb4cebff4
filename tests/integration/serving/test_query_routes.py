import json
import threading
from collections.abc import Callable
from typing import Any

import httpx
import psycopg

from alexandria.workflows.workspace import Workspace

Eventually = Callable[[Callable[[], Any]], Any]
HANDLE = "Where should a keeper look for the handle that turns the lens by hand?"


def _events(body: str) -> list[tuple[str, dict[str, object]]]:
    """The events of a stream, held to its framing: one event line, one data line each."""
    events: list[tuple[str, dict[str, object]]] = []
    assert body.endswith("\n\n")
    for block in body.removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        assert name.startswith("event: ")
        assert data.startswith("data: ")
        events.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return events


def test_an_answer_stands_on_quotes_of_its_documents(api: httpx.Client) -> None:
    answered = api.post("/api/v2/query", json={"question": HANDLE}).json()
    assert answered["metadata"]["is_answered"]
    assert answered["answer"]
    assert answered["sources"]
    for source in answered["sources"]:
        address = f"/api/v2/documents/{source['document_id']}/text"
        text = api.get(address, params={"version_id": source["version_id"]}).json()["text"]
        assert text[source["start"] : source["end"]] == source["quote"]


def test_the_handle_is_found_in_the_manual(api: httpx.Client) -> None:
    answered = api.post("/api/v2/query", json={"question": HANDLE}).json()
    assert "manuals/lamp-and-lens-manual.pdf" in {item["path"] for item in answered["sources"]}


def test_an_answer_warns_of_missing_pages_and_only_then(
    api: httpx.Client, library: Workspace
) -> None:
    _change(library, "UPDATE knowledge.units SET problem_code = NULL")
    whole = api.post("/api/v2/query", json={"question": HANDLE}).json()
    assert whole["warnings"] == []
    assert all(item["coverage"] is None for item in whole["sources"])
    cited = whole["sources"][0]
    _lose_a_page(library, cited["document_id"], cited["label"])
    answered = api.post("/api/v2/query", json={"question": HANDLE}).json()
    (warning,) = answered["warnings"]
    assert warning.startswith("1 of ")
    assert warning.endswith(f"of “{cited['title']}” could not be read.")
    lacking = [item for item in answered["sources"] if item["coverage"]]
    assert {item["document_id"] for item in lacking} == {cited["document_id"]}
    assert lacking[0]["coverage"]["quarantined"] == {"corrupt_file": 1}
    assert lacking[0]["warnings"] == [warning]
    stream = _events(api.post("/api/v2/query/stream", json={"question": HANDLE}).text)
    assert stream[-1][1]["warnings"] == [warning]
    assert any(data.get("warnings") == [warning] for name, data in stream if name == "citation")


def _lose_a_page(library: Workspace, document_id: str, but: str) -> None:
    """Put one unit of a published document in quarantine, not the one of that label."""
    statement = (
        "UPDATE knowledge.units SET problem_code = 'corrupt_file' WHERE (parse_id, ordinal) IN ("
        "SELECT unit.parse_id, min(unit.ordinal) FROM knowledge.units AS unit "
        "JOIN knowledge.chunkings AS chunking USING (parse_id) "
        "JOIN knowledge.documents AS document ON document.current_version_id = chunking.version_id "
        "WHERE document.document_id = %s AND unit.label <> %s GROUP BY unit.parse_id)"
    )
    assert _change(library, statement, document_id, but) == 1


def _change(library: Workspace, statement: str, *parameters: str) -> int:
    with psycopg.connect(library.database.address) as connection:
        return connection.execute(statement, parameters).rowcount  # type: ignore[call-overload]


def test_what_does_not_exist_yet_is_empty_and_said_so(api: httpx.Client) -> None:
    answered = api.post("/api/v2/query", json={"question": HANDLE, "include_images": True}).json()
    assert answered["images"] == []
    assert answered["suggested_diagrams"] == []


def test_a_conversation_keeps_its_id_and_a_new_one_gets_one(api: httpx.Client) -> None:
    given = api.post("/api/v2/query", json={"question": HANDLE, "conversation_id": "chat-1"})
    assert given.json()["conversation_id"] == "chat-1"
    fresh = {
        api.post("/api/v2/query", json={"question": HANDLE}).json()["conversation_id"]
        for _ in range(2)
    }
    assert len(fresh) == 2


def test_selected_files_are_the_only_ones_quoted(api: httpx.Client) -> None:
    by_title = {"question": HANDLE, "selected_files": ["The Salt Clock"]}
    by_path = {"question": HANDLE, "filters": {"selected_files": ["stories/the-salt-clock.epub"]}}
    for request in (by_title, by_path):
        response = api.post("/api/v2/query/stream", json=request)
        passages = next(data for name, data in _events(response.text) if name == "passages")
        found = passages["passages"]
        assert isinstance(found, list)
        assert {item["path"] for item in found} <= {"stories/the-salt-clock.epub"}


def test_unknown_files_and_sources_are_named_and_refused(api: httpx.Client) -> None:
    wanted = {"question": HANDLE, "selected_files": ["The Salt Clock", "no such book"]}
    for path in ("/api/v2/query", "/api/v2/query/stream"):
        response = api.post(path, json=wanted)
        assert response.status_code == 422
        assert '"no such book"' in response.json()["detail"]
        assert "The Salt Clock" not in response.json()["detail"]
    response = api.post(
        "/api/v2/query", json={"question": HANDLE, "filters": {"sources": ["nowhere"]}}
    )
    assert response.status_code == 422


def test_a_filter_that_nothing_passes_finds_nothing(api: httpx.Client) -> None:
    for filters in (
        {"source_types": ["a-kind-nothing-has"]},
        {"languages": ["eo"]},
        {"tags": ["a tag nothing has"]},
        {"date_range": {"to": "1850-01-01"}},
    ):
        answered = api.post("/api/v2/query", json={"question": HANDLE, "filters": filters}).json()
        assert not answered["metadata"]["is_answered"]
        assert answered["sources"] == []


BACKWARDS = {"date_range": {"from": "2020-01-02", "to": "2020-01-01"}}
MALFORMED: list[tuple[dict[str, object], str]] = [
    ({"question": "  a  "}, "body.question"),
    ({"question": "x" * 1001}, "body.question"),
    ({"question": "a\x00bc"}, "body.question"),
    ({}, "body.question"),
    ({"question": HANDLE, "questoin": "x"}, "body.questoin"),
    ({"question": HANDLE, "config": {"top_k": 0}}, "body.config.top_k"),
    ({"question": HANDLE, "conversation_id": "no spaces"}, "body.conversation_id"),
    ({"question": HANDLE, "filters": BACKWARDS}, "body.filters.date_range"),
]


def test_a_malformed_question_is_refused_by_field(empty_api: httpx.Client) -> None:
    for path in ("/api/v2/query", "/api/v2/query/stream"):
        for body, field in MALFORMED:
            response = empty_api.post(path, json=body)
            assert response.status_code == 422
            assert [item["field"] for item in response.json()["errors"]] == [field]


def test_a_stream_joins_to_the_whole_answer(api: httpx.Client) -> None:
    response = api.post("/api/v2/query/stream", json={"question": HANDLE})
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-cache"
    events = _events(response.text)
    names = [name for name, _ in events]
    assert names[0] == "passages"
    assert names[-1] == "done"
    assert set(names) <= {"passages", "text", "citation", "done"}
    whole = events[-1][1]
    joined = "".join(str(data["text"]) for name, data in events if name == "text")
    assert joined.strip() == str(whole["answer"]).strip()
    assert [data for name, data in events if name == "citation"] == whole["sources"]


def test_an_empty_library_answers_nothing(empty_api: httpx.Client) -> None:
    response = empty_api.post("/api/v2/query", json={"question": HANDLE})
    assert response.status_code == 200
    assert not response.json()["metadata"]["is_answered"]


def test_a_client_that_leaves_ends_the_work(api: httpx.Client, eventually: Eventually) -> None:
    with api.stream("POST", "/api/v2/query/stream", json={"question": HANDLE}) as response:
        next(response.iter_raw(chunk_size=1))
    only_this_one = "http_requests_in_progress 1.0"
    metrics = eventually(
        lambda: text if only_this_one in (text := api.get("/metrics").text) else None
    )
    ends = [line for line in metrics.splitlines() if line.startswith("rag_queries_total{")]
    assert len(ends) == 1
    assert ends[0].endswith(" 1.0")


def test_questions_do_not_wait_for_each_other_on_the_loop(api: httpx.Client) -> None:
    """The process answers while it works on questions."""
    asking = [
        threading.Thread(
            target=api.post, args=["/api/v2/query"], kwargs={"json": {"question": HANDLE}}
        )
        for _ in range(4)
    ]
    for thread in asking:
        thread.start()
    assert api.get("/health/live").status_code == 200
    for thread in asking:
        thread.join()
