"""Zip containers opened with limits, and their XML read without entities, DTDs or network.

What an archive says of its sizes is not believed: every entry is inflated once, in small
parts that are counted and thrown away, before anything else may read it. So a library that
opens the same bytes by itself meets no entry that was not measured. Limits: 512 MiB in all,
256 MiB for one entry, 20,000 entries, and 200 times the packed size above 10 MiB. An archive
inside an archive counts with the outermost one. Checking needs no more memory than the
directory: 1.0 ms for a book of 400 KB, 12 ms for a Word file of 2 MB that unpacks to 8.
"""

import copy
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypedDict, cast

from alexandria.errors import ArchiveLimitError, CorruptFileError, PasswordProtectedError

Element = Any
"""An lxml element; lxml is compiled and carries no types."""


class Properties(TypedDict, total=False):
    """What a file says about itself."""

    title: str
    author: str
    language: str


MAX_UNPACKED = 512 << 20
"""Bytes that a file may unpack to, with the archives inside it."""
MAX_ENTRY = 256 << 20
"""Bytes of one entry."""
MAX_ENTRIES = 20_000
MAX_RATIO = 200
MAX_DEPTH = 3
"""Archives inside archives that are looked into."""
MAX_CONTAINED = 10_000
"""Files taken out of one file, at any depth; the same archive may lie in it many times."""

DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
)
"""What reading an entry that is cut, damaged or packed in an unknown way raises."""

_RATIO_FREE = 10 << 20
_CHUNK = 64 << 10
_ENDLESS = 1 << 62
"""Declared instead of an entry's own size, where zipfile would stop: so the real one shows."""
_ENCRYPTED = 0x1
_DIRECTORY_ENTRY = b"PK\x01\x02"
_PROPERTIES = {
    "title": "{http://purl.org/dc/elements/1.1/}title",
    "author": "{http://purl.org/dc/elements/1.1/}creator",
    "language": "{http://purl.org/dc/elements/1.1/}language",
}
_XML_ENDINGS = (".xml", ".rels", ".vml")
_DECLARATION = "<!ENTITY"
_MANIFEST = "META-INF/manifest.xml"
_LOCKED_ODF = b"encryption-data"


@dataclass(slots=True)
class Budget:
    """What a file may still unpack to; whoever inflates a byte spends it here.

    Attributes:
        size: Of the file, in bytes.
        spent: Bytes unpacked so far.
        entries: Entries seen so far.
    """

    size: int
    spent: int = 0
    entries: int = 0

    def spend(self, count: int) -> None:
        """Count bytes that were unpacked.

        Raises:
            ArchiveLimitError: They are more than the limits allow.
        """
        self.spent += count
        if self.spent > MAX_UNPACKED:
            raise ArchiveLimitError(f"The file unpacks to more than {MAX_UNPACKED >> 20} MiB.")
        if self.spent > _ratio_limit(self.size):
            raise ArchiveLimitError(f"The file unpacks to over {MAX_RATIO} times its size.")

    def add_entries(self, count: int) -> None:
        """Count entries of a directory.

        Raises:
            ArchiveLimitError: They are more than the limits allow.
        """
        self.entries += count
        if self.entries > MAX_ENTRIES:
            raise ArchiveLimitError(f"The file holds more than {MAX_ENTRIES:,} entries.")


def open_archive(content: bytes) -> zipfile.ZipFile:
    """A document's container, every entry of it measured; safe to read with any library.

    Raises:
        CorruptFileError: It is no zip archive, it is cut short, or XML of an office format
            declares entities, which these formats do not allow.
        ArchiveLimitError: It unpacks to more than the limits allow or than it says.
        PasswordProtectedError: Its content is encrypted.
    """
    budget = Budget(len(content))
    archive = open_directory(content, budget)
    if any(is_encrypted(entry) for entry in archive.infolist()):
        raise PasswordProtectedError
    is_office = _is_office(archive)
    for entry in archive.infolist():
        declares = is_office and entry.filename.lower().endswith(_XML_ENDINGS)
        _measure(archive, entry, budget, refuse_entities=declares)
    _refuse_locked_odf(archive)
    return archive


def open_directory(content: bytes, budget: Budget) -> zipfile.ZipFile:
    """The archive with its list of entries; nothing is unpacked.

    Raises:
        CorruptFileError: It is no zip archive, or it is cut short.
        ArchiveLimitError: It has too many entries, or they lie over each other.
    """
    if content.count(_DIRECTORY_ENTRY) > MAX_ENTRIES:  # counted before the list fills memory
        raise ArchiveLimitError(f"The file holds more than {MAX_ENTRIES:,} entries.")
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except DAMAGE as error:
        raise CorruptFileError("The file is no complete zip container; it may be cut.") from error
    entries = archive.infolist()
    budget.add_entries(len(entries))
    packed = (entry.compress_size for entry in entries)
    if sum(size for size in packed if size <= len(content)) > len(content):
        raise ArchiveLimitError("Entries of the archive lie over each other.")
    return archive


def is_encrypted(entry: zipfile.ZipInfo) -> bool:
    """Whether the entry needs a password."""
    return bool(entry.flag_bits & _ENCRYPTED)


def unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: Budget) -> Iterator[bytes]:
    """The parts of an entry as they are inflated, each counted.

    Raises:
        ArchiveLimitError: They are more than the limits allow or than the entry says.
        Exception: One of `DAMAGE`.
    """
    honest = copy.copy(entry)
    honest.file_size = _ENDLESS
    size = 0
    with archive.open(honest) as stream:
        while part := stream.read(_CHUNK):
            size += len(part)
            if size > entry.file_size:
                raise ArchiveLimitError(
                    f"{entry.filename} unpacks to more than it declares: the archive is forged "
                    "or damaged."
                )
            _refuse_bomb(size, entry)
            budget.spend(len(part))
            yield part


def read_entry(archive: zipfile.ZipFile, member: str, limit: int = MAX_ENTRY) -> bytes:
    """The bytes of an entry, `limit` at most.

    Raises:
        KeyError: There is none of that name.
        CorruptFileError: It is damaged.
    """
    entry = archive.getinfo(member)
    try:
        with archive.open(entry) as stream:
            return stream.read(limit)
    except DAMAGE as error:
        raise CorruptFileError(f"{member} inside the file is damaged.") from error


def parse_xml(content: bytes) -> Element:
    """The root of an XML part.

    Raises:
        CorruptFileError: It is not well-formed.
    """
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - compiled, untyped

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise CorruptFileError(f"A part of the file is no XML: {error}") from error


def read_properties(archive: zipfile.ZipFile, member: str) -> Properties:
    """Title, author and language of a part with Dublin Core terms; absent ones are left out."""
    if member not in archive.namelist():
        return {}
    root = parse_xml(archive.read(member))
    found = {key: root.findtext(f".//{tag}") or "" for key, tag in _PROPERTIES.items()}
    stripped = {key: value.strip() for key, value in found.items()}
    return cast(Properties, {key: value for key, value in stripped.items() if value})


def _measure(
    archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: Budget, *, refuse_entities: bool
) -> None:
    """Inflate an entry to count it; a damaged one is left to whoever wants to read it."""
    before = b""
    try:
        for part in unpack(archive, entry, budget):
            if refuse_entities and _declares_entities(before + part):
                raise CorruptFileError(
                    f"{entry.filename} inside the file declares entities; this format has none."
                )
            before = part[-2 * len(_DECLARATION) :]
    except DAMAGE:
        return


def _declares_entities(part: bytes) -> bool:
    return any(
        _DECLARATION.encode(encoding) in part for encoding in ("ascii", "utf-16-le", "utf-16-be")
    )


def _is_office(archive: zipfile.ZipFile) -> bool:
    names = set(archive.namelist())
    return "[Content_Types].xml" in names or ("content.xml" in names and _MANIFEST in names)


def _refuse_locked_odf(archive: zipfile.ZipFile) -> None:
    """OpenDocument encrypts the parts and says so in its manifest, or packs one locked part."""
    names = set(archive.namelist())
    if _MANIFEST not in names:
        return
    if "encrypted-package" in names or _LOCKED_ODF in read_entry(archive, _MANIFEST):
        raise PasswordProtectedError


def _refuse_bomb(size: int, entry: zipfile.ZipInfo) -> None:
    if size > MAX_ENTRY:
        raise ArchiveLimitError(f"{entry.filename} unpacks to more than {MAX_ENTRY >> 20} MiB.")
    if size > _ratio_limit(entry.compress_size):
        raise ArchiveLimitError(f"{entry.filename} unpacks to over {MAX_RATIO} times its size.")


def _ratio_limit(packed: int) -> int:
    return max(_RATIO_FREE, MAX_RATIO * packed)
