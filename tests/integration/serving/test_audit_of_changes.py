"""Every change and every denied attempt is in the audit log: who, what, from where, when."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from alexandria.identity.permissions import Role
from alexandria.workflows.operating.sources import add_source
from alexandria.workflows.reading.documents import list_documents
from alexandria.workflows.reports import StageReport
from alexandria.workflows.workspace import Workspace

SignIn = Callable[..., dict[str, str]]
Sync = Callable[..., dict[str, StageReport]]
Write = Callable[[Path, str | bytes], Path]

PASSWORD = "lantern harbour seventeen moss"
PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63"
    "f8ffff3f0005fe02fe0def46b80000000049454e44ae426082"
)
CHANGES_NOTHING = {
    "ask": "a question",
    "ask_stream": "a question",
    "search_documents": "a search",
    "search_images": "a search",
    "refresh": "the session goes on; a token used twice is written down",
    "refresh_v2": "the same",
    "login_with_provider": "the provider must have sent somebody; tested with single sign-on",
}
"""Operations with a changing method whose success is not written down here, and why."""


@dataclass
class Change:
    """A request that succeeds, and what the log says of it."""

    method: str
    path: str
    action: str
    resource_type: str
    sent: dict[str, Any] = field(default_factory=dict[str, Any])
    actor: str = "admin@example.org"
    is_public: bool = False


@pytest.fixture
def changes(
    empty_api: httpx.Client, workspace: Workspace, tmp_path: Path, sync: Sync, write: Write
) -> dict[str, Change]:
    """A change by operation; the ids in them are there."""
    write(tmp_path / "shelf/note.txt", "The lamp is lit at dusk.\n")
    sync(workspace, add_source(workspace, tmp_path / "shelf"))
    [document] = list_documents(workspace)
    account = {"email": "ines@example.org", "password": PASSWORD, "username": "ines"}
    person = empty_api.post("/auth/register", json=account).json()["user_id"]
    signed_in = [
        empty_api.post("/auth/login", data={"username": "ines", "password": PASSWORD}).json()
        for _ in range(3)
    ]
    ines = [{"Authorization": f"Bearer {one['access_token']}"} for one in signed_in]
    keys = [
        empty_api.post(
            "/auth/api-keys", json={"name": "script", "permissions": ["query"]}, headers=ines[0]
        ).json()["api_key_id"]
    ]
    sessions = empty_api.get("/auth/sessions", headers=ines[0]).json()["sessions"]
    setting = "/api/v2/admin/settings/mailbox"
    own: dict[str, Any] = {"headers": ines[0]}
    email = account["email"]
    return {
        "register": Change(
            "POST",
            "/auth/register",
            "user.added",
            "user",
            {"json": {"email": "new@example.org", "password": PASSWORD}},
            "new@example.org",
            is_public=True,
        ),
        "login": Change(
            "POST",
            "/auth/login",
            "session.opened",
            "session",
            {"data": {"username": "ines", "password": PASSWORD}},
            email,
            is_public=True,
        ),
        "change_me": Change(
            "PATCH", "/auth/me", "user.changed", "user", own | {"json": {"full_name": "I"}}, email
        ),
        "change_profile": Change(
            "PATCH",
            "/api/profile",
            "user.changed",
            "user",
            own | {"json": {"full_name": "Inés"}},
            email,
        ),
        "add_api_key": Change(
            "POST",
            "/auth/api-keys",
            "api_key.added",
            "api_key",
            own | {"json": {"name": "other", "permissions": ["query"]}},
            email,
        ),
        "revoke_api_key": Change(
            "DELETE", f"/auth/api-keys/{keys[0]}", "api_key.revoked", "api_key", own, email
        ),
        "end_session": Change(
            "DELETE",
            f"/auth/sessions/{_other(sessions, empty_api, ines)}",
            "session.ended",
            "session",
            own,
            email,
        ),
        "change_password": Change(
            "PUT",
            "/auth/me/password",
            "password.changed",
            "user",
            own | {"json": {"current_password": PASSWORD, "new_password": f"{PASSWORD} more"}},
            email,
        ),
        "logout": Change("POST", "/auth/logout", "session.ended", "session", own, email),
        "upload_document": Change(
            "POST",
            "/api/v2/documents/upload",
            "document.uploaded",
            "upload",
            {"files": {"file": ("a.txt", b"dusk")}},
        ),
        "upload_image": Change(
            "POST",
            "/api/v2/images/upload",
            "document.uploaded",
            "upload",
            {"files": {"file": ("a.png", PICTURE)}},
        ),
        "delete_document": Change(
            "DELETE", f"/api/v2/documents/{document.document_id}", "document.deleted", "document"
        ),
        "keep_setting": Change(
            "PUT", setting, "setting.kept", "setting", {"json": {"value": "a password"}}
        ),
        "delete_setting": Change("DELETE", setting, "setting.deleted", "setting"),
        "change_user": Change(
            "PATCH",
            f"/api/v2/admin/users/{person}",
            "user.changed",
            "user",
            {"json": {"groups": ["keepers"]}},
        ),
        "logout_v2": Change("POST", "/api/v2/auth/logout", "session.ended", "session"),
    }


def _other(sessions: list[dict[str, Any]], api: httpx.Client, headers: list[dict[str, str]]) -> str:
    """A session that is neither of the first two tokens'."""
    import base64
    import json

    used = {
        json.loads(base64.urlsafe_b64decode(one["Authorization"].split(".")[1] + "=="))["sid"]
        for one in headers[:2]
    }
    return next(one["session_id"] for one in sessions if one["session_id"] not in used)


def test_every_change_is_written_down_with_who_and_from_where(
    empty_api: httpx.Client, workspace: Workspace, changes: dict[str, Change]
) -> None:
    mutating = _mutating(empty_api)
    assert set(mutating) == {*changes, *CHANGES_NOTHING}, (
        "Say what the log holds of the operation in `changes`, or why nothing."
    )
    for operation, change in changes.items():
        response = _send(empty_api, change, f"done-{operation}")
        assert response.is_success, f"{operation}: {response.text}"
        [event] = _events(workspace, f"done-{operation}")
        assert (event["action"], event["resource_type"]) == (change.action, change.resource_type)
        assert (event["actor"], event["outcome"]) == (change.actor, "done"), operation
        assert event["resource_id"]
        assert (event["ip_address"], event["user_agent"]) == ("127.0.0.1", "prober/1")
        assert event["tenant_id"] == "default"
        assert event["user_id"] is not None


def test_every_denied_attempt_is_written_down(
    empty_api: httpx.Client, workspace: Workspace, changes: dict[str, Change], sign_in: SignIn
) -> None:
    viewer = sign_in(workspace, "viewer@example.org", Role.VIEWER)
    templates = _mutating(empty_api)
    forbidden = 0
    for operation, change in changes.items():
        if change.is_public:
            continue
        for name, headers in (("anonymous", {"Authorization": ""}), ("viewer", viewer)):
            is_for_all = change.path.startswith(("/auth", "/api/v2/auth", "/api/profile"))
            if name == "viewer" and is_for_all:
                continue
            request_id = f"denied-{name}-{operation}"
            response = _send(empty_api, change, request_id, headers)
            assert response.status_code == (401 if name == "anonymous" else 403), operation
            [event] = _events(workspace, request_id)
            assert (event["action"], event["outcome"]) == ("request.refused", "denied")
            assert event["resource_id"] == f"{change.method} {templates[operation]}"
            assert event["actor"] == ("anonymous" if name == "anonymous" else f"{name}@example.org")
            assert (event["ip_address"], event["user_agent"]) == ("127.0.0.1", "prober/1")
            forbidden += name == "viewer"
    assert forbidden >= 6
    wrong = Change("POST", "/auth/login", "", "", {"data": {"username": "ines", "password": "no"}})
    assert _send(empty_api, wrong, "denied-login").status_code == 401
    [event] = _events(workspace, "denied-login")
    assert (event["action"], event["outcome"]) == ("session.opened", "denied")
    assert event["actor"] == "ines@example.org"


def _send(
    api: httpx.Client, change: Change, request_id: str, headers: dict[str, str] | None = None
) -> httpx.Response:
    sent = dict(change.sent)
    given = sent.pop("headers", {}) | (headers or {})
    named = {"User-Agent": "prober/1", "X-Request-ID": request_id}
    return api.request(change.method, change.path, headers=given | named, **sent)


def _mutating(api: httpx.Client) -> dict[str, str]:
    """Path by operation, of every one that may change something."""
    return {
        described["operationId"]: path
        for path, methods in api.get("/openapi.json").json()["paths"].items()
        for method, described in methods.items()
        if method != "get"
    }


def _events(workspace: Workspace, request_id: str) -> list[dict[str, Any]]:
    with (
        psycopg.connect(workspace.database.address) as connection,
        connection.cursor(row_factory=dict_row) as cursor,
    ):
        return cursor.execute(
            "SELECT * FROM identity.audit_events WHERE request_id = %s", (request_id,)
        ).fetchall()
