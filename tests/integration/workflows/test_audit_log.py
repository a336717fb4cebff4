"""The audit log takes events and gives none up: whoever alters it is found out."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pytest

from alexandria.identity.permissions import Role
from alexandria.identity.principals import Origin, Principal, names_of, permissions_of
from alexandria.workflows.identity.accounts import NewUser, add_user
from alexandria.workflows.identity.audit import record_event, verify_audit_log
from alexandria.workflows.workspace import Workspace, served

WRITERS, EACH = 8, 25
ALTERATIONS = {
    "a changed row": "UPDATE identity.audit_events SET actor = 'nobody' WHERE audit_event_id = 3",
    "a row taken out": "DELETE FROM identity.audit_events WHERE audit_event_id = 3",
    "the last row taken out": "DELETE FROM identity.audit_events WHERE audit_event_id = 6",
    "a row put in": "INSERT INTO identity.audit_events SELECT 7, tenant_id, occurred_at, user_id, "
    "actor, action, resource_type, resource_id, outcome, ip_address, user_agent, request_id, "
    "details, hash FROM identity.audit_events WHERE audit_event_id = 3",
    "two rows exchanged": "UPDATE identity.audit_events SET resource_id = CASE audit_event_id "
    "WHEN 2 THEN '3' ELSE '2' END WHERE audit_event_id IN (2, 3)",
    "all rows taken out": "TRUNCATE identity.audit_events",
}


@pytest.fixture
def written(workspace: Workspace) -> Workspace:
    """A library with six events."""
    for number in range(1, 7):
        record_event(workspace, "setting.kept", "setting", str(number), details={"é": number})
    assert verify_audit_log(workspace).is_sound
    return workspace


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE identity.audit_events SET actor = 'nobody'",
        "DELETE FROM identity.audit_events",
        "DELETE FROM identity.audit_events WHERE false",
        "TRUNCATE identity.audit_events",
    ],
)
@pytest.mark.parametrize(
    "role", [None, "alexandria_api", "alexandria_reader", "alexandria_doorkeeper"]
)
def test_no_role_changes_or_takes_out_an_event(
    written: Workspace, statement: str, role: str | None
) -> None:
    with psycopg.connect(written.database.address) as connection:
        if role:
            connection.execute(f"SET ROLE {role}")  # type: ignore[arg-type]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)  # type: ignore[arg-type]
    assert verify_audit_log(written).events == 6


@pytest.mark.parametrize("alteration", ALTERATIONS.values(), ids=ALTERATIONS)
def test_what_an_owner_alters_behind_the_triggers_shows(
    written: Workspace, alteration: str
) -> None:
    with psycopg.connect(written.database.address) as connection:
        connection.execute("ALTER TABLE identity.audit_events DISABLE TRIGGER ALL")
        connection.execute(alteration)  # type: ignore[arg-type]
        connection.execute("ALTER TABLE identity.audit_events ENABLE TRIGGER ALL")
    verdict = verify_audit_log(written)
    assert not verdict.is_sound
    assert verdict.missing or verdict.broken


def test_an_event_cannot_choose_its_number_its_time_or_its_hash(written: Workspace) -> None:
    with psycopg.connect(written.database.address) as connection:
        connection.execute(
            "INSERT INTO identity.audit_events (audit_event_id, occurred_at, actor, action, "
            "resource_type, resource_id, outcome, ip_address, user_agent, request_id, hash) "
            "VALUES (1000, '2000-01-01', 'x', 'x', 'x', 'x', 'done', '', '', '', '')"
        )
        row = connection.execute(
            "SELECT audit_event_id, occurred_at > now() - interval '1 day', length(hash) "
            "FROM identity.audit_events WHERE actor = 'x'"
        ).fetchone()
    assert row == (7, True, 32)
    assert verify_audit_log(written).is_sound


def test_writers_at_the_same_time_leave_one_chain(workspace: Workspace) -> None:
    def write(writer: int) -> None:
        for number in range(EACH):
            record_event(serving, "setting.kept", "setting", f"{writer}-{number}")

    with served(workspace) as opened:
        serving = opened.keeping_the_door(Origin("192.0.2.1", "test", "r"))
        with ThreadPoolExecutor(WRITERS) as threads:
            list(threads.map(write, range(WRITERS)))
    verdict = verify_audit_log(workspace)
    assert (verdict.events, verdict.is_sound) == (WRITERS * EACH, True)


def test_a_reader_writes_events_in_their_own_name_only(workspace: Workspace) -> None:
    with served(workspace) as opened:
        user = add_user(opened.keeping_the_door(), NewUser("ann@example.org"))
        acting = opened.acting_for(_principal(user.user_id, user.email), Origin())
        record_event(acting, "setting.kept", "setting", "a")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            record_event(acting, "setting.kept", "setting", "b", tenant_id="other")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            record_event(replace(acting, principal=None), "setting.kept", "setting", "b")
    assert verify_audit_log(workspace).is_sound


def _principal(user_id: str, email: str) -> Principal:
    role = Role.USER
    return Principal(
        tenant_id="default",
        user_id=user_id,
        email=email,
        role=role,
        names=names_of(user_id, email, role, ()),
        access_ids=(),
        permissions=permissions_of(role),
    )


def test_an_event_and_its_change_are_kept_or_lost_together(
    workspace: Workspace,
) -> None:
    with psycopg.connect(workspace.database.address, autocommit=True) as connection:
        connection.execute("ALTER TABLE identity.audit_events ADD CHECK (action <> 'user.added')")
    with served(workspace) as opened, pytest.raises(psycopg.errors.CheckViolation):
        add_user(opened.keeping_the_door(), NewUser("bo@example.org"))
    with psycopg.connect(workspace.database.address) as connection:
        assert connection.execute("SELECT count(*) FROM identity.users").fetchone() == (0,)
    assert verify_audit_log(workspace).is_sound
