"""Usage events reach the ledger, figures add up by the day, and each sees what is theirs."""

import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from alexandria.adapters.postgres import Database
from alexandria.errors import InvalidInputError
from alexandria.identity.permissions import Permission, Role
from alexandria.identity.principals import Origin, Principal
from alexandria.workflows.insights import emitting
from alexandria.workflows.insights.emitting import UsageEmitter, UsageEvent
from alexandria.workflows.insights.usage import (
    Days,
    days_between,
    events_by_day,
    forget_old_usage,
    list_top_users,
    questions_by_day,
    read_totals,
)
from alexandria.workflows.reading.answering import answer
from alexandria.workflows.workspace import Workspace

ANA, BEN, EVE = (str(uuid4()) for _ in range(3))
LONG = 3600.0
DAYS = Days(date(2026, 3, 1), date(2026, 3, 3))


def principal(user_id: str, tenant_id: str, *permissions: Permission) -> Principal:
    return Principal(
        tenant_id=tenant_id,
        user_id=user_id,
        email=f"{user_id}@example.org",
        role=Role.USER,
        names=("everyone",),
        access_ids=(),
        permissions=frozenset(permissions),
    )


def seen_by(workspace: Workspace, user_id: str, tenant_id: str, *may: Permission) -> Workspace:
    return workspace.acting_for(principal(user_id, tenant_id, *may), Origin())


def event(tenant_id: str = "acme", **more: object) -> UsageEvent:
    return replace(UsageEvent(tenant_id, "user_action"), **more)  # type: ignore[arg-type]


def rows(workspace: Workspace, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(workspace.database.address) as connection:
        return connection.execute(query).fetchall()  # type: ignore[call-overload]


def count(workspace: Workspace) -> object:
    return rows(workspace, "SELECT count(*) FROM insights.usage_events")[0][0]


@pytest.fixture
def writer(workspace: Workspace) -> Database:
    """The session that the API's emitter writes through."""
    workspace.database.pool.timeout = 0.5  # an outage need not be waited for
    return workspace.keeping_the_door().database


@pytest.fixture
def emitter(writer: Database) -> Iterator[UsageEmitter]:
    with UsageEmitter(lambda: writer, size=10, interval=LONG) as opened:
        yield opened


def wait_until_written(workspace: Workspace, number: int) -> None:
    """Wait for the emitter's thread, up to a minute."""
    for _ in range(1200):
        if count(workspace) == number:
            return
        time.sleep(0.05)
    pytest.fail("it was not written within a minute")


def test_nothing_is_written_before_enough_has_gathered(
    workspace: Workspace, emitter: UsageEmitter
) -> None:
    for number in range(9):
        emitter.emit(event(action=f"a{number}"))
    assert emitter.waiting_count == 9
    assert count(workspace) == 0
    emitter.emit(event(action="a9"))
    wait_until_written(workspace, 10)
    found = rows(workspace, "SELECT action FROM insights.usage_events ORDER BY usage_event_id")
    assert [action for (action,) in found] == [f"a{number}" for number in range(10)]


def test_a_lone_event_is_written_after_a_while(workspace: Workspace, writer: Database) -> None:
    with UsageEmitter(lambda: writer, size=1000, interval=0.05) as emitter:
        emitter.emit(event())
        wait_until_written(workspace, 1)


def test_closing_writes_the_rest_whole(workspace: Workspace, writer: Database) -> None:
    moment = datetime(2026, 3, 2, 23, 59, tzinfo=UTC)
    with UsageEmitter(lambda: writer, size=1000, interval=LONG) as emitter:
        emitter.emit(
            UsageEvent(
                "acme",
                "query_executed",
                user_id=ANA,
                action="stream",
                request_id="r-1",
                elapsed_ms=12.5,
                properties={"sources": 3, "is_answered": True},
                occurred_at=moment,
            )
        )
    columns = "tenant_id, user_id::text, kind, action, request_id, elapsed_ms, properties"
    [found] = rows(workspace, f"SELECT {columns}, occurred_at FROM insights.usage_events")
    given = {"sources": 3, "is_answered": True}
    assert found == ("acme", ANA, "query_executed", "stream", "r-1", 12.5, given, moment)


def test_events_of_many_tenants_are_written_together(
    workspace: Workspace, emitter: UsageEmitter
) -> None:
    for tenant in ("acme", "globex"):
        emitter.emit(event(tenant, user_id=str(uuid4())))
    assert emitter.flush()
    assert count(workspace) == 2


def test_an_outage_loses_nothing_and_keeps_the_order(
    workspace: Workspace, emitter: UsageEmitter, caplog: pytest.LogCaptureFixture
) -> None:
    with refused(workspace):
        for number in range(12):
            emitter.emit(event(action=f"{number:02}"))
        assert not emitter.flush()
        assert emitter.waiting_count == 12
        assert "wait to be written" in caplog.text
    emitter.emit(event(action="12"))
    assert any(emitter.flush() for _ in range(60)), "the pool comes back a little later"
    found = rows(workspace, "SELECT action FROM insights.usage_events ORDER BY usage_event_id")
    assert [action for (action,) in found] == [f"{number:02}" for number in range(13)]


def test_in_a_long_outage_the_oldest_are_given_up_and_counted(
    workspace: Workspace,
    emitter: UsageEmitter,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(emitting, "MOST_WAITING", 50)
    with refused(workspace):
        for number in range(120):
            emitter.emit(event(action=f"{number:03}"))
        assert not emitter.flush()
    assert any(emitter.flush() for _ in range(60)), "the pool comes back a little later"
    found = rows(workspace, "SELECT action FROM insights.usage_events ORDER BY usage_event_id")
    assert [action for (action,) in found] == [f"{number:03}" for number in range(70, 120)]
    given_up = [record.args for record in caplog.records if "given up" in record.getMessage()]
    assert sum(int(args[0]) for args in given_up if isinstance(args, tuple)) == 70  # type: ignore[call-overload]


class refused:  # noqa: N801 (reads as a block)
    """Postgres turns every connection to the test's database away."""

    def __init__(self, workspace: Workspace) -> None:
        self._address = workspace.database.address
        with psycopg.connect(self._address) as connection:
            self._name = connection.info.dbname

    def __enter__(self) -> None:
        self._allow("false")
        self._admin(
            sql.SQL(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}"
            ).format(sql.Literal(self._name))
        )

    def __exit__(self, *_: object) -> None:
        self._allow("true")

    def _allow(self, word: str) -> None:
        self._admin(
            sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(
                sql.Identifier(self._name),
                sql.SQL(word),  # type: ignore[arg-type]
            )
        )

    def _admin(self, statement: sql.Composed) -> None:
        with psycopg.connect(self._address, dbname="postgres", autocommit=True) as connection:
            connection.execute(statement)


def add_questions(workspace: Workspace) -> None:
    """Acme: four questions of two people on two days; Globex: one, on the first."""
    with psycopg.connect(workspace.database.address) as connection:
        for tenant, user, asked_at, is_answered, ms, tokens, cost in (
            ("acme", ANA, "2026-03-01 00:00+00", True, 10, 100, 0.5),
            ("acme", ANA, "2026-03-01 23:59:59.9+00", False, 30, 0, 0),
            ("acme", BEN, "2026-03-03 12:00+00", True, 50, 300, 0.25),
            ("acme", None, "2026-03-03 13:00+00", True, 70, 0, 0),
            ("acme", ANA, "2026-03-04 00:00+00", True, 999, 999, 99),
            ("acme", ANA, "2026-02-28 23:59:59.9+00", True, 999, 999, 99),
            ("globex", EVE, "2026-03-01 12:00+00", True, 1000, 1000, 10),
        ):
            connection.execute(
                "INSERT INTO insights.query_events (tenant_id, user_id, asked_at, question, "
                "answer_model, is_answered, citation_count, elapsed_ms, token_count, cost_usd) "
                "VALUES (%s, %s, %s, 'q', 'extractive', %s, 0, %s, %s, %s)",
                (tenant, user, asked_at, is_answered, ms, tokens, cost),
            )


def test_questions_are_counted_by_utc_day_with_empty_days_between(workspace: Workspace) -> None:
    add_questions(workspace)
    found = questions_by_day(seen_by(workspace, BEN, "acme", Permission.VIEW_ANALYTICS), DAYS)
    shown = [(row.day.day, row.questions, row.answered, row.unanswered) for row in found]
    assert shown == [(1, 2, 1, 1), (2, 0, 0, 0), (3, 2, 2, 0)]
    assert [row.p50_ms for row in found] == [20, None, 60]
    assert [row.p95_ms for row in found] == [pytest.approx(29), None, pytest.approx(69)]
    assert [(row.tokens, row.cost_usd) for row in found] == [(100, 0.5), (0, 0), (300, 0.25)]


def test_totals_and_top_users_are_of_the_tenant_and_the_time(workspace: Workspace) -> None:
    add_questions(workspace)
    admin = seen_by(workspace, BEN, "acme", *Permission)
    totals = read_totals(admin, DAYS)
    assert (totals.total_queries, totals.avg_latency_ms, totals.total_cost_usd) == (4, 40, 0.75)
    top = list_top_users(admin, DAYS)
    assert [(user.user_id, user.queries, user.avg_latency_ms) for user in top] == [
        (ANA, 2, 20),
        (BEN, 1, 50),
    ]


def test_without_the_permission_one_sees_what_is_ones_own(workspace: Workspace) -> None:
    add_questions(workspace)
    of_ben = seen_by(workspace, BEN, "acme", Permission.QUERY)
    assert sum(row.questions for row in questions_by_day(of_ben, DAYS)) == 1
    assert read_totals(of_ben, DAYS).total_cost_usd == 0.25
    assert [user.user_id for user in list_top_users(of_ben, DAYS)] == [BEN]


def test_events_are_seen_by_their_own_and_by_analysts_of_the_tenant(
    workspace: Workspace, emitter: UsageEmitter
) -> None:
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    for tenant, user in (("acme", ANA), ("acme", ANA), ("acme", BEN), ("globex", EVE)):
        emitter.emit(event(tenant, user_id=user, occurred_at=noon))
    assert emitter.flush()

    def figures(user: str, tenant: str, *may: Permission) -> list[tuple[str, int, int]]:
        found = events_by_day(seen_by(workspace, user, tenant, *may), DAYS)
        return [(row.kind, row.events, row.users) for row in found]

    assert figures(BEN, "acme", Permission.VIEW_ANALYTICS) == [("user_action", 3, 2)]
    assert figures(BEN, "acme", Permission.ADMIN) == [("user_action", 3, 2)]
    assert figures(BEN, "acme", Permission.QUERY) == [("user_action", 1, 1)]
    assert figures(EVE, "globex", *Permission) == [("user_action", 1, 1)]
    assert figures(EVE, "acme", Permission.QUERY) == []


@pytest.mark.parametrize(
    "forged",
    [event("globex", user_id=ANA), event("acme", user_id=BEN), event("acme", user_id=None)],
    ids=["tenant", "user", "nobody"],
)
def test_a_session_of_somebody_cannot_record_for_others(
    workspace: Workspace, forged: UsageEvent
) -> None:
    own = seen_by(workspace, ANA, "acme", *Permission)
    emitting.write_events(own.database, [event("acme", user_id=ANA)])
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        emitting.write_events(own.database, [forged])
    assert count(workspace) == 1


def test_the_doorkeeper_writes_events_and_reads_none(workspace: Workspace) -> None:
    door = workspace.keeping_the_door()
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        events_by_day(door, DAYS)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        forget_old_usage(door)


def test_a_question_is_kept_as_its_askers(library: Workspace) -> None:
    tenant = library.settings.tenant_id
    [access] = rows(library, "SELECT DISTINCT access_id::text FROM knowledge.documents")[:1]
    asker = replace(principal(ANA, tenant, Permission.QUERY), access_ids=(str(access[0]),))
    asking = library.acting_for(asker, Origin())
    answer(asking, "How many steps has the tower?", asking.everything)
    answer(library, "How many steps has the tower?", library.everything)
    found = rows(
        library, "SELECT user_id::text, tenant_id FROM insights.query_events ORDER BY asked_at"
    )
    assert found == [(ANA, tenant), (None, tenant)]
    cited = "SELECT count(*) FROM insights.query_event_chunks"
    [(all_citations,)] = rows(library, cited)
    other = library.acting_for(principal(BEN, tenant, Permission.QUERY), Origin())
    assert all_citations
    assert sum(row.questions for row in questions_by_day(other, _today())) == 0
    assert sum(row.questions for row in questions_by_day(asking, _today())) == 1


def test_the_pipeline_records_what_it_indexed(library: Workspace) -> None:
    tenant = library.settings.tenant_id
    [(published,)] = rows(
        library,
        "SELECT count(*) FROM knowledge.publications AS publication "
        "JOIN knowledge.index_generations USING (generation_id) "
        "WHERE state = 'live' AND withdrawn_at IS NULL",
    )
    [(pictures,)] = rows(library, "SELECT count(*) FROM knowledge.image_embeddings")
    found = rows(
        library,
        "SELECT kind, action, tenant_id, count(*) FROM insights.usage_events "
        "GROUP BY kind, action, tenant_id ORDER BY kind",
    )
    assert published
    assert found[0] == ("document_indexed", "folder", tenant, published)
    assert found[1:] == [("image_processed", "folder", tenant, pictures)] * bool(pictures)


def _today() -> Days:
    today = datetime.now(UTC).date()
    return Days(today - timedelta(days=1), today)


def test_what_is_past_the_retention_is_deleted_with_what_it_cites(
    workspace: Workspace, emitter: UsageEmitter
) -> None:
    now = datetime(2026, 5, 30, 12, tzinfo=UTC)
    kept_from = now - timedelta(days=workspace.settings.analytics_retention_days)
    add_questions(workspace)
    with psycopg.connect(workspace.database.address) as connection:
        connection.execute(
            "INSERT INTO insights.query_event_chunks SELECT query_event_id, 1, gen_random_uuid(), "
            "gen_random_uuid(), 'quote' FROM insights.query_events"
        )
    for moment in (kept_from - timedelta(seconds=1), kept_from):
        emitter.emit(event(occurred_at=moment))
    assert emitter.flush()
    forgotten = forget_old_usage(workspace, now)
    assert (forgotten.usage_events, forgotten.questions) == (1, 2)
    assert count(workspace) == 1
    left = "SELECT (SELECT min(asked_at) FROM insights.query_events) >= %L, count(*) FROM {}"
    for table in ("insights.query_events", "insights.query_event_chunks"):
        query = left.replace("%L", f"'{kept_from.isoformat()}'").format(table)
        assert rows(workspace, query) == [(True, 5)]
    again = forget_old_usage(workspace, now)
    assert (again.usage_events, again.questions) == (0, 0)


def test_a_time_is_the_last_thirty_days_unless_it_is_named() -> None:
    today = date(2026, 3, 31)
    assert days_between(None, None, today) == Days(date(2026, 3, 2), today)
    assert days_between(date(2026, 3, 30), None, today) == Days(date(2026, 3, 30), today)
    assert days_between(None, date(2025, 1, 30), today) == Days(date(2025, 1, 1), date(2025, 1, 30))
    assert days_between(date(2025, 3, 30), today, today).first == date(2025, 3, 30)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2026, 3, 2), date(2026, 3, 1)),
        (date(2025, 3, 29), date(2026, 3, 31)),
        (date.min, None),
        (None, date.min),
        (None, date.max),
        (date.max, None),
    ],
)
def test_a_time_that_makes_no_sense_is_refused(first: date | None, last: date | None) -> None:
    with pytest.raises(InvalidInputError):
        days_between(first, last, date(2026, 3, 31))


def test_a_failing_flush_says_no_secrets(
    workspace: Workspace, emitter: UsageEmitter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    emitter.emit(event(properties={"note": "private words"}))
    with refused(workspace):
        assert not emitter.flush()
    assert "private words" not in caplog.text
