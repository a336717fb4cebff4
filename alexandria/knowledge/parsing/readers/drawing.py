"""SVG: the words of a drawing, without drawing it.

Its title, description and text elements are read; scripts, styles, links and pictures it
names are never followed and never reach the text.
"""

from collections.abc import Iterator

from alexandria.errors import CorruptFileError
from alexandria.knowledge.documents import UnitKind
from alexandria.knowledge.parsing.archives import Element, parse_xml
from alexandria.knowledge.parsing.drafts import (
    PICTURE_UNIT,
    Draft,
    Piece,
    Section,
    Source,
    heading,
    one_line,
    paragraph,
)
from alexandria.knowledge.parsing.readers.markup.elements import tag_of
from alexandria.knowledge.parsing.readers.markup.structure import markup_pieces

_SKIPPED = frozenset({"script", "style", "metadata"})
_MOVES = ("x", "y", "dx", "dy")


def read_svg(source: Source) -> Draft:
    """A drawing in one unit; its first title is the document's.

    Raises:
        CorruptFileError: It is no well-formed XML, or no drawing.
    """
    root = parse_xml(source.content)
    if tag_of(root) != "svg":
        raise CorruptFileError("The file holds no drawing.")
    pieces = tuple(_pieces(root))
    title = next((piece.text for piece in pieces if piece.level), "")
    section = Section(UnitKind.IMAGE, title or "Drawing", "image=1", pieces, PICTURE_UNIT)
    return Draft((section,), title=title)


def _pieces(root: Element) -> Iterator[Piece]:
    """A heading for the first title, a paragraph for every other element with words."""
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - compiled, untyped

    walk = etree.iterwalk(root, events=("start",))
    is_titled = False
    for _, element in walk:
        tag = tag_of(element)
        if tag in {"title", "desc", "text"}:
            walk.skip_subtree()
            text = one_line("".join(_words(element)))
            yield paragraph(text) if is_titled or tag != "title" else heading(text)
            is_titled = is_titled or (tag == "title" and bool(text))
        elif tag == "foreignobject":
            walk.skip_subtree()
            yield from markup_pieces(element)
        elif tag in _SKIPPED:
            walk.skip_subtree()


def _words(element: Element) -> Iterator[str]:
    """The element's text; a part that is placed anew begins a word."""
    if tag_of(element) in _SKIPPED | {""}:
        return
    yield element.text or ""
    for child in element:
        if any(child.get(name) for name in _MOVES if tag_of(child)):
            yield " "
        yield from _words(child)
        yield child.tail or ""
