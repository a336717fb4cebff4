"""Whether an ID token is to be believed: its signature and every claim it must make.

The checks are those of OpenID Connect Core 1.0, section 3.1.3.7, without its exceptions: the
signature counts although the token came over TLS, and no token is believed unsigned.
"""

from collections.abc import Callable, Mapping
from hmac import compare_digest
from unicodedata import category

from authlib.oidc.core.util import create_half_hash
from joserfc import jwt
from joserfc.errors import InvalidClaimError, InvalidKeyIdError, JoseError, MissingClaimError
from joserfc.jwk import GuestProtocol, Key
from joserfc.jws import JWSRegistry

from alexandria.adapters.openid.requests import refused

ALGORITHMS = (
    *("RS256", "RS384", "RS512"),
    *("PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512"),
    *("EdDSA", "Ed25519"),
)
"""Signatures that only the provider can make. HMAC is not among them: its key, the client
secret, is ours too; nor is `none`."""
LEEWAY_SECONDS = 60
"""How far the provider's clock may be from ours."""

_LONGEST_SUBJECT = 255

KeyFinder = Callable[[Mapping[str, object]], Key | None]
"""The key for the header of a token."""


class IdTokenVerifier:
    """Reads the ID tokens that one provider writes for one client.

    Args:
        issuer: Whose tokens.
        client_id: For whom.
        host: The provider, as messages name it.
        find_key: Its keys.
    """

    def __init__(self, issuer: str, client_id: str, host: str, find_key: KeyFinder) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._host = host
        self._find_key = find_key

    def claims(self, token: str, *, nonce: str, access_token: str) -> Mapping[str, object]:
        """What the token says, once it is certain who says it, to whom, and in answer to what.

        Args:
            token: As the token endpoint answered.
            nonce: That the sign-in began with.
            access_token: That came with it.

        Raises:
            SignInFailedError: It must not be believed.
            StoreUnavailableError: The provider's keys are needed and it does not answer.
        """
        registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
        try:
            read = jwt.decode(token, self._key, registry=registry)
            self._check(read.claims, nonce)
            _check_access_token(read.claims, access_token, str(read.header["alg"]))
        except JoseError as error:
            raise refused(self._host, f"ID token, {_reason(error)}") from None
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise refused(self._host, f"ID token, {type(error).__name__}") from None
        return read.claims

    def _key(self, token: GuestProtocol) -> Key:
        key = self._find_key(token.headers())
        if key is None:
            raise InvalidKeyIdError
        return key

    def _check(self, claims: Mapping[str, object], nonce: str) -> None:
        jwt.JWTClaimsRegistry(
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._issuer},
            sub={"essential": True},
            aud={"essential": True, "value": self._client_id},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True},
        ).validate(dict(claims))
        if not _is_same(claims["nonce"], nonce):
            raise InvalidClaimError("nonce")
        subject = str(claims["sub"])
        if len(subject) > _LONGEST_SUBJECT or not is_text(subject):
            raise InvalidClaimError("sub")
        audience, party = claims["aud"], claims.get("azp")
        if isinstance(audience, list) and len(audience) > 1 and party is None:
            raise MissingClaimError("azp")
        if party is not None and party != self._client_id:
            raise InvalidClaimError("azp")


def is_text(value: str) -> bool:
    """Whether a value out of a token has something in it, and nothing that no store takes."""
    return bool(value.strip()) and not any(category(sign) in {"Cc", "Cs"} for sign in value)


def _check_access_token(claims: Mapping[str, object], access_token: str, algorithm: str) -> None:
    if "at_hash" not in claims:
        return
    name = "EdDSA" if algorithm.startswith("Ed") else algorithm
    expected = create_half_hash(access_token, name)
    if not expected or not _is_same(claims["at_hash"], expected.decode()):
        raise InvalidClaimError("at_hash")


def _is_same(value: object, expected: str) -> bool:
    return isinstance(value, str) and compare_digest(value.encode(), expected.encode())


def _reason(error: JoseError) -> str:
    """The kind of error and the claim; never a value out of the token."""
    claim = getattr(error, "claim", None)
    return f"{error.error} {claim}" if isinstance(claim, str) else error.error
