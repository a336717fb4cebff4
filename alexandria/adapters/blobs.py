"""Original files, kept under the SHA-256 of their content, through fsspec.

A blob is written beside its final name and renamed, so that a name that exists is whole.
With a cipher, blobs are encrypted one by one, each whole in memory; files are limited to
256 MiB unless ALEXANDRIA_MAX_FILE_BYTES says more. Blobs from before stay as they are, and
are read all the same, until `renew` writes them again.
"""

import hashlib
import uuid
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, cast

from alexandria.adapters.identity.ciphers import KNOWN_BY_BYTES, is_encrypted
from alexandria.errors import (
    ConfigurationError,
    IntegrityError,
    NotFoundError,
    StorageFullError,
)

if TYPE_CHECKING:
    from alexandria.adapters.identity.ciphers import ContentCipher

CHUNK_BYTES = 1 << 20


class BlobStore:
    """Content-addressed storage at any fsspec address: a folder, `s3://bucket/prefix`."""

    def __init__(self, address: str, cipher: "ContentCipher | None" = None) -> None:
        from fsspec.core import url_to_fs

        system, root = url_to_fs(address)
        self._files: Any = system
        self._root = str(root).rstrip("/")
        self._cipher = cipher

    def put(self, content: IO[bytes]) -> str:
        """Store a stream; returns its SHA-256. What is there already is left as it is.

        Raises:
            StorageFullError: There is no room; nothing of it was kept.
            FileTooLargeError: It is to be encrypted and has 2 GiB or more.
        """
        if self._cipher is not None:
            return self._put_encrypted(content.read(), self._cipher)
        digest = hashlib.sha256()
        with self._draft() as draft:
            with self._files.open(draft, "wb") as target:
                while block := content.read(CHUNK_BYTES):
                    digest.update(block)
                    target.write(block)
            return self._adopt(draft, digest.hexdigest())

    def read(self, content_hash: str) -> bytes:
        """The whole content, decrypted if need be.

        Raises:
            NotFoundError: No such blob; `alexandria verify` lists what else is missing.
            ConfigurationError: It is encrypted, and its key is not known here.
            IntegrityError: It is encrypted, and was changed.
        """
        try:
            stored = cast(bytes, self._files.cat_file(self._path(content_hash)))
        except FileNotFoundError as error:
            raise NotFoundError(f"The original file {content_hash[:12]} is not stored.") from error
        return self._plain(stored, content_hash) if is_encrypted(stored) else stored

    def renew(self, content_hash: str, *, with_plain: bool = True) -> bool:
        """Write a blob again under the newest key, if it is plain or under another one.

        Call it for every hash before old keys are dropped. Without a cipher, nothing happens.

        Args:
            content_hash: Which one.
            with_plain: Whether a plain one is encrypted; else it stays as it is.

        Returns:
            Whether it was written again.

        Raises:
            NotFoundError: No such blob.
            ConfigurationError: It is encrypted, and its key is not known here.
            IntegrityError: It is encrypted, and was changed.
            StorageFullError: There is no room; it is as it was.
        """
        if self._cipher is None or self._is_newest(content_hash, self._cipher):
            return False
        if not with_plain and self._is_plain(content_hash):
            return False
        stored = self._cipher.encrypt(self.read(content_hash), content_hash)
        with self._draft() as draft:
            self._write(draft, stored)
            self._files.mv(draft, self._path(content_hash))
        return True

    def exists(self, content_hash: str) -> bool:
        """Whether it is stored."""
        return bool(self._files.exists(self._path(content_hash)))

    def hashes(self) -> set[str]:
        """Every hash that is stored."""
        found: dict[str, Any] = self._files.find(self._root) or {}
        names = (str(path).rsplit("/", 1)[-1] for path in found if "/drafts/" not in str(path))
        return set(names)

    def delete(self, content_hash: str) -> None:
        """Remove one; a blob that is not there is no error."""
        if self.exists(content_hash):
            self._files.rm_file(self._path(content_hash))

    def _put_encrypted(self, content: bytes, cipher: "ContentCipher") -> str:
        content_hash = hashlib.sha256(content).hexdigest()
        if not self.exists(content_hash):
            stored = cipher.encrypt(content, content_hash)
            with self._draft() as draft:
                self._write(draft, stored)
                self._adopt(draft, content_hash)
        return content_hash

    def _plain(self, stored: bytes, content_hash: str) -> bytes:
        """The content of a blob that begins as encrypted ones do.

        So may a file that was stored plain; it alone has the hash of its name.
        """
        problem: ConfigurationError | IntegrityError = ConfigurationError(
            f"The original file {content_hash[:12]} is encrypted; "
            "set ALEXANDRIA_ENCRYPT_BLOBS to true."
        )
        if self._cipher is not None:
            try:
                return self._cipher.decrypt(stored, content_hash)
            except (ConfigurationError, IntegrityError) as error:
                problem = error
        if hashlib.sha256(stored).hexdigest() == content_hash:
            return stored
        raise problem

    def _is_newest(self, content_hash: str, cipher: "ContentCipher") -> bool:
        return cipher.is_newest(self._head(content_hash))

    def _is_plain(self, content_hash: str) -> bool:
        return not is_encrypted(self._head(content_hash))

    def _head(self, content_hash: str) -> bytes:
        try:
            with self._files.open(self._path(content_hash), "rb") as file:
                return cast(bytes, file.read(KNOWN_BY_BYTES))
        except FileNotFoundError as error:
            raise NotFoundError(f"The original file {content_hash[:12]} is not stored.") from error

    @contextmanager
    def _draft(self) -> Generator[str]:
        """A name to write under, which an error leaves empty.

        Raises:
            StorageFullError: The disk or the quota is full.
        """
        draft = f"{self._root}/drafts/{uuid.uuid4().hex}"
        with ExitStack() as undoing:
            undoing.callback(self._discard, draft)
            try:
                self._files.makedirs(f"{self._root}/drafts", exist_ok=True)
                yield draft
            except OSError as error:
                if StorageFullError.explains(error):
                    raise StorageFullError from error
                raise
            undoing.pop_all()

    def _discard(self, draft: str) -> None:
        with suppress(FileNotFoundError):
            self._files.rm_file(draft)

    def _write(self, draft: str, stored: bytes | bytearray) -> None:
        with self._files.open(draft, "wb") as target:
            target.write(stored)

    def _adopt(self, draft: str, content_hash: str) -> str:
        if self.exists(content_hash):
            self._files.rm_file(draft)
        else:
            self._files.makedirs(self._path(content_hash).rsplit("/", 1)[0], exist_ok=True)
            self._files.mv(draft, self._path(content_hash))
        return content_hash

    def _path(self, content_hash: str) -> str:
        return f"{self._root}/{content_hash[:2]}/{content_hash}"
