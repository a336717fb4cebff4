"""What one may do: seven permissions, and the three roles that hold them."""

from collections.abc import Mapping
from enum import StrEnum


class Permission(StrEnum):
    """Something a route may ask for. `ADMIN` stands for all of them."""

    QUERY = "query"
    VIEW_DOCUMENTS = "view_documents"
    EDIT_DOCUMENTS = "edit_documents"
    DELETE_DOCUMENTS = "delete_documents"
    VIEW_ANALYTICS = "view_analytics"
    MANAGE_USERS = "manage_users"
    ADMIN = "admin"


class Role(StrEnum):
    """What somebody is in a library."""

    VIEWER = "viewer"
    USER = "user"
    ADMIN = "admin"


READING = frozenset({Permission.QUERY, Permission.VIEW_DOCUMENTS})
"""What changes nothing."""

ROLE_PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.VIEWER: READING,
    Role.USER: READING | {Permission.EDIT_DOCUMENTS},
    Role.ADMIN: frozenset(Permission),
}
