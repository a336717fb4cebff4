"""Styles and automatic numbers of a Word document: what a paragraph is, and "2.1" before it.

Word keeps neither with the paragraph. Styles inherit from one another, and numbers are
counted while the text is laid out, by the rules in `numbering.xml`.
"""

import re
from dataclasses import dataclass, field, replace

from alexandria.knowledge.parsing.archives import Element

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
VALUE = f"{WORD}val"
_NUMBER_PROPERTIES = f"{WORD}pPr/{WORD}numPr"
_HEADING = re.compile(r"heading (\d)")
_PLACEHOLDER = re.compile(r"%(\d)")
_DEEPEST = 8
_HIGHEST = 32_767
_ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l")),
    *((40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)


@dataclass(frozen=True, slots=True)
class Numbering:
    """Which list a paragraph is in and how deep, None where it does not say."""

    list_id: str | None = None
    depth: int | None = None

    @property
    def is_numbered(self) -> bool:
        """Whether it is in a list; list 0 takes a paragraph out of its style's list."""
        return self.list_id not in {None, "0"}


@dataclass(frozen=True, slots=True)
class Style:
    """What a paragraph style says.

    Attributes:
        name: In lower case, as Word names it in every language.
        level: Of a heading, from 1; 0 for everything else.
        numbering: The list it puts a paragraph in.
    """

    name: str = "normal"
    level: int = 0
    numbering: Numbering = field(default_factory=Numbering)

    @property
    def is_list(self) -> bool:
        """Whether it is one of Word's own list styles."""
        return self.name.startswith("list")

    @property
    def is_code(self) -> bool:
        """Whether it is a style for program text."""
        return self.name in {"html preformatted", "source code", "macro text"}


class Styles:
    """The paragraph styles of a document by id."""

    def __init__(self, root: Element | None) -> None:
        """Take them from the root of `styles.xml`, if the file has one."""
        elements = () if root is None else root.findall(f"{WORD}style")
        self._elements = {one.get(f"{WORD}styleId"): one for one in elements}
        self._found: dict[str | None, Style] = {None: Style()}

    def get(self, style_id: str | None) -> Style:
        """A style with what it inherits; plain text for an id that is not there."""
        if style_id not in self._found:
            self._found[style_id] = self._resolve(style_id, frozenset())
        return self._found[style_id]

    def _resolve(self, style_id: str | None, seen: frozenset[str | None]) -> Style:
        element = self._elements.get(style_id)
        if element is None or style_id in seen:
            return Style()
        based_on = value_of(element, "basedOn")
        base = self._resolve(based_on, seen | {style_id}) if based_on else Style()
        name = (value_of(element, "name") or "").lower()
        own = numbering_of(element)
        numbering = Numbering(
            own.list_id if own.list_id is not None else base.numbering.list_id,
            own.depth if own.depth is not None else base.numbering.depth,
        )
        return replace(base, name=name, level=_level(name, base), numbering=numbering)


def _level(name: str, base: Style) -> int:
    heading = _HEADING.fullmatch(name)
    if heading:
        return int(heading[1]) or 1
    named = {"title": 1, "subtitle": 2, "toc heading": 0}.get(name)
    return base.level if named is None else named


def value_of(element: Element, child: str) -> str | None:
    """The value of a child element; None when there is none."""
    found = element.find(f"{WORD}{child}")
    return None if found is None else found.get(VALUE)


def numbering_of(element: Element) -> Numbering:
    """What the properties of a paragraph or a style say of its list."""
    found = element.find(_NUMBER_PROPERTIES)
    if found is None:
        return Numbering()
    depth = value_of(found, "ilvl")
    return Numbering(value_of(found, "numId"), _whole(depth) if depth else None)


class Numbers:
    """Counts the automatic numbers of a document; ask for every paragraph, in order."""

    def __init__(self, root: Element | None) -> None:
        """Take the rules from the root of `numbering.xml`, if the file has one."""
        self._lists: dict[str | None, Element] = {}
        self._rules: dict[str | None, Element] = {}
        if root is not None:
            self._lists = {one.get(f"{WORD}numId"): one for one in root.findall(f"{WORD}num")}
            rules = root.findall(f"{WORD}abstractNum")
            self._rules = {one.get(f"{WORD}abstractNumId"): one for one in rules}
        self._levels: dict[tuple[str | None, int], Element | None] = {}
        self._counts: dict[str | None, dict[int, int]] = {}
        self._restarted: set[tuple[str | None, int]] = set()

    def label(self, own: Numbering, style: Numbering, style_id: str | None) -> str:
        """What stands before the paragraph: "2.1", "a)"; empty for bullets and for none."""
        list_id = own.list_id if own.list_id is not None else style.list_id
        depth = own.depth if own.depth is not None else style.depth
        entry = self._lists.get(list_id)
        rules_id = None if entry is None else value_of(entry, "abstractNumId")
        if entry is None or rules_id not in self._rules:
            return ""
        if depth is None:
            depth = self._linked_depth(rules_id, style_id) if own.list_id is None else 0
        level = self._level(list_id, depth)
        if level is None or not 0 <= depth <= _DEEPEST:
            return ""
        counts = self._counts.setdefault(rules_id, {})
        self._count(counts, list_id, depth, level)
        if value_of(level, "numFmt") in {"bullet", "none"}:
            return ""

        def render(match: re.Match[str]) -> str:
            at = int(match[1]) - 1
            shown = self._level(list_id, at)
            if at > depth or shown is None:
                return ""
            number = counts.get(at, self._start(list_id, at, shown))
            return format_number(number, value_of(shown, "numFmt") or "decimal")

        return _PLACEHOLDER.sub(render, value_of(level, "lvlText") or "").strip()

    def _count(
        self, counts: dict[int, int], list_id: str | None, depth: int, level: Element
    ) -> None:
        """Go on counting at a depth, and begin anew below it."""
        override = self._override(list_id, depth)
        restarts = override is not None and value_of(override, "startOverride") is not None
        if depth not in counts or (restarts and (list_id, depth) not in self._restarted):
            counts[depth] = self._start(list_id, depth, level)
            self._restarted.add((list_id, depth))
        else:
            counts[depth] += 1
        for deeper in [one for one in counts if one > depth]:
            below = self._level(list_id, deeper)
            after = None if below is None else value_of(below, "lvlRestart")
            if after is None or depth < _whole(after):
                del counts[deeper]

    def _linked_depth(self, rules_id: str | None, style_id: str | None) -> int:
        for level in self._rules[rules_id].findall(f"{WORD}lvl"):
            if style_id and value_of(level, "pStyle") == style_id:
                return _whole(level.get(f"{WORD}ilvl"))
        return 0

    def _level(self, list_id: str | None, depth: int) -> Element | None:
        key = (list_id, depth)
        if key not in self._levels:
            override = self._override(list_id, depth)
            own = None if override is None else override.find(f"{WORD}lvl")
            rules = self._rules.get(value_of(self._lists[list_id], "abstractNumId"))
            shared = () if rules is None else rules.findall(f"{WORD}lvl")
            found = (one for one in shared if _whole(one.get(f"{WORD}ilvl")) == depth)
            self._levels[key] = own if own is not None else next(found, None)
        return self._levels[key]

    def _override(self, list_id: str | None, depth: int) -> Element | None:
        overrides = self._lists[list_id].findall(f"{WORD}lvlOverride")
        return next((one for one in overrides if _whole(one.get(f"{WORD}ilvl")) == depth), None)

    def _start(self, list_id: str | None, depth: int, level: Element) -> int:
        override = self._override(list_id, depth)
        start = None if override is None else value_of(override, "startOverride")
        return _whole(start or value_of(level, "start"), 1)


def format_number(value: int, style: str) -> str:
    """A number as one of Word's formats shows it; in digits where the format is not known."""
    if style in {"lowerLetter", "upperLetter"} and 0 < value <= _HIGHEST:
        letters = chr(ord("a") + (value - 1) % 26) * min((value - 1) // 26 + 1, 9)
        return letters if style == "lowerLetter" else letters.upper()
    if style in {"lowerRoman", "upperRoman"} and 0 < value < 4_000:
        roman = ""
        for size, letters in _ROMAN:
            count, value = divmod(value, size)
            roman += letters * count
        return roman if style == "lowerRoman" else roman.upper()
    return f"{value:02d}" if style == "decimalZero" else str(value)


def _whole(text: str | None, default: int = 0) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() else default
