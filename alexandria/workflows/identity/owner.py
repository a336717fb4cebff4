"""The owner of a library on their own machine, who needs no password for it.

Whoever can start the library may read everything in it anyway: its database answers the same
user of the system on a private socket. So the command `up` makes an account for its owner and
a key for it that is shown once, and that replaces the one of the start before.
"""

from datetime import UTC, datetime, timedelta

from alexandria.errors import NotFoundError
from alexandria.identity.permissions import Permission, Role
from alexandria.settings import Settings
from alexandria.workflows.identity.accounts import NewUser, User, add_user, find_user
from alexandria.workflows.identity.api_keys import keep_new_key
from alexandria.workflows.identity.audit import OPERATOR
from alexandria.workflows.workspace import Workspace

KEY_NAME = "this machine"
KEY_DAYS = 30
_DOMAIN = "owner.alexandria.example"


def is_own_machine(settings: Settings) -> bool:
    """Whether the library is one person's: its database lies inside the home."""
    return (
        settings.environment == "development"
        and settings.database_url is None
        and settings.serving_database_url is None
    )


def renew_owner_key(workspace: Workspace) -> str | None:
    """A fresh API key of the owner, in place of the one before; makes their account once.

    Args:
        workspace: An operator's.

    Returns:
        The secret, which is not kept; None where somebody switched the account off or made it
        no administrator.
    """
    database = workspace.database
    with database.transaction():
        owner = _owner(workspace)
        if not owner.is_active or owner.role != Role.ADMIN:
            return None
        database.execute("revoke_keys_named", user_id=owner.user_id, name=KEY_NAME)
        until = datetime.now(UTC) + timedelta(days=KEY_DAYS)
        _, secret = keep_new_key(
            workspace, owner.user_id, KEY_NAME, sorted(Permission), until, actor=OPERATOR
        )
    return secret


def _owner(workspace: Workspace) -> User:
    email = f"{workspace.tenant_id}@{_DOMAIN}"
    try:
        return find_user(workspace, email)
    except NotFoundError:
        new = NewUser(email, full_name="The owner of this library", role=Role.ADMIN)
        return add_user(workspace, new, actor=OPERATOR)
