"""Markdown through markdown-it-py: CommonMark with tables, its HTML read like any page.

unstructured's Markdown reader took 5 times as long (0.125 s against 0.027 s for 59 KB).
"""

import re

from alexandria.knowledge.parsing.decoding import decode_text
from alexandria.knowledge.parsing.drafts import Draft, Source, split_chapters
from alexandria.knowledge.parsing.pictures.markup import add_page_pictures
from alexandria.knowledge.parsing.readers.markup.elements import parse_markup
from alexandria.knowledge.parsing.readers.markup.structure import markup_pieces

_MARKER = r"(?:[ \t]*+(?:>|(?:[-+*]|\d{1,9}[.)])(?=[ \t])))"
_DEEP = re.compile(rf"(?m)^({_MARKER}{{20}}){_MARKER}+|^([ \t]{{40}})[ \t]+")
_DEEPEST = 150
"""More levels than 20 marks in a line and 40 columns can open; beyond it text would be lost."""
_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FIELD = re.compile(r"(?m)^(title|author|lang(?:uage)?)[ \t]*:[ \t]*(\S.*)$")


def read_markdown(source: Source) -> Draft:
    """A Markdown file; title, author and language from its front matter, if it has one."""
    from markdown_it import MarkdownIt

    text = decode_text(source.content).replace("\r\n", "\n").replace("\r", "\n")
    front = _FRONT_MATTER.match(text)
    fields = _fields(front[1]) if front else {}
    body = text[front.end() :] if front else text
    parser = MarkdownIt("commonmark", {"maxNesting": _DEEPEST})
    parser.validateLink = _any_address  # addresses are dropped; an unfit one would stay as text
    html = parser.enable(["table", "strikethrough"]).render(_DEEP.sub(r"\1\2", body))
    root = parse_markup(f"<html><body>{html}</body></html>")
    draft = Draft(
        split_chapters(markup_pieces(root)),
        title=fields.get("title", ""),
        author=fields.get("author", ""),
        language=fields.get("lang", fields.get("language", "")),
    )
    return add_page_pictures(draft, root)


def _any_address(url: str) -> bool:
    return True


def _fields(front_matter: str) -> dict[str, str]:
    return {key: value.strip().strip("\"'") for key, value in _FIELD.findall(front_matter)}
