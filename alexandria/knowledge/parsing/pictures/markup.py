"""Pictures of pages and of book chapters, read from their `img` elements.

Nothing is fetched: a page gives only the pictures written into it as `data:` addresses, a
book those in its own archive.
"""

import base64
import binascii
import posixpath
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from urllib.parse import unquote, unquote_to_bytes

from alexandria.knowledge.parsing.archives import Element
from alexandria.knowledge.parsing.drafts import Draft, FoundImage, Section, one_line
from alexandria.knowledge.parsing.pictures.collecting import (
    Found,
    Gallery,
    place_by_headings,
    with_images,
)
from alexandria.knowledge.parsing.readers.markup.elements import is_hidden, tag_of

Lookup = Callable[[str], tuple[str, Callable[[], bytes]] | None]
"""From an address to a name and what reads the bytes; None for what lies elsewhere."""

_HEADINGS = frozenset(f"h{level}" for level in range(1, 7))
_PICTURES = frozenset({"img", "image"})
_UNSEEN = frozenset({"head", "noscript", "template", "script", "style"})
_LINK = "{http://www.w3.org/1999/xlink}href"


def add_page_pictures(draft: Draft, root: Element) -> Draft:
    """The draft of a page with the pictures that are written into it, chapter by chapter."""
    gallery = Gallery()
    sections = place_by_headings(draft.sections, _walk(root, inline_picture, gallery))
    return replace(draft, sections=sections, notes=draft.notes + gallery.notes())


def add_chapter_pictures(
    section: Section, root: Element, archive: zipfile.ZipFile, path: str, gallery: Gallery
) -> Section:
    """A book's chapter with its pictures.

    Args:
        section: What was read of it.
        root: Its markup.
        archive: The book.
        path: Of the chapter in the book.
        gallery: The book's.
    """
    found = _walk(root, partial(_in_archive, archive, path), gallery)
    return with_images(section, (item for item in found if isinstance(item, FoundImage)))


def inline_picture(address: str) -> tuple[str, Callable[[], bytes]] | None:
    """The picture of a `data:` address; None for any other address."""
    head, comma, data = address.partition(",")
    if not comma or not head[:11].lower().startswith("data:image/"):
        return None
    return address, partial(_decode, data, is_base64=head.lower().endswith(";base64"))


def _walk(root: Element, look_up: Lookup, gallery: Gallery) -> Iterator[Found]:
    """Headings and pictures in reading order."""
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - compiled, untyped

    walk = etree.iterwalk(root, events=("start",))
    for _, element in walk:
        tag = tag_of(element)
        if tag in _UNSEEN or is_hidden(element):
            walk.skip_subtree()
        elif tag in _HEADINGS:
            yield text_of(element)
        elif tag in _PICTURES:
            address = element.get("src") or element.get(_LINK) or element.get("xlink:href") or ""
            known = look_up(address.strip() or (element.get("href") or "").strip())
            if known:
                yield from gallery.take(*known, _description(element))


def _in_archive(
    archive: zipfile.ZipFile, chapter: str, address: str
) -> tuple[str, Callable[[], bytes]] | None:
    inline = inline_picture(address)
    if inline or not address or ":" in address.partition("/")[0]:
        return inline
    link = unquote(address.partition("#")[0].partition("?")[0])
    path = posixpath.normpath(posixpath.join(posixpath.dirname(chapter), link))
    return path, partial(read_member, archive, path)


def read_member(archive: zipfile.ZipFile, path: str) -> bytes:
    """A file of an archive.

    Raises:
        LookupError: There is none of that name.
        OSError: It is damaged.
    """
    try:
        return archive.read(path)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise OSError(str(error)) from error


def _decode(data: str, *, is_base64: bool) -> bytes:
    if not is_base64:
        return unquote_to_bytes(data)
    try:
        return base64.b64decode("".join(unquote(data).split()))
    except binascii.Error as error:
        raise OSError(str(error)) from error


def _description(element: Element) -> str:
    """Alternative text, or the caption of the figure it stands in."""
    words = element.get("alt") or element.get("title") or ""
    if one_line(words):
        return words
    figure = next((one for one in element.iterancestors() if tag_of(one) == "figure"), None)
    captions = figure.iterdescendants() if figure is not None else ()
    return next((text_of(one) for one in captions if tag_of(one) == "figcaption"), "")


def text_of(element: Element) -> str:
    """All text inside an element."""
    return "".join(str(text) for text in element.itertext())
