"""Accounts and passwords through the API: who gets in, who does not, and what nobody is told."""

from typing import Any

import httpx
import pytest
from account_requests import (
    ADA,
    ANOTHER,
    BEN,
    PASSWORD,
    Enter,
    Serve,
    SignIn,
    app_of,
    bearer,
    log_in,
    make_key,
    opened,
    refresh,
    rows,
    status_of_me,
)

from alexandria.identity.permissions import Role
from alexandria.workflows.identity.accounts import reset_password
from alexandria.workflows.workspace import Workspace


def told(response: httpx.Response) -> tuple[int, dict[str, Any]]:
    """All that an answer tells, but for what names the request."""
    body = response.json()
    return response.status_code, {
        name: value for name, value in body.items() if name not in {"request_id", "timestamp"}
    }


def test_somebody_registers_signs_in_and_reads_who_they_are(door: httpx.Client) -> None:
    asked = {"email": " Ada@Example.org ", "username": "Ada", "password": PASSWORD}
    made = door.post("/auth/register", json=asked)
    assert made.status_code == 201
    assert made.json()["email"] == ADA
    assert made.json()["role"] == "user"
    tokens = log_in(door, ADA, PASSWORD).raise_for_status().json()
    assert tokens["token_type"] == "bearer"
    assert tokens["expires_in"] == 900
    me = door.get("/auth/me", headers=bearer(tokens)).raise_for_status().json()
    assert me["user_id"] == made.json()["user_id"]
    assert me["permissions"] == ["edit_documents", "query", "view_documents"]
    assert door.get("/api/profile", headers=bearer(tokens)).json() == me


@pytest.mark.parametrize("extra", [{"role": "admin"}, {"groups": ["x"]}, {"tenant_id": "other"}])
def test_nobody_registers_as_more_than_a_user(door: httpx.Client, extra: dict[str, Any]) -> None:
    response = door.post("/auth/register", json={"email": ADA, "password": PASSWORD} | extra)
    assert response.status_code == 422


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"password": "short"}, 422, "weak_password"),
        ({"password": "password1234"}, 422, "weak_password"),
        ({"password": "x" * 200}, 422, "weak_password"),
        ({"email": "nobody"}, 422, "invalid_input"),
        ({"email": "a@b@c.org"}, 422, "invalid_input"),
        ({"username": "../etc"}, 422, "invalid_request"),
        ({"email": ADA.upper()}, 409, "conflict"),
    ],
)
def test_registration_refuses(
    door: httpx.Client, enter: Enter, change: dict[str, Any], status: int, code: str
) -> None:
    enter()
    asked = {"email": BEN, "password": ANOTHER} | change
    response = door.post("/auth/register", json=asked)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert asked["password"] not in response.text


def test_a_long_password_is_taken_whole(enter: Enter, door: httpx.Client) -> None:
    long = "gravel lantern 燈臺 otter " * 4 + "end of it"
    assert len(long) > 64
    enter(password=long)
    assert log_in(door, ADA, long[:-1]).status_code == 401
    assert log_in(door, ADA, long.upper()).status_code == 401


def test_registration_can_be_closed(serve: Serve, workspace: Workspace) -> None:
    with serve(app_of(workspace, registration="closed")) as client:
        response = opened(client).post("/auth/register", json={"email": ADA, "password": PASSWORD})
        assert (response.status_code, response.json()["code"]) == (403, "forbidden")
        assert log_in(client, ADA, PASSWORD).status_code == 401


def test_there_are_no_accounts_that_nobody_made(door: httpx.Client, workspace: Workspace) -> None:
    assert rows(workspace, "SELECT email FROM identity.users") == []
    for name in ("admin", "root", "alexandria", "admin@example.org"):
        assert log_in(door, name, name).status_code == 401


def test_a_failed_sign_in_tells_not_why(
    door: httpx.Client, enter: Enter, workspace: Workspace, sign_in: SignIn
) -> None:
    enter(ADA)
    enter(BEN)
    sign_in(workspace, "without@example.org", Role.USER)
    rows(workspace, "UPDATE identity.users SET is_active = false WHERE email = %s", BEN)
    wrong = told(log_in(door, ADA, ANOTHER))
    assert wrong[0] == 401
    assert wrong == told(log_in(door, "nobody@example.org", PASSWORD))
    assert wrong == told(log_in(door, BEN, PASSWORD))
    assert wrong == told(log_in(door, "without@example.org", PASSWORD))


def test_a_name_is_locked_alike_whether_anybody_has_it(
    door: httpx.Client, enter: Enter, workspace: Workspace
) -> None:
    tokens = enter(ADA)
    enter(BEN)
    for name in (ADA, "nobody@example.org"):
        for _ in range(5):
            assert log_in(door, name, ANOTHER).status_code == 401
    locked = [log_in(door, name, PASSWORD) for name in (ADA, "nobody@example.org")]
    for response in locked:
        assert (response.status_code, response.json()["code"]) == (429, "rate_limited")
        assert 0 < int(response.headers["retry-after"]) <= 30
    assert log_in(door, BEN, PASSWORD).status_code == 200
    assert status_of_me(door, tokens) == 200, "who is signed in already stays signed in"
    rows(workspace, "UPDATE identity.sign_in_failures SET locked_until = now()")
    assert log_in(door, ADA, ANOTHER).status_code == 401
    wait = int(log_in(door, ADA, PASSWORD).headers["retry-after"])
    assert 30 < wait <= 60, "each failure after the fifth locks for twice as long"
    rows(workspace, "UPDATE identity.sign_in_failures SET locked_until = now()")
    assert log_in(door, ADA, PASSWORD).status_code == 200
    assert len(rows(workspace, "SELECT name_hash FROM identity.sign_in_failures")) == 1


def test_a_lock_ends_after_a_quarter_of_an_hour(door: httpx.Client, workspace: Workspace) -> None:
    for _ in range(20):
        rows(workspace, "UPDATE identity.sign_in_failures SET locked_until = now()")
        assert log_in(door, ADA, ANOTHER).status_code == 401
    assert 0 < int(log_in(door, ADA, PASSWORD).headers["retry-after"]) <= 15 * 60


def test_an_address_may_try_so_often_whatever_it_tries(
    serve: Serve, workspace: Workspace, sign_in: SignIn
) -> None:
    with serve(app_of(workspace, sign_in_limit=3)) as client:
        opened(client)
        statuses = [
            log_in(client, ADA, PASSWORD).status_code,
            client.post("/auth/register", json={"email": ADA, "password": PASSWORD}).status_code,
            log_in(client, "nobody@example.org", PASSWORD).status_code,
        ]
        assert statuses == [401, 201, 401]
        refused = log_in(client, ADA, PASSWORD)
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert int(refused.headers["retry-after"]) > 0
        spoofed = log_in(client, ADA, PASSWORD, **{"X-Real-IP": "203.0.113.9"})
        assert spoofed.status_code == 429
        assert client.get("/auth/me", headers=sign_in(workspace)).status_code == 200


def test_a_password_is_changed_by_who_knows_it(door: httpx.Client, enter: Enter) -> None:
    here, elsewhere = enter(), enter()
    key = make_key(door, here, ["query"])["secret"]

    def change(current: str, new: str) -> httpx.Response:
        body = {"current_password": current, "new_password": new}
        return door.put("/auth/me/password", json=body, headers=bearer(here))

    assert change(ANOTHER, ANOTHER).status_code == 401
    assert change(PASSWORD, "password1234").json()["code"] == "weak_password"
    assert status_of_me(door, elsewhere) == 200
    assert change(PASSWORD, ANOTHER).status_code == 200
    assert status_of_me(door, here) == 200
    assert status_of_me(door, elsewhere) == 401
    assert refresh(door, elsewhere["refresh_token"]).status_code == 401
    assert status_of_me(door, key) == 200
    assert log_in(door, ADA, PASSWORD).status_code == 401
    assert log_in(door, ADA, ANOTHER).status_code == 200


def test_an_operator_resets_a_forgotten_password(
    door: httpx.Client, enter: Enter, workspace: Workspace
) -> None:
    tokens = enter()
    reset_password(workspace, ADA, ANOTHER)
    assert refresh(door, tokens["refresh_token"]).status_code == 401
    assert log_in(door, ADA, PASSWORD).status_code == 401
    assert log_in(door, ADA, ANOTHER).status_code == 200


def test_passwords_are_kept_as_hashes_only(enter: Enter, workspace: Workspace) -> None:
    enter()
    [user] = rows(workspace, "SELECT * FROM identity.users")
    assert user["password_hash"].startswith("$argon2id$")
    assert PASSWORD not in str(user)
