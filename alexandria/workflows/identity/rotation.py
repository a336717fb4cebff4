"""Rotation of keys: a new one signs and encrypts, and what is stored is encrypted again.

The order makes it safe to kill at any instant and to run again. First the new key lies beside
the old ones, so that everything can be read. Then signing keys and settings are encrypted
again in one transaction, then original files one by one. Old keys go last, after a look at
everything that is stored, while nobody else may use the keyring.

Where original files are encrypted, processes that run keep the keys they started with, and
write with them. There the old keys stay until `retire_keys`, which is for when every process
was started anew. Keys that the settings name are never changed here, only used.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from alexandria.adapters.blobs import BlobStore
from alexandria.adapters.identity.ciphers import Keyring, add_key, drop_old_keys, open_keyring
from alexandria.errors import ConfigurationError, ConflictError, NotFoundError
from alexandria.workflows.identity.audit import OPERATOR, record_event
from alexandria.workflows.identity.settings import rekey_settings
from alexandria.workflows.identity.signing import rekey_signing_keys, rotate_signing_key
from alexandria.workflows.workspace import Workspace

_ROTATION = "key rotation"


@dataclass(frozen=True, slots=True)
class SigningKeyState:
    """A key that signs access tokens, or did; `retired_at` is when it stopped."""

    key_id: str
    retired_at: datetime | None


@dataclass(frozen=True, slots=True)
class KeysState:
    """Which keys there are, without anything that could be used.

    Attributes:
        sources: Settings and files that hold the keyring.
        key_count: Keys in it; the first encrypts, the others only decrypt.
        signing_keys: Those that verify access tokens, the one that signs first.
    """

    sources: tuple[str, ...]
    key_count: int
    signing_keys: list[SigningKeyState]


@dataclass(frozen=True, slots=True)
class Rotation:
    """What was done with the keys.

    Attributes:
        signing_key_id: What signs from now on; None if that did not change.
        signing_keys: Signing keys that were encrypted again.
        settings: Settings that were encrypted again.
        original_files: Original files that were encrypted again.
        dropped: Keys of the file that were dropped.
        left: Old keys that are still there.
        advice: What remains to be done; empty if nothing does.
    """

    signing_key_id: str | None
    signing_keys: int
    settings: int
    original_files: int
    dropped: int
    left: int
    advice: str


def show_keys(workspace: Workspace) -> KeysState:
    """Which keys there are.

    Raises:
        ConfigurationError: A key has another form, or others can read a file of keys.
    """
    keyring = open_keyring(workspace.settings)
    signing = workspace.database.records("list_signing_keys")
    states = [SigningKeyState(one["key_id"], one["retired_at"]) for one in signing]
    return KeysState(keyring.sources, len(keyring.keys), states)


def rotate_keys(workspace: Workspace) -> Rotation:
    """Sign and encrypt with new keys from now on.

    Args:
        workspace: An operator's.

    Raises:
        ConfigurationError: Something that is stored fits none of the keys.
        IntegrityError: An original file was changed where it is stored.
    """
    settings = workspace.settings
    with workspace.database.lock(_ROTATION):
        keyring = open_keyring(settings) if _named(workspace) else add_key(settings)
        with workspace.database.transaction():
            signing_key_id = rotate_signing_key(workspace)
            counts = _encrypt_again(workspace, keyring)
            _tell(workspace, "keys.rotated", signing_key_id)
        files = _renew_files(workspace, keyring)
        dropped = 0 if settings.encrypt_blobs else _drop(workspace)
        return _outcome(workspace, signing_key_id, counts, files, dropped)


def retire_keys(workspace: Workspace) -> Rotation:
    """Drop the old keys of the file, after encrypting again whatever still needs them.

    Where original files are encrypted, start every process anew first: one that runs may
    write with a key that is dropped here.

    Raises:
        ConfigurationError: Something that is stored fits none of the keys.
        IntegrityError: An original file was changed where it is stored.
    """
    with workspace.database.lock(_ROTATION):
        keyring = open_keyring(workspace.settings)
        with workspace.database.transaction():
            counts = _encrypt_again(workspace, keyring)
            _tell(workspace, "keys.retired", "")
        files = _renew_files(workspace, keyring)
        return _outcome(workspace, None, counts, files, _drop(workspace))


def _encrypt_again(workspace: Workspace, keyring: Keyring) -> tuple[int, int]:
    """In the order in which the first signing key takes the same locks."""
    workspace.database.execute("lock_signing_keys")
    workspace.database.execute("lock_keyring")
    return rekey_signing_keys(workspace, keyring), rekey_settings(workspace, keyring)


def _renew_files(workspace: Workspace, keyring: Keyring) -> int:
    """Encrypt original files again; plain ones only where the settings want them encrypted."""
    settings = workspace.settings
    blobs = BlobStore(settings.blobs, keyring.content_cipher())
    renewed = 0
    for content_hash in sorted(blobs.hashes()):
        with suppress(NotFoundError):  # deleted while this went on
            renewed += blobs.renew(content_hash, with_plain=settings.encrypt_blobs)
    return renewed


def _drop(workspace: Workspace) -> int:
    """Drop the old keys of the file, if it has any; returns how many."""
    settings = workspace.settings
    with workspace.database.transaction():
        workspace.database.execute("lock_keyring")
        before = open_keyring(settings)
        if len(before.keys) <= max(1, _named(workspace)):
            return 0
        _require_newest(workspace, Keyring(before.keys[:1], before.sources))
        return len(before.keys) - len(drop_old_keys(settings).keys)


def _require_newest(workspace: Workspace, newest: Keyring) -> None:
    """Everything in the database is encrypted with the newest key."""
    try:
        for secret in _stored(workspace):
            newest.decrypt(secret)
    except ConfigurationError as error:
        raise ConflictError(
            "Something was stored with an old key meanwhile; run `alexandria keys rotate` again."
        ) from error


def _stored(workspace: Workspace) -> Iterator[str]:
    for key in workspace.database.records("list_signing_keys"):
        yield key["private_key"]
    for setting in workspace.database.records("sensitive_settings"):
        yield setting["value"]


def _named(workspace: Workspace) -> int:
    """How many keys the settings name."""
    settings = workspace.settings
    return len(settings.secret_keys) + (settings.secret_passphrase is not None)


def _tell(workspace: Workspace, action: str, signing_key_id: str) -> None:
    record_event(workspace, action, "keyring", signing_key_id, actor=OPERATOR)


def _outcome(
    workspace: Workspace,
    signing_key_id: str | None,
    counts: tuple[int, int],
    files: int,
    dropped: int,
) -> Rotation:
    left = len(open_keyring(workspace.settings).keys) - 1
    advice = _advice(workspace, left, is_rotation=signing_key_id is not None)
    return Rotation(signing_key_id, *counts, files, dropped, left, advice)


def _advice(workspace: Workspace, left: int, *, is_rotation: bool) -> str:
    named = _named(workspace)
    if named > 1:
        return (
            "Nothing needs the old keys any more: take them out of ALEXANDRIA_SECRET_KEYS, or "
            "unset ALEXANDRIA_SECRET_PASSPHRASE, and start every process anew."
        )
    if left:
        return (
            "Old keys stay in the file, since processes that run may encrypt original files "
            "with them: start every process anew, then run `alexandria keys retire`."
        )
    if named and is_rotation:
        return (
            "The settings name the key that encrypts, so that one is the same as before; put "
            "another one before it, start every process anew and run this again to change it."
        )
    return ""
