"""`alexandria audit`: who changed what and who was turned away, and whether that was altered."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from alexandria.workflows.identity.accounts import find_user
from alexandria.workflows.identity.audit import AuditWindow, list_events, verify_audit_log
from pipelines.cli.console import (
    HomeOption,
    JsonOption,
    TenantOption,
    err,
    opened,
    out,
    print_json,
    print_table,
)

app = typer.Typer(help="Read and verify the audit log.")


@app.command("verify")
def verify(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Compute the hash of every event again; exit code 1 if any was altered or taken out.

    Example: alexandria audit verify && echo untouched
    """
    with opened(home) as workspace:
        verdict = verify_audit_log(workspace)
    if as_json:
        print_json(
            {
                "is_sound": verdict.is_sound,
                "events": verdict.events,
                "missing": verdict.missing,
                "broken": verdict.broken,
            }
        )
    elif verdict.is_sound:
        out.print(f"{verdict.events} events, as they were written.", highlight=False)
    else:
        broken = ", ".join(str(number) for number in verdict.broken) or "none"
        err.print(
            f"[bold red]The audit log was altered.[/] Events: {verdict.events}, missing: "
            f"{verdict.missing}, not as they were written, by number: {broken}.",
            highlight=False,
        )
    if not verdict.is_sound:
        raise typer.Exit(1)


@app.command("list")
def show(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Most events.")] = 50,
    user: Annotated[str | None, typer.Option(help="Email address: only what they did.")] = None,
    action: Annotated[str | None, typer.Option(help="Only this, such as user.added.")] = None,
    since: Annotated[
        datetime | None, typer.Option(help="Only from then on, in UTC.", metavar="TIME")
    ] = None,
    tenant: TenantOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the newest events.

    Example: alexandria audit list --action user.changed --since 2026-01-31
    """
    with opened(home, tenant=tenant) as workspace:
        user_id = find_user(workspace, user).user_id if user else None
        first = since.replace(tzinfo=UTC) if since else None
        window = AuditWindow(user_id=user_id, action=action, first=first)
        events, count = list_events(workspace, window, limit=limit)
    if as_json:
        print_json({"total": count, "events": events})
        return
    rows = [
        [
            one.audit_event_id,
            one.occurred_at,
            one.actor,
            one.action,
            f"{one.resource_type} {one.resource_id}".strip(),
            one.outcome,
            one.ip_address,
        ]
        for one in events
    ]
    columns = ["Number", "When", "Who", "Action", "On", "Outcome", "From"]
    print_table(f"The newest of {count} events", columns, rows)
