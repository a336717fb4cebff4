"""The audit log of a library, for its administrators."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from fastapi import Query

from alexandria.errors import InvalidInputError
from alexandria.identity.permissions import Permission
from alexandria.workflows.identity.audit import AuditWindow, list_events
from serving.admission.families import Family
from serving.admission.identity import requires
from serving.dependencies import ActingWorkspace
from serving.schemas.base import Day, Id
from serving.schemas.identity import AuditLog, AuditLogsResponse

router = Family(
    prefix="/api/v2/admin/audit-logs",
    tags=["admin"],
    dependencies=[requires(Permission.ADMIN)],
)


@router.get(
    "",
    summary="Read the audit log",
    operation_id="list_audit_logs",
)
def read_audit_logs(
    workspace: ActingWorkspace,
    user_id: Annotated[Id | None, Query(description="Only what this account did.")] = None,
    action: Annotated[
        str | None,
        Query(
            max_length=100,
            pattern=r"^[^\x00]*$",
            description='Only this, such as "session.opened".',
        ),
    ] = None,
    first: Annotated[Day | None, Query(alias="from", description="First day, UTC.")] = None,
    last: Annotated[Day | None, Query(alias="to", description="Last day, UTC.")] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> AuditLogsResponse:
    """The newest events of one's own library: changes, and attempts that were denied."""
    if first and last and last < first:
        raise InvalidInputError("The time asked for ends before it begins.")
    if last == date.max:
        last = None
    window = AuditWindow(
        user_id=str(user_id) if user_id else None,
        action=action,
        first=datetime.combine(first, time.min, tzinfo=UTC) if first else None,
        last=datetime.combine(last + timedelta(days=1), time.min, tzinfo=UTC) if last else None,
    )
    events, total = list_events(workspace, window, limit=limit)
    return AuditLogsResponse(logs=[AuditLog.model_validate(one) for one in events], total=total)
