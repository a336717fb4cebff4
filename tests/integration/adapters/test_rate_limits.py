"""Limits that hold across processes, each of which has connections of its own."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from uuid import uuid4

import anyio
import psycopg
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from alexandria.adapters.postgres import Database
from alexandria.adapters.rate_limits import BATCHES, REMOVAL_SECONDS, Decision, RateLimiter
from alexandria.errors import StoreUnavailableError
from alexandria.workflows.identity.acting import doorkeeping

HOUR = 3600
PROCESSES = 4
NOWHERE = "postgresql://nobody:nothing@127.0.0.1:9/nothing?connect_timeout=1"


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def gone() -> Database:
    raise StoreUnavailableError


@pytest.fixture
def databases(database_address: str) -> Iterator[list[Database]]:
    """One for each process, with the rights of whoever finds out who somebody is."""
    with ExitStack() as opened:
        connected = [opened.enter_context(Database(database_address)) for _ in range(PROCESSES)]
        yield [database.session(doorkeeping("default")) for database in connected]


@pytest.fixture
def database(databases: list[Database]) -> Database:
    return databases[0]


def hit_times(
    limiter: RateLimiter, times: int, limit: int, *, key: str = "a", is_strict: bool = False
) -> list[Decision]:
    """Hit one after the other."""

    async def ask() -> list[Decision]:
        return [
            await limiter.hit("test", key, limit, HOUR, is_strict=is_strict) for _ in range(times)
        ]

    return anyio.run(ask)


def hit_at_once(limiters: Sequence[RateLimiter], hits: Sequence[int], limit: int) -> list[int]:
    """Hit from every limiter at once, all hits of each at once; returns what got through."""
    allowed = [0] * len(limiters)
    key = uuid4().hex

    async def ask(number: int) -> None:
        decision = await limiters[number].hit("test", key, limit, HOUR)
        allowed[number] += decision.is_allowed

    async def ask_all() -> None:
        async with anyio.create_task_group() as group:
            for number, times in enumerate(hits):
                for _ in range(times):
                    group.start_soon(ask, number)

    anyio.run(ask_all)
    return allowed


def rows(database: Database) -> list[str]:
    with psycopg.connect(database.address) as connection:
        found = connection.execute("SELECT key FROM identity.rate_limits").fetchall()
    return [str(row[0]) for row in found]


def end_windows(database: Database) -> None:
    with psycopg.connect(database.address) as connection:
        connection.execute("UPDATE identity.rate_limits SET expires_at = now() - interval '1 s'")


@example_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limit=st.integers(1, 300),
    hits=st.lists(st.integers(0, 150), min_size=1, max_size=PROCESSES),
)
def test_all_processes_together_hold_the_limit(
    databases: list[Database], limit: int, hits: list[int]
) -> None:
    limiters = [RateLimiter(partial(databases.__getitem__, n)) for n in range(len(hits))]
    allowed = sum(hit_at_once(limiters, hits, limit))
    batch = max(1, limit // BATCHES)
    assert allowed <= limit
    assert allowed >= min(sum(hits), limit - len(hits) * (batch - 1))


def test_most_hits_cost_no_statement(database: Database) -> None:
    asked = Counter[str]()

    def counted() -> Database:
        asked["database"] += 1
        return database

    decisions = hit_times(RateLimiter(counted), 1100, 1000)
    assert [item.is_allowed for item in decisions] == [True] * 1000 + [False] * 100
    assert [item.remaining for item in decisions] == [*range(999, -1, -1), *[0] * 100]
    assert asked["database"] == BATCHES


def test_a_limit_below_forty_leaves_nothing_unused(databases: list[Database]) -> None:
    limiters = [RateLimiter(partial(databases.__getitem__, n)) for n in range(PROCESSES)]
    assert sum(hit_at_once(limiters, [39] * PROCESSES, 39)) == 39


def test_the_last_batch_is_what_is_left(database: Database) -> None:
    assert sum(item.is_allowed for item in hit_times(RateLimiter(lambda: database), 60, 47)) == 47


def test_a_process_that_comes_late_knows_when_the_window_ends(databases: list[Database]) -> None:
    clock = Clock()
    hit_times(RateLimiter(lambda: databases[0]), 50, 50)
    with psycopg.connect(databases[0].address) as connection:
        connection.execute("UPDATE identity.rate_limits SET expires_at = now() + interval '20 s'")
    late = RateLimiter(lambda: databases[1], clock=clock)
    assert hit_times(late, 1, 50)[0].retry_after <= 20
    end_windows(databases[0])
    clock.seconds += 20
    assert hit_times(late, 1, 50)[0].is_allowed


def test_a_limit_of_one_lets_one_through(database: Database) -> None:
    decisions = hit_times(RateLimiter(lambda: database), 3, 1)
    assert [item.is_allowed for item in decisions] == [True, False, False]


def test_a_window_that_ended_begins_anew(database: Database) -> None:
    clock = Clock()
    limiter = RateLimiter(lambda: database, clock=clock)
    assert hit_times(limiter, 6, 5)[-1] == Decision(False, 0, HOUR)
    clock.seconds += HOUR - 10
    (late,) = hit_times(limiter, 1, 5)
    assert not late.is_allowed
    assert 1 <= late.retry_after <= 10
    clock.seconds += 10
    end_windows(database)
    assert [item.is_allowed for item in hit_times(limiter, 6, 5)] == [True] * 5 + [False]


def test_hits_of_an_ended_window_are_not_carried_over(databases: list[Database]) -> None:
    """What a process has left of a batch ends with the window it was taken from."""
    clock = Clock()
    first, second = (RateLimiter(partial(databases.__getitem__, n), clock=clock) for n in range(2))
    hit_times(first, 1, 100)
    clock.seconds += HOUR
    end_windows(databases[0])
    allowed = [*hit_times(second, 101, 100), *hit_times(first, 101, 100)]
    assert sum(item.is_allowed for item in allowed) == 100


def test_keys_and_kinds_have_windows_of_their_own(database: Database) -> None:
    limiter = RateLimiter(lambda: database)

    async def ask() -> list[bool]:
        names = [("user", "a"), ("user", "b"), ("address", "a"), ("user", "a")]
        return [(await limiter.hit(kind, key, 1, HOUR)).is_allowed for kind, key in names]

    assert anyio.run(ask) == [True, True, True, False]


def test_a_lower_limit_holds_at_once_for_a_window_that_began(databases: list[Database]) -> None:
    hit_times(RateLimiter(lambda: databases[0]), 30, 30)
    assert not hit_times(RateLimiter(lambda: databases[1]), 1, 10)[0].is_allowed
    assert hit_times(RateLimiter(lambda: databases[2]), 20, 50)[0].is_allowed


def test_a_limit_larger_than_any_column_is_no_error(database: Database) -> None:
    assert hit_times(RateLimiter(lambda: database), 1, 10**15)[0].is_allowed
    assert hit_times(RateLimiter(lambda: database), 1, 10**15)[0].is_allowed


def test_what_is_limited_is_not_stored(database: Database) -> None:
    hit_times(RateLimiter(lambda: database), 1, 5, key="reader@library.example" * 1000)
    (stored,) = rows(database)
    assert "reader" not in stored
    assert len(stored) < 100


def test_rows_of_ended_windows_are_removed(database: Database) -> None:
    clock = Clock()
    limiter = RateLimiter(lambda: database, clock=clock)
    for key in ("a", "b", "c"):
        hit_times(limiter, 1, 5, key=key)
    end_windows(database)
    hit_times(limiter, 1, 5, key="d")
    assert len(rows(database)) == 4
    clock.seconds += REMOVAL_SECONDS
    hit_times(limiter, 1, 5, key="e")
    assert len(rows(database)) == 2


def test_memory_is_bounded_and_what_is_forgotten_is_still_counted(database: Database) -> None:
    limiter = RateLimiter(lambda: database, keys=2)

    async def ask() -> int:
        keys = ["a", "b", "c"] * 100
        decisions = [await limiter.hit("test", key, 100, HOUR) for key in keys]
        return sum(item.is_allowed for item in decisions)

    assert anyio.run(ask) == 3 * BATCHES  # each hit finds its lease gone and takes a batch
    assert sum(item.is_allowed for item in hit_times(limiter, 100, 100)) == 0


def test_without_a_database_a_limit_holds_for_each_process(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    limiter = RateLimiter(gone)
    for key in ("a", "b"):
        decisions = hit_times(limiter, 7, 5, key=key)
        assert [item.is_allowed for item in decisions] == [True] * 5 + [False] * 2
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_database_that_hangs_is_not_waited_for() -> None:
    """Its pool would wait for a connection three times as long as the limiter does at most."""
    with Database(NOWHERE) as database:
        limiter = RateLimiter(lambda: database, patience_seconds=0.05)
        assert hit_times(limiter, 6, 5)[-1] == Decision(False, 0, HOUR)


def test_a_strict_limit_fails_without_a_database() -> None:
    with pytest.raises(StoreUnavailableError):
        hit_times(RateLimiter(gone), 1, 5, is_strict=True)


def test_who_waits_in_line_for_a_strict_limit_shares_its_failure() -> None:
    asked = Counter[str]()

    def hang() -> Database:
        asked["database"] += 1
        assert is_queue_long.wait(60)
        raise StoreUnavailableError

    is_queue_long, limiter = threading.Event(), RateLimiter(hang)

    async def ask() -> None:
        with pytest.raises(StoreUnavailableError):
            await limiter.hit("test", "a", 5, HOUR, is_strict=True)

    async def ask_at_once() -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(ask)
            await anyio.wait_all_tasks_blocked()
            is_queue_long.set()

    anyio.run(ask_at_once)
    assert asked["database"] == 1
    anyio.run(ask)
    assert asked["database"] == 2


def test_a_database_that_is_back_counts_again(
    databases: list[Database], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    clock = Clock()
    current: list[Callable[[], Database]] = [gone]
    limiter = RateLimiter(lambda: current[0](), clock=clock, retry_seconds=5)
    hit_times(limiter, 1, 5)
    current[0] = lambda: databases[0]
    hit_times(limiter, 1, 5, key="asked while it rests")
    assert rows(databases[0]) == []
    clock.seconds += 5
    hit_times(limiter, 5, 5, key="b")
    other = RateLimiter(lambda: databases[1])
    assert not hit_times(other, 1, 5, key="b")[0].is_allowed
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_a_strict_limit_counts_each_hit(database: Database) -> None:
    asked = Counter[str]()

    def counted() -> Database:
        asked["database"] += 1
        return database

    hit_times(RateLimiter(counted), 30, 100, is_strict=True)
    assert asked["database"] == 30


def test_a_strict_limit_does_not_rest(database: Database) -> None:
    current: list[Callable[[], Database]] = [gone]
    limiter = RateLimiter(lambda: current[0]())
    hit_times(limiter, 1, 5)
    current[0] = lambda: database
    assert hit_times(limiter, 1, 5, key="b", is_strict=True)[0].is_allowed


def test_a_spent_window_is_refused_from_memory(database: Database) -> None:
    """Asking on costs Postgres nothing, and is refused without it, too."""
    current: list[Callable[[], Database]] = [lambda: database]
    limiter = RateLimiter(lambda: current[0]())
    hit_times(limiter, 3, 2, is_strict=True)
    current[0] = gone
    assert not hit_times(limiter, 1, 2, is_strict=True)[0].is_allowed
