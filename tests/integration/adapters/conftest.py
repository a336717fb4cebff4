"""A client of the OpenID provider, for all tests of what the two say to each other."""

import pytest
from openid_provider import REDIRECT_URI, Provider

from alexandria.adapters.openid import OpenIdClient

pytest.register_assert_rewrite("qdrant_model")
"""Its rankings fail with the scores that differ, as they would in a test."""


@pytest.fixture
def client(openid_provider: Provider) -> OpenIdClient:
    return OpenIdClient(openid_provider.settings(), REDIRECT_URI)
