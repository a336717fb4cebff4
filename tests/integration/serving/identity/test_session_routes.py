"""Tokens and sessions through the API: what they are good for, and how they end."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest
from account_requests import (
    BEN,
    Enter,
    Know,
    Serve,
    app_of,
    bearer,
    opened,
    refresh,
    rows,
    status_of_me,
)
from joserfc import jwt
from joserfc.jwk import KeySet

from alexandria.workflows.identity.signing import rotate_signing_key
from alexandria.workflows.workspace import Workspace

Eventually = Callable[[Callable[[], Any]], Any]


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
