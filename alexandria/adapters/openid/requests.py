"""Requests to an OpenID provider: bounded in time and size, never redirected, never in a log.

Only the provider's host and the kind of failure are logged or shown. Addresses of the
authorization endpoint, codes and tokens are not.
"""

import json
import logging
import ssl
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import cache
from ipaddress import ip_address
from typing import cast
from urllib.parse import urlsplit

import httpx

from alexandria.errors import AlexandriaError, SignInFailedError, StoreUnavailableError

TIMEOUT_SECONDS = 10.0
"""Longest wait for a connection, for the next bytes, and for the body as a whole."""
MAX_BYTES = 2**20
"""Longest answer that is read; those of the large providers have less than 30 kB."""

OK = 200
TOO_MANY_REQUESTS = 429

_log = logging.getLogger(__name__)


def open_http() -> httpx.Client:
    """A client for one exchange; close it afterwards."""
    return httpx.Client(
        verify=_tls(),
        timeout=TIMEOUT_SECONDS,
        follow_redirects=False,
        # Compressed bodies could unpack to more than was counted.
        headers={"Accept": "application/json", "Accept-Encoding": "identity"},
        event_hooks={"response": [_bound]},
    )


def read_json(
    http: httpx.Client,
    address: str,
    *,
    refusal: Callable[[], AlexandriaError],
    bearer: str | None = None,
) -> dict[str, object]:
    """The JSON object at an address.

    Args:
        http: From `open_http`.
        address: Checked by `is_safe`.
        refusal: Makes the error when the provider says no (any status but 200, 429 and 5xx).
        bearer: Access token to show.

    Raises:
        StoreUnavailableError: No answer, a failing provider, or one that is not an object.
    """
    host = host_of(address)
    with translating(host):
        response = http.get(
            address, headers={"Authorization": f"Bearer {bearer}"} if bearer else None
        )
        if is_failing(response):
            raise unavailable(host, f"status {response.status_code}")
        if response.status_code != OK:
            raise refusal()
        try:
            document: object = json.loads(response.content)
        except (ValueError, RecursionError):
            document = None
    if not isinstance(document, dict):
        raise unavailable(host, "not a JSON object")
    return cast("dict[str, object]", document)


@contextmanager
def translating(host: str) -> Generator[None]:
    """Turn what goes wrong on the way into `StoreUnavailableError`."""
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError) as error:
        # Without the cause: the request that it carries holds the secret and the code.
        raise unavailable(host, type(error).__name__) from None


def is_failing(response: httpx.Response) -> bool:
    """Whether the provider cannot answer now but may later."""
    return response.status_code == TOO_MANY_REQUESTS or response.is_server_error


def unavailable(host: str, reason: str) -> StoreUnavailableError:
    """The error to raise when a provider does not answer; logs the reason."""
    _log.warning("The OpenID provider %s did not answer: %s", host, reason)
    return StoreUnavailableError(
        f"The sign-in service {host} did not answer as it should; try again in a moment."
    )


def refused(host: str, reason: str) -> SignInFailedError:
    """The error to raise when a sign-in must not go on; logs the reason, shows none."""
    _log.warning("A sign-in with the OpenID provider %s was refused: %s", host, reason)
    return SignInFailedError(f"Signing in with {host} did not work; please start again.")


def host_of(address: str) -> str:
    """Host of an address, with the port where it says one."""
    return urlsplit(address).netloc.rpartition("@")[2]


def is_loopback(address: str) -> bool:
    """Whether the host of an address is this machine, as its name alone says."""
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def is_safe(address: str, *, may_be_plain: bool) -> bool:
    """Whether an address is https, without user and fragment.

    Args:
        address: What was configured or published.
        may_be_plain: Whether http is fine too, as long as the host is this machine.
    """
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return False
    is_plain = parts.scheme == "http" and may_be_plain and is_loopback(address)
    has_extras = bool(parts.fragment) or "@" in parts.netloc
    return (parts.scheme == "https" or is_plain) and bool(parts.hostname) and not has_extras


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _bound(response: httpx.Response) -> None:
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise httpx.RemoteProtocolError("compressed", request=response.request)
    stream = response.stream
    assert isinstance(stream, httpx.SyncByteStream)
    response.stream = _BoundedStream(stream)


class _BoundedStream(httpx.SyncByteStream):
    """A body that ends with an error where it grows or lasts too long."""

    def __init__(self, stream: httpx.SyncByteStream) -> None:
        self._stream = stream
        self._deadline = time.monotonic() + TIMEOUT_SECONDS

    def __iter__(self) -> Iterator[bytes]:
        left = MAX_BYTES
        for piece in self._stream:
            left -= len(piece)
            if left < 0:
                raise httpx.RemoteProtocolError("too large")
            if time.monotonic() > self._deadline:
                raise httpx.ReadTimeout("too slow")
            yield piece

    def close(self) -> None:
        self._stream.close()
