"""Keys that sign access tokens: kept encrypted in the database, rotated, shown as a key set.

A key that is retired verifies for two hours more, longer than any token it signed holds.
"""

import time
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from alexandria.adapters.identity.ciphers import Keyring, open_keyring
from alexandria.adapters.identity.tokens import (
    Claims,
    PublicKeys,
    SigningKey,
    issue_token,
    load_public_keys,
    new_signing_key,
    public_jwks,
    read_token,
)
from alexandria.errors import UnauthenticatedError
from alexandria.workflows.workspace import Workspace

AUDIENCE = "alexandria"
_FRESH_SECONDS = 60.0
_LEAST_SECONDS = 1.0
"""An unknown key id makes the keys be read again, but not more often than this."""


@dataclass(frozen=True, slots=True)
class _StoredKey:
    key_id: str
    private_key: str
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Held:
    keys: tuple[SigningKey, ...]
    public: PublicKeys
    at: float


class SigningKeys:
    """The keys as one process knows them; read from the database again every minute."""

    def __init__(self, workspace: Workspace) -> None:
        """Ask for keys when they are first needed; the workspace keeps the door."""
        self._workspace = workspace
        self._held: _Held | None = None
        self._reading = Lock()

    def issue(self, claims: Claims) -> str:
        """An access token that says `claims`, signed with the newest key."""
        settings = self._workspace.settings
        return issue_token(
            self._current().keys[0],
            claims,
            issuer=settings.public_url,
            audience=AUDIENCE,
            seconds=settings.access_token_seconds,
        )

    def read(self, token: str) -> Claims:
        """What an access token of ours says.

        Raises:
            UnauthenticatedError: It is not genuine, has expired, or is meant for others.
        """
        issuer = self._workspace.settings.public_url
        held = self._current()
        try:
            return read_token(token, held.public, issuer, AUDIENCE)
        except UnauthenticatedError:
            if time.monotonic() - held.at < _LEAST_SECONDS:
                raise
            return read_token(token, self._read_again(held).public, issuer, AUDIENCE)

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """What verifies the tokens, as a JSON Web Key Set."""
        return public_jwks(self._current().keys)

    def _current(self) -> _Held:
        held = self._held
        if held is not None and time.monotonic() - held.at < _FRESH_SECONDS:
            return held
        return self._read_again(held)

    def _read_again(self, known: _Held | None) -> _Held:
        with self._reading:
            if self._held is not None and self._held is not known:
                return self._held
            keys = tuple(_read_keys(self._workspace) or [_first_key(self._workspace)])
            held = _Held(keys, load_public_keys(public_jwks(keys)), time.monotonic())
            self._held = held
        return held


def rotate_signing_key(workspace: Workspace) -> str:
    """Sign with a new key from now on; returns its id. Tokens signed before stay good."""
    key = new_signing_key()
    private = open_keyring(workspace.settings).encrypt(key.private_jwk)
    with workspace.database.transaction():
        workspace.database.execute("lock_signing_keys")
        workspace.database.execute("add_signing_key", key_id=key.key_id, private_key=private)
        workspace.database.execute("retire_signing_keys", key_id=key.key_id)
        workspace.database.execute("forget_signing_keys")
    return key.key_id


def rekey_signing_keys(workspace: Workspace, keyring: Keyring) -> int:
    """Encrypt the stored keys with the newest key of the ring; returns how many there are."""
    stored = workspace.database.fetch(_StoredKey, "list_signing_keys")
    workspace.database.execute_many(
        "rekey_signing_key",
        [{"key_id": key.key_id, "private_key": keyring.rotate(key.private_key)} for key in stored],
    )
    return len(stored)


def _read_keys(workspace: Workspace) -> list[SigningKey]:
    with workspace.database.transaction():
        workspace.database.execute("use_keyring")
        stored = workspace.database.fetch(_StoredKey, "list_signing_keys")
        keyring = open_keyring(workspace.settings) if stored else None
    return [SigningKey(key.key_id, keyring.decrypt(key.private_key)) for key in stored if keyring]


def _first_key(workspace: Workspace) -> SigningKey:
    """Make the first key; of several processes that start at once, one does."""
    with workspace.database.transaction():
        workspace.database.execute("lock_signing_keys")
        known = _read_keys(workspace)
        if known:
            return known[0]
        key = new_signing_key()
        private = open_keyring(workspace.settings).encrypt(key.private_jwk)
        workspace.database.execute("add_signing_key", key_id=key.key_id, private_key=private)
    return key
