"""Original files, kept under the SHA-256 of their content, through fsspec.

A blob is written beside its final name and renamed, so that a name that exists is whole.
"""

import hashlib
import uuid
from typing import IO, Any, cast

from alexandria.errors import NotFoundError

CHUNK_BYTES = 1 << 20


class BlobStore:
    """Content-addressed storage at any fsspec address: a folder, `s3://bucket/prefix`."""

    def __init__(self, address: str) -> None:
        from fsspec.core import url_to_fs

        system, root = url_to_fs(address)
        self._files: Any = system
        self._root = str(root).rstrip("/")

    def put(self, content: IO[bytes]) -> str:
        """Store a stream; returns its SHA-256. What is there already is left as it is."""
        digest = hashlib.sha256()
        draft = f"{self._root}/drafts/{uuid.uuid4().hex}"
        self._files.makedirs(f"{self._root}/drafts", exist_ok=True)
        with self._files.open(draft, "wb") as target:
            while block := content.read(CHUNK_BYTES):
                digest.update(block)
                target.write(block)
        return self._adopt(draft, digest.hexdigest())

    def read(self, content_hash: str) -> bytes:
        """The whole content.

        Raises:
            NotFoundError: No such blob; `alexandria verify` lists what else is missing.
        """
        try:
            return cast(bytes, self._files.cat_file(self._path(content_hash)))
        except FileNotFoundError as error:
            raise NotFoundError(f"The original file {content_hash[:12]} is not stored.") from error

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

    def _adopt(self, draft: str, content_hash: str) -> str:
        if self.exists(content_hash):
            self._files.rm_file(draft)
        else:
            self._files.makedirs(self._path(content_hash).rsplit("/", 1)[0], exist_ok=True)
            self._files.mv(draft, self._path(content_hash))
        return content_hash

    def _path(self, content_hash: str) -> str:
        return f"{self._root}/{content_hash[:2]}/{content_hash}"
