"""HTML text as a tree of elements, damage repaired as browsers do; and what a page hides."""

import re
from collections.abc import Iterator

from alexandria.errors import CorruptFileError
from alexandria.knowledge.parsing.archives import Element

_DECLARATIONS = re.compile(
    r"(\s*+(?:<\?xml[^>]*+>\s*+)?(?:<!--(?:(?!-->).)*+-->\s*+)*+<!doctype\s[^<>\[]*+)\[.*?\]\s*>",
    re.IGNORECASE | re.DOTALL,
)
"""What XML may declare within its document type; libxml2 would take it for text of an HTML page."""

_TOO_DEEP = "ERR_RESOURCE_LIMIT"
_LONGEST_TAG = 50_000
_LONG_TAG = re.compile(rf"<[A-Za-z][^<>]{{{_LONGEST_TAG},}}")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)


def parse_markup(markup: str) -> Element:
    """The root element of HTML text.

    Raises:
        CorruptFileError: No element can be made out, or they nest too deep.
    """
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - compiled, untyped

    parser = etree.HTMLParser(
        encoding="utf-8",
        no_network=True,
        remove_comments=True,
        remove_pis=True,
        huge_tree=True,  # 2,048 elements deep instead of 256; beyond it text would be lost
    )
    if found := _DECLARATIONS.match(markup):
        markup = f"{found[1]}>{markup[found.end() :]}"
    try:
        root = etree.fromstring(_LONG_TAG.sub(_shorten, markup).encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError as error:
        raise CorruptFileError(f"The page holds no markup that can be read: {error}") from error
    if root is None:
        raise CorruptFileError("The page holds no markup that can be read.")
    if any(entry.type_name == _TOO_DEEP for entry in parser.error_log):
        raise CorruptFileError("The page's elements nest more than 2,048 deep.")
    return root


def _shorten(tag: re.Match[str]) -> str:
    """A tag without its thousands of attributes: each is compared with all before it."""
    names = _QUOTED.sub('""', tag[0])
    return tag[0] if len(names) <= _LONGEST_TAG else names[:_LONGEST_TAG]


def tag_of(element: Element) -> str:
    """The element's tag in lower case without namespace; empty for what is no element."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def is_hidden(element: Element) -> bool:
    """Whether the page says of it that readers shall not see it."""
    return element.get("hidden") is not None or bool(
        _HIDDEN_STYLE.search(element.get("style") or "")
    )


def children_named(element: Element, *tags: str) -> Iterator[Element]:
    """The element's children of these tags."""
    return (one for one in element if tag_of(one) in tags)


def take_out(element: Element, instead: Element | None = None) -> None:
    """Empty the element, or put another in its place; the text after it stays."""
    parent, tail = element.getparent(), element.tail or ""
    if parent is None:
        return
    if instead is not None:
        parent.replace(element, instead)
        instead.tail, element.tail = tail, None
        return
    element.clear(keep_tail=True)  # moving the tail would copy the text before it every time
    element.tag = "span"
