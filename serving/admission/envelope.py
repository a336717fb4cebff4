"""What every request passes through, as one layer of plain ASGI: its id, its size, its headers."""

import re
import time
from collections.abc import Awaitable, Mapping, Sequence
from secrets import token_hex

from anyio import fail_after
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alexandria.settings import Settings
from serving.admission.limits import quota_headers
from serving.telemetry.logs import bind_request

RawHeaders = list[tuple[bytes, bytes]]

NOTHING_LOADS = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"
"""For answers that are no pages."""

UNCACHED = ("/api/", "/auth/")
"""Paths whose answers are nobody else's; those that are elsewhere may be kept."""

_EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "content-security-policy": NOTHING_LOADS,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}
_IN_PRODUCTION = {"strict-transport-security": "max-age=31536000; includeSubDomains"}
BODY_SECONDS = 30.0
"""How long a small body may take to arrive."""

SLOWEST_BYTES = 256 * 1024
"""Bytes a second at which a larger one must arrive."""

SEND_SECONDS = 60.0
"""How long a client may leave a piece of a stream unread."""

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_LENGTH_DIGITS = 15
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")


class HeaderRules:
    """Which headers an answer gets by its path."""

    def __init__(self, settings: Settings) -> None:
        chosen = dict(_EVERYWHERE)
        if settings.environment == "production":
            chosen |= _IN_PRODUCTION
        self._plain = _encode(chosen)
        self._uncached = _encode(chosen | {"cache-control": "no-store"})
        self._names = frozenset(name for name, _ in self._uncached)

    def missing(self, path: str, headers: Sequence[tuple[bytes, bytes]]) -> RawHeaders:
        """The headers that an answer at `path` lacks."""
        rules = self._uncached if path.startswith(UNCACHED) else self._plain
        present = self._names.intersection([name for name, _ in headers])
        return [rule for rule in rules if rule[0] not in present] if present else rules


def enclose(
    app: Starlette, settings: Settings, default_bytes: int, limits: Mapping[str, int]
) -> None:
    """Put the outermost layers around an app: the envelope and, if it has origins, CORS.

    Called last, when all of the app is there. What is added to an app lies inside its answer
    to unexpected errors; these layers lie around it. Pages of other origins say who they are
    by the `Authorization` header; their cookies are never let through.

    Args:
        app: All that is inside.
        settings: Origins, and whether this is production.
        default_bytes: The largest body.
        limits: The largest body of a path, in bytes, where it is another.
    """
    inside = app.build_middleware_stack()
    if settings.cors_origins:
        inside = CORSMiddleware(
            inside,
            allow_origins=settings.cors_origins,
            allow_credentials=False,
            allow_methods=_METHODS,
            allow_headers=("Authorization", "Content-Type", "X-Request-ID"),
            expose_headers=("RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-ID"),
        )
    app.middleware_stack = EnvelopeMiddleware(inside, HeaderRules(settings), default_bytes, limits)


class EnvelopeMiddleware:
    """Name each request, refuse a body that is too large, complete the answer's headers.

    A well-formed `X-Request-ID` is kept, and every answer names it. Bodies are counted while
    they arrive; what is too large gets the error body of all errors, from inside the app.
    """

    def __init__(
        self, app: ASGIApp, rules: HeaderRules, default_bytes: int, limits: Mapping[str, int]
    ) -> None:
        self._app = app
        self._rules = rules
        self._default = default_bytes
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Put the id into the request's state and the response's headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        brought, length = _read_headers(scope)
        request_id = brought if _REQUEST_ID.fullmatch(brought) else token_hex(16).encode()
        state = scope.setdefault("state", {})
        state["request_id"] = request_id.decode()
        bind_request(request_id=state["request_id"])

        def send_sealed(message: Message) -> Awaitable[None]:
            if message.get("more_body"):
                return _send_in_time(send, message)
            if message["type"] == "http.response.start":
                headers = [
                    item for item in message.get("headers", ()) if item[0] != b"x-request-id"
                ]
                headers += self._rules.missing(path, headers)
                headers.append((b"x-request-id", request_id))
                if "quota" in state:
                    headers += quota_headers(state["quota"])
                message["headers"] = headers
            return send(message)

        limit = self._limits.get(path, self._default)
        if length != 0:
            receive = _limited(receive, limit, length or 0)
        await self._app(scope, receive, send_sealed)


async def _send_in_time(send: Send, message: Message) -> None:
    """Send a piece of a stream to a client that reads it; one that does not is let go.

    Raises:
        ClientDisconnect: It read nothing for too long.
    """
    try:
        with fail_after(SEND_SECONDS):
            await send(message)
    except TimeoutError:
        raise ClientDisconnect from None


def _read_headers(scope: Scope) -> tuple[bytes, int | None]:
    """The request's id, and the length of its body where the client's word binds it.

    A body in pieces may have any length, whatever else its request says.
    """
    request_id = announced = b""
    is_in_pieces = False
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            request_id = value
        elif name == b"content-length":
            announced = value
        elif name == b"transfer-encoding":
            is_in_pieces = True
    is_bound = not is_in_pieces and announced.isdigit() and len(announced) <= _LENGTH_DIGITS
    return request_id, int(announced) if is_bound else None


def _limited(receive: Receive, limit: int, announced: int) -> Receive:
    """Receive no more than `limit` bytes, in time, and nothing of what is announced as larger."""
    seen = announced if announced > limit else 0
    ends_at = time.monotonic() + BODY_SECONDS + limit / SLOWEST_BYTES
    is_whole = False

    async def receive_limited() -> Message:
        nonlocal seen, is_whole
        if seen > limit:
            raise HTTPException(413)
        if is_whole:  # what comes now is that the client has left
            return await receive()
        try:
            with fail_after(ends_at - time.monotonic()):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408) from None
        seen += len(message.get("body", b""))
        is_whole = not message.get("more_body", False)
        if seen > limit:
            raise HTTPException(413)
        return message

    return receive_limited


def _encode(headers: dict[str, str]) -> RawHeaders:
    return [(name.encode(), value.encode()) for name, value in headers.items()]
