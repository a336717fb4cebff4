# ruff: noqa: RUF001, RUF002 - the marks of many scripts look like ASCII ones
"""Finds where sentences end, in any language, without a model.

Rules, not statistics: a mark that ends sentences (`.`, `!`, `?`, `…` and their cousins in
other scripts), the quotes and brackets that close after it, then white space. A full stop
is not an end after an initial, a known abbreviation or a list number, nor before a small
letter or a digit that continues a reference ("vol. 3"). Marks of scripts that are written
without spaces (`。` `！` `？`), and dandas, end a sentence by themselves, unless a Japanese
quote goes on with `と`. An empty line always ends one.

Laws: spans are sorted and disjoint, begin and end on characters that are not white space,
and cover every such character of the text. Time is linear in the length of the text.

Offsets are Python string indexes, half-open.
"""

import re
from collections.abc import Iterator

_CLOSERS = "\"'”’»›）」』】〉》〗〙\\)\\]}"
_MARKS = ".!?…‽؟۔։።፧"
_LONE_MARKS = "。！？｡।॥။។៕།"
_END = re.compile(
    rf"(?<![{_MARKS}])[{_MARKS}]++"  # scripts with spaces
    rf"(?:[\u00a0\u202f ][»›])?+[{_CLOSERS}“‘]*+(?=\s|\Z)"
    rf"|(?:[{_LONE_MARKS}]++|(?<=\w)．(?![0-9０-９]))"  # scripts without
    rf"(?:[{_CLOSERS}]++(?!と|って)|(?![{_CLOSERS}]))"
    r"|\n[^\S\n]*+\n\s*+"  # an empty line
)
_MAY_END = re.compile(rf"[{_MARKS}{_LONE_MARKS}．\n]")
"""What an end begins with: looked for first, because most characters of a text are none of it."""

_NOT_BLANK = re.compile(r"\S")
_WORD_BEFORE = re.compile(r"[\w.’'-]*\Z")
_OPENERS = "\"'“‘«‹„‚([{¿¡—–-*_ "
_LONGEST_ABBREVIATION = 24

_TITLES_TEXT = """
    mr mrs ms dr prof st sr sra srta dra don dña m mm mme mlle mgr me fr hr sig sigg dott gen col
    capt cpt lt sgt maj cmdr adm gov sen rep hon rev pres supt messrs ing lic mag dipl mt ft nos nr
    núm vol vols abb tab pp p pg s ch cap kap art eq sect cf vgl bzw resp ca zit hrsg aufl
    bd ed eds trans viz vs v ie eg i.e e.g z.b d.h u.a o.ä s.o s.u u.s п стр рис см т.е т.д г ул им
"""
"""Short forms that always have something after them: never the end of a sentence."""

_OPEN_ENDED_TEXT = """
    etc usw jr inc ltd co corp bros dept univ est al approx ave blvd rd a.m p.m no sec
    fig figs jan feb mar apr jun jul aug sep sept oct nov dec bzgl ggf evtl ud uds vd vds т.п др
"""
"""Short forms that may end a sentence: only a small letter or digit after them tells."""

_DATE_LEADS = frozenset({"am", "vom", "den", "dem", "der", "zum", "bis", "seit", "im", "des"})
"""German words after which a number with a full stop is an ordinal."""

_TITLES = frozenset(_TITLES_TEXT.split())
_OPEN_ENDED = frozenset(_OPEN_ENDED_TEXT.split())


def _word_before(text: str, at: int) -> str:
    """The word, inner full stops included, that ends at `at`."""
    found = _WORD_BEFORE.search(text[max(0, at - _LONGEST_ABBREVIATION) : at])
    return found.group().strip("'’-") if found else ""


def _next_letter(text: str, at: int) -> str:
    """The first letter or digit of what follows, past white space and opening marks."""
    for character in text[at : at + 16]:
        if character not in _OPENERS and not character.isspace():
            return character
    return ""


def _is_list_number(text: str, at: int, word: str) -> bool:
    """Whether the word is all its line holds before the full stop: "3." or "iv."."""
    line = text[max(0, at - len(word) - 8) : at - len(word)].rpartition("\n")[2]
    first = not line.strip() and (at <= len(word) + 8 or "\n" in text[at - len(word) - 8 : at])
    return first and len(word) <= 4 and (word.isdecimal() or set(word.lower()) <= set("ivxlcdm"))


def _is_ordinal(text: str, at: int, word: str) -> bool:
    """Whether the full stop makes an ordinal of a number: "am 3. Mai"."""
    if not word.isdecimal() or len(word) > 2:
        return False
    before = text[max(0, at - len(word) - 8) : at - len(word)].split()
    return bool(before) and before[-1].lower() in _DATE_LEADS


def _is_abbreviated(text: str, stop: int, end: int, following: str) -> bool:
    """Whether the full stop at `stop` shortens a word instead of ending a sentence."""
    word = _word_before(text, stop)
    lowered = word.lower()
    if len(word) == 1 and word.isalpha() and word.isupper() and word != "I":
        return True
    if lowered in _TITLES:
        return True
    if lowered in _OPEN_ENDED or "." in word:
        return not following.isupper()
    if end == len(text):
        return False
    return _is_list_number(text, stop, word) or _is_ordinal(text, stop, word)


def _ends_sentence(text: str, mark: re.Match[str]) -> bool:
    """Whether the mark found really is the end of a sentence."""
    first = mark.group()[:1]
    if first not in {".", "!", "?", "…"}:
        return True
    following = _next_letter(text, mark.end())
    if following.islower():
        return False
    single_stop = mark.group().count(".") == 1 and first == "."
    return not (single_stop and _is_abbreviated(text, mark.start(), mark.end(), following))


def _marks(text: str) -> Iterator[re.Match[str]]:
    """What may be the end of a sentence, in order and apart from each other."""
    searched = 0
    for first in _MAY_END.finditer(text):
        at = first.start()
        mark = _END.match(text, at) if at >= searched else None
        if mark is not None:
            searched = mark.end()
            yield mark


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without white space at its ends; empty when there is nothing else."""
    found = _NOT_BLANK.search(text, start, end)
    if found is None:
        return end, end
    while text[end - 1].isspace():
        end -= 1
    return found.start(), end


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences of a text, in order.

    Args:
        text: Prose in any language; line breaks inside a sentence are white space.

    Returns:
        Half-open character spans; none for a text of white space.
    """
    ends = [mark.end() for mark in _marks(text) if _ends_sentence(text, mark)]
    ends.append(len(text))
    spans: list[tuple[int, int]] = []
    start = 0
    for end in ends:
        first, last = _trimmed(text, start, end)
        if first < last:
            spans.append((first, last))
        start = end
    return spans
