"""From what a request brings to a principal: an access token or an API key, checked."""

from dataclasses import dataclass

from alexandria.adapters.identity.tokens import API_KEY_PREFIX, fingerprint
from alexandria.errors import UnauthenticatedError
from alexandria.identity.permissions import Permission, Role
from alexandria.identity.principals import Principal, names_of, permissions_of, read_id
from alexandria.workflows.identity.signing import SigningKeys
from alexandria.workflows.workspace import Workspace


@dataclass(frozen=True, slots=True)
class _Known:
    user_id: str
    tenant_id: str
    email: str
    role: str
    groups: list[str]
    is_email_proved: bool
    permissions: list[str] | None
    session_id: str


def identify(workspace: Workspace, keys: SigningKeys, secret: str) -> Principal:
    """Who sent a bearer token or an API key.

    Args:
        workspace: One that keeps the door.
        keys: What access tokens are signed with.
        secret: As it was sent.

    Raises:
        UnauthenticatedError: Nobody may use it, or nobody may any more.
    """
    if secret.startswith(API_KEY_PREFIX):
        known = _by_key(workspace, secret)
    else:
        session_id = str(keys.read(secret).get("sid", ""))
        known = _by_session(workspace, session_id)
    if known is None:
        raise UnauthenticatedError("The token is no longer good; sign in again.")
    return _principal(workspace, known)


def _by_key(workspace: Workspace, secret: str) -> _Known | None:
    key_hash = fingerprint(secret)
    known = workspace.database.fetch_one(_Known, "principal_of_key", key_hash=key_hash)
    if known is not None:
        workspace.database.execute("mark_key_used", key_hash=key_hash)
    return known


def _by_session(workspace: Workspace, session_id: str) -> _Known | None:
    asked = read_id(session_id)
    if asked is None:
        return None
    return workspace.database.fetch_one(_Known, "principal_of_session", session_id=asked)


def _principal(workspace: Workspace, known: _Known) -> Principal:
    role = Role(known.role)
    email = known.email if known.is_email_proved else None
    names = names_of(known.user_id, email, role, known.groups)
    access_ids: list[str] = workspace.database.column(
        "lists_letting_in", tenant_id=known.tenant_id, names=list(names)
    )
    asked = None if known.permissions is None else [Permission(one) for one in known.permissions]
    return Principal(
        tenant_id=known.tenant_id,
        user_id=known.user_id,
        email=known.email,
        role=role,
        names=names,
        access_ids=tuple(access_ids),
        permissions=permissions_of(role, asked),
        session_id=known.session_id,
    )
