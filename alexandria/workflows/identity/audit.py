"""The audit log: who changed what, who was turned away, and whether anybody altered the log.

An event is written in the transaction of the change it tells of. Every event's hash covers the
one before it, so that one that is changed, taken out or put in shows; `verify_audit_log` looks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from alexandria.workflows.workspace import Workspace

Outcome = Literal["done", "denied"]

OPERATOR = "operator"
"""Who acts at the command line, and in the pipeline."""

NOBODY = "anonymous"
SHOWN_FAULTS = 20


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One event. `actor` is an email address, "anonymous" or "operator"."""

    audit_event_id: int
    occurred_at: datetime
    user_id: str | None
    actor: str
    action: str
    resource_type: str
    resource_id: str
    outcome: str
    ip_address: str
    user_agent: str
    request_id: str
    details: dict[str, object]


@dataclass(frozen=True, slots=True)
class AuditWindow:
    """Which events are asked for; None leaves a side open. `last` is not included."""

    user_id: str | None = None
    action: str | None = None
    first: datetime | None = None
    last: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditVerdict:
    """Whether the log is as it was written.

    Attributes:
        events: How many there are.
        missing: How many were written and are gone.
        broken: Numbers of the first events that do not follow from the one before.
    """

    events: int
    missing: int
    broken: list[int]

    @property
    def is_sound(self) -> bool:
        """Whether nothing was altered."""
        return not self.missing and not self.broken


@dataclass(frozen=True, slots=True)
class _Extent:
    held: int
    written: int
    is_whole: bool


def record_event(
    workspace: Workspace,
    action: str,
    resource_type: str,
    resource_id: str = "",
    *,
    outcome: Outcome = "done",
    details: Mapping[str, object] | None = None,
    user_id: str | None = None,
    actor: str | None = None,
    tenant_id: str | None = None,
) -> None:
    """Write one event; actor and tenant are the workspace's unless others are told.

    `details` and the resource must hold nothing secret, and no text of documents.
    """
    principal, origin = workspace.principal, workspace.origin
    workspace.database.execute(
        "add_audit_event",
        tenant_id=tenant_id or workspace.tenant_id,
        user_id=principal.user_id if principal else user_id,
        actor=_clean(actor or (principal.email if principal else NOBODY), 320),
        action=action,
        resource_type=resource_type,
        resource_id=_clean(resource_id, 500),
        outcome=outcome,
        ip_address=origin.ip_address,
        user_agent=_clean(origin.user_agent, 300),
        request_id=origin.request_id,
        details=workspace.database.json(dict(details or {})),
    )


def list_events(
    workspace: Workspace, window: AuditWindow, *, limit: int = 100
) -> tuple[list[AuditEvent], int]:
    """The newest events of the tenant in a window, and how many there are in it."""
    asked = {
        "of_user": window.user_id,
        "action": window.action,
        "first": window.first,
        "last": window.last,
    }
    events = workspace.database.fetch(AuditEvent, "list_audit_events", limit=limit, **asked)
    return events, int(workspace.database.value("count_audit_events", **asked))


def verify_audit_log(workspace: Workspace) -> AuditVerdict:
    """Compute every event's hash again; for operators, since it reads every tenant's."""
    database = workspace.database
    with database.transaction():
        broken: list[int] = database.column("broken_audit_events", limit=SHOWN_FAULTS)
        extent = database.fetch_one(_Extent, "audit_extent")
    assert extent is not None, "the head of the log has one row"
    missing = extent.written - extent.held
    if not extent.is_whole and not missing and not broken:
        broken = [extent.written]
    return AuditVerdict(extent.held, missing, broken)


def _clean(text: str, most: int) -> str:
    """Postgres takes no NUL, and a log line stays one line."""
    printable = "".join(one if one.isprintable() else " " for one in text[:most])
    return printable.encode("utf-8", "replace").decode()
