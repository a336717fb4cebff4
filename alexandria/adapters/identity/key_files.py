"""Small files of secrets: only their owner reads them, and half of one is never seen."""

import os
import stat
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from alexandria.errors import ConfigurationError, StoreUnavailableError

_LOCK_SECONDS = 30
_RECALL_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Read:
    """A file as it was read: what it held, what `_look` said of it, and when."""

    content: bytes = field(repr=False)
    looks: tuple[int, ...]
    at: float


_reads: dict[Path, _Read] = {}


@contextmanager
def lock_folder(folder: Path) -> Generator[None]:
    """Be the only process that changes files in a folder, which is made if need be.

    Raises:
        StoreUnavailableError: Another process has held it for half a minute.
    """
    from filelock import FileLock, Timeout

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=_LOCK_SECONDS, mode=0o600):
            yield
    except Timeout as error:
        raise StoreUnavailableError(f"Another process holds the lock in {folder}.") from error


def read_secret(path: Path) -> bytes | None:
    """What a file of secrets holds; None if it is not there.

    Raises:
        ConfigurationError: This process may not read it, or others may.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read()
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise ConfigurationError(f"{path} belongs to another user of this system.") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(f"Others can read {path}; run `chmod 600` on it.")
    return content


def recall_secret(path: Path) -> bytes | None:
    """The same, but read again only where the file has changed, or was read seconds ago.

    Raises:
        ConfigurationError: This process may not read it, or others may.
    """
    looks, now = _look(path), time.monotonic()
    read = _reads.get(path)
    if read is not None and read.looks == looks and now - read.at < _RECALL_SECONDS:
        return read.content
    content = read_secret(path)
    if content is None or looks is None:
        _reads.pop(path, None)
    else:
        _reads[path] = _Read(content, looks, now)
    return content


def _look(path: Path) -> tuple[int, ...] | None:
    """What changes whenever the file is replaced, written, or given to others."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def read_or_make_secret(path: Path, make: Callable[[], bytes]) -> bytes:
    """What the file holds, after making it where it is missing.

    Processes that start at once read the same: the first one makes it.

    Raises:
        ConfigurationError: This process may not read it, or others may.
        StoreUnavailableError: Another process keeps the folder locked.
    """
    known = recall_secret(path)
    if known is not None:
        return known
    with lock_folder(path.parent):
        known = read_secret(path)
        if known is None:
            known = make()
            write_secret(path, known)
    return known


def write_secret(path: Path, content: bytes) -> None:
    """Replace the file at once; it is on the disk when this returns."""
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    finally:
        Path(draft).unlink(missing_ok=True)
    _sync_folder(path.parent)


def remove_secret(path: Path) -> None:
    """Delete the file; it is gone from the disk when this returns."""
    path.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
