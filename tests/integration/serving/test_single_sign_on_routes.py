"""Signing in with a provider through the API: the way there and back, and whose account it is."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from openid_provider import PASSWORD, Answer, Provider, browse

from alexandria.identity.permissions import Role
from alexandria.settings import OpenIdProvider
from alexandria.workflows.identity.accounts import NewUser, add_user, reset_password
from alexandria.workflows.identity.audit import AuditWindow, list_events
from alexandria.workflows.workspace import Workspace
from serving.app import create_app

Serve = Callable[[FastAPI], AbstractContextManager[httpx.Client]]
Eventually = Callable[[Callable[[], Any]], Any]
SEED = "/api/v2/auth"
ADA = "ada@engines.example"
LOCAL = "lantern harbour seventeen moss"


def app_of(workspace: Workspace, providers: dict[str, OpenIdProvider], **more: Any) -> FastAPI:
    changes = {"sign_in_limit": 1000, "openid_providers": providers} | more
    settings = workspace.settings.model_copy(update=changes)
    return create_app(workspace=replace(workspace, settings=settings))


@pytest.fixture
def door(
    serve: Serve, workspace: Workspace, openid_provider: Provider, eventually: Eventually
) -> Iterator[httpx.Client]:
    """A browser before a library where one signs in with either of two names of a provider."""
    providers = {"okta": openid_provider.settings(), "google": openid_provider.settings("another")}
    with serve(app_of(workspace, providers)) as client:
        assert eventually(lambda: client.get("/.well-known/jwks.json").status_code == 200)
        yield client


def go_and_come_back(
    client: httpx.Client, person: str = "ada", provider: str = "okta"
) -> dict[str, str]:
    """What the page is given when the browser is back from the provider."""
    begun = client.get(f"{SEED}/authorize", params={"provider": provider}).raise_for_status()
    typed = {"username": person, "password": PASSWORD}
    back = browse(begun.json()["authorization_url"], typed, button="allow")
    landed = client.get(f"{SEED}/callback", params=back)
    assert landed.status_code == 303
    address = urlsplit(landed.headers["location"])
    assert (address.netloc, address.path, address.query) == ("", "/", "")
    brought = {name: values[0] for name, values in parse_qs(address.fragment).items()}
    return {"provider": provider, **brought}


def sign_in(client: httpx.Client, person: str = "ada", provider: str = "okta") -> httpx.Response:
    return client.post(f"{SEED}/login", json=go_and_come_back(client, person, provider))


def me(client: httpx.Client, secret: str) -> httpx.Response:
    return client.get("/auth/me", headers={"Authorization": f"Bearer {secret}"})


def test_somebody_new_gets_an_account_and_the_same_one_again(door: httpx.Client) -> None:
    first = sign_in(door).raise_for_status().json()
    assert (first["user"]["email"], first["user"]["role"]) == (ADA, "user")
    assert first["user"]["groups"] == ["analysts", "everyone"]
    again = sign_in(door).raise_for_status().json()
    assert again["user"]["user_id"] == first["user"]["user_id"]
    renewed = door.post(f"{SEED}/refresh", json={"refresh_token": again["refresh_token"]})
    assert renewed.status_code == 200
    headers = {"Authorization": f"Bearer {first['access_token']}"}
    assert door.post(f"{SEED}/logout", headers=headers).status_code == 200
    assert me(door, first["access_token"]).status_code == 401


def test_a_code_is_worth_nothing_in_another_browser(door: httpx.Client) -> None:
    brought = go_and_come_back(door)
    sealed = dict(door.cookies)
    door.cookies.clear()
    assert door.post(f"{SEED}/login", json=brought).status_code == 401
    door.get(f"{SEED}/authorize", params={"provider": "okta"})
    assert door.post(f"{SEED}/login", json=brought).status_code == 401
    without_state = {name: value for name, value in brought.items() if name != "state"}
    assert door.post(f"{SEED}/login", json=without_state).status_code == 401
    door.cookies.clear()
    door.cookies.update({name: value[:-2] + "AA" for name, value in sealed.items()})
    assert door.post(f"{SEED}/login", json=brought).status_code == 401


def test_a_sign_in_belongs_to_the_provider_it_began_with(door: httpx.Client) -> None:
    brought = go_and_come_back(door)
    assert door.post(f"{SEED}/login", json=brought | {"provider": "google"}).status_code == 401


def test_the_issuer_that_comes_back_is_looked_at(
    door: httpx.Client, openid_provider: Provider
) -> None:
    """Some providers name themselves beside the code, so that nobody mixes them up (RFC 9207)."""

    def says_so(answer: Answer) -> Answer:
        return answer.saying(authorization_response_iss_parameter_supported=True)

    openid_provider.changes["/.well-known/openid-configuration"] = says_so
    brought = go_and_come_back(door)
    assert brought.pop("iss", openid_provider.issuer) == openid_provider.issuer
    for issuer in ({}, {"iss": "https://elsewhere.example"}):
        assert door.post(f"{SEED}/login", json=brought | issuer).status_code == 401
    answer = door.post(f"{SEED}/login", json=brought | {"iss": openid_provider.issuer})
    assert answer.status_code == 200, answer.text


def test_the_issuer_is_handed_to_the_page(door: httpx.Client) -> None:
    issuer = "https://sign-in.example/?a=b"
    landed = door.get(f"{SEED}/callback", params={"code": "c", "iss": issuer})
    assert parse_qs(urlsplit(landed.headers["location"]).fragment)["iss"] == [issuer]


def test_a_sign_in_that_fails_is_written_down(door: httpx.Client, workspace: Workspace) -> None:
    assert sign_in(door, "mallory").status_code == 401
    assert door.post(f"{SEED}/login", json={"provider": "okta", "code": "c"}).status_code == 401
    events, total = list_events(workspace, AuditWindow(action="session.opened"))
    assert total == 2
    for event in events:
        assert (event.outcome, event.actor) == ("denied", "anonymous")
        assert event.details == {"method": "okta"}


def test_an_unknown_provider_is_not_found(door: httpx.Client) -> None:
    assert door.get(f"{SEED}/authorize", params={"provider": "nobody"}).status_code == 404


def test_what_comes_back_never_leads_elsewhere(door: httpx.Client) -> None:
    for error in ("//evil.example", "\r\nSet-Cookie: a=b", "javascript:alert(1)"):
        landed = door.get(f"{SEED}/callback", params={"error": error})
        assert landed.headers["location"].startswith("/#error=")
        assert "set-cookie" not in landed.headers


def test_an_address_that_nobody_vouches_for_joins_nothing(
    door: httpx.Client, workspace: Workspace
) -> None:
    add_user(workspace, NewUser(ADA, LOCAL, role=Role.ADMIN))
    assert sign_in(door, "mallory").status_code == 401


def test_who_registered_somebody_elses_address_is_out_once_they_come(
    door: httpx.Client, workspace: Workspace
) -> None:
    """Nobody proves an address by registering with it; its owner's provider does."""
    made = door.post("/auth/register", json={"email": ADA, "password": LOCAL}).raise_for_status()
    form = {"grant_type": "password", "username": ADA, "password": LOCAL}
    squatter = door.post("/auth/login", data=form).raise_for_status().json()
    key = door.post(
        "/auth/api-keys",
        json={"name": "later", "permissions": ["query"]},
        headers={"Authorization": f"Bearer {squatter['access_token']}"},
    ).raise_for_status()
    owner = sign_in(door).raise_for_status().json()
    assert owner["user"]["user_id"] == made.json()["user_id"]
    assert door.post("/auth/login", data=form).status_code == 401
    token = {"refresh_token": squatter["refresh_token"]}
    assert door.post("/auth/refresh", json=token).status_code == 401
    with workspace.database.transaction():
        known = workspace.database.records("list_api_keys", user_id=made.json()["user_id"])
    assert known == []
    assert me(door, key.json()["secret"]).status_code == 401
    assert me(door, owner["access_token"]).status_code == 200


def test_what_a_provider_changes_is_written_down_once(
    door: httpx.Client, workspace: Workspace
) -> None:
    door.post("/auth/register", json={"email": ADA, "password": LOCAL}).raise_for_status()
    for _ in range(2):
        sign_in(door).raise_for_status()
    [linked], _ = list_events(workspace, AuditWindow(action="identity.linked"))
    assert (linked.actor, linked.details["took_over"]) == (ADA, True)
    [changed], _ = list_events(workspace, AuditWindow(action="user.changed"))
    assert (changed.actor, changed.user_id) == (ADA, linked.user_id)
    assert changed.details == {"groups": ["analysts", "everyone"]}


def test_an_account_is_joined_whole_or_not_at_all(door: httpx.Client, workspace: Workspace) -> None:
    door.post("/auth/register", json={"email": ADA, "password": LOCAL}).raise_for_status()
    with psycopg.connect(workspace.database.address) as connection:
        connection.execute("ALTER TABLE identity.audit_events ADD CHECK (action <> 'user.changed')")
    assert sign_in(door).status_code == 500
    form = {"grant_type": "password", "username": ADA, "password": LOCAL}
    assert door.post("/auth/login", data=form).status_code == 200
    assert list_events(workspace, AuditWindow(action="identity.linked"))[1] == 0


def test_a_password_set_after_the_address_was_proved_stays(
    door: httpx.Client, workspace: Workspace
) -> None:
    sign_in(door).raise_for_status()
    reset_password(workspace, ADA, LOCAL)
    sign_in(door, provider="google").raise_for_status()
    form = {"grant_type": "password", "username": ADA, "password": LOCAL}
    assert door.post("/auth/login", data=form).status_code == 200


def test_who_is_switched_off_does_not_come_in_by_a_provider(
    door: httpx.Client, workspace: Workspace
) -> None:
    sign_in(door).raise_for_status()
    workspace.database.statement("UPDATE identity.users SET is_active = false")
    assert sign_in(door).status_code == 401


@pytest.mark.parametrize("is_public", [True, False])
def test_the_cookie_is_for_this_server_only(
    serve: Serve,
    workspace: Workspace,
    openid_provider: Provider,
    eventually: Eventually,
    is_public: bool,
) -> None:
    providers = {"okta": openid_provider.settings()}
    more = {"public_url": "https://library.example"} if is_public else {}
    with serve(app_of(workspace, providers, **more)) as client:
        assert eventually(lambda: client.get("/.well-known/jwks.json").status_code == 200)
        answer = client.get(f"{SEED}/authorize", params={"provider": "okta"})
        cookie = answer.raise_for_status().headers["set-cookie"].lower()
    parts = {part.strip() for part in cookie.split(";")}
    assert {"httponly", "samesite=lax", "path=/"} <= parts
    assert ("secure" in parts) == is_public
    assert cookie.startswith("__host-") == is_public
    assert not [part for part in parts if part.startswith("domain")]
