"""Which paragraphs of a plain text are headings, in the languages books come in.

A paragraph here is a list of lines without the blank lines around them. Ranks order the
kinds of headings; `rank_headings` returns levels from 1 without gaps.
"""

import re
from collections.abc import Sequence
from enum import IntEnum

Lines = Sequence[str]


class Rank(IntEnum):
    """What a heading opens; smaller encloses larger. NONE is no heading."""

    NONE = 0
    TITLE = 1
    PART = 2
    CHAPTER = 3
    MINOR = 4


_ROMAN = r"(?=[IVXLC])C{0,3}(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
_NUMBER = rf"(?:\d{{1,3}}|{_ROMAN})"
_WORDS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty the first second third fourth fifth sixth last "
    "primero primera segundo segunda tercero tercera cuarto cuarta quinto sexto séptimo octavo "
    "premier première deuxième second troisième quatrième cinquième sixième un une deux trois "
    "erster erste erstes zweiter zweite zweites dritter dritte drittes vierter vierte fünfter "
    "primo prima secondo seconda terzo terza quarto quarta "
    "eerste tweede derde vierde vijfde первая вторая третья четвертая первый второй третий"
)


def _keyword(words: str) -> str:
    return "|".join(sorted(set(words.split()), key=len, reverse=True))


_ORDINALS = _keyword(_WORDS)
_PARTS = "book part volume band buch teil livre partie tome libro parte tomo deel том часть книга"
_CHAPTERS = (
    "chapter letter canto act scene section lecture kapitel brief chapitre lettre capítulo "
    "capitulo carta capitolo lettera hoofdstuk глава письмо"
)
_SIDES = (
    "contents prologue epilogue preface foreword introduction conclusion appendix afterword "
    "glossary bibliography index notes acknowledgements abstract references inhalt "
    "inhaltsverzeichnis vorwort einleitung nachwort anhang prolog epilog prologue épilogue "
    "préface avant-propos conclusion annexe prólogo prologo epílogo prefacio introducción "
    "conclusión índice tasa prologo epilogo prefazione introduzione voorwoord inleiding "
    "содержание предисловие введение заключение пролог эпилог"
)


def _numbered(words: str) -> re.Pattern[str]:
    """A keyword, its number, and a title after a mark or on further lines."""
    number = rf"(?:{_NUMBER}|(?:{_ORDINALS})(?:[ -](?:{_ORDINALS}))?)"
    title = r"(?:\s*[.:)\u2014\u2013-]\s*\S.*|\s*[.:]?)"
    return re.compile(rf"(?:{_keyword(words)})\s+{number}{title}", re.IGNORECASE)


_PATTERNS: tuple[tuple[Rank, re.Pattern[str]], ...] = (
    (Rank.PART, _numbered(_PARTS)),
    (
        Rank.PART,
        re.compile(
            rf"(?:{_ORDINALS})\s+(?:{_keyword(_PARTS)}|epilogue)"
            r"(?:\s*[.:\u2014\u2013-].*|\s+de[l ].*)?",
            re.IGNORECASE,
        ),
    ),
    (Rank.CHAPTER, _numbered(_CHAPTERS)),
    (Rank.CHAPTER, re.compile(rf"(?:{_ROMAN})\.?")),
    (Rank.CHAPTER, re.compile(rf"(?:{_keyword(_SIDES)})[.:]?", re.IGNORECASE)),
)
_BARE_NUMBER = re.compile(rf"(?:{_ROMAN})\.?")
_BARE = re.compile(
    rf"(?:(?:{_keyword(_CHAPTERS + ' ' + _PARTS)})\s+)?(?:{_NUMBER})\.?", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"[.!?;,:…»”\"']$")
_MAX_LINES = 4
_MAX_LENGTH = 240
_SHORT = 70


def rank_headings(paragraphs: Sequence[Lines]) -> list[int]:
    """The heading level of each paragraph, 0 for those that are none."""
    ranks = [_rank(lines) for lines in paragraphs]
    _drop_single_numerals(ranks, paragraphs)
    _mark_title(ranks, paragraphs)
    levels = {rank: level for level, rank in enumerate(sorted(set(ranks) - {Rank.NONE}), 1)}
    return [levels.get(rank, 0) for rank in ranks]


def chapter_level(paragraphs: Sequence[Lines], levels: Sequence[int]) -> int:
    """The level whose headings open chapters; 0 when there are fewer than two."""
    found = [
        level
        for level, lines in zip(levels, paragraphs, strict=True)
        if level and _rank(lines) in {Rank.PART, Rank.CHAPTER}
    ]
    return max(found) if len(found) > 1 else 0


def continues_heading(heading: Lines, lines: Lines) -> bool:
    """Whether the paragraph is the title of the bare number "I" or "Chapter 1" above it."""
    text = " ".join(lines)
    if not _BARE.fullmatch(" ".join(heading)) or len(lines) > _MAX_LINES - 1:
        return False
    if _rank(lines) in {Rank.PART, Rank.CHAPTER}:
        return False
    plain = len(lines) == 1 and len(text) <= _SHORT and not _SENTENCE_END.search(text)
    return len(text) <= _MAX_LENGTH and (_is_capitals(text) or (plain and text[:1].isupper()))


def _rank(lines: Lines) -> Rank:
    if len(lines) > _MAX_LINES:
        return Rank.NONE
    text = " ".join(lines)
    if len(text) > _MAX_LENGTH:
        return Rank.NONE
    for rank, pattern in _PATTERNS:
        if pattern.fullmatch(text):
            return rank
    minor = len(lines) == 1 and len(text) <= _SHORT and _is_capitals(text)
    return Rank.MINOR if minor and not _SENTENCE_END.search(text) else Rank.NONE


def _is_capitals(text: str) -> bool:
    letters = [char for char in text if char.isalpha()]
    return len(letters) >= 4 and text.upper() == text and text.lower() != text


def _drop_single_numerals(ranks: list[Rank], paragraphs: Sequence[Lines]) -> None:
    """A lone "I" is no chapter: numerals count from two on, and from the first."""
    bare = [i for i, lines in enumerate(paragraphs) if _BARE_NUMBER.fullmatch(" ".join(lines))]
    texts = {" ".join(paragraphs[i]).rstrip(".") for i in bare}
    if not {"I", "II"} <= texts:
        for i in bare:
            ranks[i] = Rank.NONE


def _mark_title(ranks: list[Rank], paragraphs: Sequence[Lines]) -> None:
    """The first paragraph is the title when it is one short line that ends no sentence."""
    if paragraphs and len(paragraphs) > 2 and ranks[0] in {Rank.NONE, Rank.MINOR}:
        lines = paragraphs[0]
        text = " ".join(lines)
        if len(lines) == 1 and len(text) <= 2 * _SHORT and not _SENTENCE_END.search(text):
            ranks[0] = Rank.TITLE
