"""What administrators do through the API, for their own library and nobody else's."""

import httpx
import pytest
from account_requests import (
    ADA,
    BEN,
    PASSWORD,
    Enter,
    Know,
    SignIn,
    bearer,
    log_in,
    make_key,
    refresh,
    rows,
    status_of_me,
)

from alexandria.adapters.identity.ciphers import open_keyring
from alexandria.identity.permissions import Role
from alexandria.workflows.workspace import Workspace

ADMIN_ROUTES = (
    ("GET", "/api/v2/admin/users"),
    ("GET", "/api/v2/admin/audit-logs"),
    ("GET", "/api/v2/admin/settings"),
    ("PUT", "/api/v2/admin/settings/crm.password"),
    ("DELETE", "/api/v2/admin/settings/crm.password"),
)


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
