"""ZIP, tar and gzip files: a list of what is inside; each file inside is handed on.

Folders and what operating systems leave behind are passed over. Nothing is ever written to a
folder; `file_names` makes names of the paths. Links, locked and damaged entries are left out,
each with a note. Archives inside are unpacked here too, to count what they hold, and handed
on as they are.
"""

import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO, cast

from alexandria.errors import (
    ArchiveLimitError,
    CorruptFileError,
    EmptyFileError,
    PasswordProtectedError,
)
from alexandria.knowledge.documents import Attachment, BlockKind, Note, UnitKind
from alexandria.knowledge.parsing.archives import (
    DAMAGE,
    MAX_DEPTH,
    MAX_ENTRY,
    Budget,
    is_encrypted,
    open_directory,
    unpack,
)
from alexandria.knowledge.parsing.drafts import Draft, Piece, Section, Source, one_line
from alexandria.knowledge.parsing.file_names import path_parts

_LITTER = frozenset({"__macosx", "thumbs.db", "desktop.ini"})
_HIDDEN = (".", "~$")
_UTF8_NAME = 0x800
_BLOCK = 512
_DAMAGE = (*DAMAGE, tarfile.TarError)
_LOCKED = "it is locked with a password"
_DAMAGED = "it is damaged, or packed in a way that is not known here"
_LINK = "it is a link, not a file"
_SPARSE = "it is a file with holes, which is not unpacked"
_REST = "The rest of the archive"
_DOCUMENT_PARTS = frozenset({"[Content_Types].xml", "mimetype", "META-INF/container.xml"})


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file in an archive: its path there, and its bytes or why they are not had.

    A reason without a path is about everything after the entries before. What is packed alone,
    without an archive around it, has no path.
    """

    path: str
    content: bytes | None = None
    reason: str = ""
    is_alone: bool = False


def read_zip(source: Source) -> Draft:
    """A ZIP archive.

    Raises:
        ArchiveLimitError: It unpacks to more than the limits allow.
        PasswordProtectedError: Every file in it is locked.
        CorruptFileError: It is cut, or no file in it can be unpacked.
    """
    return _draft(list(_zip_entries(source.content, Budget(len(source.content)))))


def read_tar(source: Source) -> Draft:
    """A tar archive; raises as `read_zip`."""
    stream = io.BytesIO(source.content)
    return _draft(list(_tar_entries(stream, Budget(len(source.content)))))


def read_gzip(source: Source) -> Draft:
    """A gzip file: a tar archive, or one packed file; raises as `read_zip`.

    A packed file has no name of its own: it takes that of each place the gzip file lies in.
    """
    budget = Budget(len(source.content))
    return _draft(list(_gzip_entries(source.content, budget)))


def _draft(entries: Sequence[_Entry]) -> Draft:
    listed = [entry for entry in entries if entry.path or entry.is_alone]
    unpacked = [entry for entry in listed if entry.content is not None]
    if not entries:
        raise EmptyFileError("The archive holds no files.")
    if not unpacked:
        if all(entry.reason == _LOCKED for entry in entries):
            raise PasswordProtectedError("Every file in the archive is locked with a password.")
        raise CorruptFileError("No file in the archive can be unpacked.")
    pieces = tuple(Piece(BlockKind.LIST_ITEM, _shown(entry)) for entry in entries if entry.path)
    contents = Section(UnitKind.ARCHIVE, "Contents", "archive=1", pieces)
    return Draft(
        (replace(contents, is_wordless=not pieces),),
        notes=tuple(
            Note("entry_skipped", f"{_shown(entry)} was left out: {entry.reason}.", unit=0)
            for entry in entries
            if entry.content is None
        ),
        attachments=tuple(Attachment(entry.path, entry.content or b"") for entry in unpacked),
    )


def _zip_entries(content: bytes, budget: Budget, depth: int = 0) -> Iterator[_Entry]:
    with open_directory(content, budget) as archive:
        for entry in archive.infolist():
            path = _zip_path(entry)
            if entry.is_dir() or _is_litter(path):
                continue
            if is_encrypted(entry):
                yield _Entry(path, reason=_LOCKED)
            elif stat.S_ISLNK(entry.external_attr >> 16):
                yield _Entry(path, reason=_LINK)
            else:
                yield _unpacked(path, unpack(archive, entry, budget), budget, depth)


def _tar_entries(stream: BinaryIO, budget: Budget, depth: int = 0) -> Iterator[_Entry]:
    metered = _Metered(stream, budget)
    try:
        with tarfile.open(fileobj=cast(BinaryIO, metered), mode="r|", bufsize=_BLOCK) as archive:
            for member in archive:
                budget.add_entries(1)
                if not member.isdir() and not _is_litter(member.name):
                    yield _tar_entry(archive, member, budget, depth)
    except _DAMAGE:
        yield _Entry("", reason=_DAMAGED)
    else:
        if metered.last.strip(b"\0"):  # tarfile takes a damaged header for the end
            yield _Entry("", reason=_DAMAGED)


def _tar_entry(
    archive: tarfile.TarFile, member: tarfile.TarInfo, budget: Budget, depth: int
) -> _Entry:
    if member.issparse():
        return _Entry(member.name, reason=_SPARSE)
    stream = archive.extractfile(member) if member.isreg() else None
    if stream is None:
        return _Entry(member.name, reason=_LINK)
    if member.size > MAX_ENTRY:
        raise ArchiveLimitError(f"{member.name} is larger than {MAX_ENTRY >> 20} MiB.")
    return _unpacked(member.name, [stream.read()], budget, depth)


def _gzip_entries(content: bytes, budget: Budget, depth: int = 0) -> Iterator[_Entry]:
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
        try:
            head = stream.read(_BLOCK)
            stream.rewind()
        except DAMAGE as error:
            raise CorruptFileError("The gzip file is damaged or cut.") from error
        packed = cast(BinaryIO, stream)
        if _is_tar(head):
            yield from _tar_entries(packed, budget, depth)
        else:
            metered = _Metered(packed, budget)
            parts = iter(lambda: metered.read(1 << 16), b"")
            yield replace(_unpacked("", parts, budget, depth), is_alone=True)


def _unpacked(path: str, parts: Iterable[bytes], budget: Budget, depth: int) -> _Entry:
    """An entry with its bytes; an archive among them is counted with what it holds."""
    try:
        content = b"".join(parts)
    except _DAMAGE:
        return _Entry(path, reason=_DAMAGED)
    if depth < MAX_DEPTH:
        _count_inside(content, budget, depth + 1)
    return _Entry(path, content)


def _count_inside(content: bytes, budget: Budget, depth: int) -> None:
    """Spend what an archive inside the archive unpacks to; damaged ones hold nothing."""
    if content.startswith(b"PK\x03\x04"):
        inside = _zip_entries(content, budget, depth) if _is_container(content) else ()
    elif content.startswith(b"\x1f\x8b"):
        inside = _gzip_entries(content, budget, depth)
    elif _is_tar(content[:_BLOCK]):
        inside = _tar_entries(io.BytesIO(content), budget, depth)
    else:
        inside = ()
    try:
        for _ in inside:
            pass
    except CorruptFileError:
        return


def _is_container(content: bytes) -> bool:
    """Whether a ZIP file is a pile of files, not a document such as DOCX or EPUB."""
    try:
        with open_directory(content, Budget(len(content))) as archive:
            return not _DOCUMENT_PARTS & set(archive.namelist())
    except CorruptFileError:
        return False


def _is_tar(head: bytes) -> bool:
    return head[257:262] == b"ustar"


@dataclass(slots=True)
class _Metered:
    """A stream whose bytes are spent as they are read; `last` is the part read last."""

    stream: BinaryIO
    budget: Budget
    last: bytes = b""

    def read(self, size: int) -> bytes:
        """Up to `size` bytes."""
        self.last = self.stream.read(size)
        self.budget.spend(len(self.last))
        return self.last


def _zip_path(entry: zipfile.ZipInfo) -> str:
    """The entry's path; one that is not marked as UTF-8 often is all the same."""
    if entry.flag_bits & _UTF8_NAME:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename


def _is_litter(path: str) -> bool:
    return any(part.startswith(_HIDDEN) or part.casefold() in _LITTER for part in path_parts(path))


def _shown(entry: _Entry) -> str:
    return one_line(entry.path) or (_REST if not entry.path else "A file without a name")
