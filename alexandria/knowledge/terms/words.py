"""Cuts a folded text into words, and scripts that are written without spaces into pairs.

Han, kana, Thai, Lao, Burmese and Khmer have no spaces between words, and Hangul glues
endings to them. Each run of them becomes its overlapping pairs of characters; a Han or
Hangul character is a word by itself too, so that a question of one character is answered.

Pairs, not a segmenter, because no gain from one was seen, on a small and easy set: 37 questions
over 32 paragraphs in Chinese, Japanese, Korean and Thai (`labelled_scripts` in the tests). Of
the 33 longer than one character BM25 puts the answer first for 33 with pairs, and for 32 with
the words of jieba, Janome, Kiwi and PyThaiNLP; the one missed spells a fruit in the other
kana, which was not folded there. The set cannot tell them apart further. The four of one
character were written to see what single characters add: they find all four (one second, behind
the same character in another language), pairs alone none, the segmenters one, in fourth place.
They cost space: 2,271 distinct terms for 1,545 with pairs alone and 873 with segmenters.

Laws: the words of a folded text in reading order, repeats kept. Time is linear.
"""

import re
import unicodedata
from functools import cache

_SINGLES = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
"""Han and Hangul: one character can be a word."""

_UNBROKEN = f"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff{_SINGLES}"
_RUN = re.compile(f"[{_UNBROKEN}]+")
_SINGLE = re.compile(f"[{_SINGLES}]")
_ASCII = re.compile(r"[a-z0-9]+(?:[-:.,/][a-z0-9]+)*")
_SIGNED = r"\b[a-z](?:\+\+|#)"
"""C++, C#, F#."""
_ASCII_SIGNS = re.compile(f"{_SIGNED}|{_ASCII.pattern}")


def words(folded: str) -> list[str]:
    """The words of a folded text; codes and compounds with their joints, pairs for the rest."""
    if folded.isascii():
        return (_ASCII_SIGNS if "#" in folded or "+" in folded else _ASCII).findall(folded)
    return _any_pattern().findall(_RUN.sub(_cut, folded))


def is_cut(word: str) -> bool:
    """Whether the word is a piece of a run without spaces, which no stemmer knows."""
    return _RUN.match(word) is not None


def _cut(run: re.Match[str]) -> str:
    characters = run.group()
    pairs = [characters[i : i + 2] for i in range(len(characters) - 1)]
    singles = _SINGLE.findall(characters)
    return f" {' '.join((*pairs, *singles)) or characters} "


@cache
def _any_pattern() -> re.Pattern[str]:
    """Words with their combining marks, together with the words joined to them."""
    points = map(chr, range(0x300, 0x10000))
    marks = "".join(point for point in points if unicodedata.category(point) in ("Mn", "Mc"))
    word = rf"[^\W_]+(?:[{marks}]+[^\W_]*)*"
    return re.compile(rf"{_SIGNED}|{word}(?:[-:.,/]{word})*")
