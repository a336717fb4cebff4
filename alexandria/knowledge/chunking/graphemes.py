"""Tells where a text may be cut without tearing a character that a reader sees as one.

What belongs together are Unicode's extended grapheme clusters: a letter with its marks, an
Indic or Khmer conjunct, a Hangul syllable in parts, a flag, a joined emoji, a surrogate pair.
"""

import regex

_CLUSTER = regex.compile(r"\X")
_HALF = regex.compile("[\ud800-\udbff]")
_LONGEST = 256
"""Characters after which a cluster is taken for rubbish and may be cut."""


def cut_before(text: str, lowest: int, at: int) -> int:
    """The last good place to cut in lowest + 1..at, or `at` when there is none.

    Args:
        text: The whole text.
        lowest: A place where it may be cut, such as the end of the piece before.
        at: Where to cut at best.
    """
    if at >= len(text) or at <= lowest:
        return at
    begin = max(lowest, at - _LONGEST)
    place = begin
    for cluster in _CLUSTER.finditer(text, begin, at + 1):
        place = cluster.start()
    if place > begin and _HALF.match(text, place - 1) and "\udc00" <= text[place] <= "\udfff":
        place -= 1
    return place if place > lowest else at
