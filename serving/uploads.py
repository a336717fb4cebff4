"""Uploaded files, kept in the upload folder under a safe name of their own.

A file appears there whole or not at all, and never in place of another. The pipeline watches
the folder and passes over names that begin with a dot.
"""

import hashlib
import os
import re
import tempfile
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from alexandria.errors import EmptyFileError, FileTooLargeError

SOURCE_NAME = "uploads"
"""What the pipeline calls the source of the upload folder."""

PIECE_BYTES = 1 << 20
LONGEST_NAME_BYTES = 180
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"|?*\ufffd]|[\u200e\u200f\u202a-\u202e\u2066-\u2069]')


@dataclass(frozen=True, slots=True)
class KeptUpload:
    """Where an upload lies.

    Attributes:
        path: Its name in the upload folder.
        size_bytes: How large it is.
        content_hash: SHA-256 of its bytes.
        is_new: False if the same bytes were there under that name.
    """

    path: str
    size_bytes: int
    content_hash: str
    is_new: bool


def keep_upload(content: IO[bytes], name: str | None, folder: Path, max_bytes: int) -> KeptUpload:
    """Copy a file into the folder, under its own name if that is free.

    Raises:
        EmptyFileError: It has no bytes.
        FileTooLargeError: It has more than `max_bytes`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".upload-", delete=True) as draft:
        size, digest = _copy(content, draft.file, max_bytes)
        draft.flush()
        os.fsync(draft.fileno())
        os.chmod(draft.name, 0o644)  # noqa: PTH101 - drafts are private, documents are not
        path, is_new = _publish(Path(draft.name), folder, safe_name(name), digest)
    return KeptUpload(path, size, digest, is_new)


def safe_name(name: str | None) -> str:
    """A name without folders, hidden or reserved forms, at most 180 bytes of UTF-8.

    The last suffix stays, since it tells the format.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name or ""))[-1]
    encodable = last.encode("utf-8", "replace").decode()
    cleaned = _UNSAFE.sub("_", encodable).strip().lstrip(".~$ ").rstrip(". ")
    stem, dot, suffix = cleaned.rpartition(".")
    if not dot or len(suffix.encode()) > 16:
        stem, dot, suffix = cleaned, "", ""
    room = LONGEST_NAME_BYTES - len((dot + suffix).encode())
    short = stem.encode()[:room].decode("utf-8", "ignore").rstrip(". ")
    return (short or "upload") + dot + suffix


def _copy(content: IO[bytes], draft: IO[bytes], max_bytes: int) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    while piece := content.read(PIECE_BYTES):
        size += len(piece)
        if size > max_bytes:
            raise FileTooLargeError(f"The file is larger than {max_bytes} bytes; split it.")
        digest.update(piece)
        draft.write(piece)
    if not size:
        raise EmptyFileError
    return size, digest.hexdigest()


def _publish(draft: Path, folder: Path, name: str, digest: str) -> tuple[str, bool]:
    """Give the draft a name; a hard link never replaces a file that is there."""
    stem, suffix = Path(name).stem, Path(name).suffix
    for candidate in (name, f"{stem}-{digest[:8]}{suffix}", f"{stem}-{digest}{suffix}"):
        target = folder / candidate
        try:
            os.link(draft, target)
        except FileExistsError:
            if _hash_of(target) == digest:
                return candidate, False
        else:
            return candidate, True
    raise FileExistsError(f"{name} and its numbered forms hold other bytes.")


def _hash_of(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
