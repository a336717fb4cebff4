"""What is only a projection may go: the ledger's entries answer, and say so."""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import httpx
import pytest

from alexandria.knowledge.embedding import Embedder
from alexandria.knowledge.indexing import SearchFilter
from alexandria.workflows.operating.generations import live_generation
from alexandria.workflows.operating.health import check_health
from alexandria.workflows.reading.answering import EXTRACTIVE, INDEX_AWAY
from alexandria.workflows.reading.searching import find_passages
from alexandria.workflows.workspace import Workspace, open_workspace

pytestmark = pytest.mark.xdist_group("faults")

Serve = Callable[..., AbstractContextManager[Any]]
SignIn = Callable[[Any], AbstractContextManager[httpx.Client]]
Eventually = Callable[[Callable[[], Any]], Any]

QUESTION = {"question": "Who kept the lighthouse on Gannet Head?"}


def test_postgres_answers_the_same_without_its_indexes_for_searching(
    home: Any, serve: Serve, signed_in: SignIn, eventually: Eventually
) -> None:
    settings = home.settings.model_copy(update={"dense_index_rows": 1})
    with open_workspace(settings) as workspace:
        live = live_generation(workspace)
        assert live is not None
        workspace.postgres_index(live).optimize()
    with serve(home, dense_index_rows=1) as api:
        eventually(api.is_ready)
        with signed_in(api) as client:
            before = client.post("/api/v2/query", json=QUESTION).json()
            for end in ("dense_idx", "term_ids_idx"):
                home.change(f"DROP INDEX knowledge.index_entries_{live.generation_id}_{end}")
            after = client.post("/api/v2/query", json=QUESTION).json()
    assert after["sources"] == before["sources"] != []
    assert after["metadata"]["fallback_used"] is False


def test_a_lost_qdrant_folder_is_nothing_to_those_whom_postgres_answers(
    home: Any, serve: Serve, signed_in: SignIn, eventually: Eventually
) -> None:
    _damage(home, "corrupted")
    with serve(home) as api:
        eventually(api.is_ready)
        with signed_in(api) as client:
            answers = [client.post("/api/v2/query", json=QUESTION).json()]
            _damage(home, "deleted")
            answers.append(client.post("/api/v2/query", json=QUESTION).json())
    assert all("Hester Lowe" in answer["answer"] for answer in answers)
    assert [answer["metadata"]["fallback_used"] for answer in answers] == [False, False]


def test_postgres_answers_where_the_qdrant_server_does_not(
    home: Any, serve: Serve, signed_in: SignIn, eventually: Eventually, closed_port: int
) -> None:
    with serve(home, serving_index="qdrant", qdrant_url=f"http://127.0.0.1:{closed_port}") as api:
        eventually(api.is_ready)
        with signed_in(api) as client:
            answer = client.post("/api/v2/query", json=QUESTION).json()
            searched = client.post("/api/v2/documents/search", json={"query": "pear tree"}).json()
            streamed = client.post("/api/v2/query/stream", json=QUESTION).text
            listed = client.post("/api/v2/documents/search", json={}).json()
        ready = httpx.get(f"{api.url}/health/ready", timeout=60).json()
    assert "Hester Lowe" in answer["answer"]
    metadata = answer["metadata"]
    assert (metadata["status"], metadata["fallback_used"]) == ("degraded", True)
    assert metadata["message"] == INDEX_AWAY
    assert metadata["retry_after"] > 0
    assert '"fallback_used":true' in streamed.replace(" ", "")
    assert searched["documents"][0]["title"].lower().startswith("garden")
    assert searched["fallback_used"] is True
    assert listed["fallback_used"] is False
    assert ready["status"] == "degraded"
    parts = {part["name"]: part for part in ready["parts"]}
    assert (parts["qdrant"]["state"], parts["qdrant"]["is_required"]) == ("down", False)
    assert parts["index"]["state"] == "ok"


def test_quotes_answer_where_no_language_model_does(
    home: Any, serve: Serve, signed_in: SignIn, eventually: Eventually, closed_port: int
) -> None:
    address = f"http://127.0.0.1:{closed_port}/v1"
    settings = {"llm_models": '["openai/test"]', "llm_api_key": "key", "OPENAI_API_BASE": address}
    with serve(home, **settings) as api:
        eventually(api.is_ready)
        with signed_in(api) as client:
            answer = client.post("/api/v2/query", json=QUESTION).json()
    assert "Hester Lowe" in answer["answer"]
    assert answer["metadata"]["model"] == EXTRACTIVE
    assert answer["metadata"]["fallback_used"] is True
    assert answer["metadata"]["status"] == "degraded"


@pytest.mark.parametrize("damage", ["deleted", "corrupted"])
def test_a_qdrant_that_lost_its_points_is_made_up_for_until_they_are_back(
    home: Any, embedders: dict[str, Embedder], damage: str
) -> None:
    settings = home.settings.model_copy(update={"serving_index": "qdrant"})
    where, question = SearchFilter(), QUESTION["question"]
    with open_workspace(settings) as opened:
        workspace = replace(opened, _embedders=embedders)
        whole = find_passages(workspace, question, where)
        assert whole.fallback_used is False
        assert _qdrant_state(workspace) == "ok"
        _damage(home, damage)
        made_up = find_passages(workspace, question, where)
        assert made_up.fallback_used is True
        assert [item.text for item in made_up.passages] == [item.text for item in whole.passages]
        assert _qdrant_state(workspace) == "down"
        _refill(workspace)
        assert find_passages(workspace, question, where).fallback_used is False
        assert _qdrant_state(workspace) == "ok"
        nowhere = replace(where, languages=("xx",))
        assert find_passages(workspace, question, nowhere).fallback_used is False


def _damage(home: Any, damage: str) -> None:
    folder = home.settings.qdrant_folder
    (generation,) = [item for item in folder.iterdir() if item.is_dir()]
    if damage == "deleted":
        shutil.rmtree(generation)
        return
    for file in generation.rglob("*"):
        if file.is_file():
            file.write_bytes(b"\xff" * 64)


def _qdrant_state(workspace: Workspace) -> str:
    return next(part.state for part in check_health(workspace) if part.name == "qdrant")


def _refill(workspace: Workspace) -> None:
    """From the entries in Postgres, as a rebuild does."""
    live = live_generation(workspace)
    assert live is not None
    entries = workspace.postgres_index(live)
    with workspace.qdrant_index(live) as index:
        index.upsert(entries.entries(sorted(entries.chunk_ids())))
