"""API keys: what scripts send instead of a person's token, with no more rights than asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from alexandria.adapters.identity.tokens import API_KEY_PREFIX, fingerprint, new_secret
from alexandria.errors import (
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    UnauthenticatedError,
)
from alexandria.identity.permissions import Permission
from alexandria.identity.principals import read_id
from alexandria.workflows.identity.audit import record_event
from alexandria.workflows.workspace import Workspace

_HINT_CHARACTERS = 4


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key, by all that may be told of it; `hint` is how it ends."""

    api_key_id: str
    name: str
    hint: str
    permissions: list[str]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None


def add_api_key(
    workspace: Workspace,
    name: str,
    permissions: Sequence[Permission],
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """Make a key for the principal; returns it with the secret, which is not kept.

    Raises:
        ForbiddenError: The principal does not hold one of the permissions, or sent a key.
        InvalidInputError: It would have expired already.
        UnauthenticatedError: Their session has ended.
    """
    principal = workspace.principal
    assert principal is not None, "a key belongs to somebody"
    if not principal.session_id:
        raise ForbiddenError("An API key makes no keys; sign in for that.")
    lacking = [one for one in permissions if not principal.may(one)]
    if lacking:
        raise ForbiddenError(f"You cannot give what you do not hold: {', '.join(lacking)}.")
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise InvalidInputError("The time at which the key stops working is past.")
    with workspace.database.transaction():
        if not workspace.database.column("hold_session", session_id=principal.session_id):
            raise UnauthenticatedError("Your session has ended; sign in again.")
        return keep_new_key(workspace, principal.user_id, name, permissions, expires_at)


def keep_new_key(
    workspace: Workspace,
    user_id: str,
    name: str,
    permissions: Sequence[Permission],
    expires_at: datetime | None,
    *,
    actor: str | None = None,
) -> tuple[ApiKey, str]:
    """Make a key for somebody who may have it; returns it with the secret, which is not kept.

    Args:
        workspace: Theirs, or an operator's.
        user_id: Whose it is.
        name: What it is for.
        permissions: What it may be used for.
        expires_at: When it stops working; None for never.
        actor: Who makes it, for the audit log; None for the workspace's principal.
    """
    secret = new_secret(API_KEY_PREFIX)
    with workspace.database.transaction():
        key = workspace.database.fetch_one(
            ApiKey,
            "add_api_key",
            user_id=user_id,
            name=name,
            key_hash=fingerprint(secret),
            hint=secret[-_HINT_CHARACTERS:],
            permissions=sorted(set(permissions)),
            expires_at=expires_at,
        )
        assert key is not None, "an insert returns its row"
        record_event(
            workspace,
            "api_key.added",
            "api_key",
            key.api_key_id,
            details={"permissions": key.permissions},
            user_id=user_id,
            actor=actor,
        )
    return key, secret


def list_api_keys(workspace: Workspace) -> list[ApiKey]:
    """The principal's keys, the oldest first."""
    return workspace.database.fetch(ApiKey, "list_api_keys")


def revoke_api_key(workspace: Workspace, api_key_id: str) -> None:
    """Make a key of the principal's useless.

    Raises:
        NotFoundError: They have no such key.
    """
    asked = read_id(api_key_id)
    with workspace.database.transaction():
        if not asked or not workspace.database.execute("revoke_api_key", api_key_id=asked):
            raise NotFoundError(f"No API key {api_key_id[:60]}.")
        record_event(workspace, "api_key.revoked", "api_key", asked)
