"""A real server on a free port, over the sample library."""

import socket
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from alexandria.workflows.workspace import Workspace
from serving.app import create_app
from serving.library import Library

Serve = Callable[[FastAPI], AbstractContextManager[httpx.Client]]
"""Run an app and talk to it."""


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
def api(library: Workspace) -> Iterator[httpx.Client]:
    """A client of a warm server over the sample library."""
    app = create_app(workspace=library)
    with _serving(app) as client:
        assert isinstance(app.state.library, Library)
        assert app.state.library.wait_until_warm(120)
        yield client


@pytest.fixture
def empty_api(workspace: Workspace) -> Iterator[httpx.Client]:
    """A client of a server whose library has no documents."""
    with _serving(create_app(workspace=workspace)) as client:
        yield client
