"""What surrounds the text of a saved web page: found by what the page says of it, removed.

Rules of our own rather than trafilatura: that one left out 4 % of a technical reference
and 6 to 18 % of short OneNote pages, and does not say what it left out. These rules take out
only what is marked as surroundings (elements, roles, names) or lies outside the page's one
main part, and nothing when too little would be left. Every rule is about whole elements, so
a paragraph is never cut.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from alexandria.knowledge.parsing.archives import Element
from alexandria.knowledge.parsing.readers.markup.elements import (
    is_hidden,
    tag_of,
    take_out,
)
from alexandria.knowledge.parsing.readers.markup.structure import SKIPPED


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_CONTAINERS = _names("div section aside header footer ul ol p form dialog center menu")
_GONE = _names("navigation search banner contentinfo complementary dialog alertdialog")
_ROLES = {"header": "banner", "footer": "contentinfo", "aside": "complementary"}
_SECTIONS = _names("article main section blockquote figure details fieldset td")
_CONTROLS = _names("button input form select textarea")
_HEADINGS = _names("h1 h2 h3 h4 h5 h6")
_NAME_PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_CONSENT = _names("cookie cookies consent gdpr ccpa")
_CONSENT_FORMS = _names("banner notice bar popup modal overlay dialog consent gdpr law message")
_ADVERTS = _names("advert adverts advertisement adsbygoogle sponsored sponsor adbox adslot")
_TRAILS = _names("breadcrumb breadcrumbs pagination pager")
_LINK_LISTS = _names(
    "related recommended recommendations sidebar menu navbar navigation nav toolbar widget promo "
    "popular trending share sharing social breadcrumb breadcrumbs pagination pager footer "
    "header masthead topbar sitemap"
)
_COMMENTS = _names(
    "comments comment-list commentlist comment-section comments-section comments-area "
    "post-comments article-comments disqus_thread respond"
)
_KEPT_NAMES = _names("toc contents footnote footnotes endnote endnotes notes bibliography glossary")
_SKIP_LINK = re.compile(r"skip (?:to|navigation|links?)\b.{0,40}", re.IGNORECASE)
_SHORT = 300
_MOSTLY_LINKS = 0.5
_ENOUGH_LEFT = 200
_MOST = 0.5


@dataclass(frozen=True, slots=True)
class Removed:
    """How much text was taken out."""

    words: int = 0
    characters: int = 0


@dataclass(slots=True)
class _Page:
    """Letters of each element, those in links, and the elements that hold its heart."""

    letters: dict[Element, int] = field(default_factory=dict[Element, int])
    linked: dict[Element, int] = field(default_factory=dict[Element, int])
    marked: set[Element] = field(default_factory=set[Element])
    total: int = 0
    has_article: bool = False


def remove_boilerplate(root: Element) -> Removed:
    """Take what surrounds the page's text out of the tree; says how much that was."""
    page = _measure(root)
    taken: list[Element] = []
    for element in list(root.iter()):
        if _is_inside(element, taken):
            continue
        if _is_boilerplate(element, page):
            taken.append(element)
    left = page.total - sum(page.letters.get(one, 0) for one in taken)
    taken += _outside_main(root, page, left, frozenset(taken))
    texts = [_visible_text(one) for one in taken]
    for element in taken:
        take_out(element)
    words = sum(len(text.split()) for text in texts)
    return Removed(words, sum(len("".join(text.split())) for text in texts))


def _measure(root: Element) -> _Page:
    """Letters for each element, from the leaves up; hidden text counts for nothing."""
    page = _Page()
    for element in reversed(list(root.iter())):
        tag = tag_of(element)
        inner = [*element]
        seen = (tag and tag not in SKIPPED and not is_hidden(element)) or tag == "nav"
        own = _letters(element.text) + sum(_letters(one.tail) for one in inner)
        letters = own + sum(page.letters.get(one, 0) for one in inner) if seen else 0
        page.letters[element] = letters
        links = sum(page.linked.get(one, 0) for one in inner)
        page.linked[element] = letters if tag == "a" else min(links, letters)
        page.has_article = page.has_article or tag in {"main", "article"}
        if _is_heart(element, tag) or any(one in page.marked for one in inner):
            page.marked.add(element)
    page.total = page.letters.get(root, 0)
    return page


def _letters(text: str | None) -> int:
    return len("".join(text.split())) if text else 0


def _is_heart(element: Element, tag: str) -> bool:
    """Whether the element is what a page is about: what holds it is never taken out."""
    return tag in {"main", "article", "h1"} or _role(element) == "main"


def _role(element: Element) -> str:
    return (element.get("role") or "").strip().lower()


def _is_inside(element: Element, taken: list[Element]) -> bool:
    return bool(taken) and any(one is taken[-1] for one in element.iterancestors())


def _is_boilerplate(element: Element, page: _Page) -> bool:
    tag = tag_of(element)
    if tag == "nav" or _role(element) == "navigation":
        return True
    if element in page.marked or not page.letters.get(element):
        return False
    if tag == "a":
        return bool(_SKIP_LINK.fullmatch(_visible_text(element).strip()))
    if tag not in _CONTAINERS and "-" not in tag and _role(element) not in _GONE:
        return False
    names = _name_parts(element)
    if names & _KEPT_NAMES or page.total - page.letters[element] < min(
        _ENOUGH_LEFT, page.total * _MOST
    ):
        return False
    return _is_landmark(element, tag, page) or _is_named(element, names, page)


def _name_parts(element: Element) -> frozenset[str]:
    """Words of its class and id: "siteFooter--wide" gives site, footer, wide."""
    named = f"{element.get('class') or ''} {element.get('id') or ''}"
    return frozenset(part.lower() for part in _NAME_PARTS.findall(named))


def _is_landmark(element: Element, tag: str, page: _Page) -> bool:
    """Headers, footers and sidebars of the page, not those of an article or a section."""
    role = _role(element) or _ROLES.get(tag, "")
    if role not in _GONE:
        return False
    if any(tag_of(one) in _SECTIONS for one in element.iterancestors()):
        return tag == "aside" and _link_share(element, page) >= _MOSTLY_LINKS
    if role in {"banner", "complementary"}:
        small = page.letters[element] < page.total * 0.15
        return _link_share(element, page) >= 0.3 or (small and page.has_article)
    return page.letters[element] < page.total * 0.3


def _is_named(element: Element, names: frozenset[str], page: _Page) -> bool:
    letters, share = page.letters[element], _link_share(element, page)
    exact = f"{element.get('class') or ''} {element.get('id') or ''}".lower().split()
    return any(
        (
            names & _CONSENT and (names & _CONSENT_FORMS or _has(element, _CONTROLS)),
            "newsletter" in names and letters < _SHORT and _has(element, _CONTROLS),
            names & _ADVERTS and letters < 2 * _SHORT and not _has(element, _HEADINGS),
            names & _TRAILS and letters < _SHORT and share > 0,
            names & _LINK_LISTS and share >= _MOSTLY_LINKS,
            _COMMENTS & set(exact) and page.total - letters >= _ENOUGH_LEFT,
        )
    )


def _link_share(element: Element, page: _Page) -> float:
    return page.linked[element] / max(page.letters[element], 1)


def _has(element: Element, tags: frozenset[str]) -> bool:
    return any(tag_of(one) in tags for one in element.iter())


def _outside_main(
    root: Element, page: _Page, left: int, taken: frozenset[Element]
) -> Iterator[Element]:
    """What lies beside the one main part, when that part is most of what is left."""
    mains = [one for one in root.iter() if tag_of(one) == "main" or _role(one) == "main"]
    if len(mains) != 1 or page.letters[mains[0]] < left * _MOST:
        return
    inner = mains[0]
    for outer in inner.iterancestors():
        for beside in outer:
            if beside is not inner and _may_go(beside, page, taken):
                yield beside
        inner = outer


def _may_go(element: Element, page: _Page, taken: frozenset[Element]) -> bool:
    is_text = tag_of(element) not in {"", "head"} and page.letters[element] > 0
    kept = element in page.marked or element in taken or _name_parts(element) & _KEPT_NAMES
    return is_text and not kept


def _visible_text(element: Element) -> str:
    """Its text without scripts and hidden parts."""
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - compiled, untyped

    texts: list[str] = []
    walk = etree.iterwalk(element, events=("start", "end"))
    for event, one in walk:
        if event == "end":
            texts.append((one.tail or "") if one is not element else "")
        elif is_hidden(one) or tag_of(one) in SKIPPED - {"nav"}:
            walk.skip_subtree()
        else:
            texts.append(one.text or "")
    return " ".join(texts)
