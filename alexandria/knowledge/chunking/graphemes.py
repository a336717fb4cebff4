"""Tells where a text may be cut without tearing a character that a reader sees as one.

Combining marks, joiners, variation selectors and skin tones stay with what they modify,
and the halves of a surrogate pair stay together.
"""

import unicodedata

_JOINER = "\u200d"
_MARKS = frozenset({"Mn", "Mc", "Me"})


def _continues(character: str) -> bool:
    """Whether the character belongs to the one before it."""
    if character < "\u0300":
        return False
    return (
        character == _JOINER
        or unicodedata.category(character) in _MARKS
        or "\U0001f3fb" <= character <= "\U0001f3ff"
        or "\udc00" <= character <= "\udfff"
    )


def may_cut(text: str, at: int) -> bool:
    """Whether `text[:at]` and `text[at:]` both hold whole characters."""
    if at <= 0 or at >= len(text):
        return True
    return not _continues(text[at]) and text[at - 1] != _JOINER


def cut_before(text: str, lowest: int, at: int) -> int:
    """The last good place to cut in lowest + 1..at, or `at` when there is none."""
    for place in range(at, lowest, -1):
        if may_cut(text, place):
            return place
    return at
