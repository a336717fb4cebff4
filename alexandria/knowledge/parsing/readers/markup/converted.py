"""HTML that pandoc made of another format, as a draft: all of it is the document's own text."""

from alexandria.knowledge.parsing.archives import Element
from alexandria.knowledge.parsing.drafts import Draft, split_chapters
from alexandria.knowledge.parsing.pictures.markup import add_page_pictures
from alexandria.knowledge.parsing.readers.markup.elements import parse_markup, tag_of, take_out
from alexandria.knowledge.parsing.readers.markup.structure import markup_pieces

_TITLE_BLOCK = "title-block-header"


def read_converted(html: str) -> Draft:
    """The draft; title and author where the page was made with `--standalone`.

    A footnote's mark reads "[1]", and its text stands at the end without the link back.
    """
    root = parse_markup(html)
    title, author = "", ""
    for element in list(root.iter()):
        names = (element.get("class") or "").split()
        if element.get("id") == _TITLE_BLOCK:
            title, author = _said(element, "h1"), _said(element, "p")
            take_out(element)
        elif "footnote-back" in names:
            take_out(element)
        elif "footnote-ref" in names:
            number = element.makeelement("span", {})
            number.text = f"[{''.join(element.itertext())}]"
            take_out(element, number)
    draft = Draft(split_chapters(markup_pieces(root)), title=title, author=author)
    return add_page_pictures(draft, root)


def _said(block: Element, tag: str) -> str:
    return next(("".join(one.itertext()) for one in block if tag_of(one) == tag), "")
