"""How much one client may ask: requests in a window, attempts to sign in, requests at once.

Whoever signed in is limited as a user; everyone else by their address. The address is the
one the server names: behind a proxy, uvicorn must be told which proxies to believe.
"""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from alexandria.adapters.rate_limits import Decision, RateLimiter
from alexandria.errors import AlexandriaError, OverloadedError, RateLimitedError
from alexandria.settings import Settings
from serving.admission.hosts import Hosts
from serving.admission.identity import Doorkeeper, bearer_of

SIGN_IN_SECONDS = 60
PARTS_OF_ONE = 4
"""One client may have a fourth of what a process works on at a time."""

_WORTH_PARTING = 20

UNLIMITED = ("/health/", "/metrics")
"""Begin the paths that must answer whatever else is asked."""

_IPV6_NETWORK_BYTES = 8
_Answer = Callable[[Request, Exception], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Quota:
    """What a limit said to a request, for the headers of its answer."""

    kind: str
    limit: int
    window_seconds: int
    decision: Decision


class RequestLimits:
    """The limits of the settings, held by a limiter."""

    def __init__(self, limiter: RateLimiter, settings: Settings) -> None:
        self._limiter = limiter
        self._requests = settings.rate_limit_requests
        self._window = settings.rate_limit_window
        self._sign_ins = settings.sign_in_limit
        self.most_at_once = settings.max_concurrent_requests

    async def check_user(self, scope: Scope, user_id: str) -> None:
        """Count a request of a user.

        Raises:
            RateLimitedError: There were too many in this window.
        """
        await self._check(scope, "user", user_id, self._requests, self._window)

    async def check_address(self, scope: Scope) -> None:
        """Count a request of nobody we know, also one whose credentials turned out wrong.

        Raises:
            RateLimitedError: There were too many from its address in this window.
        """
        await self._check(scope, "address", address_of(scope), self._requests, self._window)

    def forgive_address(self, scope: Scope) -> None:
        """Take back a hit: the request turned out to be a user's."""
        self._limiter.give_back("address", address_of(scope))

    async def check_sign_in(self, scope: Scope) -> None:
        """Count an attempt to sign in or register.

        Raises:
            RateLimitedError: There were too many from its address in this minute.
            StoreUnavailableError: The database cannot count it, so nobody signs in.
        """
        address = address_of(scope)
        await self._check(
            scope, "sign_in", address, self._sign_ins, SIGN_IN_SECONDS, is_strict=True
        )

    async def _check(
        self,
        scope: Scope,
        kind: str,
        key: str,
        limit: int,
        seconds: int,
        *,
        is_strict: bool = False,
    ) -> None:
        decision = await self._limiter.hit(kind, key, limit, seconds, is_strict=is_strict)
        scope.setdefault("state", {})["quota"] = Quota(kind, limit, seconds, decision)
        if not decision.is_allowed:
            raise RateLimitedError(retry_after=decision.retry_after)


class LimitMiddleware:
    """Refuse what is too much, or meant for another host, before the app begins with it.

    A request counts against the address it comes from, unless it turns out to be a user's. What
    one process works on at a time is bounded, and a part of that is the most for one client.
    Health and metrics are not counted, so they answer under any load.
    """

    def __init__(self, app: ASGIApp, limits: RequestLimits, doorkeeper: Doorkeeper) -> None:
        self._app = app
        self._limits = limits
        self._doorkeeper = doorkeeper
        self._hosts = Hosts(doorkeeper.public_url)
        self._active = 0
        self._by_client: Counter[str] = Counter()
        most = limits.most_at_once
        self._most_of_one = most // PARTS_OF_ONE if most >= _WORTH_PARTING else most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a refusal as the app answers its errors."""
        if scope["type"] != "http" or scope["path"].startswith(UNLIMITED):
            await self._app(scope, receive, send)
            return
        if not self._hosts.is_ours(scope):
            await _refuse(HTTPException(400), scope, receive, send)
            return
        secret = bearer_of(scope)
        known = self._doorkeeper.believed(secret) if secret else None
        client = known.user_id if known else address_of(scope)
        held = self._by_client.get(client, 0)
        if self._active >= self._limits.most_at_once or held >= self._most_of_one:
            await _refuse(OverloadedError(), scope, receive, send)
            return
        self._active += 1
        self._by_client[client] = held + 1
        try:
            if known is None:
                await self._admit(scope, receive, send)
            else:
                scope["state"]["believed"] = known
                await self._app(scope, receive, send)
        finally:
            self._active -= 1
            self._by_client[client] -= 1
            if not self._by_client[client]:
                del self._by_client[client]

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count it for its address, unless it turns out to be a user's."""
        try:
            await self._limits.check_address(scope)
        except RateLimitedError as error:
            await _refuse(error, scope, receive, send)
            return
        await self._app(scope, receive, send)
        if "principal" in scope["state"]:
            self._limits.forgive_address(scope)


def address_of(scope: Scope) -> str:
    """Whom a request without a user is counted for: an IPv4 address or an IPv6 network of 64 bits.

    Clients over a socket of the file system have no address and count as one.
    """
    client = scope.get("client")
    return _network(client[0]) if client else ""


def quota_headers(quota: Quota) -> list[tuple[bytes, bytes]]:
    """`RateLimit` and `RateLimit-Policy`, as the draft of the IETF's HTTPAPI group has them."""
    left, seconds = quota.decision.remaining, quota.decision.retry_after
    return [
        (b"ratelimit", f'"{quota.kind}";r={left};t={seconds}'.encode()),
        (b"ratelimit-policy", _policy(quota.kind, quota.limit, quota.window_seconds)),
    ]


@lru_cache(maxsize=16)
def _policy(kind: str, limit: int, window_seconds: int) -> bytes:
    return f'"{kind}";q={limit};w={window_seconds}'.encode()


@lru_cache(maxsize=4096)
def _network(address: str) -> str:
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return parsed.packed[:_IPV6_NETWORK_BYTES].hex(":", 2)


async def _refuse(
    error: AlexandriaError | HTTPException, scope: Scope, receive: Receive, send: Send
) -> None:
    """Let the app's own handler of errors answer: there is one error body."""
    app = scope["app"]
    assert isinstance(app, Starlette)
    kind = HTTPException if isinstance(error, HTTPException) else AlexandriaError
    answer = cast(_Answer, app.exception_handlers[kind])
    response = await answer(Request(scope), error)
    await response(scope, receive, send)
