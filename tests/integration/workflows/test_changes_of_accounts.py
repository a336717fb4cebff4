"""Accounts that several act on: what was taken away stays away, and logs are their tenant's."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from alexandria.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    SignInFailedError,
    UnauthenticatedError,
)
from alexandria.identity.permissions import Permission, Role
from alexandria.identity.principals import Origin, Principal
from alexandria.workflows.identity.accounts import (
    NewUser,
    Proof,
    User,
    UserChange,
    add_user,
    change_password,
    change_user,
    check_credentials,
    reset_password,
)
from alexandria.workflows.identity.api_keys import add_api_key, list_api_keys
from alexandria.workflows.identity.audit import AuditEvent, AuditWindow, list_events
from alexandria.workflows.identity.identifying import identify
from alexandria.workflows.identity.sessions import (
    Tokens,
    end_session,
    list_sessions,
    open_session,
    refresh_session,
)
from alexandria.workflows.identity.signing import SigningKeys
from alexandria.workflows.workspace import Workspace, served

EMAIL = "ines@example.org"
PASSWORD = "lantern harbour seventeen moss"
ANOTHER = "copper violins under nine bridges"


class Door:
    """A library as the API opens it, and somebody who signs in to it."""

    def __init__(self, opened: Workspace) -> None:
        self.opened = opened
        self.door = opened.keeping_the_door()
        self.keys = SigningKeys(self.door)
        self.user: User = add_user(self.door, NewUser(EMAIL, PASSWORD, "ines"))

    def enter(self, proof: Proof) -> Tokens:
        return open_session(
            self.door,
            self.keys,
            proof.user_id,
            "password",
            password_hash=proof.password_hash,
        )

    def sign_in(self) -> Principal:
        tokens = self.enter(check_credentials(self.door, EMAIL, PASSWORD))
        return identify(self.door, self.keys, tokens.access_token)

    def acting(self, principal: Principal) -> Workspace:
        return self.opened.acting_for(principal, Origin())


@pytest.fixture
def door(workspace: Workspace) -> Iterator[Door]:
    with served(workspace) as opened:
        yield Door(opened)


def _events(workspace: Workspace, action: str) -> list[AuditEvent]:
    return list_events(workspace, AuditWindow(action=action))[0]


def _sql(workspace: Workspace, statement: str, *values: object) -> None:
    with psycopg.connect(workspace.database.address) as connection:
        connection.execute(statement, values)  # type: ignore[arg-type]


@pytest.mark.parametrize("meanwhile", ["another password", "no password", "switched off"])
def test_a_sign_in_that_was_overtaken_opens_no_session(
    door: Door, workspace: Workspace, meanwhile: str
) -> None:
    proof = check_credentials(door.door, EMAIL, PASSWORD)
    if meanwhile == "another password":
        reset_password(workspace, EMAIL, ANOTHER)
    elif meanwhile == "no password":
        _sql(workspace, "UPDATE identity.users SET password_hash = NULL")
    else:
        change_user(workspace, proof.user_id, UserChange(is_active=False))
    with pytest.raises(SignInFailedError):
        door.enter(proof)
    assert not workspace.database.records("list_sessions", user_id=proof.user_id)
    assert PASSWORD not in repr(proof)
    assert "argon2" not in repr(proof)


def test_a_sign_in_waits_for_a_change_that_has_begun(door: Door, workspace: Workspace) -> None:
    proof = check_credentials(door.door, EMAIL, PASSWORD)
    with (
        ThreadPoolExecutor(1) as threads,
        psycopg.connect(workspace.database.address) as changing,
    ):
        changing.execute("UPDATE identity.users SET password_hash = 'another'")
        entering = threads.submit(door.enter, proof)
        _until_somebody_waits(workspace)
        changing.commit()
        with pytest.raises(SignInFailedError):
            entering.result()


def _until_somebody_waits(workspace: Workspace) -> None:
    with psycopg.connect(workspace.database.address, autocommit=True) as watching:
        while not watching.execute(
            "SELECT FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchall():
            watching.execute("SELECT pg_sleep(0.01)")


def test_a_password_that_was_taken_away_is_not_set_by_who_knew_it(
    door: Door, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account is taken over after the old password was looked at, before the new is set."""
    from alexandria.workflows.identity import accounts

    principal, real = door.sign_in(), accounts.check_password

    def overtaken(password: str, known_of_owner: Any) -> None:
        real(password, known_of_owner)
        _sql(workspace, "UPDATE identity.users SET password_hash = NULL")

    monkeypatch.setattr(accounts, "check_password", overtaken)
    with pytest.raises(SignInFailedError):
        change_password(
            door.opened.keeping_the_door(Origin(), principal), principal, PASSWORD, ANOTHER
        )
    with pytest.raises(SignInFailedError):
        check_credentials(door.door, EMAIL, ANOTHER)


def test_a_principal_that_is_only_believed_makes_no_key(door: Door, workspace: Workspace) -> None:
    principal = door.sign_in()
    acting = door.acting(principal)
    key, _ = add_api_key(acting, "before", [Permission.QUERY])
    assert (key.name, key.permissions) == ("before", ["query"])
    workspace.database.execute("revoke_sessions", user_id=principal.user_id, except_id=None)
    with pytest.raises(UnauthenticatedError):
        add_api_key(acting, "after", [Permission.QUERY])
    assert [one.name for one in list_api_keys(acting)] == ["before"]


def test_a_key_waits_for_the_end_of_its_session(door: Door, workspace: Workspace) -> None:
    acting = door.acting(door.sign_in())
    with (
        ThreadPoolExecutor(1) as threads,
        psycopg.connect(workspace.database.address) as ending,
    ):
        ending.execute("UPDATE identity.sessions SET revoked_at = now()")
        making = threads.submit(add_api_key, acting, "late", [Permission.QUERY])
        _until_somebody_waits(workspace)
        ending.commit()
        with pytest.raises(UnauthenticatedError):
            making.result()
    assert list_api_keys(acting) == []


def test_a_key_that_would_have_expired_is_refused(door: Door) -> None:
    acting, now = door.acting(door.sign_in()), datetime.now(UTC)
    with pytest.raises(InvalidInputError, match="past"):
        add_api_key(acting, "late", [Permission.QUERY], now - timedelta(seconds=1))
    assert add_api_key(acting, "good", [Permission.QUERY], now + timedelta(hours=1))[0].expires_at


def test_signing_out_with_a_key_says_that_keys_are_revoked(door: Door) -> None:
    acting = door.acting(door.sign_in())
    with pytest.raises(NotFoundError, match="revoke the key"):
        end_session(acting, "")
    [session] = list_sessions(acting)
    end_session(acting, session.session_id.upper())
    assert list_sessions(acting) == []


@pytest.mark.parametrize("form", [str.upper, "urn:uuid:{}".format, "{{{}}}".format])
def test_the_last_administrator_stays_however_their_id_is_written(
    door: Door, workspace: Workspace, form: Any
) -> None:
    user_id = door.user.user_id
    change_user(workspace, user_id, UserChange(role=Role.ADMIN))
    with pytest.raises(ConflictError):
        change_user(workspace, form(user_id), UserChange(role=Role.VIEWER))
    change_user(workspace, form(user_id), UserChange(groups=["keepers"]))
    assert {event.resource_id for event in _events(workspace, "user.changed")} == {user_id}


@pytest.mark.parametrize("email", ["straße@example.org", "ΟΔΟΣ@example.org"])
def test_an_address_is_looked_up_in_the_form_it_is_stored_in(door: Door, email: str) -> None:
    user = add_user(door.door, NewUser(email, PASSWORD, "STRASSENFEGER"))
    for name in (email, f" {email.upper() if 'ß' not in email else email} ", "Straßenfeger"):
        assert check_credentials(door.door, name, PASSWORD).user_id == user.user_id


def test_a_username_is_no_address(door: Door) -> None:
    with pytest.raises(InvalidInputError, match="@"):
        add_user(door.door, NewUser("ben@example.org", PASSWORD, EMAIL))


def test_failures_are_in_the_log_of_whoever_they_concern(door: Door, workspace: Workspace) -> None:
    user = add_user(door.door, NewUser("io@acme.example", PASSWORD, "io"), tenant_id="acme")
    tokens = door.enter(check_credentials(door.door, "io", PASSWORD))
    refresh_session(door.door, door.keys, tokens.refresh_token)
    for attempt in (
        lambda: check_credentials(door.door, "io", "wrong"),
        lambda: refresh_session(door.door, door.keys, tokens.refresh_token),
    ):
        with pytest.raises((SignInFailedError, UnauthenticatedError)):
            attempt()
    events, _ = list_events(workspace, AuditWindow())
    assert "acme" not in str(events)
    assert user.user_id not in str(events)
    rows = workspace.database.records(
        "list_audit_events",
        tenant_id="acme",
        limit=10,
        of_user=user.user_id,
        action=None,
        first=None,
        last=None,
    )
    denied = {(row["action"], row["actor"]) for row in rows if row["outcome"] == "denied"}
    assert denied == {
        ("session.opened", "io@acme.example"),
        ("refresh_token.reused", "io@acme.example"),
    }


def test_the_first_use_after_the_end_of_a_session_is_no_second_use(
    door: Door, workspace: Workspace
) -> None:
    tokens = door.enter(check_credentials(door.door, EMAIL, PASSWORD))
    _sql(workspace, "UPDATE identity.sessions SET ends_at = now() - interval '1 s'")
    with pytest.raises(UnauthenticatedError):
        refresh_session(door.door, door.keys, tokens.refresh_token)
    assert _events(workspace, "refresh_token.reused") == []
    with pytest.raises(UnauthenticatedError):
        refresh_session(door.door, door.keys, tokens.refresh_token)
    assert len(_events(workspace, "refresh_token.reused")) == 1


def test_a_wrong_current_password_is_a_denied_change(door: Door, workspace: Workspace) -> None:
    principal = door.sign_in()
    own = door.opened.keeping_the_door(Origin(), principal)
    with pytest.raises(SignInFailedError):
        change_password(own, principal, "wrong", ANOTHER)
    [event] = _events(workspace, "password.changed")
    assert (event.outcome, event.actor, event.user_id) == ("denied", EMAIL, principal.user_id)
    assert [one.outcome for one in _events(workspace, "session.opened")] == ["done"]
