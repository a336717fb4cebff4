"""Uploaded files, kept in the upload folder under a safe name of their own.

A file appears there whole or not at all, and never in place of another. It is written down
in the audit log right before: a crash in between leaves an event without its file, never a file
without its event. The pipeline watches the folder and passes over names that begin with a dot.
"""

import hashlib
import os
import re
import tempfile
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from alexandria.errors import ConflictError, EmptyFileError, FileTooLargeError, StorageFullError
from alexandria.identity.access import PRIVATE_UPLOADS
from alexandria.identity.principals import read_id
from alexandria.workflows.identity.audit import record_event
from alexandria.workflows.workspace import Workspace

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


@dataclass(frozen=True, slots=True)
class Place:
    """Where uploads go: a folder, and the part of the tenant's upload folder that it is."""

    folder: Path
    prefix: str

    @classmethod
    def of(
        cls, workspace: Workspace, *, is_private: bool = False, document_id: str | None = None
    ) -> "Place":
        """For everybody's eyes, for the principal's own, or for those who may read a document."""
        parts: tuple[str, ...] = (document_id,) if document_id else ()
        if is_private and workspace.principal:
            parts = (PRIVATE_UPLOADS, workspace.principal.user_id)
        return cls(workspace.uploads.joinpath(*parts), "".join(f"{part}/" for part in parts))


def receive_upload(
    workspace: Workspace, content: IO[bytes], name: str | None, place: Place
) -> KeptUpload:
    """Keep a file that the principal sent, once that is written down.

    Raises:
        ConflictError: A file lies where its folder is to be, or all its names are in use.
        EmptyFileError: It has no bytes.
        FileTooLargeError: It has more than the settings allow.
        StorageFullError: There is no room for it; nothing of it is left.
    """

    def announce(kept: KeptUpload) -> None:
        details = {"content_hash": kept.content_hash, "size_bytes": kept.size_bytes}
        path = place.prefix + kept.path
        record_event(workspace, "document.uploaded", "upload", path, details=details)

    most = workspace.settings.max_file_bytes
    try:
        kept = keep_upload(content, name, place.folder, most, announce)
    except OSError as error:
        if StorageFullError.explains(error):
            raise StorageFullError from error
        raise
    return replace(kept, path=place.prefix + kept.path)


def keep_upload(
    content: IO[bytes],
    name: str | None,
    folder: Path,
    max_bytes: int,
    announce: Callable[[KeptUpload], None],
) -> KeptUpload:
    """Copy a file into the folder, under its own name if that is free.

    Args:
        content: Its bytes.
        name: What its sender calls it.
        folder: Where to; made if it is not there.
        max_bytes: How many bytes are taken.
        announce: Told of the file right before it gets its name; if this fails, it gets none.

    Raises:
        ConflictError: A file lies where the folder is to be, or all its names are in use.
        EmptyFileError: It has no bytes.
        FileTooLargeError: It has more than `max_bytes`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise ConflictError("Another file is in the way of this upload's folder.") from error
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".upload-", delete=True) as draft:
        size, digest = _copy(content, draft.file, max_bytes)
        draft.flush()
        os.fsync(draft.fileno())
        os.chmod(draft.name, 0o644)  # noqa: PTH101 - drafts are private, documents are not
        kept = KeptUpload(safe_name(name), size, digest, is_new=True)
        return _publish(Path(draft.name), folder, kept, announce)


def safe_name(name: str | None) -> str:
    """A name without folders, hidden or reserved forms, at most 180 bytes of UTF-8.

    The last suffix stays, since it tells the format. No name is that of a folder among uploads:
    the one for people's own files, or a document's id.
    """
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name or ""))[-1]
    encodable = last.encode("utf-8", "replace").decode()
    cleaned = _UNSAFE.sub("_", encodable).strip().lstrip(".~$ ").rstrip(". ")
    stem, dot, suffix = cleaned.rpartition(".")
    if not dot or len(suffix.encode()) > 16:
        stem, dot, suffix = cleaned, "", ""
    room = LONGEST_NAME_BYTES - len((dot + suffix).encode())
    short = stem.encode()[:room].decode("utf-8", "ignore").rstrip(". ")
    if (short + dot + suffix).lower() == PRIVATE_UPLOADS or _is_id(short):
        short += "-file"
    return (short or "upload") + dot + suffix


def _is_id(name: str) -> bool:
    """Whether a document could have the name as its id, which is at most 50 characters."""
    return len(name) <= 50 and read_id(name) is not None


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


def _publish(
    draft: Path, folder: Path, kept: KeptUpload, announce: Callable[[KeptUpload], None]
) -> KeptUpload:
    """Give the draft a name; a hard link never replaces a file that is there."""
    digest, (stem, suffix) = kept.content_hash, (Path(kept.path).stem, Path(kept.path).suffix)
    for name in (kept.path, f"{stem}-{digest[:8]}{suffix}", f"{stem}-{digest}{suffix}"):
        target, named = folder / name, replace(kept, path=name)
        if not os.path.lexists(target):
            announce(named)
            with suppress(FileExistsError):  # another upload was quicker
                os.link(draft, target)
                return named
            if _holds(target, digest):
                return replace(named, is_new=False)
        elif _holds(target, digest):
            announce(named)
            return replace(named, is_new=False)
    raise ConflictError(f"{kept.path} and its numbered forms hold other bytes; rename the file.")


def _holds(path: Path, digest: str) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest() == digest
