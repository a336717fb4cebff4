"""Families of routes: each route guarded by what it declares, each family found at once."""

from collections.abc import Iterator, Sequence, Set
from typing import Any

from fastapi import APIRouter
from fastapi.params import Depends
from fastapi.routing import APIRoute
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Match
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
        if self.param_convertors and _path_of(scope) in self.fixed_paths:
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
    """The routes that share a prefix. Of two that fit a path, the one without parameters has it."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("route_class", GuardedRoute)
        super().__init__(**options)
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


class Families(BaseRoute):
    """All families of an app as one of its routes: a path is compared with its own family's alone.

    The framework compares a path with every route in turn, and twice with those of a router that
    was included, which costs more than the rest of a small request where there are sixty.
    """

    def __init__(self) -> None:
        self._members: list[Family] = []

    def add(self, *families: Family) -> None:
        """Send to each of some families what begins with its prefix."""
        self._members += families

    @property
    def routes(self) -> list[APIRoute]:
        """The routes of all of them."""
        return [
            route
            for family in self._members
            for route in family.routes
            if isinstance(route, APIRoute)
        ]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a path begins as those of a family; then nobody else answers it."""
        path = _path_of(scope)
        for family in self._members:
            if path.startswith(family.prefix):
                return Match.FULL, {"family": family}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the family answer, if only that it has no such route."""
        family: Family = scope["family"]
        await family(scope, receive, send)


def routes_of(app: Starlette) -> Iterator[BaseRoute]:
    """The routes of an app, those of its families one by one."""
    for route in app.routes:
        if isinstance(route, Families):
            yield from route.routes
        else:
            yield route


def declared_access(route: Any) -> str | None:
    """What a route declares, by `Access.name`; None where it declares nothing."""
    access: Access | None = getattr(route, "access", None)
    return None if access is None else access.name


def _path_of(scope: Scope) -> str:
    """The path as routes have it: without what the app is mounted or served under."""
    return scope["path"].removeprefix(scope.get("root_path", ""))
