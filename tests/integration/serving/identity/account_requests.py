"""What people with accounts ask of the server, and what the database holds of them."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from psycopg.rows import dict_row

from alexandria.workflows.workspace import Workspace
from serving.app import create_app

Serve = Callable[[FastAPI], AbstractContextManager[httpx.Client]]
SignIn = Callable[..., dict[str, str]]
Know = Callable[..., None]
"""See the fixture `know_secrets`."""
Enter = Callable[..., dict[str, Any]]

ADA = "ada@example.org"
BEN = "ben@example.org"
PASSWORD = "lantern harbour seventeen moss"
ANOTHER = "copper violins under nine bridges"


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


def make_key(
    client: httpx.Client, tokens: Mapping[str, Any] | str, permissions: list[str], **more: Any
) -> dict[str, Any]:
    body = {"name": "nightly", "permissions": permissions} | more
    response = client.post("/auth/api-keys", json=body, headers=bearer(tokens))
    assert response.status_code == 201, response.text
    return response.json()
