"""Everybody asks for what is not theirs, over every route; what they are told is searched.

The lines of defence can be taken away one at a time: with `rows` every query is given the
victim's parameters, so that row-level security alone decides; with `filters` the API signs in
as the owner of the tables, whom policies do not hold; with `none` both are gone.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Literal

import httpx
import pytest
from made_requests import NOBODYS_ID, Made, Operation, operations_of
from planted_library import QUESTION, Person, Thing, World

from alexandria.adapters.postgres import Acting, Database
from alexandria.identity.principals import Origin, Principal
from alexandria.workflows.identity.acting import reading
from alexandria.workflows.identity.sessions import open_session
from alexandria.workflows.workspace import Workspace
from serving.app import create_app

Lines = Literal["both", "rows", "filters", "none"]
AT_ONCE = 6
WRITTEN_DOWN = {"add_audit_event", "add_query_event", "add_usage_event"}
"""What happened is written down for whoever asks, also while they pretend to be another."""

_IN_BODIES = {"document", "path", "title", "source_name"}

VICTIM: ContextVar[Principal | None] = ContextVar("victim", default=None)


@dataclass(frozen=True, slots=True)
class Leak:
    """What somebody was told that they must not know."""

    asker: str
    request: str
    what: str


@dataclass
class Report:
    """What became of the requests of one attack."""

    requests: int = 0
    leaks: list[Leak] = field(default_factory=list[Leak])
    failures: list[str] = field(default_factory=list[str])
    answered: set[str] = field(default_factory=set[str])
    told: dict[str, set[str]] = field(default_factory=dict[str, set[str]])


class ForgedSession(Database):
    """A session that gives every query the victim's parameters, whatever was asked for."""

    forged: Mapping[str, object]
    honest: Mapping[str, object]

    def _cursor(self, query: str, parameters: Mapping[str, object], factory: Any) -> Any:
        given = {**parameters, **(self.honest if query in WRITTEN_DOWN else self.forged)}
        return super()._cursor(query, given, factory)

    def execute_many(self, query: str, rows: Sequence[Mapping[str, object]]) -> int:
        return super().execute_many(query, [{**row, **self.forged} for row in rows])


def take_away(patch: pytest.MonkeyPatch, lines: Lines) -> None:
    """Leave only these lines of defence to apps that are made from now on."""
    if lines in ("filters", "none"):
        patch.setattr("alexandria.adapters.schema.serving_address", lambda owner: owner)

    def acting_for(self: Workspace, principal: Principal, origin: Origin) -> Workspace:
        victim = VICTIM.get() or principal
        acting = reading(principal)
        facts = {} if lines in ("filters", "none") else acting.facts
        if lines in ("both", "filters"):
            session = self.database.session(Acting(facts, acting.parameters))
        else:
            session = ForgedSession(
                self.database.address,
                acting=Acting(facts, acting.parameters),
                pool=self.database.pool,
            )
            session.forged, session.honest = reading(victim).parameters, acting.parameters
        return replace(self, database=session, principal=principal, origin=origin)

    if lines != "both":
        patch.setattr(Workspace, "acting_for", acting_for)


class Attack:
    """One app, and everybody who asks it."""

    def __init__(self, world: World, client: httpx.AsyncClient, door: Workspace, keys: Any) -> None:
        self.world = world
        self.report = Report()
        self.client = client
        self._door, self._keys = door, keys
        self._tokens = {name: person.token for name, person in world.people.items()}
        self._words = re.compile("|".join(one.word for one in world.secrets))
        self._known = {one.word: one for one in world.secrets}
        self._told: set[str] = set()

    async def operations(self) -> list[Operation]:
        """Every operation of the app's own document."""
        return operations_of((await self.client.get("/openapi.json")).json())

    async def send(
        self,
        asker: str,
        made: Iterable[Made],
        *,
        victim: Person | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send requests as somebody, some at a time; their answers are searched."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(request: Made) -> None:
            async with gate:
                await self._ask(asker, request, victim, headers or {})

        await asyncio.gather(*(one(request) for request in made))

    async def renew(self, asker: str) -> None:
        """Sign in again if something that was sent ended the session."""
        if asker in self._tokens:
            me = await self.client.get("/auth/me", headers=self._headers(asker))
            if me.status_code == 401:
                user_id = self.world.people[asker].principal.user_id
                tokens = open_session(self._door, self._keys, user_id, "test")
                self._tokens[asker] = tokens.access_token

    async def _ask(
        self, asker: str, made: Made, victim: Person | None, headers: Mapping[str, str]
    ) -> None:
        VICTIM.set(victim.principal if victim else None)
        sent = made.arguments()
        sent["headers"] |= {**self._headers(asker), **headers}
        response = await self.client.request(**sent)
        self.report.requests += 1
        spoken = f"{sent['url']} {sent.get('params')} {sent.get('json')} {sent.get('data')}"
        self._told.update(self._words.findall(spoken.lower()))
        name = f"{made.method} {made.path} {made.tried}"
        if response.status_code >= 500:
            self.report.failures.append(f"{asker}: {name}: {response.status_code}")
        if response.is_success:
            self.report.answered.add(made.operation_id)
        self._search(asker, name, response)

    def _search(self, asker: str, name: str, response: httpx.Response) -> None:
        shown = response.content.decode("latin-1") + str(response.headers)
        told = set(self._words.findall(shown.lower()))
        self.report.told.setdefault(asker, set()).update(told)
        for word in told - self._told:
            if asker not in self._known[word].known_to:
                secret = self._known[word]
                self.report.leaks.append(Leak(asker, name, f"{secret.what} {word}"))
        digest = sha256(response.content).hexdigest()
        if asker not in self.world.pictures.get(digest, {asker}):
            self.report.leaks.append(Leak(asker, name, "a picture"))

    def _headers(self, asker: str) -> dict[str, str]:
        token = self._tokens.get(asker)
        return {"Authorization": f"Bearer {token}"} if token else {}


@asynccontextmanager
async def attacking(world: World) -> AsyncGenerator[Attack]:
    """An app over the planted library, warm, and the attack on it."""
    app = create_app(workspace=world.workspace)
    async with app.router.lifespan_context(app):
        library = app.state.library
        assert await asyncio.to_thread(library.wait_until_warm, 120)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            door = library.workspace.keeping_the_door()
            yield Attack(world, client, door, app.state.doorkeeper.keys)


def tries(operation: Operation, things: Sequence[Thing]) -> Iterator[tuple[Made, Thing]]:
    """A thing at each place of an operation that takes it.

    A place named like a kind of thing gets all of that kind. Any other in an address gets one of
    each kind, and one inside a body a document.
    """
    for slot in operation.slots():
        seen: set[str] = set()
        for thing in things:
            is_meant = slot.name in (thing.kind, f"{thing.kind}_id", f"{thing.kind}s")
            is_first = thing.kind not in seen and (slot.place != "body" or thing.kind in _IN_BODIES)
            if (is_meant or is_first) and slot.takes(thing.value):
                seen.add(thing.kind)
                made = operation.filled(slot, thing.value)
                address = made.parts.get("path", {})
                if thing.of_document and "document_id" in address and slot.name != "document_id":
                    address["document_id"] = thing.of_document
                yield _asking(made), thing


def plain(operations: Iterable[Operation]) -> list[Made]:
    """Normal use of every operation."""
    return [_asking(one.base()) for one in operations]


def injections(operation: Operation, thing: Thing) -> Iterator[Made]:
    """A thing of somebody else's in forms that are meant to slip through."""
    value = thing.value
    forms = (
        f"{value}' OR '1'='1",
        f"{value}'; SET ROLE alexandria_doorkeeper; --",
        "' UNION SELECT body FROM knowledge.chunks --",
        "%",
        "*",
        '{"$ne": null}',
        value.upper(),
        f"{{{value}}}",
        f"urn:uuid:{value}",
        "".join(chr(ord(one) + 0xFEE0) if one.isdigit() else one for one in value),
        f"{NOBODYS_ID}/../{value}",
        f"../{value}",
        f"..%2f{value}",
        f"{value}\u0000",
        f"\u200b{value}",
    )
    for slot in operation.slots():
        for form in forms:
            if slot.takes(form):
                yield _asking(operation.filled(slot, form))


def _asking(made: Made) -> Made:
    """A question that every planted document answers, where a question is asked."""
    if isinstance(made.body, dict):
        for name in ("question", "query"):
            if name in made.body and f"body {name} " not in made.tried:
                made.body[name] = QUESTION
        if made.operation_id == "search_documents" and "body query " not in made.tried:
            made.body["limit"] = 100
    return made
