"""What is told of a request once it has ended: a line in the log, and an event of its use."""

from typing import TYPE_CHECKING

from fastapi import Request
from starlette.types import Scope

from alexandria.identity.permissions import READING
from alexandria.workflows.insights.emitting import UsageEmitter, UsageEvent
from alexandria.workflows.reading.answering import Answered
from serving.admission.families import declared_access
from serving.telemetry.logs import log_request
from serving.telemetry.metrics import method_of, route_template

if TYPE_CHECKING:
    from alexandria.identity.principals import Principal

_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def report_request(scope: Scope, status: int, elapsed: float) -> None:
    """Log a request, and note it as something its sender did if it changed anything."""
    log_request(scope, status, elapsed)
    principal: Principal | None = scope["state"].get("principal")
    if principal is None or status >= 400 or scope["method"] not in _CHANGING:
        return
    if declared_access(scope.get("route")) in READING:  # questions and searches have a body
        return
    usage: UsageEmitter = scope["app"].state.usage
    usage.emit(
        UsageEvent(
            principal.tenant_id,
            "user_action",
            user_id=principal.user_id,
            action=f"{method_of(scope)} {route_template(scope)}",
            request_id=scope["state"]["request_id"],
            elapsed_ms=1000 * elapsed,
        )
    )


def report_answer(request: Request, answered: Answered, action: str) -> None:
    """Note a question that was answered; not what was asked."""
    principal: Principal = request.state.principal
    usage: UsageEmitter = request.app.state.usage
    usage.emit(
        UsageEvent(
            principal.tenant_id,
            "query_executed",
            user_id=principal.user_id,
            action=action,
            request_id=request.state.request_id,
            elapsed_ms=answered.elapsed_ms,
            properties={
                "is_answered": answered.is_answered,
                "citations": len(answered.citations),
            },
        )
    )
