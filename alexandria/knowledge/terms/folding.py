"""One form for what readers take for the same: before words are cut, and after stemming.

`fold` comes first and only joins what is the same word in any language: full and half
width, ligatures and presentation forms, case, digits of all scripts, katakana and hiragana,
and what readers may leave out: vowel points, tatweel, soft hyphens, joiners, direction marks.
`plain` comes last, because stemmers need the letters of their language: it drops accents
and joins letters that keyboards and neighbours write differently (ı and i, ł and l, ك and ک).

Laws: folding twice is folding once. Neither looks at more than the text.
"""

# ruff: noqa: RUF001, RUF002 (the letters of many scripts look like Latin ones)

import re
import unicodedata

_UNSEEN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff"
)
"""Joiners, direction marks, variation selectors, fillers and tags."""

_OPTIONAL = (
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"  # Hebrew points
    "\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed"
    "\u08d3-\u08e1\u08e3-\u08ff"  # Arabic vowel signs, tatweel
)
_APART = re.compile("(?<=[\u0620-\u064a\u0671-\u06d3])\u200c+")
"""Between Arabic letters the non-joiner parts a word from its ending, as a space would."""

_BEYOND_LATIN = re.compile(
    "[\u00ad\u02bb-\u02ff\u034f-\u1dff\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3000-\U0010ffff]"
)
"""Whatever may have to be dropped or replaced; most Latin text has none of it."""

_DROPPED = re.compile(f"[{_UNSEEN}{_OPTIONAL}]+")
_DOTTED_I = "i\u0307"

_DIGITS = {
    point: str(unicodedata.decimal(chr(point)))
    for point in range(0x0660, 0xAC00)
    if unicodedata.category(chr(point)) == "Nd"
}
_HIRAGANA = {point: chr(point - 0x60) for point in (*range(0x30A1, 0x30F7), 0x30FD, 0x30FE)}
_APOSTROPHES = dict.fromkeys((0x02BB, 0x02BC), "'")
_ALIKE = _DIGITS | _HIRAGANA | _APOSTROPHES
_REPLACED = re.compile(f"[{''.join(map(chr, _ALIKE))}]")

_ACCENTS = re.compile("[\u0300-\u036f\u0653-\u0655]")
_PLAIN = str.maketrans(
    {
        "ı": "i", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe",
        "ħ": "h", "ŧ": "t", "ŋ": "n", "ґ": "г",
        "ك": "ک", "ي": "ی", "ى": "ی", "ة": "ه", "ہ": "ه", "ھ": "ه", "ٱ": "ا",
    }
)  # fmt: skip


def fold(text: str) -> str:
    """The text with one form for what is the same word in any language."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", text)
    if _BEYOND_LATIN.search(folded):
        folded = _DROPPED.sub("", _APART.sub(" ", folded))
        folded = _REPLACED.sub(lambda found: _ALIKE[ord(found[0])], folded)
    return unicodedata.normalize("NFC", folded.casefold()).replace(_DOTTED_I, "i")


def plain(word: str) -> str:
    """A folded, stemmed word without accents, its letters in their commonest form."""
    if word.isascii():
        return word
    bare = _ACCENTS.sub("", unicodedata.normalize("NFD", word))
    return unicodedata.normalize("NFC", bare.translate(_PLAIN))
