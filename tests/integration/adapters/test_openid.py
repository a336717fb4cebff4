"""Signing in with a real OpenID provider, and every way to get in without it.

The provider is Django with django-oauth-toolkit, see `openid_provider`. Where it would never
misbehave by itself, a middleman changes one thing in one answer.
"""

import gzip
import hmac
import logging
import socket
import traceback
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from threading import Thread
from time import sleep, time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import oidc_provider_mock
import pytest
from authlib.oidc.core.util import create_half_hash
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from openid_provider import CLIENTS, PASSWORD, REDIRECT_URI, Answer, Provider, browse, unsigned
from pydantic import SecretStr

from alexandria.adapters.openid import Begun, ExternalIdentity, OpenIdClient, requests
from alexandria.adapters.openid.id_tokens import IdTokenVerifier
from alexandria.errors import ConfigurationError, SignInFailedError, StoreUnavailableError
from alexandria.settings import OpenIdProvider

DISCOVERY = "/.well-known/openid-configuration"
KEYS = "/.well-known/jwks.json"
TOKEN = "/token/"
USERINFO = "/userinfo/"


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def client(openid_provider: Provider) -> OpenIdClient:
    return OpenIdClient(openid_provider.settings(), REDIRECT_URI)


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


# What works


def test_a_person_comes_back_with_a_name(client: OpenIdClient, openid_provider: Provider) -> None:
    identity = sign_in(client)

    assert identity == ExternalIdentity(
        issuer=openid_provider.issuer,
        subject="1",
        email="ada@engines.example",
        is_email_verified=True,
        name="Ada Lovelace",
        groups=("analysts", "everyone"),
    )
    assert USERINFO not in openid_provider.paths()


def test_the_address_asks_for_a_code_with_pkce(client: OpenIdClient) -> None:
    first, second = client.begin(), client.begin()

    asked = parse_qs(urlsplit(first.address).query)
    assert asked["response_type"] == ["code"]
    assert asked["client_id"] == ["alexandria"]
    assert asked["redirect_uri"] == [REDIRECT_URI]
    assert asked["scope"] == ["openid email profile"]
    assert asked["code_challenge_method"] == ["S256"]
    assert (asked["state"], asked["nonce"]) == ([first.state], [first.nonce])
    assert first.code_verifier not in first.address
    secrets = [(one.state, one.nonce, one.code_verifier) for one in (first, second)]
    assert len({value for group in secrets for value in group}) == 6
    assert 43 <= len(first.code_verifier) <= 128


def test_an_address_that_only_the_userinfo_endpoint_knows(client: OpenIdClient) -> None:
    identity = sign_in(client, "grace")

    assert (identity.email, identity.is_email_verified) == ("grace@navy.example", True)
    assert identity.groups is None


def test_an_unverified_address_is_called_so(client: OpenIdClient) -> None:
    identity = sign_in(client, "mallory")

    assert (identity.email, identity.is_email_verified) == ("ada@engines.example", False)
    assert identity.subject != sign_in(client, "ada").subject


def test_without_the_scope_there_is_no_address(openid_provider: Provider) -> None:
    settings = openid_provider.settings(scopes=("profile",))

    identity = sign_in(OpenIdClient(settings, REDIRECT_URI))

    assert (identity.email, identity.is_email_verified) == (None, False)
    assert identity.name == "Ada Lovelace"
    assert USERINFO not in openid_provider.paths()


def test_the_secret_goes_where_the_provider_reads_it(
    client: OpenIdClient, openid_provider: Provider
) -> None:
    sign_in(client)
    openid_provider.changes[DISCOVERY] = lambda answer: answer.saying(
        token_endpoint_auth_methods_supported=["client_secret_post"]
    )
    sign_in(OpenIdClient(openid_provider.settings(), REDIRECT_URI))

    basic, post = (item for item in openid_provider.passed if item.path == TOKEN)
    assert basic.headers["Authorization"].startswith("Basic ")
    assert b"client_secret" not in basic.body
    assert "Authorization" not in post.headers
    assert b"client_secret" in post.body


def test_another_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")  # the package's own word for loopback
    people = [oidc_provider_mock.User(sub="x7", claims={"email": "x@seven.example"})]
    with oidc_provider_mock.run_server_in_thread(user_claims=people) as server:
        issuer = f"http://localhost:{server.server_port}"
        settings = OpenIdProvider(issuer=issuer, client_id="any", client_secret=SecretStr("any"))
        client = OpenIdClient(settings, REDIRECT_URI)
        begun = client.begin()

        identity = finish(client, begun, browse(begun.address, {"sub": "x7"}))

    assert (identity.subject, identity.email) == ("x7", "x@seven.example")


# What came back is not what was asked for


def test_a_person_who_says_no(client: OpenIdClient) -> None:
    begun = client.begin()
    back = come_back(begun, button="")

    assert back["error"] == "access_denied"
    with pytest.raises(SignInFailedError, match="start again"):
        finish(client, begun, back)


def test_a_code_works_once(client: OpenIdClient, openid_provider: Provider) -> None:
    begun = client.begin()
    back = come_back(begun)
    finish(client, begun, back)

    with pytest.raises(SignInFailedError, match="start again"):
        finish(client, begun, back)
    assert openid_provider.paths().count(TOKEN) == 2


@pytest.mark.parametrize("verifier", ["", "x" * 64], ids=["none", "another"])
def test_a_stolen_code_is_worth_nothing_without_the_verifier(
    client: OpenIdClient, openid_provider: Provider, verifier: str
) -> None:
    begun = client.begin()
    back = come_back(begun)

    with pytest.raises(SignInFailedError):
        finish(client, replace(begun, code_verifier=verifier), back)
    assert TOKEN in openid_provider.paths()


def test_a_code_of_another_sign_in(client: OpenIdClient) -> None:
    """The code of the attacker, in the browser of the victim, with the victim's state."""
    attacker, victim = client.begin(), client.begin()
    back = come_back(attacker, "mallory")

    with pytest.raises(SignInFailedError):
        finish(client, victim, {**back, "state": victim.state})


def test_a_nonce_of_another_sign_in(client: OpenIdClient, openid_provider: Provider) -> None:
    begun = client.begin()
    back = come_back(begun)

    with pytest.raises(SignInFailedError):
        finish(client, replace(begun, nonce=client.begin().nonce), back)
    assert TOKEN in openid_provider.paths()


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "another"},
        {"state": ""},
        {"code": ""},
        {"iss": "https://elsewhere.example"},
        {"iss": None},
    ],
    ids=str,
)
def test_an_answer_that_does_not_fit_never_reaches_the_provider(
    client: OpenIdClient, openid_provider: Provider, changes: dict[str, str | None]
) -> None:
    begun = client.begin()
    back: dict[str, str | None] = {**come_back(begun), **changes}

    with pytest.raises(SignInFailedError, match="start again"):
        finish(client, begun, {name: value for name, value in back.items() if value is not None})
    assert TOKEN not in openid_provider.paths()


@pytest.mark.parametrize(
    "code",
    ["é", "a b&c=d", "\x00", "%", "x" * 5000],
    ids=["letter", "signs", "zero", "percent", "long"],
)
def test_a_code_that_nobody_gave_out(client: OpenIdClient, code: str) -> None:
    begun = client.begin()
    back = come_back(begun)

    with pytest.raises(SignInFailedError, match="start again"):
        finish(client, begun, {**back, "code": code})


def test_an_empty_state_never_fits(client: OpenIdClient) -> None:
    begun = client.begin()
    back = come_back(begun)

    with pytest.raises(SignInFailedError):
        client.finish(back["code"], "", replace(begun, state=""), issuer=back["iss"])


def test_a_token_for_another_client(client: OpenIdClient, openid_provider: Provider) -> None:
    """The real ID token that the provider wrote for somebody else's application."""
    other = OpenIdClient(openid_provider.settings("another"), REDIRECT_URI)
    stolen: list[str] = []

    def steal(answer: Answer) -> Answer:
        stolen.append(answer.document()["id_token"])
        return answer

    openid_provider.changes[TOKEN] = steal
    begun = other.begin()
    finish(other, begun, come_back(begun))
    openid_provider.changes[TOKEN] = lambda answer: answer.saying(id_token=stolen[0])

    begun = replace(client.begin(), nonce=begun.nonce)
    with pytest.raises(SignInFailedError):
        finish(client, begun, come_back(begun))


def test_the_address_of_somebody_else(client: OpenIdClient, openid_provider: Provider) -> None:
    openid_provider.changes[USERINFO] = lambda answer: answer.saying(sub="1")

    with pytest.raises(SignInFailedError):
        sign_in(client, "grace")


def test_whether_an_address_is_verified_is_asked_where_it_came_from(
    client: OpenIdClient, openid_provider: Provider
) -> None:
    token_for(openid_provider, lambda claims: openid_provider.sign(claims | {"email_verified": 1}))
    assert not sign_in(client).is_email_verified

    token_for(
        openid_provider,
        lambda claims: openid_provider.sign(claims | {"email": "", "email_verified": True}),
    )
    openid_provider.changes[USERINFO] = lambda answer: answer.saying(email_verified=None)
    identity = sign_in(client, "grace")
    assert (identity.email, identity.is_email_verified) == ("grace@navy.example", False)


# Claims, in tokens that the provider's own key signs


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"aud": ["alexandria"]},
        {"aud": ["alexandria", "another"], "azp": "alexandria"},
        {"groups": "analysts"},
        {"groups": [1, None, "", "a\x00b", {"name": "x"}]},
        {"name": 7},
        {"at_hash": None},
    ],
    ids=str,
)
def test_claims_that_are_fine(
    client: OpenIdClient, openid_provider: Provider, changes: dict[str, Any]
) -> None:
    token_for(openid_provider, lambda claims: openid_provider.sign(without_none(claims | changes)))

    identity = sign_in(client)

    assert identity.subject == "1"
    assert identity.groups == (() if "groups" in changes else ("analysts", "everyone"))
    assert identity.name == (None if "name" in changes else "Ada Lovelace")


def without_none(claims: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in claims.items() if value is not None}


HOUR = 3600
LIES: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://elsewhere.example"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "another"},
    "no audience": {"aud": None},
    "empty audience": {"aud": []},
    "two audiences and no party": {"aud": ["alexandria", "another"]},
    "another party": {"azp": "another"},
    "two audiences and another party": {"aud": ["alexandria", "another"], "azp": "another"},
    "no expiry": {"exp": None},
    "an expiry that is no number": {"exp": "tomorrow"},
    "no time of issue": {"iat": None},
    "another nonce": {"nonce": "x"},
    "no nonce": {"nonce": None},
    "a nonce in a list": {"nonce": ["x"]},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "a subject that is no text": {"sub": 1},
    "a subject with a zero byte": {"sub": "1\x00"},
    "a long subject": {"sub": "1" * 256},
    "another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    "a hash that is no text": {"at_hash": ["x"]},
}


@pytest.mark.parametrize("lie", LIES)
def test_claims_that_lie(client: OpenIdClient, openid_provider: Provider, lie: str) -> None:
    token_for(
        openid_provider, lambda claims: openid_provider.sign(without_none(claims | LIES[lie]))
    )

    with pytest.raises(SignInFailedError, match="start again"):
        sign_in(client)


@pytest.mark.parametrize(
    ("name", "seconds"), [("exp", -1), ("iat", HOUR), ("nbf", HOUR)], ids=["exp", "iat", "nbf"]
)
def test_a_token_out_of_its_time(
    client: OpenIdClient, openid_provider: Provider, name: str, seconds: int
) -> None:
    def moved(claims: dict[str, Any]) -> str:
        then = claims["iat"] + (seconds if seconds > 0 else -HOUR)
        return openid_provider.sign(claims | {name: then})

    token_for(openid_provider, moved)

    with pytest.raises(SignInFailedError):
        sign_in(client)


def test_an_access_token_of_somebody_else(client: OpenIdClient, openid_provider: Provider) -> None:
    openid_provider.changes[TOKEN] = lambda answer: answer.saying(access_token="another")

    with pytest.raises(SignInFailedError):
        sign_in(client)


# Signatures


def encoded(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def forge(kind: str, claims: dict[str, Any], provider: Provider) -> str:
    key = provider.key()
    kid = key.thumbprint()
    stranger = RSAKey.generate_key(2048)
    every = JWSRegistry(algorithms=["none", "HS256", "RS256"], strict_check_header=False)
    if kind == "by another key under the same name":
        return jwt.encode({"alg": "RS256", "kid": kid}, claims, stranger)
    if kind == "by a key that it brings along":
        header = {"alg": "RS256", "kid": kid, "jwk": stranger.as_dict(private=False)}
        return jwt.encode(header, claims, stranger, registry=every)
    if kind == "by a key that nobody publishes":
        return jwt.encode({"alg": "RS256", "kid": "unheard-of"}, claims, stranger)
    if kind == "by the client secret":
        secret = OctKey.import_key(str(CLIENTS["alexandria"]["secret"]))
        return jwt.encode({"alg": "HS256", "kid": kid}, claims, secret, registry=every)
    if kind == "none":
        return jwt.encode({"alg": "none", "kid": kid}, claims, stranger, registry=every)
    head, payload, signature = provider.sign(claims).split(".")
    if kind == "a signature of something else":
        payload = provider.sign(claims | {"sub": "2"}).split(".")[1]
    elif kind == "by the public key as a secret":
        head = encoded(b'{"alg": "HS256", "kid": "%s"}' % kid.encode())
        pem = key.as_pem(private=False)
        signature = encoded(hmac.digest(pem, f"{head}.{payload}".encode(), "sha256"))
    elif kind == "a signature left out":
        signature = ""
    elif kind == "rubbish":
        head = "e30"
    return f"{head}.{payload}.{signature}"


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")  # the forger's
@pytest.mark.parametrize(
    "kind",
    [
        "by another key under the same name",
        "by a key that it brings along",
        "by a key that nobody publishes",
        "by the client secret",
        "by the public key as a secret",
        "none",
        "a signature of something else",
        "a signature left out",
        "rubbish",
    ],
)
def test_forged_signatures(client: OpenIdClient, openid_provider: Provider, kind: str) -> None:
    token_for(openid_provider, lambda claims: forge(kind, claims, openid_provider))

    with pytest.raises(SignInFailedError, match="start again"):
        sign_in(client)


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")  # the forger's
@pytest.mark.parametrize("algorithm", ["HS256", "none"])
def test_signatures_that_anybody_makes_do_not_count_even_with_a_key_for_them(
    algorithm: str,
) -> None:
    key = OctKey.import_key("known to both sides, or to everybody")
    claims = {"iss": "https://a.example", "sub": "1", "aud": "us", "nonce": "n"}
    claims |= {"iat": int(time()), "exp": int(time()) + HOUR}
    token = jwt.encode({"alg": algorithm}, claims, key, algorithms=[algorithm])
    verifier = IdTokenVerifier("https://a.example", "us", "a.example", lambda _: key)

    with pytest.raises(SignInFailedError):
        verifier.claims(token, nonce="n", access_token="t")


def publish_and_sign(provider: Provider, key: Key, algorithm: str, **entry: str) -> None:
    """Let the provider sign with this key, and publish it."""
    published = key.as_dict(private=False, kid="special", **entry)
    provider.changes[KEYS] = lambda answer: answer.saying(
        keys=[{"kty": "LMS"}, {"kty": "RSA", "n": "!" * 400, "e": "AQAB"}, published]
    )

    def change(answer: Answer) -> Answer:
        document = answer.document()
        name = "EdDSA" if algorithm == "Ed25519" else algorithm
        half = create_half_hash(document["access_token"], name)
        assert half
        claims = unsigned(document["id_token"]) | {"at_hash": half.decode()}
        header = {"alg": algorithm, "kid": "special"}
        return answer.saying(id_token=jwt.encode(header, claims, key, algorithms=[algorithm]))

    provider.changes[TOKEN] = change


@pytest.mark.parametrize(
    ("algorithm", "make"),
    [
        ("RS512", lambda: RSAKey.generate_key(2048)),
        ("PS256", lambda: RSAKey.generate_key(2048)),
        ("ES256", lambda: ECKey.generate_key("P-256")),
        ("ES384", lambda: ECKey.generate_key("P-384")),
        ("Ed25519", lambda: OKPKey.generate_key("Ed25519")),
    ],
)
def test_other_signatures_of_its_own(
    client: OpenIdClient, openid_provider: Provider, algorithm: str, make: Callable[[], Key]
) -> None:
    publish_and_sign(openid_provider, make(), algorithm)

    assert sign_in(client).subject == "1"


def test_the_older_name_of_edwards_curves(client: OpenIdClient, openid_provider: Provider) -> None:
    publish_and_sign(openid_provider, OKPKey.generate_key("Ed25519"), "EdDSA")

    with pytest.warns(SecurityWarning, match="RFC 9864"):
        assert sign_in(client).subject == "1"


@pytest.mark.parametrize("entry", [{"use": "enc"}, {"alg": "PS256"}], ids=str)
def test_a_key_for_something_else(
    client: OpenIdClient, openid_provider: Provider, entry: dict[str, str]
) -> None:
    publish_and_sign(openid_provider, RSAKey.generate_key(2048), "RS256", **entry)

    with pytest.raises(SignInFailedError):
        sign_in(client)


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_a_key_that_is_too_short(client: OpenIdClient, openid_provider: Provider) -> None:
    publish_and_sign(openid_provider, RSAKey.generate_key(1024), "RS256")

    with pytest.raises(SignInFailedError):
        sign_in(client)


def test_a_token_that_names_no_key(openid_provider: Provider) -> None:
    key = openid_provider.key()
    token_for(openid_provider, lambda claims: jwt.encode({"alg": "RS256"}, claims, key))

    def sign_in_beside(**entry: str) -> ExternalIdentity:
        other = RSAKey.generate_key(2048).as_dict(private=False, **entry)
        openid_provider.changes[KEYS] = lambda answer: answer.saying(
            keys=[*answer.document()["keys"], other]
        )
        return sign_in(OpenIdClient(openid_provider.settings(), REDIRECT_URI))

    assert sign_in_beside(use="enc").subject == "1"
    assert sign_in_beside(alg="PS256").subject == "1"
    with pytest.raises(SignInFailedError):
        sign_in_beside(use="sig")


# What is kept, and for how long


def test_documents_are_kept_for_an_hour(openid_provider: Provider) -> None:
    clock = Clock()
    client = OpenIdClient(openid_provider.settings(), REDIRECT_URI, clock=clock)
    sign_in(client)
    clock.now += HOUR - 1
    sign_in(client)
    counts = [openid_provider.paths().count(path) for path in (DISCOVERY, KEYS)]
    assert counts == [1, 1]

    clock.now += 1
    sign_in(client)
    counts = [openid_provider.paths().count(path) for path in (DISCOVERY, KEYS)]
    assert counts == [2, 2]


def test_a_provider_that_changes_its_key(openid_provider: Provider) -> None:
    clock = Clock()
    client = OpenIdClient(openid_provider.settings(), REDIRECT_URI, clock=clock)
    sign_in(client)
    former = openid_provider.key()
    openid_provider.rotate_key()

    clock.now += 29
    with pytest.raises(SignInFailedError):  # asked a moment ago, so not again
        sign_in(client)
    assert openid_provider.paths().count(KEYS) == 1

    clock.now += 1
    assert sign_in(client).subject == "1"
    assert openid_provider.paths().count(KEYS) == 2

    header = {"alg": "RS256", "kid": former.thumbprint()}
    token_for(openid_provider, lambda claims: jwt.encode(header, claims, former))
    with pytest.raises(SignInFailedError):
        sign_in(client)
    assert openid_provider.paths().count(KEYS) == 2


def test_many_at_once_ask_once(openid_provider: Provider) -> None:
    client = OpenIdClient(openid_provider.settings(), REDIRECT_URI)

    with ThreadPoolExecutor(8) as pool:
        begun = list(pool.map(lambda _: client.begin(), range(16)))

    assert len({one.state for one in begun}) == 16
    assert openid_provider.paths() == [DISCOVERY]


# A provider that is wrong, broken or gone


def test_a_provider_under_another_name(openid_provider: Provider) -> None:
    openid_provider.changes[DISCOVERY] = lambda answer: answer.saying(
        issuer="https://login.example/{tenantid}/v2.0"
    )

    with pytest.raises(ConfigurationError, match="tenantid"):
        OpenIdClient(openid_provider.settings(), REDIRECT_URI).begin()


@pytest.mark.parametrize(
    "changes",
    [
        {"token_endpoint": "http://login.example/token"},
        {"token_endpoint": "https://user@login.example/token"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": "file:///etc/passwd"},
        {"userinfo_endpoint": "//login.example/userinfo"},
        {"token_endpoint": "https://login.example:port/"},
        {"token_endpoint": 7},
        {"jwks_uri": None},
    ],
    ids=str,
)
def test_endpoints_that_must_not_be_asked(
    openid_provider: Provider, changes: dict[str, object]
) -> None:
    openid_provider.changes[DISCOVERY] = lambda answer: answer.saying(**changes)

    with pytest.raises(ConfigurationError, match="ALEXANDRIA_OPENID_PROVIDERS"):
        OpenIdClient(openid_provider.settings(), REDIRECT_URI).begin()


def test_a_provider_elsewhere_must_not_lead_to_this_machine() -> None:
    assert requests.is_safe("http://127.0.0.1/token", may_be_plain=True)
    assert not requests.is_safe("http://127.0.0.1/token", may_be_plain=False)


@pytest.mark.parametrize(
    "address",
    [
        "http://login.example",
        "http://localhost.login.example",
        "http://127.0.0.1@login.example",
        "https://login.example#here",
        "https://login.example?tenant=1",
        "ftp://127.0.0.1",
        "https://",
        "login.example",
    ],
)
def test_addresses_that_are_not_safe(address: str, openid_provider: Provider) -> None:
    with pytest.raises(ConfigurationError, match="https"):
        OpenIdClient(openid_provider.settings(issuer=address), REDIRECT_URI)
    with pytest.raises(ConfigurationError, match="https"):
        OpenIdClient(openid_provider.settings(), address)


def test_a_wrong_client_secret(openid_provider: Provider) -> None:
    secret = "a-secret-that-has-expired"
    settings = openid_provider.settings(client_secret=SecretStr(secret))

    with pytest.raises(ConfigurationError, match="may have expired") as caught:
        sign_in(OpenIdClient(settings, REDIRECT_URI))
    assert secret not in str(caught.value)


BROKEN: dict[str, Callable[[Answer], Answer]] = {
    "failing": lambda answer: replace(answer, status=503),
    "too busy": lambda answer: replace(answer, status=429),
    "too large": lambda answer: replace(answer, body=answer.body + b" " * requests.MAX_BYTES),
    "compressed": lambda answer: replace(
        answer, headers=[("Content-Encoding", "gzip")], body=gzip.compress(answer.body)
    ),
}


@pytest.mark.parametrize("path", [DISCOVERY, KEYS, TOKEN, USERINFO])
@pytest.mark.parametrize("breakage", BROKEN)
def test_a_broken_answer(openid_provider: Provider, path: str, breakage: str) -> None:
    client = OpenIdClient(openid_provider.settings(), REDIRECT_URI)
    openid_provider.changes[path] = BROKEN[breakage]

    with pytest.raises(StoreUnavailableError, match=r"127\.0\.0\.1"):
        sign_in(client, "grace")


@pytest.mark.parametrize("path", [DISCOVERY, KEYS, TOKEN, USERINFO])
@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b"[" * 10_000, b"\xff"], ids=["page", "list", "deep", "bytes"]
)
def test_an_answer_that_is_not_an_object(openid_provider: Provider, path: str, body: bytes) -> None:
    client = OpenIdClient(openid_provider.settings(), REDIRECT_URI)
    openid_provider.changes[path] = lambda answer: replace(answer, body=body)

    with pytest.raises((StoreUnavailableError, SignInFailedError)):
        sign_in(client, "grace")


@pytest.mark.parametrize("path", [DISCOVERY, KEYS, TOKEN, USERINFO])
def test_no_redirect_is_followed(openid_provider: Provider, path: str) -> None:
    client = OpenIdClient(openid_provider.settings(), REDIRECT_URI)
    openid_provider.changes[path] = lambda answer: replace(
        answer, status=307, headers=[("Location", f"{openid_provider.issuer}/elsewhere")]
    )

    with pytest.raises((ConfigurationError, SignInFailedError)):
        sign_in(client, "grace")
    assert "/elsewhere" not in openid_provider.paths()


def test_a_provider_that_is_gone_is_left_alone_for_a_moment(openid_provider: Provider) -> None:
    clock = Clock()
    client = OpenIdClient(openid_provider.settings(), REDIRECT_URI, clock=clock)
    openid_provider.changes[DISCOVERY] = BROKEN["failing"]
    for _ in range(3):
        with pytest.raises(StoreUnavailableError, match="try again"):
            client.begin()
    assert openid_provider.paths() == [DISCOVERY]

    openid_provider.changes.clear()
    clock.now += 5
    assert sign_in(client).subject == "1"


def test_nobody_listens(openid_provider: Provider) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings = openid_provider.settings(issuer=f"http://127.0.0.1:{port}")

    with pytest.raises(StoreUnavailableError, match=f"127.0.0.1:{port}"):
        OpenIdClient(settings, REDIRECT_URI).begin()


def test_a_provider_that_never_answers(
    openid_provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "TIMEOUT_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings = openid_provider.settings(issuer=f"http://127.0.0.1:{listener.getsockname()[1]}")

        with pytest.raises(StoreUnavailableError):
            OpenIdClient(settings, REDIRECT_URI).begin()


def drip(listener: socket.socket) -> None:
    """An answer that never waits long enough for a time-out and never ends in time."""
    connection, _ = listener.accept()
    with connection, suppress(ConnectionError):
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            connection.sendall(b" ")
            sleep(0.05)


def test_a_provider_that_takes_for_ever(
    openid_provider: Provider, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(requests, "TIMEOUT_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        dripping = Thread(target=drip, args=(listener,))
        dripping.start()
        client = OpenIdClient(openid_provider.settings(issuer=address), REDIRECT_URI)

        with pytest.raises(StoreUnavailableError):
            client.begin()
        dripping.join()
    assert "ReadTimeout" in caplog.text


# Secrets


@pytest.mark.parametrize("tampered", ["", DISCOVERY, KEYS, TOKEN, USERINFO])
def test_no_secret_in_logs_errors_and_reprs(
    openid_provider: Provider, caplog: pytest.LogCaptureFixture, tampered: str
) -> None:
    caplog.set_level(logging.DEBUG)
    client = OpenIdClient(openid_provider.settings(), REDIRECT_URI)
    begun, shown = client.begin(), [repr(client)]
    shown.append(repr(begun))
    back = come_back(begun, "grace")
    secrets = [begun.state, begun.nonce, begun.code_verifier, back["code"]]
    secrets.append(str(CLIENTS["alexandria"]["secret"]))

    def noted(answer: Answer) -> Answer:
        tokens = answer.document()
        secrets.extend([tokens["id_token"], tokens["access_token"]])
        return BROKEN["compressed"](answer) if tampered == TOKEN else answer

    openid_provider.changes[tampered] = BROKEN["failing"]
    openid_provider.changes[TOKEN] = noted
    caplog.clear()  # of the browser's own
    try:
        shown.append(repr(finish(client, begun, back)))
        finish(client, begun, back)  # the code is spent
    except (SignInFailedError, StoreUnavailableError) as error:
        shown.extend(traceback.format_exception(error))
    shown.append(caplog.text)

    assert len(secrets) >= 7
    assert "was refused" in caplog.text or "did not answer" in caplog.text
    assert not [secret for secret in secrets if any(secret in text for text in shown)]
