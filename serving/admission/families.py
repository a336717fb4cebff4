"""Families of routes: each route guarded by what it declares, each family found at once."""

from collections.abc import Sequence, Set
from typing import Any, cast

from fastapi import APIRouter
from fastapi.params import Depends
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from serving.admission.identity import Access


class GuardedRoute(APIRoute):
    """A route that looks at who asks before it reads anything else of the request.

    `access` is what it declares, or None where it declares nothing: then it lets nobody in.
    """

    def __init__(
        self,
        path: str,
        endpoint: Any,
        *,
        dependencies: Sequence[Depends] | None = None,
        **options: Any,
    ) -> None:
        declared = [one.dependency for one in dependencies or ()]
        found = [one for one in declared if isinstance(one, Access)]
        rest = [one for one in dependencies or () if not isinstance(one.dependency, Access)]
        self.access: Access | None = found[0] if len(found) == 1 else None
        self.fixed_paths: Set[str] = frozenset()
        super().__init__(path, endpoint, dependencies=rest, **options)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether the route fits; an id is never read out of the path of another route."""
        if self.param_convertors and scope["path"] in self.fixed_paths:
            return Match.NONE, {}
        return super().matches(scope)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that fits, if whoever asks may."""
        if scope["method"] in self.methods:
            if self.access is None:
                raise AssertionError(f"{self.path} declares no access; see admission/identity.py")
            await self.access.check(scope)
        await super().handle(scope, receive, send)


class Family(APIRouter):
    """The routes below one part of all paths; a path without it is passed over at once.

    The framework compares a path with every route in turn, which costs more than the rest of
    a small request where there are sixty.
    """

    def __init__(self, *, under: str = "", **options: Any) -> None:
        """Make a family.

        Args:
            under: What every path of it holds; the prefix of the family unless told.
            options: As for any router.
        """
        options.setdefault("route_class", GuardedRoute)
        super().__init__(**options)
        self._under = under or self.prefix
        self._fixed_paths: set[str] = set()

    def add_api_route(self, path: str, endpoint: Any, **options: Any) -> None:
        """Add a route; one without a parameter keeps its path for itself, for every method."""
        super().add_api_route(path, endpoint, **options)
        route = self.routes[-1]
        assert isinstance(route, APIRoute)
        if not route.param_convertors:
            self._fixed_paths.add(route.path)
        if isinstance(route, GuardedRoute):
            route.fixed_paths = self._fixed_paths

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a route of the family fits; it may be included under a longer prefix."""
        if self._under not in cast(str, scope["path"]):
            return Match.NONE, {}
        return super().matches(scope)


def declared_access(route: Any) -> str | None:
    """What a route declares, by `Access.name`; None where it declares nothing."""
    guarded = getattr(route, "original_route", route)
    access: Access | None = getattr(guarded, "access", None)
    return None if access is None else access.name
