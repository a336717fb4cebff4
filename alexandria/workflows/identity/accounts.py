"""Accounts: make one, sign in to one, change its password; and what administrators do to them.

Whether an account exists shows neither in what a failed sign-in says, nor in its time, nor in
whether its name is locked.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from alexandria.adapters.identity.password_hashing import (
    hash_password,
    needs_rehash,
    verify_password,
)
from alexandria.adapters.identity.tokens import fingerprint
from alexandria.errors import (
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    RateLimitedError,
    SignInFailedError,
)
from alexandria.identity.passwords import check_password, normalize_email
from alexandria.identity.permissions import Role
from alexandria.identity.principals import Principal, read_id
from alexandria.workflows.identity.audit import OPERATOR, record_event
from alexandria.workflows.workspace import Workspace

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class User:
    """Somebody's account."""

    user_id: str
    tenant_id: str
    email: str
    username: str | None
    full_name: str
    role: str
    groups: list[str]
    is_active: bool
    is_email_proved: bool
    created_at: datetime
    last_login_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewUser:
    """What an account is made of; without a password one signs in elsewhere only.

    `is_email_proved`: whoever makes it knows the address to be theirs. Access lists name people
    by proved addresses only.
    """

    email: str
    password: str | None = None
    username: str | None = None
    full_name: str = ""
    role: Role = Role.USER
    groups: tuple[str, ...] = ()
    is_email_proved: bool = True


@dataclass(frozen=True, slots=True)
class UserChange:
    """What becomes of an account; None leaves a side as it is."""

    role: Role | None = None
    groups: Sequence[str] | None = None
    is_active: bool | None = None
    is_email_proved: bool | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """That somebody knew the password of an account; worth nothing once it is another."""

    user_id: str
    password_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Account:
    user_id: str
    tenant_id: str
    email: str
    password_hash: str | None = field(repr=False)
    is_active: bool


def register(workspace: Workspace, new: NewUser) -> User:
    """Make an account for somebody who asks for it, in the tenant of the settings.

    Raises:
        ForbiddenError: Registration is closed.
        InvalidInputError: The email address or the username is not valid.
        WeakPasswordError: The password is too easy to guess.
        ConflictError: The address or the username has an account.
    """
    settings = workspace.settings
    is_open = settings.registration == "open" or (
        settings.registration is None
        and settings.environment == "development"
        and settings.api_host in _LOOPBACK
    )
    if not is_open:
        raise ForbiddenError("Registration is closed; ask an administrator for an account.")
    return add_user(workspace, replace(new, is_email_proved=False))


def add_user(
    workspace: Workspace, new: NewUser, *, actor: str | None = None, tenant_id: str | None = None
) -> User:
    """Make an account; see `register` for what it refuses. A tenant is made with its first.

    Args:
        workspace: The library.
        new: What it is made of.
        actor: Who makes it, for the audit log; None for whoever it is for.
        tenant_id: Which tenant it enters; None for the workspace's.
    """
    tenant = tenant_id or workspace.tenant_id
    email = normalize_email(new.email)
    if new.username and "@" in new.username:
        raise InvalidInputError("A username holds no @; it would be taken for an address.")
    username = new.username.casefold() if new.username else None
    if new.password is not None:
        check_password(new.password, [email, new.username or "", new.full_name])
    database = workspace.database
    with database.transaction():
        database.execute("add_tenant", tenant_id=tenant)
        user = database.fetch_one(
            User,
            "add_user",
            tenant_id=tenant,
            email=email,
            username=username,
            full_name=new.full_name,
            password_hash=None if new.password is None else hash_password(new.password),
            role=new.role,
            groups=sorted(set(new.groups)),
            is_email_proved=new.is_email_proved,
        )
        if user is None:
            raise ConflictError("That email address or username has an account; sign in.")
        record_event(
            workspace,
            "user.added",
            "user",
            user.user_id,
            details={"role": new.role},
            user_id=user.user_id,
            actor=actor or email,
            tenant_id=tenant,
        )
    return user


def check_credentials(
    workspace: Workspace, name: str, password: str, *, action: str = "session.opened"
) -> Proof:
    """That an email address or username and a password belong together.

    Args:
        workspace: One that keeps the door, or an operator's.
        name: The address or the username.
        password: As it was typed.
        action: What it is asked for, for the audit log, should they not.

    Raises:
        SignInFailedError: They do not belong together, or the account is not active.
        RateLimitedError: There were too many failures with that name.
    """
    name = _sign_in_name(name)
    name_hash = fingerprint(name)
    database = workspace.database
    if wait := database.value("sign_in_lock", name_hash=name_hash):
        raise RateLimitedError(
            f"Too many failures with that name; wait {wait} seconds.", retry_after=wait
        )
    account = database.fetch_one(_Account, "find_account", name=name)
    stored = account.password_hash if account and account.is_active else None
    if not verify_password(stored, password) or account is None or stored is None:
        with database.transaction():
            database.execute("count_failure", name_hash=name_hash)
            record_event(
                workspace,
                action,
                "user",
                account.user_id if account else "",
                outcome="denied",
                user_id=account.user_id if account else None,
                actor=account.email if account else None,
                tenant_id=account.tenant_id if account else None,
            )
        raise SignInFailedError
    database.execute("forget_failures", name_hash=name_hash)
    proof = Proof(account.user_id, stored)
    if not needs_rehash(stored):
        return proof
    renewed = hash_password(password)
    return Proof(proof.user_id, renewed) if _replace_password(workspace, proof, renewed) else proof


def _sign_in_name(typed: str) -> str:
    """A name as it is stored: an address in its own form, a username without its case."""
    name = typed.strip()
    if "@" in name:
        with suppress(InvalidInputError):
            return normalize_email(name)
    return name.casefold()


def _replace_password(workspace: Workspace, proof: Proof, password_hash: str) -> int:
    """Set a password in place of the proved one; 0 where that was changed meanwhile."""
    return workspace.database.execute(
        "replace_password",
        user_id=proof.user_id,
        known_hash=proof.password_hash,
        password_hash=password_hash,
    )


def change_password(workspace: Workspace, principal: Principal, current: str, new: str) -> None:
    """Set one's own password and end every other session.

    Args:
        workspace: One that keeps the door for the principal.
        principal: Whose; their session goes on.
        current: The password so far, typed again.
        new: The one from now on.

    Raises:
        SignInFailedError: The current password is another.
        RateLimitedError: It was wrong too often.
        WeakPasswordError: The new one is too easy to guess.
    """
    user_id = principal.user_id
    user = read_user(workspace, user_id)
    proof = check_credentials(workspace, user.email, current, action="password.changed")
    check_password(new, [user.email, user.username or "", user.full_name])
    password_hash = hash_password(new)
    keep = principal.session_id or None
    with workspace.database.transaction():
        if not _replace_password(workspace, proof, password_hash):
            raise SignInFailedError
        workspace.database.execute("revoke_sessions", user_id=user_id, except_id=keep)
        record_event(workspace, "password.changed", "user", user_id)


def change_own_name(workspace: Workspace, principal: Principal, full_name: str | None) -> User:
    """Set the name one is shown by; None leaves it. The workspace keeps the door."""
    if full_name is not None:
        with workspace.database.transaction():
            workspace.database.execute(
                "set_full_name", user_id=principal.user_id, full_name=full_name
            )
            record_event(workspace, "user.changed", "user", principal.user_id)
    return read_user(workspace, principal.user_id)


def reset_password(workspace: Workspace, email: str, new: str) -> User:
    """Set a password without knowing the old one, and end every session; for operators.

    Raises:
        NotFoundError: The address has no account.
        WeakPasswordError: It is too easy to guess.
    """
    user = find_user(workspace, email)
    check_password(new, [user.email, user.username or "", user.full_name])
    with workspace.database.transaction():
        workspace.database.execute(
            "set_password", user_id=user.user_id, password_hash=hash_password(new)
        )
        workspace.database.execute("revoke_sessions", user_id=user.user_id, except_id=None)
        record_event(
            workspace,
            "password.changed",
            "user",
            user.user_id,
            actor=OPERATOR,
            tenant_id=user.tenant_id,
        )
    return user


def read_user(workspace: Workspace, user_id: str) -> User:
    """One account that the workspace may see.

    Raises:
        NotFoundError: There is none.
    """
    user = workspace.database.fetch_one(User, "read_user", user_id=_own_form(user_id))
    if user is None:
        raise NotFoundError(f"No user {user_id}.")
    return user


def find_user(workspace: Workspace, email: str) -> User:
    """One account by its address, for operators.

    Raises:
        NotFoundError: There is none.
    """
    account = workspace.database.fetch_one(_Account, "find_account", name=normalize_email(email))
    if account is None:
        raise NotFoundError(f"No account has the address {email}.")
    return read_user(workspace, account.user_id)


def list_users(
    workspace: Workspace, *, limit: int = 100, offset: int = 0
) -> tuple[list[User], int]:
    """Accounts of the tenant by address, and how many there are."""
    users = workspace.database.fetch(User, "list_users", limit=limit, offset=offset)
    return users, int(workspace.database.value("count_users"))


def change_user(
    workspace: Workspace, user_id: str, change: UserChange, *, actor: str | None = None
) -> User:
    """Change an account of the tenant; one that is switched off is signed out everywhere.

    Args:
        workspace: Of whoever changes it.
        user_id: Which account.
        change: What becomes of it.
        actor: Who changes it, for the audit log; None for the workspace's principal.

    Raises:
        NotFoundError: The tenant has no such account.
        ConflictError: Nobody would be administrator any more.
    """
    user_id = _own_form(user_id)
    database = workspace.database
    with database.transaction():
        administrators: list[str] = database.column("lock_administrators")
        is_lost = change.is_active is False or change.role not in (None, Role.ADMIN)
        if is_lost and administrators == [user_id]:
            raise ConflictError("That is the last administrator; make another one first.")
        user = database.fetch_one(
            User,
            "change_user",
            user_id=user_id,
            role=change.role,
            groups=None if change.groups is None else sorted(set(change.groups)),
            is_active=change.is_active,
            is_email_proved=change.is_email_proved,
        )
        if user is None:
            raise NotFoundError(f"No user {user_id}.")
        if change.is_active is False:
            database.execute("revoke_sessions", user_id=user_id, except_id=None)
        record_event(
            workspace, "user.changed", "user", user_id, details=_shown(change), actor=actor
        )
    return user


def _own_form(user_id: str) -> str:
    known = read_id(user_id)
    if known is None:
        raise NotFoundError(f"No user {user_id[:60]}.")
    return known


def _shown(change: UserChange) -> dict[str, object]:
    told = {
        "role": change.role,
        "groups": None if change.groups is None else list(change.groups),
        "is_active": change.is_active,
        "is_email_proved": change.is_email_proved,
    }
    return {name: value for name, value in told.items() if value is not None}
