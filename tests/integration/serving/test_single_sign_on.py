"""Signing in with a provider, through the API, against a real provider on loopback."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from openid_provider import PASSWORD, Provider, browse

from alexandria.settings import OpenIdProvider
from alexandria.workflows.identity import single_sign_on
from alexandria.workflows.workspace import Workspace
from serving.app import create_app

Serve = Callable[[FastAPI], AbstractContextManager[httpx.Client]]
SignIn = Callable[..., dict[str, str]]
AUTHORIZE, LOGIN = "/api/v2/auth/authorize", "/api/v2/auth/login"
PROVIDERS = "/api/v2/auth/providers"


def _serving(
    workspace: Workspace, serve: Serve, provider: OpenIdProvider, **changes: object
) -> AbstractContextManager[httpx.Client]:
    providers = {"okta": provider, "google": provider}
    update: dict[str, object] = {"openid_providers": providers, "sign_in_limit": 1000, **changes}
    settings = workspace.settings.model_copy(update=update)
    return serve(create_app(workspace=replace(workspace, settings=settings)))


@pytest.fixture
def client(workspace: Workspace, serve: Serve, openid_provider: Provider) -> Iterator[httpx.Client]:
    """A client of a server that lets people of the provider in."""
    with _serving(workspace, serve, openid_provider.settings()) as opened:
        yield opened


def _come_back(client: httpx.Client, person: str, provider: str = "okta") -> dict[str, str]:
    """What the provider sends a person back with, who began here."""
    begun = client.get(AUTHORIZE, params={"provider": provider}).json()
    back = browse(
        begun["authorization_url"], {"username": person, "password": PASSWORD}, button="allow"
    )
    told = client.get("/api/v2/auth/callback", params=back, follow_redirects=False)
    assert told.status_code == 303
    place = urlsplit(told.headers["location"])
    assert (place.netloc, place.path, place.query) == ("", "/", "")
    return dict(parse_qsl(place.fragment))


def _login(client: httpx.Client, back: dict[str, str], provider: str = "okta") -> httpx.Response:
    return client.post(LOGIN, json={"provider": provider, **back})


def _me(client: httpx.Client, tokens: dict[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    response = client.get("/auth/me", headers=headers)
    assert response.status_code == 200
    return response.json()


def test_the_first_time_makes_an_account_and_the_second_finds_it(client: httpx.Client) -> None:
    first = _login(client, _come_back(client, "ada"))
    assert first.status_code == 200
    me = _me(client, first.json())
    assert (me["email"], me["full_name"], me["role"]) == (
        "ada@engines.example",
        "Ada Lovelace",
        "user",
    )
    assert me["groups"] == ["analysts", "everyone"]
    second = _login(client, _come_back(client, "ada")).json()
    assert second["user"]["user_id"] == me["user_id"]


def test_two_first_sign_ins_of_one_person_at_a_time_end_at_one_account(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each would wait for the other before it makes the account, and would not wait for long."""
    link, both = single_sign_on._link, threading.Barrier(2)  # type: ignore[reportPrivateUsage]

    def link_together(*given: Any) -> Any:
        with suppress(threading.BrokenBarrierError):
            both.wait(1)
        return link(*given)

    monkeypatch.setattr(single_sign_on, "_link", link_together)
    with httpx.Client(base_url=client.base_url, timeout=60) as other, ThreadPoolExecutor(2) as pool:
        browsers = [(one, _come_back(one, "ada")) for one in (client, other)]
        ended = list(pool.map(lambda browser: _login(*browser), browsers))
    assert [answer.status_code for answer in ended] == [200, 200]
    assert len({answer.json()["user"]["user_id"] for answer in ended}) == 1


def test_the_v2_names_refresh_and_end_the_session(client: httpx.Client) -> None:
    tokens = _login(client, _come_back(client, "ada")).json()
    fresh = client.post(
        "/api/v2/auth/refresh", json={"refresh_token": tokens["refresh_token"]}
    ).json()
    assert fresh["expires_in"] > 0
    headers = {"Authorization": f"Bearer {fresh['access_token']}"}
    assert client.post("/api/v2/auth/logout", headers=headers).json() == {"success": True}
    assert client.get("/auth/me", headers=headers).status_code == 401


def test_the_contract_needs_no_more_than_provider_and_code(client: httpx.Client) -> None:
    back = _come_back(client, "ada")
    only = {name: value for name, value in back.items() if name in {"code", "iss"}}
    assert _login(client, only).status_code == 200


def test_a_code_is_worth_nothing_in_another_browser(client: httpx.Client) -> None:
    back = _come_back(client, "ada")
    with httpx.Client(base_url=client.base_url) as other:
        assert _login(other, back).status_code == 401
        other.get(AUTHORIZE, params={"provider": "okta"})
        assert _login(other, back).status_code == 401
        without_state = {name: value for name, value in back.items() if name != "state"}
        assert _login(other, without_state).status_code == 401


def test_a_code_works_once_and_a_seal_for_its_provider(client: httpx.Client) -> None:
    back = _come_back(client, "ada")
    assert _login(client, back, provider="google").status_code == 401
    assert _login(client, back).status_code == 200
    assert _login(client, back).status_code == 401


def test_a_wrong_state_or_a_made_up_cookie_is_refused(client: httpx.Client) -> None:
    back = _come_back(client, "ada")
    assert _login(client, back | {"state": "another"}).status_code == 401
    client.cookies.set("alexandria_sign_in", "gAAAAA" + "x" * 100)
    assert _login(client, back).status_code == 401


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(client: httpx.Client) -> None:
    cookie = client.get(AUTHORIZE, params={"provider": "okta"}).headers["set-cookie"].lower()
    for word in ("httponly", "samesite=lax", "max-age=600"):
        assert word in cookie
    assert "code_verifier" not in cookie


def test_an_address_nobody_vouches_for_gets_no_account(
    client: httpx.Client, workspace: Workspace, sign_in: SignIn
) -> None:
    sign_in(workspace, "ada@engines.example")
    refused = _login(client, _come_back(client, "mallory"))
    assert refused.status_code == 401
    assert "vouch" in refused.json()["detail"]


def test_a_verified_address_joins_the_account_that_has_it(
    client: httpx.Client, workspace: Workspace, sign_in: SignIn
) -> None:
    own = client.get("/auth/me", headers=sign_in(workspace, "ada@engines.example")).json()
    tokens = _login(client, _come_back(client, "ada")).json()
    assert tokens["user"]["user_id"] == own["user_id"]


def test_an_account_of_another_tenant_is_not_joined(
    client: httpx.Client, workspace: Workspace, sign_in: SignIn
) -> None:
    sign_in(workspace, "ada@engines.example", tenant_id="elsewhere")
    assert _login(client, _come_back(client, "ada")).status_code == 401


def test_people_of_a_provider_enter_its_tenant_in_its_role(
    workspace: Workspace, serve: Serve, openid_provider: Provider
) -> None:
    provider = openid_provider.settings(tenant_id="navy", role="viewer")
    with _serving(workspace, serve, provider) as client:
        user = _login(client, _come_back(client, "grace")).json()["user"]
    assert (user["tenant_id"], user["role"]) == ("navy", "viewer")


def test_an_account_that_is_switched_off_stays_out(
    client: httpx.Client, workspace: Workspace, sign_in: SignIn
) -> None:
    user = _login(client, _come_back(client, "ada")).json()["user"]
    response = client.patch(
        f"/api/v2/admin/users/{user['user_id']}",
        json={"is_active": False},
        headers=sign_in(workspace),
    )
    assert response.status_code == 200
    assert _login(client, _come_back(client, "ada")).status_code == 401


def test_whoever_comes_is_told_the_names_of_the_providers_and_no_more(
    workspace: Workspace, serve: Serve, openid_provider: Provider
) -> None:
    provider = openid_provider.settings()
    named = dict.fromkeys(("okta", "azure_ad", "our_school"), provider)
    with _serving(workspace, serve, provider, openid_providers=named) as client:
        told = client.get(PROVIDERS)
    assert told.json() == {
        "providers": [
            {"name": "azure_ad", "label": "Microsoft"},
            {"name": "okta", "label": "Okta"},
            {"name": "our_school", "label": "Our school"},
        ]
    }
    assert openid_provider.passed == []


def test_without_providers_none_is_named(
    workspace: Workspace, serve: Serve, openid_provider: Provider
) -> None:
    with _serving(workspace, serve, openid_provider.settings(), openid_providers={}) as client:
        assert client.get(PROVIDERS).json() == {"providers": []}


def test_an_unknown_provider_is_not_found(client: httpx.Client) -> None:
    assert client.get(AUTHORIZE, params={"provider": "nobody"}).status_code == 404
    assert client.get(AUTHORIZE, params={"provider": "No Body"}).status_code == 422


def test_what_a_provider_says_is_no_address_to_go_to(client: httpx.Client) -> None:
    for told in ({"error": "access_denied"}, {"code": "a&b=//evil.example#x"}, {}):
        response = client.get(
            "/api/v2/auth/callback",
            params=told | {"next": "https://evil.example"},
            follow_redirects=False,
        )
        place = response.headers["location"]
        assert place.startswith("/#")
        assert dict(parse_qsl(urlsplit(place).fragment)) == told
