"""Figures of how the library is used, by the day: questions, time, money, events, people.

Days are those of UTC, and a time is given by its first and its last day. A session sees its
tenant's rows; one that may not view analytics sees its own among them.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from alexandria.errors import InvalidInputError
from alexandria.workflows.workspace import Workspace

DEFAULT_DAYS = 30
MOST_DAYS = 366
TOP_USERS = 10


@dataclass(frozen=True, slots=True)
class Days:
    """A time from the first moment of one day to the last of another."""

    first: date
    last: date

    @property
    def since(self) -> datetime:
        """Its first moment."""
        return datetime.combine(self.first, time.min, UTC)

    @property
    def until(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.last, time.min, UTC) + timedelta(days=1)


@dataclass(frozen=True, slots=True)
class QuestionDay:
    """The questions of a day; times in milliseconds, None on a day without one."""

    day: date
    questions: int
    answered: int
    unanswered: int
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    tokens: int
    cost_usd: float


@dataclass(frozen=True, slots=True)
class EventDay:
    """The events of one kind on a day, and how many people they are of."""

    day: date
    kind: str
    events: int
    users: int


@dataclass(frozen=True, slots=True)
class Totals:
    """A tenant's accounts now, and its questions in a time."""

    total_users: int
    total_queries: int
    avg_latency_ms: float | None
    total_cost_usd: float


@dataclass(frozen=True, slots=True)
class UserUsage:
    """What one person asked; `email` is None once the account is gone."""

    user_id: str
    email: str | None
    queries: int
    avg_latency_ms: float
    cost_usd: float
    last_asked_at: datetime


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was too old to keep."""

    usage_events: int
    questions: int


def days_between(first: date | None, last: date | None, today: date) -> Days:
    """A time as somebody names it; by default the last 30 days, today included.

    Raises:
        InvalidInputError: It ends before it begins, or is longer than 366 days.
    """
    end = last or max(today, first or today)
    if first is None and end.toordinal() <= DEFAULT_DAYS:
        raise InvalidInputError("`to` is before any day there is a figure for.")
    begin = first or end - timedelta(days=DEFAULT_DAYS - 1)
    if begin > end:
        raise InvalidInputError("`from` must not be after `to`.")
    if (end - begin).days > MOST_DAYS or end == date.max:
        raise InvalidInputError(f"`from` and `to` may be {MOST_DAYS} days apart at most.")
    return Days(begin, end)


def questions_by_day(workspace: Workspace, days: Days) -> list[QuestionDay]:
    """One row for each day, also for those without a question."""
    return workspace.database.fetch(
        QuestionDay,
        "usage_of_questions",
        tenant_id=workspace.tenant_id,
        first=days.first,
        last=days.last,
    )


def events_by_day(workspace: Workspace, days: Days) -> list[EventDay]:
    """One row for each day and kind of which there was an event."""
    return workspace.database.fetch(
        EventDay,
        "usage_by_kind",
        tenant_id=workspace.tenant_id,
        since=days.since,
        until=days.until,
    )


def read_totals(workspace: Workspace, days: Days) -> Totals:
    """The figures of a time as a whole."""
    [totals] = workspace.database.fetch(
        Totals,
        "usage_totals",
        tenant_id=workspace.tenant_id,
        since=days.since,
        until=days.until,
    )
    return totals


def list_top_users(workspace: Workspace, days: Days, limit: int = TOP_USERS) -> list[UserUsage]:
    """Who asked most, first."""
    return workspace.database.fetch(
        UserUsage,
        "usage_by_user",
        tenant_id=workspace.tenant_id,
        since=days.since,
        until=days.until,
        limit=limit,
    )


def forget_old_usage(workspace: Workspace, now: datetime | None = None) -> Forgotten:
    """Delete events and questions, with what their answers cited, that are past the retention.

    Of every tenant: an operator's work.
    """
    kept = timedelta(days=workspace.settings.analytics_retention_days)
    before = (now or datetime.now(UTC)) - kept
    database = workspace.database
    with database.transaction():
        return Forgotten(
            usage_events=database.execute("forget_usage_events", before=before),
            questions=database.execute("forget_query_events", before=before),
        )
