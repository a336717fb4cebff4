"""Settings of a tenant that its administrators keep, such as credentials of connectors.

A sensitive value is encrypted with the keyring, is never shown again and never logged.
"""

from dataclasses import dataclass
from datetime import datetime

from alexandria.adapters.identity.ciphers import Keyring, open_keyring
from alexandria.errors import NotFoundError
from alexandria.workflows.identity.audit import record_event
from alexandria.workflows.workspace import Workspace


@dataclass(frozen=True, slots=True)
class TenantSetting:
    """One setting; the value of a sensitive one is empty."""

    key: str
    value: str
    is_sensitive: bool
    description: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class _Sensitive:
    tenant_id: str
    key: str
    value: str


def list_settings(workspace: Workspace) -> list[TenantSetting]:
    """Every setting of the tenant by key, sensitive values left out."""
    stored = workspace.database.fetch(TenantSetting, "list_settings")
    return [
        TenantSetting(one.key, "", True, one.description, one.updated_at)
        if one.is_sensitive
        else one
        for one in stored
    ]


def keep_setting(
    workspace: Workspace, key: str, value: str, *, is_sensitive: bool, description: str = ""
) -> None:
    """Keep a setting, in place of what it was."""
    with workspace.database.transaction():
        workspace.database.execute("use_keyring")
        kept = open_keyring(workspace.settings).encrypt(value) if is_sensitive else value
        workspace.database.execute(
            "keep_setting", key=key, value=kept, is_sensitive=is_sensitive, description=description
        )
        record_event(workspace, "setting.kept", "setting", key)


def delete_setting(workspace: Workspace, key: str) -> None:
    """Forget a setting.

    Raises:
        NotFoundError: The tenant has no such setting.
    """
    with workspace.database.transaction():
        if not workspace.database.execute("delete_setting", key=key):
            raise NotFoundError(f"No setting {key[:60]}.")
        record_event(workspace, "setting.deleted", "setting", key)


def rekey_settings(workspace: Workspace, keyring: Keyring) -> int:
    """Encrypt every tenant's sensitive values with the newest key; returns how many there are."""
    stored = workspace.database.fetch(_Sensitive, "sensitive_settings")
    workspace.database.execute_many(
        "rekey_setting",
        [
            {"tenant_id": one.tenant_id, "key": one.key, "value": keyring.rotate(one.value)}
            for one in stored
        ],
    )
    return len(stored)
