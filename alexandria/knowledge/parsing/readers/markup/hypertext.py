"""HTML: books, saved web pages and OneNote pages, read with lxml.

unstructured's HTML reader took 8 to 12 times as long on the same pages (0.33 s against
0.03 s for a book of 200 KB).
"""

import re
from collections.abc import Iterator
from dataclasses import replace

from alexandria.knowledge.documents import Note, UnitKind
from alexandria.knowledge.parsing.archives import Element
from alexandria.knowledge.parsing.decoding import decode_markup
from alexandria.knowledge.parsing.drafts import (
    PICTURE_UNIT,
    Draft,
    Section,
    Source,
    one_line,
    split_chapters,
)
from alexandria.knowledge.parsing.pictures.markup import add_page_pictures
from alexandria.knowledge.parsing.readers.markup.boilerplate import Removed, remove_boilerplate
from alexandria.knowledge.parsing.readers.markup.elements import parse_markup, tag_of
from alexandria.knowledge.parsing.readers.markup.onenote import is_onenote_page, spell_out
from alexandria.knowledge.parsing.readers.markup.structure import markup_pieces

_TITLE_BY = re.compile(r"(?P<title>.{3,}?),? by (?P<author>[^,|]{3,60})")
_LONGEST_TITLE = 300
_AUTHOR_NAMES = frozenset({"author", "dc.creator", "dcterms.creator", "citation_author"})
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_PICTURES = Section(UnitKind.TEXT, "Text", "text=1", problem=PICTURE_UNIT)
_BEGUN = re.compile(r"<(?:html|body)[\s>]", re.IGNORECASE)
_ENDED = re.compile(r"</(?:html|body)\b", re.IGNORECASE)
_HEAD = 65_536
_CUT = Note("file_cut", "The page has no end: it may be cut. It was read as far as it goes.")
_A_LITTLE = Removed(words=20, characters=120)


def read_html(source: Source) -> Draft:
    """A page; chapters by its top headings."""
    markup = decode_markup(source.content)
    draft = read_page(markup)
    if _BEGUN.search(markup[:_HEAD]) and not _ENDED.search(markup):
        draft = replace(draft, notes=(*draft.notes, _CUT))
    return draft


def read_page(markup: str) -> Draft:
    """The draft of a page as a browser or OneNote saved it, without what surrounds its text.

    Raises:
        CorruptFileError: No element can be made out.
    """
    root = parse_markup(markup)
    if is_onenote_page(root):
        spell_out(root)
        return _draft(root)
    return _draft(root, tuple(_note(remove_boilerplate(root))))


def read_markup(markup: str) -> Draft:
    """The draft of HTML text that another format was turned into; all of it counts.

    Raises:
        CorruptFileError: No element can be made out.
    """
    return _draft(parse_markup(markup))


def _draft(root: Element, notes: tuple[Note, ...] = ()) -> Draft:
    title, author = _title_and_author(root)
    pieces = markup_pieces(root)
    only_pictures = not pieces and any(tag_of(one) == "img" for one in root.iter())
    sections = (_PICTURES,) if only_pictures else split_chapters(pieces)
    draft = Draft(sections, title=title, author=author, language=_language(root), notes=notes)
    return add_page_pictures(draft, root)


def _note(removed: Removed) -> Iterator[Note]:
    """What was left out, when it is more than a little."""
    if removed.words >= _A_LITTLE.words or removed.characters >= _A_LITTLE.characters:
        message = (
            f"Left out as navigation, banners and the like: {removed.words} words "
            f"({removed.characters} characters)."
        )
        yield Note("boilerplate_removed", message)


def _language(root: Element) -> str:
    return root.get("lang") or root.get(_XML_LANG) or ""


def _title_and_author(root: Element) -> tuple[str, str]:
    """The page's own title and author; "Title, by Author" is taken apart."""
    head = next((one for one in root.iter() if tag_of(one) == "head"), None)
    if head is None:
        return "", ""
    title = next(
        (one_line(one.text or "")[:_LONGEST_TITLE] for one in head if tag_of(one) == "title"), ""
    )
    author = next(filter(None, map(_meta_author, head)), "")
    by = _TITLE_BY.fullmatch(title)
    return (by["title"], author or by["author"]) if by else (title, author)


def _meta_author(element: Element) -> str:
    named = (element.get("name") or "").lower() in _AUTHOR_NAMES
    return one_line(element.get("content") or "") if named else ""
