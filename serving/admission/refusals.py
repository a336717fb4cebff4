"""What becomes of a denied attempt besides its answer: a metric and a line in the audit log.

What was refused for its number is counted only: a flood must not fill the log as well.
"""

import logging
from typing import TYPE_CHECKING

from anyio.to_thread import run_sync
from fastapi import Request

from alexandria.errors import (
    AlexandriaError,
    ForbiddenError,
    OverloadedError,
    RateLimitedError,
    SignInFailedError,
    UnauthenticatedError,
)
from alexandria.workflows.identity.audit import record_event
from serving.admission.identity import origin_of
from serving.telemetry.metrics import Metrics, Refusal, route_template

if TYPE_CHECKING:
    from alexandria.identity.principals import Principal
    from serving.admission.identity import Doorkeeper

_LOG = logging.getLogger(__name__)
_REASONS: tuple[tuple[type[AlexandriaError], Refusal], ...] = (
    (RateLimitedError, "rate_limit"),
    (OverloadedError, "overload"),
    (UnauthenticatedError, "unauthenticated"),
    (ForbiddenError, "forbidden"),
)


async def report_refusal(request: Request, error: AlexandriaError) -> None:
    """Count a refusal, and write it down where somebody was denied something."""
    reasons: list[Refusal] = [word for kind, word in _REASONS if isinstance(error, kind)]
    if not reasons:
        return
    reason = reasons[0]
    metrics: Metrics = request.app.state.metrics
    metrics.refuse(reason)
    is_told = isinstance(error, SignInFailedError)  # its workflow wrote it, with the name
    if reason in ("unauthenticated", "forbidden") and not is_told:
        await run_sync(_write, request, error.code)


def _write(request: Request, code: str) -> None:
    """A log that cannot be written must not hide the refusal itself."""
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    principal: Principal | None = getattr(request.state, "principal", None)
    try:
        record_event(
            doorkeeper.workspace(origin_of(request.scope), principal),
            "request.refused",
            "route",
            f"{request.method} {route_template(request.scope)}",
            outcome="denied",
            details={"code": code},
        )
    except AlexandriaError as problem:
        _LOG.error("A refusal could not be written to the audit log: %s", problem.message)
