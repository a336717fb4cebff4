"""Compare a folder with what was known of it. Reads files, writes nothing."""

import hashlib
import os
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from alexandria.errors import FileTooLargeError, UnreadableError
from alexandria.knowledge.documents import Problem
from alexandria.knowledge.identifiers import hash_text
from alexandria.sources.folder.access import ACCESS_FILE

SETTLING_SECONDS = 2.0
"""A file modified this shortly before a look may change again within the same clock tick."""

EPOCH = datetime.fromtimestamp(0, UTC)

PASSED_OVER = (".", "~$")
"""How names begin that are no documents: hidden files and office lock files."""

PASSED_OVER_NAMES = frozenset({"Thumbs.db", "desktop.ini"})


@dataclass(frozen=True, slots=True)
class FileObservation:
    """What one look at one file saw.

    Attributes:
        path: Relative to the folder, with "/" between parts, in Unicode NFC.
        fingerprint: Size, modification time and inode; empty while it may still change.
        content_hash: SHA-256 of the bytes, or of the problem when they cannot be had.
        problem: Why it cannot be taken in, if so.
        is_gone: True for a file that was known and is no longer there.
    """

    path: str
    size_bytes: int = 0
    modified_at: datetime = EPOCH
    fingerprint: str = ""
    content_hash: str = ""
    problem: Problem | None = None
    is_gone: bool = False


def observe_changes(
    root: Path, known: Mapping[str, str], *, max_bytes: int, now: float
) -> Iterator[FileObservation]:
    """Yield what differs from `known` (path to fingerprint): new, changed and gone files."""
    seen: set[str] = set()
    for path, file in sorted(walk_files(root)):
        seen.add(path)
        observation = _observe(path, file, known.get(path), max_bytes, now)
        if observation is not None:
            yield observation
    for path in sorted(known.keys() - seen):
        yield FileObservation(path=path, is_gone=True)


def walk_files(root: Path) -> Iterator[tuple[str, Path]]:
    """Relative path and location of every file that may be a document."""
    if root.is_file():
        yield _normal(root.name), root
        return
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(PASSED_OVER)]
        for name in names:
            if not name.startswith(PASSED_OVER) and name not in PASSED_OVER_NAMES:
                file = Path(folder, name)
                yield _normal(file.relative_to(root).as_posix()), file


def folder_signature(root: Path) -> str:
    """A hash over every path, size and modification time: equal while nothing changed.

    Who may read what is part of it.
    """
    lines: list[str] = []
    rules = root / ACCESS_FILE
    for path, file in [*sorted(walk_files(root)), (ACCESS_FILE, rules)]:
        try:
            status = file.stat()
        except OSError:
            continue
        lines.append(f"{path}\0{status.st_size}\0{status.st_mtime_ns}")
    return hash_text("\n".join(lines))


def _normal(path: str) -> str:
    r"""The path in NFC; bytes of a name that are no UTF-8 are written out, as in "\xff.txt"."""
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", text)


def _observe(
    path: str, file: Path, known: str | None, max_bytes: int, now: float
) -> FileObservation | None:
    try:
        status = file.stat()
        fingerprint = f"{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"
        if known == fingerprint:
            return None
        problem = _size_problem(status.st_size, max_bytes)
        content_hash = _problem_hash(path, problem) if problem else _hash_file(file)
    except OSError as error:
        return _unopened(path, error)
    settled = now - status.st_mtime > SETTLING_SECONDS
    return FileObservation(
        path=path,
        size_bytes=status.st_size,
        modified_at=datetime.fromtimestamp(status.st_mtime, UTC),
        fingerprint=fingerprint if settled else "",
        content_hash=content_hash,
        problem=problem,
    )


def _hash_file(file: Path) -> str:
    if not file.is_file():
        raise OSError("it is not a regular file")
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _size_problem(size: int, max_bytes: int) -> Problem | None:
    if size <= max_bytes:
        return None
    reason = f"The file has {size:,} bytes; the limit is {max_bytes:,}."
    return Problem(FileTooLargeError.code, reason, FileTooLargeError.advice)


def _unopened(path: str, error: OSError) -> FileObservation:
    reason = f"The file cannot be opened: {error.strerror or error}."
    advice = "Check that the file exists and that this user may read it."
    problem = Problem(UnreadableError.code, reason, advice)
    return FileObservation(path, content_hash=_problem_hash(path, problem), problem=problem)


def _problem_hash(path: str, problem: Problem) -> str:
    return hash_text(f"{path}\0{problem.code}\0{problem.reason}")
