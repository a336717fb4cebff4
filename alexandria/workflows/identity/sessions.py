"""Sessions: what begins with signing in, is carried on by refresh tokens, and can be ended.

A refresh token is good once. One that comes a second time was stolen, from its owner or by
them: the session ends, and with it every token that came from it.
"""

from dataclasses import dataclass
from datetime import datetime

from alexandria.adapters.identity.tokens import fingerprint, new_secret
from alexandria.errors import NotFoundError, SignInFailedError, UnauthenticatedError
from alexandria.identity.principals import read_id
from alexandria.workflows.identity.accounts import User, read_user
from alexandria.workflows.identity.audit import record_event
from alexandria.workflows.identity.signing import SigningKeys
from alexandria.workflows.workspace import Workspace

_REFRESH_PREFIX = "alxr_"


@dataclass(frozen=True, slots=True)
class Tokens:
    """What somebody who signed in is given.

    Attributes:
        access_token: Sent with every request, as a bearer token.
        refresh_token: Exchanged, once, for another pair.
        expires_in: Seconds the access token holds.
        user: Whose they are.
    """

    access_token: str
    refresh_token: str
    expires_in: int
    user: User


@dataclass(frozen=True, slots=True)
class Session:
    """A place somebody is signed in at."""

    session_id: str
    method: str
    ip_address: str
    user_agent: str
    started_at: datetime
    refreshed_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class _Stolen:
    session_id: str
    user_id: str
    tenant_id: str
    email: str


def open_session(
    workspace: Workspace,
    keys: SigningKeys,
    user_id: str,
    method: str,
    *,
    password_hash: str | None = None,
) -> Tokens:
    """Sign somebody in, who has proved who they are.

    Args:
        workspace: One that keeps the door, or an operator's.
        keys: What signs their access token.
        user_id: Who they are.
        method: How they proved it.
        password_hash: Of the password they proved it with; None for another way.

    Raises:
        SignInFailedError: They were switched off, or the password was changed, since they did.
    """
    database, settings = workspace.database, workspace.settings
    refresh_token = new_secret(_REFRESH_PREFIX)
    with database.transaction():
        user = read_user(workspace, user_id)
        session_id: str | None = database.value(
            "open_session",
            user_id=user_id,
            method=method,
            password_hash=password_hash,
            ip_address=workspace.origin.ip_address,
            user_agent=workspace.origin.user_agent,
            days=settings.session_days,
        )
        if session_id is None:
            raise SignInFailedError
        kept = {"token_hash": fingerprint(refresh_token), "session_id": session_id}
        database.execute("add_refresh_token", **kept)
        database.execute("mark_login", user_id=user_id)
        database.execute("forget_ended_sessions", days=settings.refresh_token_days)
        record_event(
            workspace,
            "session.opened",
            "session",
            session_id,
            details={"method": method},
            user_id=user_id,
            actor=user.email,
            tenant_id=user.tenant_id,
        )
    return _tokens(workspace, keys, user, session_id, refresh_token)


def refresh_session(workspace: Workspace, keys: SigningKeys, refresh_token: str) -> Tokens:
    """Another pair of tokens for a refresh token, which is spent by it.

    Raises:
        UnauthenticatedError: It is unknown, too old or spent, or its session has ended.
    """
    database, settings = workspace.database, workspace.settings
    spent = {"token_hash": fingerprint(refresh_token)}
    fresh = new_secret(_REFRESH_PREFIX)
    with database.transaction():
        session_id = database.value(
            "spend_refresh_token", days=settings.refresh_token_days, **spent
        )
        alive = session_id and database.records("principal_of_session", session_id=session_id)
        if alive:
            database.execute(
                "add_refresh_token", token_hash=fingerprint(fresh), session_id=session_id
            )
            database.execute("touch_session", session_id=session_id)
            user = read_user(workspace, alive[0]["user_id"])
            return _tokens(workspace, keys, user, session_id, fresh)
    if session_id is None:
        _end_if_stolen(workspace, spent["token_hash"])
    raise UnauthenticatedError("The refresh token is no longer good; sign in again.")


def _end_if_stolen(workspace: Workspace, token_hash: str) -> None:
    """End the session of a refresh token that was spent before; nothing if it was not."""
    database = workspace.database
    with database.transaction():
        for stolen in database.fetch(_Stolen, "spent_session", token_hash=token_hash):
            if database.execute("revoke_session", session_id=stolen.session_id):
                record_event(
                    workspace,
                    "refresh_token.reused",
                    "session",
                    stolen.session_id,
                    outcome="denied",
                    user_id=stolen.user_id,
                    actor=stolen.email,
                    tenant_id=stolen.tenant_id,
                )


def list_sessions(workspace: Workspace) -> list[Session]:
    """Where the principal is signed in, the place used last first."""
    return workspace.database.fetch(Session, "list_sessions")


def end_session(workspace: Workspace, session_id: str) -> None:
    """Sign the principal out at one place.

    Args:
        workspace: Acting for them.
        session_id: Which place; empty for that of an API key, which has none.

    Raises:
        NotFoundError: They are not signed in there.
    """
    if not session_id:
        raise NotFoundError("An API key has no session to end; revoke the key instead.")
    asked = read_id(session_id)
    with workspace.database.transaction():
        if not asked or not workspace.database.execute("revoke_own_session", session_id=asked):
            raise NotFoundError(f"No session {session_id[:60]}.")
        record_event(workspace, "session.ended", "session", asked)


def _tokens(
    workspace: Workspace, keys: SigningKeys, user: User, session_id: str, refresh_token: str
) -> Tokens:
    claims = {
        "sub": user.user_id,
        "sid": session_id,
        "tid": user.tenant_id,
        "role": user.role,
    }
    return Tokens(keys.issue(claims), refresh_token, workspace.settings.access_token_seconds, user)
