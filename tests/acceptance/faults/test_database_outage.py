"""Postgres dies and comes back, holds a lock, or has no connection left, while people work."""

import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from alexandria.adapters.identity.tokens import fingerprint

pytestmark = pytest.mark.xdist_group("faults")

Serve = Callable[..., AbstractContextManager[Any]]
SignIn = Callable[[Any], AbstractContextManager[httpx.Client]]
Eventually = Callable[[Callable[[], Any]], Any]
IsRefusal = Callable[[httpx.Response], bool]

CLIENTS = 8
CROWD = 30
LONGEST_SECONDS = 20
"""A client gives up after so long, and the test fails: nothing may hang."""

QUESTION = {"question": "Who kept the lighthouse on Gannet Head?"}


@dataclass
class Kept:
    """What was answered with success, so that it must still be there."""

    questions: list[str] = field(default_factory=list[str])
    accounts: list[str] = field(default_factory=list[str])
    sessions: list[str] = field(default_factory=list[str])
    uploads: dict[str, str] = field(default_factory=dict[str, str])
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter[tuple[str, int]])


class Visitor:
    """Asks, makes accounts, signs in and uploads in turn, until told to stop."""

    def __init__(self, url: str, authorization: str, kept: Kept, is_refusal: IsRefusal) -> None:
        self._url = url
        self._headers = {"Authorization": authorization}
        self._kept = kept
        self._is_refusal = is_refusal

    def work(self, stop: threading.Event) -> None:
        """Every answer is a success or a well-formed refusal, in time."""
        with httpx.Client(
            base_url=self._url, headers=self._headers, timeout=LONGEST_SECONDS
        ) as client:
            while not stop.is_set():
                for step in (self._ask, self._register, self._sign_in, self._upload):
                    step(client)

    def _ask(self, client: httpx.Client) -> None:
        question = f"Who kept the lighthouse on Gannet Head? {uuid4().hex}"
        answer = client.post("/api/v2/query", json={"question": question})
        if self._is_good("ask", answer, 200):
            assert "Hester Lowe" in answer.json()["answer"]
            self._kept.questions.append(question)

    def _register(self, client: httpx.Client) -> None:
        email = f"{uuid4().hex}@example.org"
        account = {"email": email, "password": "quarry lantern 47 willow"}
        if self._is_good("register", client.post("/auth/register", json=account), 201):
            self._kept.accounts.append(email)

    def _sign_in(self, client: httpx.Client) -> None:
        named = {"username": "keeper@example.org", "password": "quarry lantern 47 willow"}
        answer = client.post("/auth/login", data=named)
        if self._is_good("sign in", answer, 200):
            self._kept.sessions.append(answer.json()["refresh_token"])

    def _upload(self, client: httpx.Client) -> None:
        name, text = f"{uuid4().hex}.txt", uuid4().hex * 100
        answer = client.post("/api/v2/documents/upload", files={"file": (name, text)})
        if self._is_good("upload", answer, 202):
            self._kept.uploads[answer.json()["path"]] = text

    def _is_good(self, what: str, answer: httpx.Response, status: int) -> bool:
        self._kept.statuses[what, answer.status_code] += 1
        if answer.status_code == status:
            return True
        assert self._is_refusal(answer), answer.text
        return False


def test_a_killed_postgres_costs_nothing_that_was_answered(
    home: Any,
    own_postgres: Any,
    serve: Serve,
    signed_in: SignIn,
    eventually: Eventually,
    is_refusal: IsRefusal,
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept, stop = Kept(), threading.Event()
    with serve(home) as api:
        eventually(api.is_ready)
        with signed_in(api) as client, ThreadPoolExecutor(CLIENTS) as pool:
            authorization = client.headers["Authorization"]
            visitors = [Visitor(api.url, authorization, kept, is_refusal) for _ in range(CLIENTS)]
            working = [pool.submit(visitor.work, stop) for visitor in visitors]
            try:
                for _ in range(2):
                    _wait_for(kept, lambda found: found[1] // 100 == 2, working, eventually)
                    own_postgres.kill()
                    _wait_for(kept, lambda found: found[1] == 503, working, eventually)
                    own_postgres.start()
                _wait_for(kept, lambda found: found[1] // 100 == 2, working, eventually)
            finally:
                stop.set()
                if not own_postgres.answers():
                    own_postgres.start()
            for work in working:
                work.result()
            eventually(api.is_ready)
            assert "Hester Lowe" in client.post("/api/v2/query", json=QUESTION).json()["answer"]
        api.process.send_signal(signal.SIGTERM)
        api.process.wait(180)
    lost = _lost(home, kept)
    with capsys.disabled():
        sys.stdout.write(f"\nanswered: {dict(kept.statuses)}; lost: {len(lost)}\n")
    assert lost == []
    used = home.rows("SELECT count(*) FROM insights.usage_events WHERE kind = 'query_executed'")
    assert used[0][0] > len(kept.questions)  # one more was asked at the end


def _wait_for(
    kept: Kept,
    wanted: Callable[[tuple[str, int]], bool],
    working: list[Any],
    eventually: Eventually,
) -> None:
    """Until each kind of request was answered so, three times more than before."""
    before = Counter({key: count for key, count in kept.statuses.items() if wanted(key)})

    def is_there() -> bool:
        for work in working:
            if work.done():
                work.result()
        now = Counter({key: count for key, count in kept.statuses.items() if wanted(key)}) - before
        seen: Counter[str] = Counter()
        for (what, _), count in list(now.items()):
            seen[what] += count
        return all(seen[what] >= 3 for what in ("ask", "register", "sign in", "upload"))

    eventually(is_there)


def _lost(home: Any, kept: Kept) -> list[str]:
    """What was answered with success and is not there."""
    asked = {row[0] for row in home.rows("SELECT question FROM insights.query_events")}
    people = {row[0] for row in home.rows("SELECT email FROM identity.users")}
    told = Counter(
        row[0]
        for row in home.rows(
            "SELECT resource_id FROM identity.audit_events WHERE action = 'document.uploaded'"
        )
    )
    made = {
        row[0]
        for row in home.rows(
            "SELECT person.email FROM identity.audit_events AS event JOIN identity.users AS person "
            "ON event.resource_id = person.user_id::text WHERE event.action = 'user.added'"
        )
    }
    tokens = {row[0] for row in home.rows("SELECT token_hash FROM identity.refresh_tokens")}
    lost = [question for question in kept.questions if question not in asked]
    lost += [token for token in kept.sessions if fingerprint(token) not in tokens]
    lost += [email for email in kept.accounts if email not in people]
    lost += [f"audit of {email}" for email in kept.accounts if email not in made]
    lost += [f"audit of {path}" for path in kept.uploads if not told[path]]
    for path, text in kept.uploads.items():
        file = home.uploads / path
        if not file.exists() or file.read_text() != text:
            lost.append(path)
    return lost


def test_more_clients_than_connections_are_answered_or_told_to_wait(
    home: Any, serve: Serve, signed_in: SignIn, eventually: Eventually, is_refusal: IsRefusal
) -> None:
    with serve(home, serving_connections=2) as api:
        eventually(api.is_ready)
        with signed_in(api) as client, ThreadPoolExecutor(CROWD) as pool:
            kept = Kept()
            authorization = client.headers["Authorization"]
            once = threading.Event()
            visitors = [Visitor(api.url, authorization, kept, is_refusal) for _ in range(CROWD)]
            working = [pool.submit(visitor.work, once) for visitor in visitors]
            eventually(
                lambda: sum(kept.statuses.values()) >= 2 * CROWD or any(w.done() for w in working)
            )
            once.set()
            for work in working:
                work.result()
            assert "Hester Lowe" in client.post("/api/v2/query", json=QUESTION).json()["answer"]
    assert all((kept.questions, kept.accounts, kept.uploads))
    assert _lost(home, kept) == []


def test_a_lock_that_somebody_holds_ends_requests_not_the_service(
    home: Any, serve: Serve, signed_in: SignIn, eventually: Eventually, is_refusal: IsRefusal
) -> None:
    with serve(home) as api, ThreadPoolExecutor(60) as pool:
        eventually(api.is_ready)
        with signed_in(api) as client:
            with psycopg.connect(home.settings.database_url) as other:
                other.execute("LOCK TABLE knowledge.publications IN ACCESS EXCLUSIVE MODE")
                asked = [
                    pool.submit(client.post, "/api/v2/query", json=QUESTION) for _ in range(60)
                ]
                eventually(lambda: _waiting_for_locks(home) > 0)
                assert httpx.get(f"{api.url}/health/live", timeout=LONGEST_SECONDS).is_success
                answers = [one.result() for one in asked]
                assert all(is_refusal(answer) for answer in answers)
            answer = client.post("/api/v2/query", json=QUESTION)
    assert "Hester Lowe" in answer.json()["answer"]


def _waiting_for_locks(home: Any) -> int:
    return int(home.rows("SELECT count(*) FROM pg_locks WHERE NOT granted")[0][0])


def test_more_than_may_be_worked_on_is_refused_while_health_answers(
    home: Any, serve: Serve, signed_in: SignIn, eventually: Eventually, is_refusal: IsRefusal
) -> None:
    with serve(home, max_concurrent_requests=3) as api, ThreadPoolExecutor(8) as pool:
        eventually(api.is_ready)
        with signed_in(api) as client:
            with psycopg.connect(home.settings.database_url) as other:
                other.execute("LOCK TABLE knowledge.publications IN ACCESS EXCLUSIVE MODE")
                held = [pool.submit(client.post, "/api/v2/query", json=QUESTION) for _ in range(3)]
                eventually(lambda: _waiting_for_locks(home) >= 1)
                refused = eventually(lambda: _refused(client, held))
                assert refused.json()["code"] == "overloaded"
                assert is_refusal(refused)
                assert httpx.get(f"{api.url}/health/live", timeout=LONGEST_SECONDS).is_success
                ready = httpx.get(f"{api.url}/health/ready", timeout=LONGEST_SECONDS)
                assert ready.status_code == 200
            assert all(one.result().status_code in (200, 503) for one in held)
            assert client.post("/api/v2/query", json=QUESTION).is_success


def _refused(client: httpx.Client, held: list[Any]) -> httpx.Response | None:
    assert not all(one.done() for one in held), "they ended before another was refused"
    answer = client.get("/auth/me")
    time.sleep(0.05)
    return answer if answer.status_code == 503 else None
