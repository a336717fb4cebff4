"""Figures of how the library is used, as the API shows them. Days are those of UTC."""

from datetime import date, datetime
from typing import Any

from pydantic import AliasChoices, Field

from serving.schemas.base import IdText, ResponseBody, with_example

_TIME: dict[str, Any] = {"from": "2026-03-01", "to": "2026-03-30"}
_QUERIES: dict[str, Any] = {"day": "2026-03-01", "questions": 12, "answered": 10, "unanswered": 2}
_LATENCY: dict[str, Any] = {
    "day": "2026-03-01",
    "questions": 12,
    "p50_ms": 41.5,
    "p95_ms": 96.2,
    "p99_ms": 130.0,
}
_COSTS: dict[str, Any] = {"day": "2026-03-01", "tokens": 18250, "cost_usd": 0.0365}
_EVENTS: dict[str, Any] = {"day": "2026-03-01", "kind": "query_executed", "events": 12, "users": 3}
_POINT: dict[str, Any] = {"day": "2026-03-01", "value": 12}
_USER: dict[str, Any] = {
    "user_id": "5b0a1a52-6a5e-4c0b-8f0e-0a3d5c1b2e4f",
    "email": "ana@example.org",
    "queries": 9,
    "avg_latency_ms": 44.1,
    "cost_usd": 0.02,
    "last_asked_at": "2026-03-30T10:12:00Z",
}


class Span(ResponseBody):
    """The days that figures are of, both included."""

    model_config = with_example(_TIME)

    first: date = Field(
        validation_alias=AliasChoices("first", "from"),
        serialization_alias="from",
        description="First day.",
    )
    last: date = Field(
        validation_alias=AliasChoices("last", "to"),
        serialization_alias="to",
        description="Last day.",
    )


class QueriesOfDay(ResponseBody):
    """The questions of one day."""

    model_config = with_example(_QUERIES)

    day: date
    questions: int
    answered: int = Field(description="Those with an answer in the library.")
    unanswered: int


class Queries(Span):
    """Questions by day, days without one included."""

    model_config = with_example({**_TIME, "days": [_QUERIES]})

    days: list[QueriesOfDay]


class LatencyOfDay(ResponseBody):
    """How long the answers of one day took, in milliseconds; null on a day without one."""

    model_config = with_example(_LATENCY)

    day: date
    questions: int
    p50_ms: float | None = Field(description="Half were quicker.")
    p95_ms: float | None
    p99_ms: float | None


class Latency(Span):
    """Times from question to whole answer by day."""

    model_config = with_example({**_TIME, "days": [_LATENCY]})

    days: list[LatencyOfDay]


class CostsOfDay(ResponseBody):
    """What language models read and wrote for the questions of one day."""

    model_config = with_example(_COSTS)

    day: date
    tokens: int
    cost_usd: float = Field(description="US dollars, by the providers' price lists.")


class Costs(Span):
    """Tokens and money by day; 0 without a language model."""

    model_config = with_example({**_TIME, "days": [_COSTS]})

    days: list[CostsOfDay]


class EventsOfDay(ResponseBody):
    """The events of one kind on one day."""

    model_config = with_example(_EVENTS)

    day: date
    kind: str = Field(
        description="query_executed, document_indexed, image_processed, diagram_generated or "
        "user_action."
    )
    events: int
    users: int = Field(description="How many people they are of.")


class Events(Span):
    """Usage events by day and kind; a day or a kind without one is left out."""

    model_config = with_example({**_TIME, "days": [_EVENTS]})

    days: list[EventsOfDay]


class ChartData(ResponseBody):
    """One point of a chart."""

    model_config = with_example(_POINT)

    day: date
    value: int


class UserStats(ResponseBody):
    """What one person asked."""

    model_config = with_example(_USER)

    user_id: IdText
    email: str | None = Field(
        description="Null once the account is gone, or if the caller may not see it."
    )
    queries: int
    avg_latency_ms: float
    cost_usd: float
    last_asked_at: datetime


class SystemAnalytics(Span):
    """The tenant at a glance."""

    model_config = with_example(
        {
            **_TIME,
            "total_users": 4,
            "total_queries": 12,
            "avg_latency_ms": 48.3,
            "total_cost_usd": 0.0365,
            "queries_by_day": [_POINT],
            "top_users": [_USER],
        }
    )

    total_users: int = Field(description="Accounts in use now, as far as the caller may see them.")
    total_queries: int
    avg_latency_ms: float | None = Field(description="Null if nothing was asked.")
    total_cost_usd: float
    queries_by_day: list[ChartData]
    top_users: list[UserStats] = Field(description="The ten who asked most, most first.")
