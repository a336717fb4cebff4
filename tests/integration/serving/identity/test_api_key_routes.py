"""API keys: they may do what they were made for, as long as they were meant to."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from account_requests import BEN, Enter, Know, SignIn, bearer, make_key, rows, status_of_me

from alexandria.workflows.workspace import Workspace


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
