"""Sign-ins with a real OpenID provider, and ID tokens that say something else than it would.

The provider is Django with django-oauth-toolkit, see `openid_provider`. Where it would never
misbehave by itself, a middleman changes one thing in one answer.
"""

from collections.abc import Callable, Mapping
from typing import Any

from openid_provider import PASSWORD, Answer, Provider, browse, unsigned

from alexandria.adapters.openid import Begun, ExternalIdentity, OpenIdClient

DISCOVERY = "/.well-known/openid-configuration"
KEYS = "/.well-known/jwks.json"
TOKEN = "/token/"
USERINFO = "/userinfo/"
HOUR = 3600


def come_back(begun: Begun, person: str = "ada", button: str = "allow") -> dict[str, str]:
    return browse(begun.address, {"username": person, "password": PASSWORD}, button=button)


def finish(client: OpenIdClient, begun: Begun, back: Mapping[str, str]) -> ExternalIdentity:
    return client.finish(back.get("code"), back.get("state"), begun, issuer=back.get("iss"))


def sign_in(client: OpenIdClient, person: str = "ada") -> ExternalIdentity:
    begun = client.begin()
    return finish(client, begun, come_back(begun, person))


def token_for(provider: Provider, change: Callable[[dict[str, Any]], str]) -> None:
    """Replace the ID token by what `change` makes of its claims."""

    def changed(answer: Answer) -> Answer:
        return answer.saying(id_token=change(unsigned(answer.document()["id_token"])))

    provider.changes[TOKEN] = changed
