"""Encryption of what is stored: short secrets with Fernet, content with AES-256-GCM.

A keyring holds every key that is known, the newest first: those of ALEXANDRIA_SECRET_KEYS,
then the one derived from ALEXANDRIA_SECRET_PASSPHRASE, then those of the file in the home.
The first one encrypts, all of them decrypt, so keys change without a moment at which
something cannot be read. The file is made only where the settings name no key.

Encrypted content is laid out as

    magic (8 bytes) | key id (8) | nonce (12) | ciphertext and tag

and is bound to the hash of its plain content: it decrypts under no other name. The key of
content is derived from the key of the ring, so one key never serves two ciphers.
"""

import base64
import binascii
import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING

from alexandria.adapters.identity.key_files import (
    lock_folder,
    read_or_make_secret,
    read_secret,
    recall_secret,
    remove_secret,
    write_secret,
)
from alexandria.errors import ConfigurationError, FileTooLargeError, IntegrityError
from alexandria.settings import Settings

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

MAGIC = b"\x89ALXGCM\x01"
_ID_BYTES = 8
_NONCE_BYTES = 12
_TAG_BYTES = 16
_HEAD_BYTES = len(MAGIC) + _ID_BYTES + _NONCE_BYTES
KNOWN_BY_BYTES = len(MAGIC) + _ID_BYTES
"""So many bytes of a blob tell whether, and with which key, it is encrypted."""

_MOST_CONTENT_BYTES = 2**31 - 1
"""Of one AES-GCM message in this library."""

_KEY_FILE = "secrets.keys"
_SALT_FILE = "salt"
_SALT_BYTES = 16
_SCRYPT_COST, _SCRYPT_BLOCKS = 2**17, 8
"""128 MiB and some 0.4 s for each guess at a passphrase."""

_derived: dict[bytes, bytes] = {}
"""Keys from passphrases, by a hash of salt and passphrase; each costs as much as a guess."""

_deriving = Lock()


@dataclass(frozen=True, slots=True)
class ContentCipher:
    """AES-256-GCM over whole contents. It can be sent to another process, and compared.

    Attributes:
        keys: AES keys of 32 bytes; the first encrypts.
    """

    keys: tuple[bytes, ...] = field(repr=False)

    def encrypt(self, content: bytes, content_hash: str) -> bytearray:
        """The content as it is stored, under the newest key.

        Raises:
            FileTooLargeError: The content has 2 GiB or more.
        """
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if len(content) > _MOST_CONTENT_BYTES - _TAG_BYTES:
            raise FileTooLargeError("Content of 2 GiB or more cannot be encrypted in one piece.")
        nonce = secrets.token_bytes(_NONCE_BYTES)
        stored = bytearray(_HEAD_BYTES + len(content) + _TAG_BYTES)
        stored[:_HEAD_BYTES] = MAGIC + _key_id(self.keys[0]) + nonce
        body = memoryview(stored)[_HEAD_BYTES:]
        AESGCM(self.keys[0]).encrypt_into(nonce, content, content_hash.encode(), body)
        return stored

    def decrypt(self, stored: bytes, content_hash: str) -> bytes:
        """The plain content.

        Args:
            stored: As `encrypt` made it, with this or another ring that shares the key.
            content_hash: That of the plain content, as it was given to `encrypt`.

        Raises:
            ConfigurationError: No key is known that has the id in its head.
            IntegrityError: It was changed, cut short, or belongs to another hash.
        """
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key_id = stored[len(MAGIC) : KNOWN_BY_BYTES]
        key = next((key for key in self.keys if _key_id(key) == key_id), None)
        if key is None:
            raise ConfigurationError(
                f"The original file {content_hash[:12]} is encrypted with a key that is not "
                "known; put it back into ALEXANDRIA_SECRET_KEYS or the folder of keys."
            )
        nonce = stored[KNOWN_BY_BYTES:_HEAD_BYTES]
        try:
            body = memoryview(stored)[_HEAD_BYTES:]
            return AESGCM(key).decrypt(nonce, body, content_hash.encode())
        except (InvalidTag, ValueError) as error:
            raise IntegrityError(
                f"The original file {content_hash[:12]} was changed where it is stored; "
                "bring it back from a backup, or delete it and add the file again."
            ) from error

    def is_newest(self, head: bytes) -> bool:
        """Whether a blob is encrypted with the newest key, by its first `KNOWN_BY_BYTES`."""
        return head[:KNOWN_BY_BYTES] == MAGIC + _key_id(self.keys[0])


def is_encrypted(stored: bytes) -> bool:
    """Whether it begins as encrypted content does; a plain file may do so by design."""
    return stored.startswith(MAGIC)


@dataclass(frozen=True)
class Keyring:
    """Every key that is known.

    Attributes:
        keys: Fernet keys, newest first.
        sources: The settings and files that they came from.
    """

    keys: tuple[bytes, ...] = field(repr=False)
    sources: tuple[str, ...]

    def encrypt(self, text: str) -> str:
        """The text under the newest key."""
        return self._fernet.encrypt(text.encode()).decode("ascii")

    def decrypt(self, token: str) -> str:
        """The text again.

        Raises:
            ConfigurationError: None of the keys fits, or the token was changed.
        """
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.decrypt(token).decode()
        except (InvalidToken, ValueError) as error:
            raise self._unreadable() from error

    def rotate(self, token: str) -> str:
        """The same text under the newest key.

        Raises:
            ConfigurationError: None of the keys fits, or the token was changed.
        """
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet.rotate(token).decode("ascii")
        except (InvalidToken, ValueError) as error:
            raise self._unreadable() from error

    def content_cipher(self) -> ContentCipher:
        """The cipher for content, with a key for each of this ring."""
        return ContentCipher(tuple(_content_key(key) for key in self.keys))

    @cached_property
    def _fernet(self) -> "MultiFernet":
        from cryptography.fernet import Fernet, MultiFernet

        return MultiFernet([Fernet(key) for key in self.keys])

    def _unreadable(self) -> ConfigurationError:
        return ConfigurationError(
            "A stored secret cannot be decrypted: its key is missing from "
            f"{' and '.join(self.sources)}, or what is stored was changed."
        )


def open_keyring(settings: Settings) -> Keyring:
    """Every key that the settings and the home hold; the first one is made if there is none.

    Raises:
        ConfigurationError: A key has another form, or others can read a file of keys.
    """
    keys, sources = list(_setting_keys(settings)), list[str]()
    if keys:
        sources.append("ALEXANDRIA_SECRET_KEYS")
    if settings.secret_passphrase is not None:
        keys.append(_derived_key(settings))
        sources.append("ALEXANDRIA_SECRET_PASSPHRASE")
    path = settings.keys_folder / _KEY_FILE
    held = recall_secret(path) if keys else read_or_make_secret(path, _new_line)
    if held is not None:
        keys += _lines(held, str(path))
        sources.append(str(path))
    return Keyring(tuple(keys), tuple(sources))


def new_key() -> str:
    """A fresh Fernet key, for ALEXANDRIA_SECRET_KEYS."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode("ascii")


def add_key(settings: Settings) -> Keyring:
    """Put a new key before those of the file; it is on the disk when this returns.

    Raises:
        ConfigurationError: The settings name the keys; the message says how they change.
    """
    _refuse_settings(settings)
    path = settings.keys_folder / _KEY_FILE
    with lock_folder(path.parent):
        write_secret(path, _new_line() + (read_secret(path) or b""))
    return open_keyring(settings)


def drop_old_keys(settings: Settings) -> Keyring:
    """Forget every key of the file that no longer encrypts; call it when nothing needs them.

    Where the settings name the newest key, that is the whole file.

    Raises:
        ConfigurationError: The old keys are in the settings.
    """
    path = settings.keys_folder / _KEY_FILE
    named = len(settings.secret_keys) + (settings.secret_passphrase is not None)
    if read_secret(path) is None:
        if named > 1:
            raise ConfigurationError(
                "The old keys are in the settings: take them out of ALEXANDRIA_SECRET_KEYS, "
                "or unset ALEXANDRIA_SECRET_PASSPHRASE, and start every process anew."
            )
        return open_keyring(settings)
    with lock_folder(path.parent):
        if named:
            remove_secret(path)
        else:
            write_secret(path, _lines(read_secret(path) or b"", str(path))[0] + b"\n")
    return open_keyring(settings)


def _refuse_settings(settings: Settings) -> None:
    if settings.secret_keys:
        raise ConfigurationError(
            "ALEXANDRIA_SECRET_KEYS names the keys: put a new one before the others, start "
            "every process anew, encrypt what is stored again, then take the old ones out."
        )
    if settings.secret_passphrase is not None:
        raise ConfigurationError(
            "ALEXANDRIA_SECRET_PASSPHRASE gives the key: put a new key into "
            "ALEXANDRIA_SECRET_KEYS beside it, start every process anew, encrypt what is "
            "stored again, then unset the passphrase."
        )


def _setting_keys(settings: Settings) -> Iterator[bytes]:
    for number, secret in enumerate(settings.secret_keys, 1):
        key = secret.get_secret_value().strip().encode()
        yield _checked_key(key, f"Key {number} of ALEXANDRIA_SECRET_KEYS")


def _lines(held: bytes, source: str) -> list[bytes]:
    """The keys of a file, one in each line."""
    keys = [_checked_key(line.strip(), f"A line of {source}") for line in held.splitlines()]
    if not keys:
        raise ConfigurationError(f"{source} holds no key; bring it back from a backup.")
    return keys


def _checked_key(key: bytes, source: str) -> bytes:
    try:
        is_key = len(base64.b64decode(key, altchars=b"-_", validate=True)) == 32
    except (binascii.Error, ValueError):
        is_key = False
    if not is_key:
        raise ConfigurationError(
            f"{source} is no Fernet key, which is 32 bytes as 44 characters of URL-safe base64."
        )
    return key


def _new_line() -> bytes:
    return new_key().encode("ascii") + b"\n"


def _derived_key(settings: Settings) -> bytes:
    """The key of the passphrase, worked out once in a process."""
    assert settings.secret_passphrase is not None
    passphrase = settings.secret_passphrase.get_secret_value()
    if not passphrase:
        raise ConfigurationError("ALEXANDRIA_SECRET_PASSPHRASE is empty; set it or leave it out.")
    path = settings.keys_folder / _SALT_FILE
    salt = read_or_make_secret(path, lambda: secrets.token_bytes(_SALT_BYTES))
    if len(salt) != _SALT_BYTES:
        raise ConfigurationError(f"{path} is damaged; bring it back from a backup.")
    known_by = hashlib.sha256(salt + passphrase.encode()).digest()
    with _deriving:
        if known_by not in _derived:
            _derived[known_by] = _stretch(passphrase.encode(), salt)
        return _derived[known_by]


def _stretch(passphrase: bytes, salt: bytes) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    kdf = Scrypt(salt=salt, length=32, n=_SCRYPT_COST, r=_SCRYPT_BLOCKS, p=1)
    return base64.urlsafe_b64encode(kdf.derive(passphrase))


def _content_key(key: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"alexandria content")
    return derivation.derive(base64.urlsafe_b64decode(key))


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()[:_ID_BYTES]
