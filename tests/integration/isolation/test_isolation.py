"""Nobody is told what is not theirs: over every route, in both indexes, behind either line."""

import asyncio
from collections.abc import Sequence

import pytest
from attacks import Attack, Lines, Report, attacking, injections, plain, take_away, tries
from made_requests import Operation
from planted_library import Thing, World

ANONYMOUS = "anonymous"
SEARCHING = ("search", "ask")
LISTING = {"search_documents"}
ASKING = {"search_documents", "ask", "ask_stream"}
ANSWERED = {"ask", "ask_stream", "search_documents", "search_images", "upload_document", "read_me"}
NOT_TOLD_AGAIN = {"user agent", "full name"}
"""Administrators know other people's devices by no route; names are changed by the attacks."""


def attack(world: World, patch: pytest.MonkeyPatch, lines: Lines) -> Report:
    """Ask every route for everything as everybody."""

    async def run() -> Report:
        async with attacking(world) as attack:
            operations = await attack.operations()
            asked = [one for one in operations if not one.proves_who_asks]
            await _ask_by_id(attack, operations, ANONYMOUS, "both")
            for asker in world.people:
                await _ask_by_id(attack, asked, asker, lines)
            for asker in [ANONYMOUS, *world.people]:
                await _ask_by_name(attack, asked, asker)
            return attack.report

    take_away(patch, lines)
    return asyncio.run(run())


async def _ask_by_id(
    attack: Attack, operations: Sequence[Operation], asker: str, lines: Lines
) -> None:
    world = attack.world
    await attack.renew(asker)
    for victim in _victims(world, asker, lines):
        for ending in (False, True):
            made = plain(one for one in operations if one.ends_session is ending)
            await attack.send(asker, made, victim=world.people.get(victim))
        await attack.renew(asker)
    things = [one for one in world.things if asker not in one.known_to and not one.has_secret]
    chosen = _one_of_each(things) if asker == ANONYMOUS or lines == "filters" else things
    for operation in operations:
        by_owner: dict[str, list[object]] = {}
        for made, thing in tries(operation, chosen):
            by_owner.setdefault(thing.owner, []).append(made)
        for owner, made in by_owner.items():
            await attack.send(asker, made, victim=world.people[owner])  # type: ignore[arg-type]
        if asker == "theirs-viewer":
            document = next(one for one in things if one.kind == "document")
            await attack.send(
                asker, injections(operation, document), victim=world.people[document.owner]
            )
        await attack.renew(asker)


async def _ask_by_name(attack: Attack, operations: Sequence[Operation], asker: str) -> None:
    things = [one for one in attack.world.things if asker not in one.known_to and one.has_secret]
    for operation in operations:
        if operation.operation_id.startswith(SEARCHING):
            await attack.send(asker, [made for made, _ in tries(operation, _one_of_each(things))])


def _victims(world: World, asker: str, lines: Lines) -> list[str]:
    """Whose parameters plain requests are given; where nothing is forged, whoever asks has own."""
    if lines in ("both", "filters"):
        return [asker]
    beside = [name for name in world.people if name != asker]
    return [name for name in beside if name.endswith(("-user", "-admin"))]


def _one_of_each(things: Sequence[Thing]) -> list[Thing]:
    """A thing of each kind and tenant."""
    return list({(one.kind, one.tenant_id): one for one in things}.values())


@pytest.mark.parametrize("lines", ["both", "rows", "filters"])
def test_no_answer_holds_what_the_asker_may_not_know(
    world: World, monkeypatch: pytest.MonkeyPatch, lines: Lines
) -> None:
    report = attack(world, monkeypatch, lines)
    print(f"{lines}: {report.requests} requests, {len(report.leaks)} leaks")  # noqa: T201
    assert report.leaks == []
    assert report.answered >= ANSWERED
    refused = [one for one in report.failures if lines != "rows" or ": GET " in one]
    assert refused == [], "only a write in somebody else's name may fail, and only if forged"


def test_everybody_sees_their_own(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search for secrets would find them: their owners are told every one."""

    async def run() -> Report:
        async with attacking(world) as attack:
            operations = [one for one in await attack.operations() if one.method == "GET"]
            posts = [one for one in await attack.operations() if one.operation_id in ASKING]
            for asker in world.people:
                await attack.renew(asker)
                own = [one for one in world.things if asker in one.known_to and not one.has_secret]
                await attack.send(asker, plain([*operations, *posts]))
                for operation in operations:
                    await attack.send(asker, [made for made, _ in tries(operation, own)])
            return attack.report

    report = asyncio.run(run())
    assert report.leaks == []
    for asker in world.people:
        known = [one for one in world.secrets if asker in one.known_to]
        unseen = {one.what for one in known if one.word not in report.told[asker]}
        assert unseen <= NOT_TOLD_AGAIN


def test_without_either_line_the_same_requests_leak(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that none is found above because there are two lines, not because nobody looked."""

    async def run() -> Report:
        async with attacking(world) as attack:
            operations = [one for one in await attack.operations() if one.method == "GET"]
            posts = [one for one in await attack.operations() if one.operation_id in LISTING]
            victim = world.people["theirs-user"]
            things = [one for one in world.things if one.owner == victim.name]
            await attack.renew("ours-admin")
            await attack.send("ours-admin", plain([*operations, *posts]), victim=victim)
            for operation in operations:
                made = [made for made, _ in tries(operation, things)]
                await attack.send("ours-admin", made, victim=victim)
            return attack.report

    take_away(monkeypatch, "none")
    report = asyncio.run(run())
    assert {one.what.split(" ")[0] for one in report.leaks} >= {"text", "title", "file", "picture"}
