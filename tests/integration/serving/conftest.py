"""A real server on a free port, over the sample library."""

import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from alexandria.identity.permissions import Role
from alexandria.workflows.identity.accounts import NewUser, add_user
from alexandria.workflows.identity.sessions import open_session
from alexandria.workflows.identity.signing import SigningKeys
from alexandria.workflows.workspace import Workspace, served
from serving.app import create_app
from serving.library import Library

Serve = Callable[[FastAPI], AbstractContextManager[httpx.Client]]
"""Run an app and talk to it."""

ServeWarm = Callable[[Workspace], AbstractContextManager[httpx.Client]]
"""Serve a library and talk to it once it is warm."""


@contextmanager
def _serving(app: FastAPI) -> Generator[httpx.Client]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", ws="none"))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            while not server.started:
                time.sleep(0.01)
            with httpx.Client(base_url=address, timeout=60) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def _warm(workspace: Workspace) -> Generator[httpx.Client]:
    """Serve a library and wait until it answers all that may be asked."""
    app = create_app(workspace=workspace)
    with _serving(app) as client:
        assert isinstance(app.state.library, Library)
        assert app.state.library.wait_until_warm(120)
        yield client


SignIn = Callable[..., dict[str, str]]
"""See `_sign_in`."""

Eventually = Callable[[Callable[[], Any]], Any]
"""Ask again and again until the answer is true; returns it."""


@pytest.fixture
def eventually() -> Eventually:
    """Wait for what happens in the background, up to a minute."""

    def ask(question: Callable[[], Any]) -> Any:
        for _ in range(1200):
            if found := question():
                return found
            time.sleep(0.05)
        pytest.fail("it did not happen within a minute")

    return ask


@pytest.fixture
def serve() -> Serve:
    """Serve an app in a thread."""
    return _serving


@pytest.fixture
def serve_warm() -> ServeWarm:
    """Serve a library in a thread, ready for questions."""
    return _warm


@pytest.fixture
def sign_in() -> SignIn:
    """Make an account and sign it in, without a password."""
    return _sign_in


@pytest.fixture
def anonymous(library: Workspace) -> Iterator[httpx.Client]:
    """A client of a warm server over the sample library, not signed in."""
    with _warm(roomy(library)) as client:
        yield client


@pytest.fixture
def api(anonymous: httpx.Client, library: Workspace) -> httpx.Client:
    """The same, signed in as an administrator of the library."""
    anonymous.headers.update(_sign_in(library))
    return anonymous


@pytest.fixture
def empty_api(workspace: Workspace) -> Iterator[httpx.Client]:
    """A client, signed in as an administrator, of a server whose library has no documents."""
    with _warm(roomy(workspace)) as client:
        client.headers.update(_sign_in(workspace))
        yield client


def roomy(workspace: Workspace) -> Workspace:
    """The same library with limits that no test reaches by accident."""
    settings = workspace.settings.model_copy(
        update={"rate_limit_requests": 1_000_000, "sign_in_limit": 1_000_000}
    )
    return replace(workspace, settings=settings)


def _sign_in(
    workspace: Workspace,
    email: str = "admin@example.org",
    role: Role = Role.ADMIN,
    *,
    tenant_id: str = "default",
    groups: tuple[str, ...] = (),
) -> dict[str, str]:
    """The header that somebody's requests carry."""
    settings = workspace.settings.model_copy(update={"tenant_id": tenant_id})
    with served(replace(workspace, settings=settings)) as serving:
        door = serving.keeping_the_door()
        user = add_user(door, NewUser(email=email, role=role, groups=groups))
        tokens = open_session(door, SigningKeys(door), user.user_id, "test")
    return {"Authorization": f"Bearer {tokens.access_token}"}
