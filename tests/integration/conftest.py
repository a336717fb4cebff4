"""Outside services that several kinds of integration tests need."""

from collections.abc import Iterator

import pytest
from openid_provider import Provider, running_provider


@pytest.fixture(scope="session")
def started_openid_provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with running_provider(tmp_path_factory.mktemp("openid")) as provider:
        yield provider


@pytest.fixture
def openid_provider(started_openid_provider: Provider) -> Iterator[Provider]:
    """A real OpenID provider that nobody has tampered with yet."""
    started_openid_provider.passed.clear()
    yield started_openid_provider
    started_openid_provider.changes.clear()
