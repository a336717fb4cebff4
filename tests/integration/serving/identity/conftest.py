"""A server that nobody has an account of yet, and a way in."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from account_requests import ADA, PASSWORD, Know, Serve, app_of, log_in, opened

from alexandria.workflows.workspace import Workspace


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
