"""The schema brought up to date on its own, and the API's account given its password.

Whatever opens the library as its owner migrates it too. The API of a server does not own it:
there this runs first.
"""

from dataclasses import dataclass

from alexandria.settings import Settings
from alexandria.workflows.identity.audit import OPERATOR, record_event
from alexandria.workflows.workspace import open_workspace, resolve_database


@dataclass(frozen=True, slots=True)
class Migrated:
    """How the database stands.

    Attributes:
        revision: Of the schema; the newest.
        is_changed: Whether migrations were missing.
        is_password_set: Whether the API's account got the password of its address.
    """

    revision: str
    is_changed: bool
    is_password_set: bool


def bring_up_to_date(settings: Settings) -> Migrated:
    """Apply missing migrations; with both addresses set, give the API's account its password.

    Raises:
        StoreUnavailableError: Postgres did not answer.
        ConfigurationError: The API's address names another account, or no password.
    """
    from alexandria.adapters.schema import HEAD, migrate, set_api_password

    settings.home.mkdir(parents=True, exist_ok=True)
    address, serving = resolve_database(settings), settings.serving_database_url
    is_changed = migrate(address)
    is_named = settings.database_url is not None and serving is not None
    if is_named and serving is not None:
        set_api_password(address, serving.get_secret_value())
        without_files = settings.model_copy(update={"encrypt_blobs": False})
        with open_workspace(without_files) as workspace:
            record_event(workspace, "api_account.password_set", "account", actor=OPERATOR)
    return Migrated(HEAD, is_changed, is_named)
