"""Pictures of Word, PowerPoint, Excel and OpenDocument files, by the files' own links.

A part of an Office file names what it shows by relationship ids, in reading order; charts,
drawings and diagrams are parts of their own and are followed. Slide layouts and masters are
not: what they show is decoration of every slide.
"""

import posixpath
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from alexandria.errors import CorruptFileError
from alexandria.knowledge.parsing.archives import Element, open_archive, parse_xml
from alexandria.knowledge.parsing.drafts import Draft, FoundImage, one_line
from alexandria.knowledge.parsing.pictures.collecting import (
    Found,
    Gallery,
    place_by_headings,
    with_images,
)
from alexandria.knowledge.parsing.pictures.markup import read_member, text_of
from alexandria.knowledge.parsing.readers.markup.elements import tag_of

_WORD, _DECK, _BOOK = "word/document.xml", "ppt/presentation.xml", "xl/workbook.xml"
_FOLLOWED = frozenset(
    {
        *("drawing", "vmlDrawing", "chart", "chartUserShapes"),
        *("diagramData", "diagramDrawing", "notesSlide"),
    }
)
_BEFORE, _AFTER = ("header", "footer"), ("footnotes", "endnotes")
_ANCHORED = ("slide=", "sheet=")
_DESCRIBED = frozenset({"docpr", "cnvpr"})
_ODF_LINK = "{http://www.w3.org/1999/xlink}href"
_ODF_TABLE_NAME = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}name"


def add_office_pictures(draft: Draft, content: bytes) -> Draft:
    """The draft of an Office or OpenDocument file, its sections with the pictures in them."""
    with open_archive(content) as archive:
        package = _Package(archive)
        names = frozenset(archive.namelist())
        if _WORD in names:
            draft = _by_heading(draft, package.whole_text(_WORD))
        elif _DECK in names:
            draft = _by_anchor(draft, package.slides())
        elif _BOOK in names:
            draft = _by_anchor(draft, package.sheets())
        elif any(section.anchor.startswith(_ANCHORED) for section in draft.sections):
            draft = _by_anchor(draft, package.open_pages())
        else:
            draft = _by_heading(draft, package.open_text())
        return replace(draft, notes=draft.notes + package.gallery.notes())


def _by_heading(draft: Draft, found: Iterator[Found]) -> Draft:
    return replace(draft, sections=place_by_headings(draft.sections, found))


def _by_anchor(draft: Draft, found: Iterator[tuple[str, Found]]) -> Draft:
    """Pictures to the sections of their anchors; to the first one if there is none."""
    by_anchor: dict[str, list[FoundImage]] = {}
    anchors = {section.anchor for section in draft.sections}
    first = draft.sections[0].anchor if draft.sections else ""
    for anchor, item in found:
        if isinstance(item, FoundImage):
            by_anchor.setdefault(anchor if anchor in anchors else first, []).append(item)
    sections = tuple(
        with_images(section, by_anchor.get(section.anchor, ())) for section in draft.sections
    )
    return replace(draft, sections=sections)


@dataclass(frozen=True, slots=True)
class _Link:
    """A relationship: the last word of its type, and the part it leads to."""

    kind: str
    target: str


@dataclass(slots=True)
class _Package:
    """An open file and the pictures taken from it."""

    archive: zipfile.ZipFile
    gallery: Gallery = field(default_factory=Gallery)

    def slides(self) -> Iterator[tuple[str, Found]]:
        """Pictures with the anchor of their slide."""
        links = self._links(_DECK)
        ids = [one for one in self._elements(_DECK) if tag_of(one) == "sldid"]
        for number, element in enumerate(ids, start=1):
            for link in _linked(element, links):
                for item in self._part(link.target):
                    yield f"slide={number}", item

    def sheets(self) -> Iterator[tuple[str, Found]]:
        """Pictures with the anchor of their sheet."""
        links = self._links(_BOOK)
        for element in self._elements(_BOOK):
            if tag_of(element) == "sheet":
                for link in _linked(element, links):
                    drawn = self._links(link.target)  # most sheets have none: not read again
                    for item in self._part(link.target) if drawn else ():
                        yield f"sheet={element.get('name') or ''}", item

    def whole_text(self, part: str) -> Iterator[Found]:
        """Headings and pictures of a text; page headers come first, notes last."""
        for kinds, is_text in ((_BEFORE, False), ((), True), (_AFTER, False)):
            if is_text:
                yield from self._part(part)
            for link in self._links(part).values():
                if link.kind in kinds:
                    yield from (
                        item for item in self._part(link.target) if isinstance(item, FoundImage)
                    )

    def open_text(self) -> Iterator[Found]:
        """Headings and pictures of an OpenDocument text; page headers come first."""
        for part in ("styles.xml", "content.xml"):
            for element in self._elements(part):
                if tag_of(element) == "h":
                    yield text_of(element)
                yield from self._open_picture(element)

    def open_pages(self) -> Iterator[tuple[str, Found]]:
        """Pictures of an OpenDocument presentation or spreadsheet with their anchors."""
        anchor, slide = "", 0
        for element in self._elements("content.xml"):
            tag = tag_of(element)
            if tag == "page":
                slide += 1
                anchor = f"slide={slide}"
            elif tag == "table" and tag_of(element.getparent()) == "spreadsheet":
                anchor = f"sheet={element.get(_ODF_TABLE_NAME) or ''}"
            for item in self._open_picture(element):
                yield anchor, item

    def _open_picture(self, element: Element) -> Iterator[FoundImage]:
        """The picture of an OpenDocument element that is one and lies in the file."""
        address = element.get(_ODF_LINK) or ""
        if tag_of(element) == "image" and address and ":" not in address:
            yield from self._take(posixpath.normpath(address), _frame_description(element))

    def _part(self, part: str, above: frozenset[str] = frozenset()) -> Iterator[Found]:
        """Paragraphs and pictures of a part and of the parts it shows, in reading order."""
        links = self._links(part)
        shown: set[str] = set()
        description = ""
        for element in self._elements(part):
            tag = tag_of(element)
            if tag == "p" and not _is_contents(element):
                yield _paragraph_text(element)
            elif tag in _DESCRIBED:
                words = element.get("descr") or element.get("title") or ""
                description = words or (description if part.startswith("word/") else "")
            elif tag != "svgblip":  # the drawing behind a picture that is there as well
                for link in _linked(element, links):
                    shown.add(link.target)
                    words = element.getparent().get("alt") if tag == "imagedata" else ""
                    yield from self._shown(link, words or description, above | {part})
        for link in links.values():
            if link.kind in _FOLLOWED and link.target not in shown:
                yield from self._shown(link, "", above | {part})

    def _shown(self, link: _Link, description: str, above: frozenset[str]) -> Iterator[Found]:
        if link.kind == "image":
            yield from self._take(link.target, description)
        elif link.kind in _FOLLOWED and link.target not in above:
            yield from self._part(link.target, above)

    def _take(self, path: str, description: str) -> Iterator[FoundImage]:
        load = partial(read_member, self.archive, path)
        yield from self.gallery.take(path, load, description)

    def _links(self, part: str) -> dict[str, _Link]:
        """The relationships of a part that stay within the file, by id."""
        folder, name = posixpath.split(part)
        return {
            element.get("Id") or "": _Link(
                (element.get("Type") or "").rpartition("/")[2],
                posixpath.normpath(posixpath.join("/", folder, element.get("Target") or ""))[1:],
            )
            for element in self._elements(f"{folder}/_rels/{name}.rels")
            if tag_of(element) == "relationship" and element.get("TargetMode") != "External"
        }

    def _elements(self, part: str) -> Iterator[Element]:
        """Every element of a part; none of a part that is missing or damaged."""
        from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - compiled, untyped

        root: Element = None
        with suppress(LookupError, OSError, CorruptFileError):
            root = parse_xml(read_member(self.archive, part))
        if root is None:
            return
        walk = etree.iterwalk(root, events=("start",))
        for _, element in walk:
            if tag_of(element) == "fallback":
                walk.skip_subtree()  # what older programs show instead of the same
            else:
                yield element


def _linked(element: Element, links: dict[str, _Link]) -> Iterator[_Link]:
    """What an element refers to by its relationship attributes."""
    for name, value in element.attrib.items():
        if "/relationships}" in name and value in links:
            yield links[value]


def _is_contents(paragraph: Element) -> bool:
    """Whether it is a line of a table of contents, which repeats the headings."""
    styles = (one for one in paragraph.iterdescendants() if tag_of(one) == "pstyle")
    return any("toc" in str(value).lower() for one in styles for value in one.values())


def _frame_description(image: Element) -> str:
    """The title or description of the frame around an OpenDocument picture."""
    frame = image.getparent()
    words = (text_of(one) for one in frame if tag_of(one) in {"desc", "title"})
    return next((one for one in words if one_line(one)), "")


def _paragraph_text(paragraph: Element) -> str:
    return "".join(one.text or "" for one in paragraph.iter() if tag_of(one) == "t")
