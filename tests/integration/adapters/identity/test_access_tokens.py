"""Access tokens: what is issued reads, and what an attacker makes of it does not."""

import base64
import hmac
import json
import time
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from alexandria.adapters.identity.tokens import (
    ALGORITHM,
    API_KEY_PREFIX,
    SigningKey,
    fingerprint,
    issue_token,
    load_public_keys,
    new_secret,
    new_signing_key,
    public_jwks,
    read_token,
)
from alexandria.errors import ConfigurationError, UnauthenticatedError

ISSUER, AUDIENCE = "https://library.example", "alexandria"
KEY, OLDER = new_signing_key(), new_signing_key()
PUBLIC = load_public_keys(public_jwks([KEY, OLDER]))
SAYS = {"sub": "user-1", "tenant": "default", "role": "user"}


def issued(key: SigningKey = KEY, **changes: Any) -> str:
    terms: dict[str, Any] = {"issuer": ISSUER, "audience": AUDIENCE, "seconds": 900, **changes}
    return issue_token(key, SAYS, **terms)


def claims_with(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    times = {"iat": now, "nbf": now, "exp": now + 900}
    claims = {**SAYS, "iss": ISSUER, "aud": AUDIENCE, "jti": "1", **times, **changes}
    return {name: value for name, value in claims.items() if value is not None}


def header_with(**changes: Any) -> dict[str, Any]:
    header = {"alg": ALGORITHM, "kid": KEY.key_id, "typ": "at+jwt", **changes}
    return {name: value for name, value in header.items() if value is not None}


def encoded(part: object) -> str:
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def signed(header: object, claims: object) -> str:
    """A token with any header at all, signed by the genuine key."""
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    body = f"{encoded(header)}.{encoded(claims)}"
    key = KEY.private_key.private_key
    assert isinstance(key, EllipticCurvePrivateKey)
    r, s = decode_dss_signature(key.sign(body.encode(), ECDSA(SHA256())))
    return f"{body}.{encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def refused(token: str, **terms: str) -> str:
    """The message of the refusal."""
    asked = {"issuer": ISSUER, "audience": AUDIENCE, **terms}
    with pytest.raises(UnauthenticatedError) as caught:
        read_token(token, PUBLIC, **asked)
    assert caught.value.__cause__ is None
    assert len(token) < 20 or token not in caught.value.message
    return caught.value.message


def test_a_token_says_what_was_put_into_it() -> None:
    before = int(time.time())
    claims = read_token(issued(), PUBLIC, ISSUER, AUDIENCE)
    assert SAYS.items() <= claims.items()
    assert (claims["iss"], claims["aud"]) == (ISSUER, AUDIENCE)
    assert before <= claims["iat"] == claims["nbf"] == claims["exp"] - 900
    assert claims["jti"] != read_token(issued(), PUBLIC, ISSUER, AUDIENCE)["jti"]


def test_the_builder_of_these_attacks_makes_good_tokens_too() -> None:
    """So what the tests below refuse is refused for what they change."""
    claims = claims_with()
    assert read_token(signed(header_with(), claims), PUBLIC, ISSUER, AUDIENCE) == claims


def test_the_claims_of_the_issue_are_not_chosen_by_the_caller() -> None:
    forged = {"sub": "user-1", "exp": 2**40, "iss": "elsewhere", "aud": "all", "jti": "x"}
    token = issue_token(KEY, forged, issuer=ISSUER, audience=AUDIENCE, seconds=60)
    claims = read_token(token, PUBLIC, ISSUER, AUDIENCE)
    assert claims["exp"] == claims["iat"] + 60
    assert claims["jti"] != "x"
    assert forged["exp"] == 2**40


def test_an_older_key_reads_until_it_is_taken_away() -> None:
    token = issued(OLDER)
    assert read_token(token, PUBLIC, ISSUER, AUDIENCE)["sub"] == "user-1"
    with pytest.raises(UnauthenticatedError):
        read_token(token, load_public_keys(public_jwks([KEY])), ISSUER, AUDIENCE)


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", None])
def test_an_unsigned_token_is_refused(alg: str | None) -> None:
    header = header_with(alg=alg)
    for signature in ("", issued().split(".")[2], encoded(b"\0" * 64)):
        refused(f"{encoded(header)}.{encoded(claims_with())}.{signature}")
    refused(f"{encoded(header)}.{encoded(claims_with())}")


def test_the_public_key_is_no_shared_secret() -> None:
    public = json.dumps(KEY.public_jwk)
    pem = KEY.private_key.as_pem(private=False)
    point = base64.urlsafe_b64decode(KEY.public_jwk["x"] + "==")
    for secret in (public.encode(), pem, pem.strip(), point):
        for alg in ("HS256", "HS512", ALGORITHM):
            body = f"{encoded(header_with(alg=alg))}.{encoded(claims_with())}"
            refused(f"{body}.{encoded(hmac.digest(secret, body.encode(), sha256))}")


@pytest.mark.parametrize("alg", ["ES384", "ES512", "RS256", "PS256", "EdDSA", "Ed25519", "HS256"])
def test_one_algorithm_only(alg: str) -> None:
    refused(signed(header_with(alg=alg), claims_with()))


def test_keys_of_other_kinds_are_refused() -> None:
    others = {
        "HS256": OctKey.generate_key(256),
        "RS256": RSAKey.generate_key(2048),
        "Ed25519": OKPKey.generate_key("Ed25519"),
        "ES384": ECKey.generate_key("P-384"),
        "ES256": ECKey.generate_key("P-256"),
    }
    for alg, key in others.items():
        refused(jwt.encode(header_with(alg=alg), claims_with(), key, [alg]))


@pytest.mark.parametrize(
    "kid",
    ["", "unknown", OLDER.key_id, 7, [KEY.key_id], {}, None],
    ids=["empty", "unknown", "another", "number", "list", "object", "none"],
)
def test_another_key_id_is_refused(kid: object) -> None:
    refused(signed(header_with(kid=kid), claims_with()))


def test_the_key_of_an_attacker_is_not_taken_from_the_token() -> None:
    attacker = new_signing_key()
    body = {"jwk": attacker.public_jwk, "jku": "https://evil.example/jwks.json", "x5c": ["x"]}
    for name, value in body.items():
        header = header_with(**{name: value})
        token = jwt.encode(header, claims_with(), attacker.private_key, [ALGORITHM])
        refused(token)
        refused(signed(header, claims_with()))
    refused(issued(SigningKey(KEY.key_id, attacker.private_jwk)))


@pytest.mark.parametrize("typ", [None, "", "JWT", "jwt", "id+jwt", 1])
def test_a_token_of_another_kind_is_refused(typ: object) -> None:
    refused(signed(header_with(typ=typ), claims_with()))


@pytest.mark.parametrize(
    "extra", [{"crit": ["exp"]}, {"crit": ["b64"], "b64": False}, {"cty": "JWT"}, {"zip": "DEF"}]
)
def test_a_header_with_anything_more_is_refused(extra: dict[str, object]) -> None:
    refused(signed(header_with(**extra), claims_with()))


@pytest.mark.parametrize(
    "terms", [{"issuer": "https://evil.example"}, {"issuer": ISSUER + "/"}, {"audience": "other"}]
)
def test_a_token_for_somebody_else_is_refused(terms: dict[str, Any]) -> None:
    refused(issued(**terms))
    refused(issued(), **terms)


@pytest.mark.parametrize(
    "changes",
    [
        *({name: None} for name in ("iss", "aud", "sub", "jti", "iat", "exp")),
        *({"iss": wrong} for wrong in ([ISSUER], "", 1)),
        *({"aud": wrong} for wrong in ([], ["other"], "", {AUDIENCE: 1}, "alexandria2")),
        *({"sub": wrong} for wrong in ("", 1, ["user-1"])),
        *({"exp": wrong} for wrong in ("9999999999", True, 0, -1, [], float("nan"))),
        {"exp": int(time.time()) - 6},
        {"nbf": int(time.time()) + 3600},
        {"iat": int(time.time()) + 3600},
        {"nbf": "now"},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_claims_that_are_missing_or_wrong_are_refused(changes: dict[str, object]) -> None:
    refused(signed(header_with(), claims_with(**changes)))


def test_clocks_may_differ_by_a_few_seconds() -> None:
    soon = int(time.time()) + 3
    token = signed(header_with(), claims_with(iat=soon, nbf=soon))
    assert read_token(token, PUBLIC, ISSUER, AUDIENCE)["iat"] == soon


def test_an_expired_token_is_told_to_be_refreshed() -> None:
    assert "refresh" in refused(issued(seconds=-60))
    forged = issued(seconds=-60).rsplit(".", 1)[0] + "." + issued().rsplit(".", 1)[1]
    assert "refresh" not in refused(forged)


def test_every_cut_is_refused() -> None:
    token = issued()
    for length in range(len(token)):
        refused(token[:length])
    for more in (".", ".x", token, " ", "\n", "=", "\0"):
        refused(token + more)
    refused("x" * 10_000_000)


def test_parts_of_two_tokens_do_not_fit() -> None:
    mine, admins = issued().split("."), issued().split(".")
    claims = claims_with(role="admin")
    refused(f"{mine[0]}.{encoded(claims)}.{mine[2]}")
    refused(f"{mine[0]}.{admins[1]}.{mine[2]}")
    refused(f"{encoded(header_with(kid=OLDER.key_id))}.{mine[1]}.{mine[2]}")


@pytest.mark.parametrize("payload", [[], "x", 1, None, b"", b"{", b"\xff", b"[" * 20_000])
def test_a_payload_that_is_no_object_is_refused(payload: object) -> None:
    refused(signed(header_with(), payload))


@pytest.mark.parametrize("header", [[], ["alg"], "alg", 1, None, b"", b"{", b"\xff", b"[" * 300])
def test_a_header_that_is_no_object_is_refused(header: object) -> None:
    refused(signed(header, claims_with()))


@given(st.one_of(st.text(), st.builds(".".join, st.lists(st.text(), min_size=3, max_size=3))))
def test_any_text_is_refused(text: str) -> None:
    refused(text)


ANY_VALUE = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text())


@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64"]), ANY_VALUE))
def test_any_header_is_refused(header: dict[str, object]) -> None:
    refused(signed(header, claims_with()))


def test_a_key_survives_storage_and_shows_nothing() -> None:
    kept = SigningKey(KEY.key_id, KEY.private_jwk)
    assert read_token(issued(kept), PUBLIC, ISSUER, AUDIENCE)["sub"] == "user-1"
    private = json.loads(KEY.private_jwk)["d"]
    assert private not in repr(kept)
    assert private not in json.dumps(public_jwks([KEY]))
    assert set(public_jwks([KEY])["keys"][0]) == {"kty", "crv", "x", "y", "kid", "use", "alg"}
    assert KEY.key_id != OLDER.key_id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        json.dumps(KEY.public_jwk),
        json.dumps(ECKey.generate_key("P-384").as_dict(private=True)),
        json.dumps(OctKey.generate_key(256).as_dict(private=True)),
    ],
    ids=["empty", "object", "list", "public", "another curve", "symmetric"],
)
def test_what_is_no_signing_key_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        issued(SigningKey("1", text))
    assert not text or text not in caught.value.message


def test_secrets_are_long_and_never_the_same() -> None:
    made = {new_secret(API_KEY_PREFIX) for _ in range(100)}
    assert len(made) == 100
    for secret in made:
        random = base64.urlsafe_b64decode(secret.removeprefix("alx_") + "=")
        assert len(random) == 32


def test_a_fingerprint_is_the_same_each_time_and_hides_the_secret() -> None:
    secret = new_secret(API_KEY_PREFIX)
    assert fingerprint(secret) == sha256(secret.encode()).hexdigest()
    assert fingerprint(secret) != fingerprint(secret + " ")
    assert len(fingerprint("\ud800")) == 64
