"""Who asks: a principal, and where its request came from.

A principal is known to access lists under several names; `everyone` is everybody of its
tenant. An access list lets in whoever has one of the names on it, whatever their role.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from alexandria.identity.permissions import ROLE_PERMISSIONS, Permission, Role

EVERYONE = "everyone"


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who proved who they are.

    Attributes:
        tenant_id: The library they belong to; they see no other.
        user_id: Their account.
        email: What logs and other people call them; access lists do only if it is proved.
        role: What they are in the library.
        names: What access lists may call them.
        access_ids: The access lists that let them in.
        permissions: What they may do with the token they sent; never more than their role.
        session_id: The session of the token; empty for an API key.
    """

    tenant_id: str
    user_id: str
    email: str
    role: Role
    names: tuple[str, ...]
    access_ids: tuple[str, ...]
    permissions: frozenset[Permission]
    session_id: str = ""

    def may(self, permission: Permission) -> bool:
        """Whether they have a permission; an administrator has every one."""
        return permission in self.permissions or Permission.ADMIN in self.permissions


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, for the audit log.

    Attributes:
        ip_address: Of the client, or of the proxy that nobody said to trust.
        user_agent: As the client calls itself, at most 300 characters.
        request_id: Names the request in every log.
    """

    ip_address: str = ""
    user_agent: str = ""
    request_id: str = ""


def read_id(text: str) -> str | None:
    """The id that a text means, in the one form that it is stored in; None where it is none."""
    try:
        return str(UUID(text))
    except ValueError:
        return None


def nobody(tenant_id: str) -> Principal:
    """Who sees nothing and may do nothing."""
    return Principal(tenant_id, "", "", Role.VIEWER, (), (), frozenset())


def names_of(user_id: str, email: str | None, role: Role, groups: Iterable[str]) -> tuple[str, ...]:
    """What access lists may call somebody; an address that may be anybody's is None.

    A group whose name has more than one line is left out: a session's names are told by the line.
    """
    addresses = () if email is None else (f"user:{email}",)
    known = (EVERYONE, f"user:{user_id}", *addresses, f"role:{role}")
    return (*known, *(f"group:{name}" for name in sorted(groups) if "\n" not in name))


def permissions_of(role: Role, asked: Iterable[Permission] | None = None) -> frozenset[Permission]:
    """The permissions of a role, or those of them that are asked for."""
    held = ROLE_PERMISSIONS[role]
    return held if asked is None else held & frozenset(asked)
