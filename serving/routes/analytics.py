"""Figures of how the library is used, by the day, for those who may view analytics."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Query

from alexandria.identity.permissions import Permission
from alexandria.workflows.insights.usage import (
    DEFAULT_DAYS,
    MOST_DAYS,
    Days,
    days_between,
    events_by_day,
    list_top_users,
    questions_by_day,
    read_totals,
)
from serving.admission.families import Family
from serving.admission.identity import requires
from serving.dependencies import ActingWorkspace
from serving.schemas.analytics import (
    ChartData,
    Costs,
    CostsOfDay,
    Events,
    EventsOfDay,
    Latency,
    LatencyOfDay,
    Queries,
    QueriesOfDay,
    SystemAnalytics,
    UserStats,
)
from serving.schemas.base import Day

router = Family(
    prefix="/api/v1/analytics",
    tags=["analytics"],
    dependencies=[requires(Permission.VIEW_ANALYTICS)],
)
admin_router = Family(
    prefix="/api/v2/admin/analytics",
    tags=["analytics"],
    dependencies=[requires(Permission.VIEW_ANALYTICS)],
)


def get_days(
    first: Annotated[
        Day | None,
        Query(alias="from", description=f"First day, UTC. Unset: {DEFAULT_DAYS} days in all."),
    ] = None,
    last: Annotated[
        Day | None,
        Query(alias="to", description=f"Last day, at most {MOST_DAYS} later. Unset: today."),
    ] = None,
) -> Days:
    """The time that a request names.

    Raises:
        InvalidInputError: It ends before it begins, or is too long.
    """
    return days_between(first, last, datetime.now(UTC).date())


RequestedDays = Annotated[Days, Depends(get_days)]


@router.get("/queries", summary="Questions by day", operation_id="read_query_analytics")
def read_queries(workspace: ActingWorkspace, days: RequestedDays) -> Queries:
    """How many questions were asked each day, and how many had an answer in the library."""
    found = questions_by_day(workspace, days)
    return Queries(
        first=days.first, last=days.last, days=[QueriesOfDay.model_validate(row) for row in found]
    )


@router.get("/latency", summary="Answering times by day", operation_id="read_latency_analytics")
def read_latency(workspace: ActingWorkspace, days: RequestedDays) -> Latency:
    """How long answers took each day: the median, and what 95 and 99 of 100 stayed below."""
    found = questions_by_day(workspace, days)
    return Latency(
        first=days.first, last=days.last, days=[LatencyOfDay.model_validate(row) for row in found]
    )


@router.get("/costs", summary="Tokens and money by day", operation_id="read_cost_analytics")
def read_costs(workspace: ActingWorkspace, days: RequestedDays) -> Costs:
    """What language models read and wrote for questions each day, and what that cost."""
    found = questions_by_day(workspace, days)
    return Costs(
        first=days.first, last=days.last, days=[CostsOfDay.model_validate(row) for row in found]
    )


@router.get("/events", summary="Usage events by day and kind", operation_id="read_event_analytics")
def read_events(workspace: ActingWorkspace, days: RequestedDays) -> Events:
    """What happened each day, by kind. An event may take some seconds until it is counted."""
    found = events_by_day(workspace, days)
    return Events(
        first=days.first, last=days.last, days=[EventsOfDay.model_validate(row) for row in found]
    )


@admin_router.get(
    "",
    summary="The tenant at a glance",
    operation_id="read_system_analytics",
)
def read_system(workspace: ActingWorkspace, days: RequestedDays) -> SystemAnalytics:
    """People, questions, times and money of a time, and who asked most."""
    totals = read_totals(workspace, days)
    by_day = questions_by_day(workspace, days)
    return SystemAnalytics(
        first=days.first,
        last=days.last,
        total_users=totals.total_users,
        total_queries=totals.total_queries,
        avg_latency_ms=totals.avg_latency_ms,
        total_cost_usd=totals.total_cost_usd,
        queries_by_day=[ChartData(day=row.day, value=row.questions) for row in by_day],
        top_users=[UserStats.model_validate(user) for user in list_top_users(workspace, days)],
    )
