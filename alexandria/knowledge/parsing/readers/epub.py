"""EPUB 2 and 3: one unit for each document of the spine, named by the table of contents.

Labels come from the navigation document or the NCX; a chapter that neither lists is
called by its first heading. Covers and other pages of pictures stay units, with a problem.
"""

import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

from alexandria.errors import (
    CorruptFileError,
    PasswordProtectedError,
    UndecodableTextError,
    UnreadableError,
)
from alexandria.knowledge.documents import BlockKind, Problem, UnitKind
from alexandria.knowledge.parsing.archives import (
    Element,
    open_archive,
    parse_xml,
    read_entry,
    read_properties,
)
from alexandria.knowledge.parsing.decoding import decode_markup
from alexandria.knowledge.parsing.drafts import (
    PICTURE_UNIT,
    Draft,
    Piece,
    Section,
    Source,
    one_line,
)
from alexandria.knowledge.parsing.pictures.collecting import Gallery
from alexandria.knowledge.parsing.pictures.markup import add_chapter_pictures
from alexandria.knowledge.parsing.readers.markup.elements import parse_markup, tag_of
from alexandria.knowledge.parsing.readers.markup.structure import markup_pieces

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_EMPTY_ELEMENT = re.compile(r"<([A-Za-z][\w:-]*)((?:\s[^<>]*?)?)/>")
_VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"})
_PICTURES = frozenset({"img", "image", "svg"})


@dataclass(frozen=True, slots=True)
class _Item:
    """A file of the publication: its path in the archive, media type and properties."""

    path: str
    media_type: str
    properties: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Package:
    """The publication's files by id, and the ids in reading order."""

    items: dict[str, _Item]
    spine: tuple[str, ...]


def read_epub(source: Source) -> Draft:
    """A book.

    Raises:
        CorruptFileError: The package is missing or lists no readable chapter.
        PasswordProtectedError: Its chapters are encrypted.
    """
    with open_archive(source.content) as archive:
        package_path = _package_path(archive)
        package = _package(parse_xml(_read(archive, package_path)), package_path)
        chapters = _chapters(package)
        _refuse_encrypted(archive, chapters)
        labels, gallery = _labels(archive, package), Gallery()
        sections = [
            _chapter(archive, item, number, labels.get(item.path, ""), gallery)
            for number, item in enumerate(chapters, start=1)
        ]
        if all(one.problem and one.problem.code == CorruptFileError.code for one in sections):
            raise CorruptFileError("No chapter of the book can be read.")
        properties = read_properties(archive, package_path)
        return Draft(tuple(sections), notes=gallery.notes(), **properties)


def _chapters(package: _Package) -> list[_Item]:
    """The files of the spine, each once; one that the book does not list has no path."""
    missing = _Item("", "", frozenset())
    items = [package.items.get(one, missing) for one in package.spine]
    if all(item is missing for item in items):
        raise CorruptFileError("The book lists no chapters.")
    paths = [item.path or f"?{number}" for number, item in enumerate(items)]
    return list(dict(zip(paths, items, strict=True)).values())


def _chapter(
    archive: zipfile.ZipFile, item: _Item, number: int, label: str, gallery: Gallery
) -> Section:
    """A chapter, or its problem: one that is damaged does not cost the others."""
    try:
        return _section(archive, item, number, label, gallery)
    except (CorruptFileError, UndecodableTextError) as error:
        problem = _problem(error)
    label = label or f"Chapter {number}"
    return Section(UnitKind.CHAPTER, label, f"chapter={number}", problem=problem)


def _problem(error: UnreadableError) -> Problem:
    return Problem(error.code, error.message, error.advice)


def _section(
    archive: zipfile.ZipFile, item: _Item, number: int, label: str, gallery: Gallery
) -> Section:
    root = parse_markup(_self_closed(decode_markup(_read(archive, item.path))))
    pieces = tuple(markup_pieces(root))
    pictures = any(tag_of(one) in _PICTURES for one in root.iter())
    section = Section(
        UnitKind.CHAPTER,
        label or _first_heading(pieces) or f"Chapter {number}",
        f"chapter={number}",
        pieces,
        PICTURE_UNIT if pictures and not pieces else None,
    )
    return add_chapter_pictures(section, root, archive, item.path, gallery)


def _self_closed(markup: str) -> str:
    """XHTML as HTML reads it, where <title/> or <a id="p5"/> would hold all that follows."""
    return _EMPTY_ELEMENT.sub(_with_end_tag, markup)


def _with_end_tag(match: re.Match[str]) -> str:
    return match[0] if match[1] in _VOID else f"<{match[1]}{match[2]}></{match[1]}>"


def _first_heading(pieces: tuple[Piece, ...]) -> str:
    found = (one_line(piece.text) for piece in pieces if piece.kind is BlockKind.HEADING)
    return next(found, "")


def _read(archive: zipfile.ZipFile, path: str) -> bytes:
    try:
        return read_entry(archive, path)
    except KeyError as error:
        missing = path or "a chapter"
        raise CorruptFileError(f"The book lists {missing}, but does not hold it.") from error


def _package_path(archive: zipfile.ZipFile) -> str:
    root = parse_xml(_read(archive, _CONTAINER))
    files = (one.get("full-path") for one in root.iter() if tag_of(one) == "rootfile")
    path = next(filter(None, files), "")
    if not path:
        raise CorruptFileError("The book names no package.")
    return path


def _package(root: Element, path: str) -> _Package:
    items: dict[str, _Item] = {}
    spine: list[str] = []
    for element in root.iter():
        if tag_of(element) == "item":
            items[element.get("id") or ""] = _Item(
                _resolve(path, element.get("href") or ""),
                element.get("media-type") or "",
                frozenset((element.get("properties") or "").split()),
            )
        elif tag_of(element) == "itemref":
            spine.append(element.get("idref") or "")
    return _Package(items, tuple(dict.fromkeys(spine)))


def _resolve(base: str, link: str) -> str:
    path = unquote(link.partition("#")[0])
    return posixpath.normpath(posixpath.join(posixpath.dirname(base), path))


def _refuse_encrypted(archive: zipfile.ZipFile, chapters: list[_Item]) -> None:
    """Embedded fonts may be scrambled; chapters may not."""
    if _ENCRYPTION not in archive.namelist():
        return
    root = parse_xml(_read(archive, _ENCRYPTION))
    locked = {unquote(one.get("URI") or "") for one in root.iter()}
    if any(item.path in locked for item in chapters):
        raise PasswordProtectedError("The book's chapters are encrypted (DRM).")


def _labels(archive: zipfile.ZipFile, package: _Package) -> dict[str, str]:
    """The first label the table of contents gives to each path."""
    labels: dict[str, str] = {}
    for item in package.items.values():
        if "nav" in item.properties or item.media_type.endswith("ncx+xml"):
            for link, text in _links(archive, item):
                labels.setdefault(_resolve(item.path, link), text)
    return labels


def _links(archive: zipfile.ZipFile, item: _Item) -> Iterator[tuple[str, str]]:
    try:
        root = parse_xml(_read(archive, item.path))
    except CorruptFileError:
        return  # the book can be read without its table of contents
    for element in root.iter():
        if tag_of(element) == "a" and element.get("href"):
            yield element.get("href") or "", one_line("".join(_texts(element)))
        elif tag_of(element) == "navpoint":
            content = next((one for one in element if tag_of(one) == "content"), None)
            label = next((one for one in element if tag_of(one) == "navlabel"), None)
            if content is not None and label is not None:
                yield content.get("src") or "", one_line("".join(_texts(label)))


def _texts(element: Element) -> Iterator[str]:
    return (str(text) for text in element.itertext())
