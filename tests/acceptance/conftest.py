"""A browser, and libraries served at an address of their own."""

import shutil
import socket
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import uvicorn
from openid_provider import Provider, running_provider
from playwright.sync_api import Browser, sync_playwright

from alexandria.workflows.workspace import Workspace
from serving.app import create_app
from serving.library import Library

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A headless Chromium, where one is installed."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def _serving(workspace: Workspace, **changes: object) -> Generator[str]:
    """Serve a library with some settings changed; gives its address, which the library knows."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        settings = workspace.settings.model_copy(update={"public_url": address, **changes})
        app = create_app(workspace=replace(workspace, settings=settings))
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", ws="none"))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            assert isinstance(app.state.library, Library)
            assert app.state.library.wait_until_warm(120)
            yield address
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def address(library: Workspace) -> Iterator[str]:
    """Where the sample library is served."""
    with _serving(library) as served:
        yield served


@pytest.fixture
def empty_address(workspace: Workspace) -> Iterator[str]:
    """Where an empty library is served."""
    with _serving(workspace) as served:
        yield served


@pytest.fixture(scope="module")
def openid_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """A real OpenID provider."""
    with running_provider(tmp_path_factory.mktemp("openid")) as provider:
        yield provider


@pytest.fixture
def federated_address(library: Workspace, openid_provider: Provider) -> Iterator[str]:
    """Where the sample library is served to whoever has an account at a provider."""
    providers = {
        "okta": openid_provider.settings(),
        "azure_ad": openid_provider.settings("another"),
    }
    with _serving(library, openid_providers=providers) as served:
        yield served
