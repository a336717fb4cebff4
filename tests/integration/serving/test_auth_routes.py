"""Signing up, in and out through the API: who gets in, who does not, and what nobody is told."""

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
import uvicorn
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import KeySet
from psycopg.rows import dict_row

from alexandria.adapters.identity.ciphers import open_keyring
from alexandria.identity.permissions import Role
from alexandria.workflows.identity.accounts import reset_password
from alexandria.workflows.identity.signing import rotate_signing_key
from alexandria.workflows.workspace import Workspace
from serving.app import create_app

Serve = Callable[[FastAPI], AbstractContextManager[httpx.Client]]
SignIn = Callable[..., dict[str, str]]
Eventually = Callable[[Callable[[], Any]], Any]
Know = Callable[..., None]
"""See the fixture `know_secrets`."""

ADA = "ada@example.org"
BEN = "ben@example.org"
PASSWORD = "lantern harbour seventeen moss"
ANOTHER = "copper violins under nine bridges"
ADMIN_ROUTES = (
    ("GET", "/api/v2/admin/users"),
    ("GET", "/api/v2/admin/audit-logs"),
    ("GET", "/api/v2/admin/settings"),
    ("PUT", "/api/v2/admin/settings/crm.password"),
    ("DELETE", "/api/v2/admin/settings/crm.password"),
)


def app_of(workspace: Workspace, **changes: Any) -> FastAPI:
    """An app over a library, with limits that no test reaches by accident."""
    roomy: dict[str, Any] = {"rate_limit_requests": 1_000_000, "sign_in_limit": 1_000_000}
    settings = workspace.settings.model_copy(update=roomy | changes)
    return create_app(workspace=replace(workspace, settings=settings))


def opened(client: httpx.Client) -> httpx.Client:
    """The client, once the library behind it is open."""
    for _ in range(1200):
        if client.get("/.well-known/jwks.json").status_code == 200:
            return client
        time.sleep(0.05)
    pytest.fail("the library did not open within a minute")


@pytest.fixture
def door(serve: Serve, workspace: Workspace) -> Iterator[httpx.Client]:
    """A client of a library without documents and without accounts."""
    with serve(app_of(workspace)) as client:
        yield opened(client)


@pytest.fixture
def enter(door: httpx.Client, know_secrets: Know) -> Callable[..., dict[str, Any]]:
    """Sign in with a password, after making the account if there is none; the tokens."""

    def enter(email: str = ADA, password: str = PASSWORD) -> dict[str, Any]:
        know_secrets(password)
        door.post("/auth/register", json={"email": email, "password": password})
        response = log_in(door, email, password)
        assert response.status_code == 200, response.text
        tokens: dict[str, Any] = response.json()
        know_secrets(tokens["access_token"], tokens["refresh_token"])
        return tokens

    return enter


Enter = Callable[..., dict[str, Any]]


def log_in(client: httpx.Client, name: str, password: str, **headers: str) -> httpx.Response:
    form = {"grant_type": "password", "username": name, "password": password}
    return client.post("/auth/login", data=form, headers=headers)


def bearer(secret: str | Mapping[str, Any]) -> dict[str, str]:
    token = secret if isinstance(secret, str) else secret["access_token"]
    return {"Authorization": f"Bearer {token}"}


def status_of_me(client: httpx.Client, secret: str | Mapping[str, Any]) -> int:
    return client.get("/auth/me", headers=bearer(secret)).status_code


def refresh(client: httpx.Client, token: str) -> httpx.Response:
    return client.post("/auth/refresh", json={"refresh_token": token})


def rows(workspace: Workspace, query: str, *values: object) -> list[dict[str, Any]]:
    """What the database holds, as its owner sees it."""
    address = workspace.database.address
    with psycopg.Connection[dict[str, Any]].connect(address, row_factory=dict_row) as connection:
        cursor = connection.execute(query, values)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []


def told(response: httpx.Response) -> tuple[int, dict[str, Any]]:
    """All that an answer tells, but for what names the request."""
    body = response.json()
    return response.status_code, {
        name: value for name, value in body.items() if name not in {"request_id", "timestamp"}
    }


# Accounts and passwords


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


# Tokens and sessions


def test_a_refresh_token_is_good_once(
    door: httpx.Client, enter: Enter, workspace: Workspace, know_secrets: Know
) -> None:
    first, elsewhere = enter(), enter()
    second = refresh(door, first["refresh_token"]).raise_for_status().json()
    know_secrets(second["access_token"], second["refresh_token"])
    assert second["refresh_token"] != first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert refresh(door, first["refresh_token"]).status_code == 401
    assert refresh(door, second["refresh_token"]).status_code == 401, "its session has ended"
    assert status_of_me(door, second) == 401
    assert status_of_me(door, elsewhere) == 200
    told_of = rows(
        workspace,
        "SELECT outcome FROM identity.audit_events WHERE action = %s",
        "refresh_token.reused",
    )
    assert [one["outcome"] for one in told_of] == ["denied"]


def test_of_two_exchanges_at_once_one_fails(door: httpx.Client, enter: Enter) -> None:
    token = enter()["refresh_token"]
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda _: refresh(door, token).status_code, range(2)))
    assert sorted(answers) == [200, 401]


@pytest.mark.parametrize(
    "aging",
    [
        "UPDATE identity.refresh_tokens SET issued_at = now() - interval '15 days'",
        "UPDATE identity.sessions SET ends_at = now() - interval '1 second'",
    ],
)
def test_a_session_ends_by_itself(
    door: httpx.Client, enter: Enter, workspace: Workspace, aging: str
) -> None:
    tokens = enter()
    rows(workspace, aging)
    assert refresh(door, tokens["refresh_token"]).status_code == 401
    if "sessions" in aging:
        assert status_of_me(door, tokens) == 401


def test_a_session_ends_at_most_so_many_days_after_it_began(
    door: httpx.Client, enter: Enter, workspace: Workspace
) -> None:
    tokens = enter()
    before = rows(workspace, "SELECT started_at, ends_at FROM identity.sessions")
    refresh(door, tokens["refresh_token"]).raise_for_status()
    assert rows(workspace, "SELECT started_at, ends_at FROM identity.sessions") == before
    days = workspace.settings.session_days
    assert before[0]["ends_at"] - before[0]["started_at"] == timedelta(days=days)


def test_signing_in_begins_another_session(door: httpx.Client, enter: Enter) -> None:
    tokens = [enter() for _ in range(3)]
    assert len({one["refresh_token"] for one in tokens}) == 3
    listed = door.get("/auth/sessions", headers=bearer(tokens[0])).json()["sessions"]
    assert len({one["session_id"] for one in listed}) == 3


def test_signing_out_ends_this_session_and_no_other(door: httpx.Client, enter: Enter) -> None:
    here, elsewhere = enter(), enter()
    assert status_of_me(door, here) == 200
    assert door.post("/auth/logout", headers=bearer(here)).status_code == 200
    assert status_of_me(door, here) == 401
    assert refresh(door, here["refresh_token"]).status_code == 401
    assert status_of_me(door, elsewhere) == 200


def test_one_ends_ones_own_sessions_only(door: httpx.Client, enter: Enter) -> None:
    here, elsewhere, ben = enter(), enter(), enter(BEN)
    listed = door.get("/auth/sessions", headers=bearer(ben)).json()["sessions"]
    [of_ben] = [one["session_id"] for one in listed]
    assert door.delete(f"/auth/sessions/{of_ben}", headers=bearer(here)).status_code == 404
    assert status_of_me(door, ben) == 200
    listed = door.get("/auth/sessions", headers=bearer(here)).json()["sessions"]
    assert of_ben not in {one["session_id"] for one in listed}
    for one in reversed(listed):  # the session of `elsewhere` itself began last
        door.delete(f"/auth/sessions/{one['session_id']}", headers=bearer(elsewhere))
    assert (status_of_me(door, here), status_of_me(door, elsewhere)) == (401, 401)


def test_other_processes_learn_within_seconds_that_a_session_ended(
    serve: Serve, door: httpx.Client, enter: Enter, workspace: Workspace, eventually: Eventually
) -> None:
    tokens = enter()
    with serve(app_of(workspace)) as other:
        assert status_of_me(opened(other), tokens) == 200
        door.post("/auth/logout", headers=bearer(tokens)).raise_for_status()
        assert eventually(lambda: status_of_me(other, tokens) == 401)


def test_a_token_serves_its_own_purpose_only(door: httpx.Client, enter: Enter) -> None:
    tokens = enter()
    assert status_of_me(door, tokens["refresh_token"]) == 401
    assert refresh(door, tokens["access_token"]).status_code == 401
    access = tokens["access_token"]
    for path in (f"/auth/me?access_token={access}", f"/auth/me?token={access}"):
        assert door.get(path).status_code == 401
    assert door.get("/auth/me", headers={"Cookie": f"access_token={access}"}).status_code == 401
    for scheme in ("Basic", "Token", "bearer:"):
        headers = {"Authorization": f"{scheme} {access}"}
        assert door.get("/auth/me", headers=headers).status_code == 401


def test_anybody_can_verify_a_token_with_the_published_keys(
    door: httpx.Client, enter: Enter, workspace: Workspace
) -> None:
    before = enter()
    rotate_signing_key(workspace)
    published = door.get("/.well-known/jwks.json").json()
    claims = jwt.decode(before["access_token"], KeySet.import_key_set(published), ["ES256"]).claims
    assert claims["sub"] == before["user"]["user_id"]
    assert claims["iss"] == workspace.settings.public_url
    assert claims["aud"] == "alexandria"
    assert claims["exp"] - claims["iat"] == 900
    shown = {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert all(set(key) <= shown for key in published["keys"])
    assert status_of_me(door, before) == 200


def test_signing_keys_are_kept_encrypted(
    enter: Enter, workspace: Workspace, know_secrets: Know
) -> None:
    enter()
    [key] = rows(workspace, "SELECT private_key FROM identity.signing_keys")
    assert key["private_key"].startswith("gAAAA")
    for line in (workspace.settings.keys_folder / "secrets.keys").read_text().splitlines():
        know_secrets(line)


# API keys


def make_key(
    client: httpx.Client, tokens: Mapping[str, Any] | str, permissions: list[str], **more: Any
) -> dict[str, Any]:
    body = {"name": "nightly", "permissions": permissions} | more
    response = client.post("/auth/api-keys", json=body, headers=bearer(tokens))
    assert response.status_code == 201, response.text
    return response.json()


def test_a_key_may_do_what_it_was_made_for(
    door: httpx.Client, enter: Enter, know_secrets: Know, workspace: Workspace
) -> None:
    tokens = enter()
    key = make_key(door, tokens, ["query"])
    know_secrets(key["secret"])
    headers = bearer(key["secret"])
    assert key["secret"].startswith("alx_")
    assert door.get("/auth/me", headers=headers).json()["permissions"] == ["query"]
    asked = door.post("/api/v2/query", json={"question": "anything here?"}, headers=headers)
    assert asked.status_code == 200
    refused = door.get("/api/v2/documents/nothing", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    listed = door.get("/auth/api-keys", headers=bearer(tokens)).text
    assert key["secret"] not in listed
    assert json.loads(listed)["api_keys"][0]["hint"] == key["secret"][-4:]
    assert key["secret"] not in str(rows(workspace, "SELECT * FROM identity.api_keys"))


@pytest.mark.parametrize("permission", ["admin", "manage_users", "delete_documents"])
def test_nobody_gives_a_key_more_than_they_hold(
    door: httpx.Client, enter: Enter, permission: str
) -> None:
    body = {"name": "more", "permissions": ["query", permission]}
    response = door.post("/auth/api-keys", json=body, headers=bearer(enter()))
    assert response.status_code == 403


def test_a_key_makes_no_keys(door: httpx.Client, enter: Enter) -> None:
    secret = make_key(door, enter(), ["query"])["secret"]
    body = {"name": "child", "permissions": ["query"]}
    response = door.post("/auth/api-keys", json=body, headers=bearer(secret))
    assert response.status_code == 403


def test_a_key_ends_when_it_was_meant_to(
    door: httpx.Client, enter: Enter, workspace: Workspace
) -> None:
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    secret = make_key(door, enter(), ["query"], expires_at=until)["secret"]
    rows(workspace, "UPDATE identity.api_keys SET expires_at = now()")
    assert status_of_me(door, secret) == 401


def test_a_revoked_key_is_useless_at_once(door: httpx.Client, enter: Enter) -> None:
    tokens, ben = enter(), enter(BEN)
    key = make_key(door, tokens, ["query"])
    assert status_of_me(door, key["secret"]) == 200
    path = f"/auth/api-keys/{key['api_key_id']}"
    assert door.delete(path, headers=bearer(ben)).status_code == 404
    assert status_of_me(door, key["secret"]) == 200
    assert door.delete(path, headers=bearer(tokens)).status_code == 200
    assert status_of_me(door, key["secret"]) == 401
    assert door.get("/auth/api-keys", headers=bearer(tokens)).json() == {"api_keys": []}


def test_a_key_has_never_more_than_the_role_of_its_owner(
    door: httpx.Client, enter: Enter, workspace: Workspace, sign_in: SignIn
) -> None:
    admin = sign_in(workspace)
    tokens = enter()
    secret = make_key(door, tokens, ["query", "edit_documents"])["secret"]
    path = f"/api/v2/admin/users/{tokens['user']['user_id']}"
    door.patch(path, json={"role": "viewer"}, headers=admin).raise_for_status()
    assert door.get("/auth/me", headers=bearer(secret)).json()["permissions"] == ["query"]


# What administrators do


@pytest.mark.parametrize("role", [Role.VIEWER, Role.USER])
@pytest.mark.parametrize(("method", "path"), ADMIN_ROUTES)
def test_administration_is_for_administrators(
    door: httpx.Client,
    workspace: Workspace,
    sign_in: SignIn,
    role: Role,
    method: str,
    path: str,
) -> None:
    headers = sign_in(workspace, "one@example.org", role)
    body = {"value": "x"} if method == "PUT" else None
    response = door.request(method, path, headers=headers, json=body)
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")
    assert door.request(method, path, json=body).status_code == 401


def test_nobody_changes_their_own_role(door: httpx.Client, enter: Enter) -> None:
    tokens = enter()
    headers = bearer(tokens)
    path = f"/api/v2/admin/users/{tokens['user']['user_id']}"
    assert door.patch(path, json={"role": "admin"}, headers=headers).status_code == 403
    for body in ({"role": "admin"}, {"email": BEN}, {"groups": ["board"]}, {"is_active": True}):
        assert door.patch("/auth/me", json=body, headers=headers).status_code == 422
    changed = door.patch("/auth/me", json={"full_name": "Ada L."}, headers=headers).json()
    assert (changed["full_name"], changed["role"], changed["groups"]) == ("Ada L.", "user", [])


def test_who_is_switched_off_is_out_at_once(
    door: httpx.Client, enter: Enter, workspace: Workspace, sign_in: SignIn
) -> None:
    admin = sign_in(workspace)
    here, elsewhere = enter(), enter()
    secret = make_key(door, here, ["query"])["secret"]
    assert (status_of_me(door, here), status_of_me(door, secret)) == (200, 200)
    path = f"/api/v2/admin/users/{here['user']['user_id']}"
    door.patch(path, json={"is_active": False}, headers=admin).raise_for_status()
    for one in (here, elsewhere, secret):
        assert status_of_me(door, one) == 401
    assert refresh(door, here["refresh_token"]).status_code == 401
    assert log_in(door, ADA, PASSWORD).status_code == 401
    door.patch(path, json={"is_active": True}, headers=admin).raise_for_status()
    assert status_of_me(door, here) == 401, "sessions that ended stay ended"
    assert log_in(door, ADA, PASSWORD).status_code == 200


def test_another_role_holds_at_once_for_tokens_that_are_out(
    door: httpx.Client, enter: Enter, workspace: Workspace, sign_in: SignIn
) -> None:
    admin = sign_in(workspace)
    tokens = enter()
    path = f"/api/v2/admin/users/{tokens['user']['user_id']}"
    for role, status in (("admin", 200), ("user", 403), ("viewer", 403)):
        door.patch(path, json={"role": role}, headers=admin).raise_for_status()
        found = door.get("/api/v2/admin/users", headers=bearer(tokens))
        assert found.status_code == status


def test_the_last_administrator_stays(
    door: httpx.Client, enter: Enter, workspace: Workspace, sign_in: SignIn
) -> None:
    admin = sign_in(workspace)
    mine = door.get("/auth/me", headers=admin).json()["user_id"]
    for body in ({"role": "user"}, {"is_active": False}):
        response = door.patch(f"/api/v2/admin/users/{mine}", json=body, headers=admin)
        assert (response.status_code, response.json()["code"]) == (409, "conflict")
    tokens = enter()
    path = f"/api/v2/admin/users/{tokens['user']['user_id']}"
    door.patch(path, json={"role": "admin"}, headers=admin).raise_for_status()
    response = door.patch(f"/api/v2/admin/users/{mine}", json={"role": "user"}, headers=admin)
    assert response.status_code == 200


def test_administrators_see_their_own_library_only(
    door: httpx.Client, enter: Enter, workspace: Workspace, sign_in: SignIn
) -> None:
    other = sign_in(workspace, "boss@other.example", tenant_id="other")
    tokens = enter()
    path = f"/api/v2/admin/users/{tokens['user']['user_id']}"
    assert door.patch(path, json={"role": "viewer"}, headers=other).status_code == 404
    users = door.get("/api/v2/admin/users", headers=other).json()
    assert [one["email"] for one in users["users"]] == ["boss@other.example"]
    assert users["total"] == 1
    assert ADA not in door.get("/api/v2/admin/audit-logs", headers=other).text


def test_sensitive_settings_are_encrypted_and_never_shown(
    door: httpx.Client, workspace: Workspace, sign_in: SignIn, know_secrets: Know
) -> None:
    admin = sign_in(workspace)
    secret = "hunter2-of-the-crm"
    know_secrets(secret)
    path = "/api/v2/admin/settings/crm.password"
    door.put(path, json={"value": secret}, headers=admin).raise_for_status()
    plain = {"value": "weekly", "is_sensitive": False}
    door.put("/api/v2/admin/settings/crm.rhythm", json=plain, headers=admin).raise_for_status()
    listed = door.get("/api/v2/admin/settings", headers=admin)
    assert secret not in listed.text
    assert [one["value"] for one in listed.json()["settings"]] == ["", "weekly"]
    [stored] = rows(workspace, "SELECT value FROM identity.settings WHERE is_sensitive")
    assert stored["value"].startswith("gAAAA")
    assert open_keyring(workspace.settings).decrypt(stored["value"]) == secret
    assert secret not in str(rows(workspace, "SELECT * FROM identity.audit_events"))
    assert door.delete(path, headers=admin).status_code == 200
    assert door.delete(path, headers=admin).status_code == 404


# What is written down, and what is not


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
