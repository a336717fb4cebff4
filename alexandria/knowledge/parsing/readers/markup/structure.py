"""Elements to pieces: headings, paragraphs, list items, tables and code, in order.

Scripts, styles, navigation and whatever the page hides never reach the text. The readings
of annotated characters (ruby) follow their paragraph in parentheses, so that the words
themselves stay in one run and are found.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from alexandria.knowledge.documents import BlockKind
from alexandria.knowledge.parsing.archives import Element
from alexandria.knowledge.parsing.drafts import Piece, one_line
from alexandria.knowledge.parsing.readers.markup.elements import (
    children_named,
    is_hidden,
    tag_of,
)
from alexandria.knowledge.parsing.tables import Cell, fill_spans, table_pieces


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


SKIPPED = _names(
    "head script style nav template noscript iframe object audio video canvas svg "
    "button select option datalist dialog"
)
"""Elements whose text is no part of what a page says."""

_BLOCKS: dict[str, tuple[BlockKind, int]] = {
    **{f"h{level}": (BlockKind.HEADING, level) for level in range(1, 7)},
    "li": (BlockKind.LIST_ITEM, 0),
    "dt": (BlockKind.LIST_ITEM, 0),
    "dd": (BlockKind.LIST_ITEM, 0),
    "pre": (BlockKind.CODE, 0),
}
_BREAKS = _names(
    "address article aside blockquote body caption center details div dl fieldset figcaption "
    "figure footer form header hgroup hr html legend main ol p section summary table tbody td "
    "tfoot th thead tr ul"
)
_RUBY_ASIDE = _names("rt rtc rp")
_HTML_SPACE = re.compile(r"[ \t\r\n\f\xa0]+")
_CELL_BLOCKS = _names("table h1 h2 h3 h4 h5 h6 pre")
_LAYOUT_ROLES = _names("presentation none")
_LONGEST_CELL = 2_000


def markup_pieces(root: Element) -> list[Piece]:
    """Headings, paragraphs, list items, table rows and code of an element, in order."""
    from lxml import etree  # pyright: ignore[reportAttributeAccessIssue] - compiled, untyped

    walk = etree.iterwalk(root, events=("start", "end"))
    writer = _Writer()
    for event, element in walk:
        tag = tag_of(element)
        if event == "end":
            writer.leave(tag)
            writer.text(element.tail if element is not root else None)
        elif _is_skipped(element, tag):
            walk.skip_subtree()
            writer.skip(tag)
        elif tag in _RUBY_ASIDE:
            walk.skip_subtree()
            writer.reading("" if tag == "rp" else "".join(element.itertext()))
        elif tag == "table" and is_data_table(element):
            walk.skip_subtree()
            writer.rows(element)
        else:
            writer.enter(tag)
            writer.text(element.text)
    writer.flush()
    return writer.pieces


def is_data_table(table: Element) -> bool:
    """Whether it is a table of values: two rows and columns or more, nothing nested or long."""
    if (table.get("role") or "").lower() in _LAYOUT_ROLES:
        return False
    if any(tag_of(one) in _CELL_BLOCKS for one in table.iterdescendants()):
        return False
    rows = list(table_rows(table))
    longest = max((len(cell) for row in rows for cell in row), default=0)
    wide = max((len(row) for row in rows), default=0) > 1
    return len(rows) > 1 and wide and longest <= _LONGEST_CELL


def table_rows(table: Element) -> Iterator[list[str]]:
    """Texts of the cells, row by row; a cell's text stands in every place it spans."""
    yield from fill_spans(
        [
            Cell(_cell_text(cell), _span(cell, "colspan"), _span(cell, "rowspan"))
            for cell in children_named(row, "td", "th")
        ]
        for row in table.iter()
        if tag_of(row) == "tr"
    )


@dataclass(slots=True)
class _Writer:
    """Collects inline text and cuts it into pieces where block elements begin and end."""

    pieces: list[Piece] = field(default_factory=list[Piece])
    _inline: list[str] = field(default_factory=list[str])
    _open: list[str] = field(default_factory=list[str])
    _readings: list[str] = field(default_factory=list[str])
    _ruby: int = 0
    _skipped: int = 0

    def enter(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.flush()
            self._open.append(tag)
        elif tag in _BREAKS:
            self.flush()
        elif tag == "br":
            self._inline.append("\n")
        elif tag == "ruby":
            self._ruby += 1
            self._readings.append("")

    def leave(self, tag: str) -> None:
        if self._skipped:
            self._skipped -= 1
        elif tag in _BLOCKS:
            self.flush()
            if tag in self._open:
                self._open.remove(tag)
        elif tag in _BREAKS:
            self.flush()
        elif tag == "ruby":
            self._ruby -= 1

    def text(self, text: str | None) -> None:
        if not text:
            return
        if "pre" in self._open:
            self._inline.append(text)
        elif self._ruby and "\n" in text:
            self._inline.append(_HTML_SPACE.sub(" ", text.strip()))
        else:
            self._inline.append(_HTML_SPACE.sub(" ", text))

    def reading(self, text: str) -> None:
        """How the characters before it are read; readings of one run are one."""
        self._skipped += 1
        if not self._readings:
            self._readings.append("")
        self._readings[-1] += one_line(text)

    def skip(self, tag: str) -> None:
        self._skipped += 1
        if tag in _BREAKS:
            self.flush()

    def rows(self, table: Element) -> None:
        self.flush()
        self._skipped += 1
        caption = next(children_named(table, "caption"), None)
        if caption is not None:
            self.pieces.append(Piece(BlockKind.PARAGRAPH, _cell_text(caption)))
        header, facts = _headers(table)
        self.pieces += table_pieces(table_rows(table), header, facts=facts)

    def flush(self) -> None:
        text = "".join(self._inline)
        readings = ", ".join(filter(None, self._readings))
        self._inline.clear()
        self._readings.clear()
        if text.strip() or readings:
            kind, level = self._role()
            aside = f" ({readings})" if readings else ""
            self.pieces.append(Piece(kind, text.rstrip() + aside if aside else text, level))

    def _role(self) -> tuple[BlockKind, int]:
        return _BLOCKS[self._open[-1]] if self._open else (BlockKind.PARAGRAPH, 0)


def _is_skipped(element: Element, tag: str) -> bool:
    return (
        tag in SKIPPED
        or not tag
        or is_hidden(element)
        or (element.get("role") or "") == "navigation"
    )


def _cell_text(cell: Element) -> str:
    """All text of a cell, its paragraphs and line ends as spaces."""
    return " ".join(one_line(piece.text) for piece in markup_pieces(cell))


def _headers(table: Element) -> tuple[int | None, bool | None]:
    """How many rows name the columns, and whether the first cells name the rows; or unknown."""
    rows = [list(children_named(row, "td", "th")) for row in table.iter() if tag_of(row) == "tr"]
    rows = [row for row in rows if row]
    count = 0
    for row in rows:
        if tag_of(row[0].getparent().getparent()) != "thead" and {*map(tag_of, row)} != {"th"}:
            break
        count += 1
    if count:
        return count, None
    if any(tag_of(cell) == "th" for row in rows for cell in row):
        return 0, all(tag_of(row[0]) == "th" for row in rows)
    return (None if max(map(len, rows), default=0) > 2 else 0), None


def _span(cell: Element, name: str) -> int:
    span = (cell.get(name) or "1").strip()
    return min(max(int(span), 1), 100) if span.isascii() and span.isdecimal() else 1
