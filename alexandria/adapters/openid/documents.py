"""What an OpenID provider publishes: its endpoints and the keys it signs with, kept for a while.

Both come over TLS from the configured issuer. Keys are fetched again when a token names one
that is not among them, which is how a provider changes its keys.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from threading import Lock
from typing import Generic, TypeVar, cast

from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key
from pydantic import BaseModel, ConfigDict, ValidationError

from alexandria.adapters.openid.requests import host_of, is_loopback, is_safe, open_http, read_json
from alexandria.errors import AlexandriaError, ConfigurationError, TransientError

KEEP_SECONDS = 3600.0
"""How long a document is believed without asking again."""
REFETCH_SECONDS = 30.0
"""How old the keys must be before an unknown one makes us ask again."""
PAUSE_SECONDS = 5.0
"""How long a provider that did not answer is left alone, so that callers do not queue for it."""

_KEY_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
"""Kind of key by the first letters of the algorithm."""
_MODULUS_CHARACTERS = 342
"""The modulus of an RSA key of 2048 bits in base64; shorter ones are not believed."""

T = TypeVar("T")


class Metadata(BaseModel):
    """The discovery document, as far as it is used; names are those of the specification."""

    model_config = ConfigDict(frozen=True, strict=True)

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    token_endpoint_auth_methods_supported: list[str] = ["client_secret_basic"]
    authorization_response_iss_parameter_supported: bool = False

    def endpoints(self) -> Iterator[str]:
        """Every address that a person or this process is going to be sent to."""
        yield from (self.authorization_endpoint, self.token_endpoint, self.jwks_uri)
        if self.userinfo_endpoint is not None:
            yield self.userinfo_endpoint


class ProviderDocuments:
    """The documents of one issuer. Threads may share it.

    Args:
        issuer: As configured; the provider must call itself exactly that.
        clock: Seconds that only ever grow.
    """

    def __init__(self, issuer: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.issuer = issuer
        self.host = host_of(issuer)
        self._metadata = _Kept(self._fetch_metadata, clock)
        self._keys = _Kept(self._fetch_keys, clock)

    def metadata(self) -> Metadata:
        """The endpoints.

        Raises:
            ConfigurationError: This is not the issuer's document, or one that cannot be used.
            StoreUnavailableError: The provider does not answer.
        """
        return self._metadata.get(KEEP_SECONDS)

    def find_key(self, header: Mapping[str, object]) -> Key | None:
        """The key that a token says it is signed with; None when the provider has no such key.

        Args:
            header: Of the token. A key for another `alg` does not count; without a `kid` the
                key must be the only one for the algorithm.

        Raises:
            ConfigurationError: The provider publishes no keys.
            StoreUnavailableError: The provider does not answer.
        """
        kid, algorithm = header.get("kid"), header.get("alg")
        if not isinstance(algorithm, str) or not isinstance(kid, str | None):
            return None
        found = _choose(self._keys.get(KEEP_SECONDS), algorithm, kid)
        return found or _choose(self._keys.get(REFETCH_SECONDS), algorithm, kid)

    def _fetch_metadata(self) -> Metadata:
        address = self.issuer.rstrip("/") + "/.well-known/openid-configuration"
        with open_http() as http:
            document = read_json(http, address, refusal=self._unusable)
        try:
            metadata = Metadata.model_validate(document)
        except ValidationError:
            raise self._unusable() from None
        if metadata.issuer != self.issuer:
            raise ConfigurationError(
                f"The provider calls itself {metadata.issuer[:200]!r}, and not {self.issuer!r} "
                "as ALEXANDRIA_OPENID_PROVIDERS does; they have to be the same."
            )
        may_be_plain = is_loopback(self.issuer)
        if not all(is_safe(item, may_be_plain=may_be_plain) for item in metadata.endpoints()):
            raise self._unusable()
        return metadata

    def _fetch_keys(self) -> list[Key]:
        with open_http() as http:
            document = read_json(http, self.metadata().jwks_uri, refusal=self._unusable)
        entries = document.get("keys")
        if not isinstance(entries, list):
            raise self._unusable()
        imported = (_import_key(entry) for entry in cast("list[object]", entries))
        return [key for key in imported if key is not None]

    def _unusable(self) -> ConfigurationError:
        return ConfigurationError(
            f"{self.host} publishes no OpenID configuration or no keys that can be used for the "
            "issuer in ALEXANDRIA_OPENID_PROVIDERS."
        )


class _Kept(Generic[T]):
    """One document, fetched when it is too old; callers at the same time share one fetch."""

    def __init__(self, fetch: Callable[[], T], clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = Lock()
        self._value: tuple[T, float] | None = None
        self._failure: tuple[AlexandriaError, float] | None = None

    def get(self, max_age: float) -> T:
        """The document, at most so many seconds old."""
        with self._lock:
            if self._value and self._clock() - self._value[1] < max_age:
                return self._value[0]
            if self._failure and self._clock() - self._failure[1] < PAUSE_SECONDS:
                raise type(self._failure[0])(self._failure[0].message)
            try:
                value = self._fetch()
            except TransientError as error:
                self._failure = error, self._clock()
                raise
            self._value, self._failure = (value, self._clock()), None
            return value


def _import_key(entry: object) -> Key | None:
    if not isinstance(entry, dict):
        return None
    data = cast("dict[str, str | list[str]]", entry)
    if data.get("use", "sig") != "sig" or data.get("kty") not in _KEY_TYPES.values():
        return None
    if data["kty"] == "RSA" and len(data.get("n", "")) < _MODULUS_CHARACTERS:
        return None
    try:
        return JWKRegistry.import_key(data)
    except (JoseError, ValueError, TypeError, KeyError):
        return None  # one key that makes no sense must not hide the others


def _choose(keys: list[Key], algorithm: str, kid: str | None) -> Key | None:
    fitting = [
        key
        for key in keys
        if key.key_type == _KEY_TYPES.get(algorithm[:2]) and (key.alg or algorithm) == algorithm
    ]
    if kid is None:
        return fitting[0] if len(fitting) == 1 else None
    return next((key for key in fitting if key.kid == kid), None)
