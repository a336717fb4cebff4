"""What is written down of those who sign in, where they came from, and which secrets are not."""

import logging
import socket
import threading
import time

import httpx
import pytest
import uvicorn
from account_requests import (
    ADA,
    ANOTHER,
    PASSWORD,
    Enter,
    SignIn,
    app_of,
    bearer,
    log_in,
    make_key,
    opened,
    refresh,
    rows,
)

from alexandria.workflows.workspace import Workspace


def test_every_way_in_is_written_down_with_its_origin(
    door: httpx.Client, enter: Enter, workspace: Workspace, sign_in: SignIn
) -> None:
    admin = sign_in(workspace)
    tokens = enter()
    log_in(door, ADA, ANOTHER, **{"User-Agent": "curl/8\tx" + "x" * 400, "X-Request-ID": "mine-1"})
    door.get("/api/v2/admin/users", headers=bearer(tokens) | {"X-Request-ID": "mine-2"})
    door.get("/auth/me", headers=bearer("nonsense") | {"X-Request-ID": "mine-3"})
    door.post("/auth/logout", headers=bearer(tokens))
    logs = door.get("/api/v2/admin/audit-logs", headers=admin).json()["logs"]
    found = [(one["action"], one["outcome"], one["actor"]) for one in reversed(logs)]
    assert found[2:] == [
        ("user.added", "done", ADA),
        ("session.opened", "done", ADA),
        ("session.opened", "denied", ADA),
        ("request.refused", "denied", ADA),
        ("request.refused", "denied", "anonymous"),
        ("session.ended", "done", ADA),
    ]
    by_request = {one["request_id"]: one for one in logs}
    failed = by_request["mine-1"]
    assert failed["ip_address"] == "127.0.0.1"
    assert failed["user_agent"].startswith("curl/8 x")
    assert len(failed["user_agent"]) <= 300
    assert by_request["mine-2"]["resource_id"] == "GET /api/v2/admin/users"
    assert by_request["mine-2"]["details"] == {"code": "forbidden"}
    assert by_request["mine-3"]["details"] == {"code": "unauthenticated"}
    assert all(one["timestamp"].endswith("Z") for one in logs)


def test_no_secret_is_logged_or_answered(
    door: httpx.Client,
    enter: Enter,
    workspace: Workspace,
    sign_in: SignIn,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    admin = sign_in(workspace)
    tokens = enter()
    key = make_key(door, tokens, ["query"])
    answers = [
        log_in(door, ADA, ANOTHER),
        refresh(door, tokens["refresh_token"]),
        refresh(door, tokens["refresh_token"]),
        door.get("/auth/me", headers=bearer(key["secret"])),
        door.get("/auth/me", headers=bearer(tokens["access_token"][:-3])),
        door.get("/auth/api-keys", headers=bearer(tokens)),
        door.get("/auth/sessions", headers=bearer(tokens)),
        door.get("/api/v2/admin/users", headers=admin),
        door.get("/api/v2/admin/audit-logs", headers=admin),
        door.post("/auth/register", json={"email": 1, "password": ANOTHER}),
    ]
    secrets = {PASSWORD, ANOTHER, key["secret"], tokens["access_token"], tokens["refresh_token"]}
    for answer in answers:
        assert not [one for one in secrets if one in answer.text], answer.request.url
        assert "argon2" not in answer.text
    logged = "\n".join(record.getMessage() + str(vars(record)) for record in caplog.records)
    assert not [one for one in secrets if one in logged]
    events = str(rows(workspace, "SELECT * FROM identity.audit_events"))
    assert not [one for one in secrets if one in events]


@pytest.mark.parametrize(("trusted", "shown"), [("192.0.2.1", False), ("127.0.0.1", True)])
def test_only_a_proxy_that_is_trusted_names_the_client(
    workspace: Workspace, trusted: str, shown: bool
) -> None:
    """The command line and the container leave this to uvicorn, which believes loopback only."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app_of(workspace), log_level="critical", ws="none", forwarded_allow_ips=trusted
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            while not server.started:
                time.sleep(0.01)
            with httpx.Client(base_url=address, timeout=60) as client:
                log_in(opened(client), ADA, PASSWORD, **{"X-Forwarded-For": "203.0.113.9"})
        finally:
            server.should_exit = True
            thread.join()
    [event] = rows(workspace, "SELECT ip_address FROM identity.audit_events")
    assert event["ip_address"] == ("203.0.113.9" if shown else "127.0.0.1")
