"""ID tokens of an OpenID provider: claims that lie, and signatures that are not its own."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from time import time
from typing import Any

import pytest
from authlib.oidc.core.util import create_half_hash
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from openid_provider import CLIENTS, REDIRECT_URI, Answer, Provider, unsigned
from openid_sign_ins import HOUR, KEYS, TOKEN, sign_in, token_for

from alexandria.adapters.openid import ExternalIdentity, OpenIdClient
from alexandria.adapters.openid.id_tokens import IdTokenVerifier
from alexandria.errors import SignInFailedError

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
