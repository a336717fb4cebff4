"""From a request to a principal: the one place that decides who asks and what they may do.

A route declares what it asks for: `requires(permission)`, `signed_in()` or `public()`; a test
fails for one that declares nothing. A principal is believed for a few seconds before the
database is asked again, so revoking a token takes that long at most in other processes.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Annotated, Any

from anyio.to_thread import run_sync
from fastapi import Depends, Request
from starlette.datastructures import Headers
from starlette.types import Scope

from alexandria.errors import ForbiddenError, UnauthenticatedError
from alexandria.identity.permissions import Permission
from alexandria.identity.principals import Origin, Principal
from alexandria.workflows.identity.identifying import identify
from alexandria.workflows.identity.signing import SigningKeys
from alexandria.workflows.workspace import Workspace
from serving.library import Library
from serving.telemetry.logs import bind_request

if TYPE_CHECKING:
    from serving.admission.limits import RequestLimits

BELIEVED_SECONDS = 5.0
"""How long a principal is believed without asking."""

MOST_PRINCIPALS = 10_000
_AGENT_CHARACTERS = 300
_PUBLIC = "public"
_READING = frozenset({"GET", "HEAD"})
_OVER_ACCOUNTS = frozenset({Permission.MANAGE_USERS, Permission.ADMIN})


@dataclass(frozen=True, slots=True)
class _Believed:
    principal: Principal
    until: float


class Doorkeeper:
    """Knows who sent a token; one for each app."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._keys: SigningKeys | None = None
        self._believed: OrderedDict[bytes, _Believed] = OrderedDict()

    @property
    def keys(self) -> SigningKeys:
        """What access tokens are signed with.

        Raises:
            StoreUnavailableError: The library is not open yet.
        """
        if self._keys is None:
            self._keys = SigningKeys(self._library.workspace.keeping_the_door())
        return self._keys

    @property
    def public_url(self) -> str:
        """Address that people reach the API at."""
        return self._library.settings.public_url

    def workspace(self, origin: Origin, principal: Principal | None = None) -> Workspace:
        """The library with nothing to be seen in it but accounts, for one's own or for none."""
        return self._library.workspace.keeping_the_door(origin, principal)

    def believed(self, secret: str) -> Principal | None:
        """Who sent a bearer token, where that need not be asked."""
        believed = self._believed.get(_digest(secret))
        fresh = believed is not None and believed.until > time.monotonic()
        return believed.principal if believed is not None and fresh else None

    async def identify(self, secret: str, *, anew: bool = False) -> Principal:
        """Who sent a bearer token.

        Args:
            secret: The token.
            anew: Ask, whatever is believed: for what would outlast a belief that is wrong.

        Raises:
            UnauthenticatedError: Nobody may use it.
            StoreUnavailableError: The database could not be asked.
        """
        known = None if anew else self.believed(secret)
        if known is not None:
            return known
        self._believed.pop(_digest(secret), None)
        principal = await run_sync(self._ask, secret)
        self.believe(secret, principal)
        return principal

    def believe(self, secret: str, principal: Principal) -> None:
        """Take a token for somebody's without asking, for a few seconds."""
        self._believed[_digest(secret)] = _Believed(principal, time.monotonic() + BELIEVED_SECONDS)
        while len(self._believed) > MOST_PRINCIPALS:
            self._believed.popitem(last=False)

    def forget(self, user_id: str) -> None:
        """Ask again about somebody at once: they signed out, or were changed."""
        known = list(self._believed.items())
        for key, believed in known:
            if believed.principal.user_id == user_id:
                self._believed.pop(key, None)

    def _ask(self, secret: str) -> Principal:
        return identify(self._library.workspace.keeping_the_door(), self.keys, secret)


async def get_doorkeeper(request: Request) -> Doorkeeper:
    """The doorkeeper of the app."""
    return request.app.state.doorkeeper


async def identify_sender(scope: Scope, *, anew: bool = False) -> Principal:
    """Who sent a request; they have not asked too much. Found out once for each request.

    Args:
        scope: Of the request.
        anew: Ask the database, whatever is believed.

    Raises:
        UnauthenticatedError: The request brings no token, or one that nobody may use.
        RateLimitedError: They asked too often.
    """
    known: Principal | None = scope["state"].get("principal")
    if known is not None:
        return known
    state = scope["app"].state
    limits: RequestLimits = state.limits
    principal: Principal | None = None if anew else scope["state"].get("believed")
    if principal is None:
        secret = bearer_of(scope)
        if not secret:
            raise UnauthenticatedError
        doorkeeper: Doorkeeper = state.doorkeeper
        principal = await doorkeeper.identify(secret, anew=anew)
    scope["state"]["principal"] = principal
    bind_request(user_id=principal.user_id, tenant_id=principal.tenant_id)
    await limits.check_user(scope, principal.user_id)
    return principal


async def get_principal(request: Request) -> Principal:
    """Who asks, for a route that wants to know."""
    return await identify_sender(request.scope)


CurrentPrincipal = Annotated[Principal, Depends(get_principal)]
DoorkeeperOfApp = Annotated[Doorkeeper, Depends(get_doorkeeper)]


@dataclass(frozen=True, slots=True)
class Access:
    """Whom a route is for.

    Attributes:
        name: A permission, "signed in", "in person" or "public".
        permission: What they must hold; None where being known is enough.
        is_in_person: Whether they must have signed in themselves: API keys are for documents and
            questions, not for accounts.
    """

    name: str
    permission: Permission | None = None
    is_in_person: bool = False

    async def check(self, scope: Scope) -> None:
        """Turn a request away that the route is not for.

        Raises:
            UnauthenticatedError: It brings no token, or one that nobody may use.
            ForbiddenError: Its sender does not hold the permission.
            RateLimitedError: Its sender asked too often.
        """
        if self.name == _PUBLIC:
            return
        changes_accounts = self.is_in_person or self.permission in _OVER_ACCOUNTS
        anew = changes_accounts and scope["method"] not in _READING
        principal = await identify_sender(scope, anew=anew)
        if self.is_in_person and not principal.session_id:
            raise ForbiddenError("An API key cannot do that; sign in yourself.")
        if self.permission is not None and not principal.may(self.permission):
            raise ForbiddenError(
                f"That needs the permission {self.permission}; you do not hold it."
            )

    def __call__(self) -> None:
        """Nothing: a declaration stands among dependencies, and the route itself checks it."""


def requires(permission: Permission) -> Any:
    """A route's declaration that it is for those who hold a permission."""
    return Depends(Access(permission.value, permission))


def signed_in(*, in_person: bool = False) -> Any:
    """A route's declaration that it is for everybody who signed in, or also for their API keys."""
    return Depends(Access("in person" if in_person else "signed in", is_in_person=in_person))


def public() -> Any:
    """A route's declaration that it is for everybody."""
    return Depends(Access(_PUBLIC))


def origin_of(scope: Scope) -> Origin:
    """Where a request came from."""
    client = scope.get("client")
    agent = Headers(scope=scope).get("user-agent", "")
    return Origin(
        ip_address=client[0] if client else "",
        user_agent=agent[:_AGENT_CHARACTERS],
        request_id=str(scope["state"].get("request_id", "")),
    )


async def get_origin(request: Request) -> Origin:
    """Where the request came from, for a route that wants to know."""
    return origin_of(request.scope)


RequestOrigin = Annotated[Origin, Depends(get_origin)]


def bearer_of(scope: Scope) -> str:
    """The token that a request brings in `Authorization`; empty without one."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, secret = value.decode("latin-1").partition(" ")
            return secret.strip() if scheme.lower() == "bearer" else ""
    return ""


def _digest(secret: str) -> bytes:
    """What a token is known by here: the token itself is not kept."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()
