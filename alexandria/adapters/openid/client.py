"""The way to a provider and back: the authorization code flow with PKCE, state and nonce.

One implementation serves every provider. Azure AD is supported for one directory, whose
issuer names it (`https://login.microsoftonline.com/<directory>/v2.0`); the addresses
`common` and `organizations`, which let in every directory there is, are refused because
those publish an issuer that is not their own.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Literal, cast
from urllib.parse import quote_plus

import httpx

from alexandria.adapters.openid.documents import Metadata, ProviderDocuments
from alexandria.adapters.openid.id_tokens import IdTokenVerifier, is_text
from alexandria.adapters.openid.requests import (
    OK,
    is_failing,
    is_safe,
    open_http,
    read_json,
    refused,
    translating,
    unavailable,
)
from alexandria.errors import ConfigurationError
from alexandria.settings import OpenIdProvider

_LONGEST_NAME = 200
_LONGEST_EMAIL = 320
_LONGEST_GROUP = 256


@dataclass(frozen=True)
class Begun:
    """A sign-in that has begun; keep it, out of the browser's reach, until the person is back.

    Attributes:
        address: Where the browser goes now.
        state: Comes back with it; also a good name to keep the rest under.
        nonce: Comes back inside the ID token.
        code_verifier: Proves that who began is who ends; nobody else may learn it.
    """

    address: str = field(repr=False)
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)


@dataclass(frozen=True)
class ExternalIdentity:
    """Who someone is at a provider. Only issuer and subject together are a name for good.

    `groups` is None where the provider tells of none.

    An address may pass to somebody else, and one that is not verified may be anybody's: never
    find an account by it unless `is_email_verified`.
    """

    issuer: str
    subject: str
    email: str | None
    is_email_verified: bool
    name: str | None
    groups: tuple[str, ...] | None


class OpenIdClient:
    """Sign-ins with one provider. Threads may share it; keep it, for it keeps keys.

    Args:
        provider: From the settings.
        redirect_uri: Where the provider sends people back to, as registered there.
        clock: Seconds that only ever grow, for the age of what is kept.

    Raises:
        ConfigurationError: An address is not https, and not that of this machine.
    """

    def __init__(
        self,
        provider: OpenIdProvider,
        redirect_uri: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        for address in (provider.issuer, redirect_uri):
            if not is_safe(address, may_be_plain=True) or "?" in address:
                raise ConfigurationError(
                    f"Single sign-on needs https addresses without a query; {address!r} is none."
                )
        self._provider = provider
        self._redirect_uri = redirect_uri
        self._documents = ProviderDocuments(provider.issuer, clock)
        self._host = self._documents.host
        self._verifier = IdTokenVerifier(
            provider.issuer, provider.client_id, self._host, self._documents.find_key
        )

    def begin(self) -> Begun:
        """Begin a sign-in.

        Raises:
            ConfigurationError: The provider is not the one of the settings.
            StoreUnavailableError: It does not answer.
        """
        from authlib.oauth2.client import OAuth2Client

        endpoint = self._documents.metadata().authorization_endpoint
        state, nonce, verifier = (secrets.token_urlsafe(size) for size in (32, 32, 64))
        scopes = dict.fromkeys(("openid", *self._provider.scopes))
        oauth = OAuth2Client(
            None,
            self._provider.client_id,
            scope=" ".join(scopes),
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
        )
        address, _ = oauth.create_authorization_url(
            endpoint, state=state, code_verifier=verifier, nonce=nonce
        )
        return Begun(str(address), state, nonce, verifier)

    def finish(
        self, code: str | None, state: str | None, begun: Begun, *, issuer: str | None = None
    ) -> ExternalIdentity:
        """End the sign-in of a person who has come back.

        Args:
            code: Parameter `code` of the address that they came back to; None if it has none,
                which is how a provider says no.
            state: Parameter `state`.
            begun: What `begin` returned for the same browser. Its `address` is not looked at.
            issuer: Parameter `iss`, where the provider sends it.

        Raises:
            ConfigurationError: The provider does not know the client or its secret.
            SignInFailedError: It said no, or what came back does not belong to this sign-in.
            StoreUnavailableError: The provider does not answer.
        """
        metadata = self._documents.metadata()
        if not compare_digest((state or "").encode(), begun.state.encode()) or not begun.state:
            raise refused(self._host, "the state is another one")
        needs_issuer = metadata.authorization_response_iss_parameter_supported
        if (needs_issuer or issuer is not None) and issuer != metadata.issuer:
            raise refused(self._host, "the answer names another issuer, or none")
        if not code:
            raise refused(self._host, "there is no code")
        with open_http() as http:
            tokens = self._exchange(http, metadata, code, begun.code_verifier)
            id_token, access_token = tokens.get("id_token"), tokens.get("access_token")
            if not isinstance(id_token, str) or not isinstance(access_token, str):
                raise refused(self._host, "a token is missing")
            claims = self._verifier.claims(id_token, nonce=begun.nonce, access_token=access_token)
            if _email(claims) is None:
                claims = self._with_userinfo(http, metadata, claims, access_token)
        return _identity(claims)

    def _exchange(
        self, http: httpx.Client, metadata: Metadata, code: str, verifier: str
    ) -> Mapping[str, object]:
        from authlib.oauth2.base import OAuth2Error
        from authlib.oauth2.client import OAuth2Client

        secret = self._provider.client_secret.get_secret_value()
        proof: dict[str, str] = {}
        auth: httpx.Auth = httpx.Auth()  # which adds nothing
        if _method(metadata) == "client_secret_post":
            proof = {"client_id": self._provider.client_id, "client_secret": secret}
        else:
            auth = httpx.BasicAuth(quote_plus(self._provider.client_id), quote_plus(secret))
        oauth = OAuth2Client(http, redirect_uri=self._redirect_uri)
        oauth.register_compliance_hook("access_token_response", self._check_answer)
        try:
            with translating(self._host):
                answer = oauth.fetch_token(
                    metadata.token_endpoint,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=verifier,
                    auth=auth,
                    **proof,
                )
        except (OAuth2Error, ValueError, TypeError, RecursionError):
            raise refused(self._host, "the token answer makes no sense") from None
        return cast("Mapping[str, object]", answer)

    def _check_answer(self, response: httpx.Response) -> httpx.Response:
        if is_failing(response):
            raise unavailable(self._host, f"status {response.status_code}")
        if response.status_code == OK:
            return response
        if _error_code(response) in {"invalid_client", "unauthorized_client"}:
            raise ConfigurationError(
                f"{self._host} refuses the client id or the client secret in "
                "ALEXANDRIA_OPENID_PROVIDERS; the secret may have expired."
            )
        raise refused(self._host, f"the code, with status {response.status_code}")

    def _with_userinfo(
        self,
        http: httpx.Client,
        metadata: Metadata,
        claims: Mapping[str, object],
        access_token: str,
    ) -> Mapping[str, object]:
        """The claims and what the userinfo endpoint adds about the same person."""
        if metadata.userinfo_endpoint is None or "email" not in self._provider.scopes:
            return claims
        more = read_json(
            http,
            metadata.userinfo_endpoint,
            refusal=lambda: refused(self._host, "the userinfo endpoint"),
            bearer=access_token,
        )
        if more.get("sub") != claims["sub"]:
            raise refused(self._host, "the userinfo is about somebody else")
        # An address and whether it is verified are only worth something from one mouth.
        address = {"email", "email_verified"}
        return {**more, **{name: claims[name] for name in claims.keys() - address}}


def _method(metadata: Metadata) -> Literal["client_secret_basic", "client_secret_post"]:
    offered = metadata.token_endpoint_auth_methods_supported
    if "client_secret_basic" in offered or "client_secret_post" not in offered:
        return "client_secret_basic"
    return "client_secret_post"


def _error_code(response: httpx.Response) -> object:
    try:
        answer: object = response.json()
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, object]", answer).get("error") if isinstance(answer, dict) else None


def _identity(claims: Mapping[str, object]) -> ExternalIdentity:
    email, groups = _email(claims), claims.get("groups")
    listed = cast("list[object]", groups) if isinstance(groups, list) else []
    found = tuple(group for item in listed if (group := _text(item, _LONGEST_GROUP)))
    return ExternalIdentity(
        issuer=str(claims["iss"]),
        subject=str(claims["sub"]),
        email=email,
        is_email_verified=email is not None and claims.get("email_verified") is True,
        name=_text(claims.get("name"), _LONGEST_NAME),
        groups=None if groups is None else found,
    )


def _email(claims: Mapping[str, object]) -> str | None:
    return _text(claims.get("email"), _LONGEST_EMAIL)


def _text(value: object, longest: int) -> str | None:
    text = value.strip() if isinstance(value, str) else ""
    return text if len(text) <= longest and is_text(text) else None
