"""Figures of use through the API: right by the day, of the own tenant, for analysts only."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from alexandria.identity.permissions import Role
from alexandria.workflows.workspace import Workspace

SignIn = Callable[..., dict[str, str]]
FIGURES = "/api/v1/analytics"
ROUTES = (
    f"{FIGURES}/queries",
    f"{FIGURES}/latency",
    f"{FIGURES}/costs",
    f"{FIGURES}/events",
    "/api/v2/admin/analytics",
)
MARCH: dict[str, Any] = {"from": "2026-03-01", "to": "2026-03-02"}


def user_id_of(client: httpx.Client, headers: dict[str, str] | None = None) -> str:
    return str(client.get("/auth/me", headers=headers).raise_for_status().json()["user_id"])


def add_question(workspace: Workspace, user_id: str | None, **values: Any) -> None:
    row = {
        "tenant_id": workspace.settings.tenant_id,
        "user_id": user_id,
        "asked_at": "2026-03-01 10:00+00",
        "question": "a private question",
        "answer_model": "extractive",
        "is_answered": True,
        "citation_count": 0,
        "elapsed_ms": 10,
        "token_count": 0,
        "cost_usd": 0,
    } | values
    names = ", ".join(row)
    marks = ", ".join(f"%({name})s" for name in row)
    with psycopg.connect(workspace.database.address) as connection:
        query = f"INSERT INTO insights.query_events ({names}) VALUES ({marks})"
        connection.execute(query, row)  # type: ignore[call-overload]


@pytest.mark.parametrize("route", ROUTES)
def test_only_those_who_may_view_analytics_see_figures(
    route: str, empty_api: httpx.Client, workspace: Workspace, sign_in: SignIn
) -> None:
    assert empty_api.get(route).status_code == 200
    for role in (Role.VIEWER, Role.USER):
        headers = sign_in(workspace, role=role, email=f"{role}@example.org")
        response = empty_api.get(route, headers=headers)
        assert (response.status_code, response.json()["code"]) == (403, "forbidden")
    response = empty_api.get(route, headers={"Authorization": "Bearer nonsense"})
    assert response.status_code == 401


def test_questions_times_and_money_are_shown_by_day(
    empty_api: httpx.Client, workspace: Workspace
) -> None:
    add_question(workspace, None, elapsed_ms=10, token_count=100, cost_usd=0.5)
    add_question(workspace, None, elapsed_ms=30, is_answered=False)
    queries = empty_api.get(f"{FIGURES}/queries", params=MARCH).json()
    assert queries == {
        **MARCH,
        "days": [
            {"day": "2026-03-01", "questions": 2, "answered": 1, "unanswered": 1},
            {"day": "2026-03-02", "questions": 0, "answered": 0, "unanswered": 0},
        ],
    }
    [first, second] = empty_api.get(f"{FIGURES}/latency", params=MARCH).json()["days"]
    assert (first["p50_ms"], first["p95_ms"]) == (20, pytest.approx(29))
    assert (second["questions"], second["p50_ms"]) == (0, None)
    [first, _] = empty_api.get(f"{FIGURES}/costs", params=MARCH).json()["days"]
    assert first == {"day": "2026-03-01", "tokens": 100, "cost_usd": 0.5}


def test_the_tenant_at_a_glance(
    empty_api: httpx.Client, workspace: Workspace, sign_in: SignIn
) -> None:
    own = user_id_of(empty_api)
    other = user_id_of(empty_api, sign_in(workspace, role=Role.USER, email="ben@example.org"))
    for user_id, milliseconds in ((own, 10), (other, 20), (other, 30)):
        add_question(workspace, user_id, elapsed_ms=milliseconds, cost_usd=0.25)
    found = empty_api.get("/api/v2/admin/analytics", params=MARCH).json()
    assert found["total_users"] == 2
    assert (found["total_queries"], found["avg_latency_ms"]) == (3, 20)
    assert found["total_cost_usd"] == 0.75
    assert [(one["day"], one["value"]) for one in found["queries_by_day"]] == [
        ("2026-03-01", 3),
        ("2026-03-02", 0),
    ]
    [first, second] = found["top_users"]
    assert (first["user_id"], first["email"], first["queries"]) == (other, "ben@example.org", 2)
    assert (second["user_id"], second["queries"]) == (own, 1)


def test_another_tenants_figures_are_not_there(
    empty_api: httpx.Client, workspace: Workspace
) -> None:
    add_question(workspace, None, tenant_id="globex", cost_usd=99, token_count=99)
    with psycopg.connect(workspace.database.address) as connection:
        connection.execute(
            "INSERT INTO insights.usage_events (tenant_id, kind, occurred_at) "
            "VALUES ('globex', 'user_action', '2026-03-01 10:00+00')"
        )
    shown = [empty_api.get(route, params=MARCH).json() for route in ROUTES]
    assert [day["questions"] for day in shown[0]["days"]] == [0, 0]
    assert [day["p50_ms"] for day in shown[1]["days"]] == [None, None]
    assert [day["cost_usd"] for day in shown[2]["days"]] == [0, 0]
    assert shown[3]["days"] == []
    assert (shown[4]["total_queries"], shown[4]["total_cost_usd"]) == (0, 0)
    assert shown[4]["top_users"] == []


def test_the_last_thirty_days_are_shown_unless_others_are_named(empty_api: httpx.Client) -> None:
    shown = empty_api.get(f"{FIGURES}/queries").json()
    today = datetime.now(UTC).date()
    assert shown["to"] in {today.isoformat(), (today - timedelta(days=1)).isoformat()}
    assert len(shown["days"]) == 30
    assert shown["days"][0]["day"] == shown["from"]


WRONG = (
    {"from": "2026-03-02", "to": "2026-03-01"},
    {"from": "2024-01-01", "to": "2026-03-01"},
    {"from": "yesterday"},
    {"to": "9999-12-31"},
    {"to": "0001-01-01"},
    {"from": "' OR 1=1 --"},
)


@pytest.mark.parametrize("route", ROUTES)
def test_days_that_make_no_sense_are_refused(route: str, empty_api: httpx.Client) -> None:
    for wrong in WRONG:
        response = empty_api.get(route, params=wrong)
        assert response.status_code == 422, wrong
        assert response.json()["code"] in {"invalid_request", "invalid_input"}
