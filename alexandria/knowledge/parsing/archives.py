"""Zip containers (EPUB, DOCX, PPTX, XLSX, ODT) opened with limits.

A document of this kind is small when packed and honest about its size. Limits: 1 GiB
unpacked in all, 20,000 entries, and no entry that unpacks to more than 1,000 times its
packed size once it is over 10 MiB. XML is parsed without entities, DTDs or network.
"""

import io
import zipfile
from typing import Any, TypedDict, cast

from alexandria.errors import CorruptFileError, FileTooLargeError, PasswordProtectedError

Element = Any
"""An lxml element; lxml is compiled and carries no types."""


class Properties(TypedDict, total=False):
    """What a file says about itself."""

    title: str
    author: str
    language: str


MAX_UNPACKED = 1 << 30
MAX_ENTRIES = 20_000
MAX_RATIO = 1_000
_RATIO_FREE = 10 << 20
_ENCRYPTED = 0x1
_PROPERTIES = {
    "title": "{http://purl.org/dc/elements/1.1/}title",
    "author": "{http://purl.org/dc/elements/1.1/}creator",
    "language": "{http://purl.org/dc/elements/1.1/}language",
}


def open_archive(content: bytes) -> zipfile.ZipFile:
    """The archive, its entries checked.

    Raises:
        CorruptFileError: It is no zip archive, or it is cut short.
        FileTooLargeError: It unpacks to more than the limits allow.
        PasswordProtectedError: An entry is encrypted.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise CorruptFileError("The file is no complete zip container; it may be cut.") from error
    entries = archive.infolist()
    if any(entry.flag_bits & _ENCRYPTED for entry in entries):
        raise PasswordProtectedError
    if sum(entry.file_size for entry in entries) > MAX_UNPACKED or len(entries) > MAX_ENTRIES:
        raise FileTooLargeError("The file unpacks to more than 1 GiB or 20,000 entries.")
    if any(_is_bomb(entry) for entry in entries):
        raise FileTooLargeError("The file unpacks to over 1,000 times its size.")
    return archive


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


def _is_bomb(entry: zipfile.ZipInfo) -> bool:
    return entry.file_size > _RATIO_FREE and entry.file_size > MAX_RATIO * entry.compress_size
