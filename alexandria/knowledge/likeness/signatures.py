"""Signatures of texts: what is compared instead of the texts.

A text becomes the set of its runs of three words: folded, hyphens at line ends closed, dates
left out. Page numbers, running heads, line breaks and tables told in another order touch few
of them. Scripts without spaces count by characters. The set is kept as a MinHash; up to
`EXACT` runs it is kept whole as well, because a word decides there.
"""

import re
import struct
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from alexandria.knowledge.terms import fold

if TYPE_CHECKING:
    from datasketch import MinHash

Hashes = NDArray[np.uint32]
"""Of runs or figures, sorted and distinct."""

Sketches = NDArray[np.uint32]
"""Shape (texts, SLOTS): two texts agree in the share of slots that is their likeness."""

Runs = frozenset[tuple[str, ...]]
"""Of a passage, in words."""

RUN = 3
"""Words in a run."""

SLOTS = 128
"""Of the MinHash; its standard error is 0.04 at most."""

EXACT = 1000
"""Sets of so many runs are kept whole."""

FIGURES_KEPT = 256

SKETCH_BYTES = 4 * SLOTS
"""Of a stored signature: the first ones are its sketch."""

METHOD = f"runs-{RUN}/minhash-{SLOTS}/1"
"""How signatures are made: raise its last number when a text's signature changes."""

_BLOCK = 8192
"""Runs that are permuted at once, in 4 MB."""

_UNBROKEN = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)
_WORD = re.compile(f"[{_UNBROKEN}]|[^\\W_{_UNBROKEN}]+")
_UNSEEN = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
_LINE_END_HYPHEN = re.compile(r"(?<=[^\W\d_])[-\u2010]\n\s*(?=[^\W\d_])")

_MONTHS = (
    "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez|fév|avr|jui|aoû|déc|ene|abr|"
    "ago|dic|gen|mag|giu|lug|set|ott|mrt|mei|fev|out|sty|lut|kwi|maj|cze|lip|sie|wrz|paź|lis|gru|"
    "янв|фев|мар|апр|мая|июн|июл|авг|сен|окт|ноя|дек"
)
"""How a month's name begins in the languages of the stop words."""

_YEAR = re.compile(r"(?:19|20)\d\d$")
_DAY = re.compile(r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th|t[0-2]\d)?$")
_MONTH = re.compile(rf"(?:{_MONTHS})[^\W\d_]{{0,8}}$")
_CLOCK = re.compile(r"[0-5]?\d$")
_DATES = ("dmy", "mdy", "ddy", "ydd")
"""Orders of day, month and year; a month in digits looks like a day."""

_WORD_MIX, _RUN_MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xFF51AFD7ED558CCD)
_HALF = np.uint64(32)
_HEADER = struct.Struct("<HH")


@dataclass(frozen=True, slots=True)
class Signature:
    """A text's runs and figures.

    Attributes:
        run_count: Distinct runs.
        sketch: Shape (SLOTS,).
        figures: Numbers and codes of three digits or more, dates aside; of more than
            `FIGURES_KEPT` the smallest hashes.
        runs: All of them; None if there are more than `EXACT`.
    """

    run_count: int
    sketch: NDArray[np.uint32]
    figures: Hashes
    runs: Hashes | None

    @classmethod
    def of(cls, text: str) -> Self:
        """The signature of a text; the same text has the same one on every machine."""
        runs, figures = _hashes(text)
        whole = runs if len(runs) <= EXACT else None
        return cls(len(runs), _sketch(runs), figures[:FIGURES_KEPT], whole)

    def to_bytes(self) -> bytes:
        """As the ledger keeps it, little-endian; the sketch comes first."""
        runs = np.empty(0, np.uint32) if self.runs is None else self.runs
        parts = [array.astype("<u4").tobytes() for array in (self.figures, runs)]
        sizes = _HEADER.pack(len(self.figures), len(runs))
        return b"".join([self.sketch.astype("<u4").tobytes(), sizes, *parts])

    @classmethod
    def from_bytes(cls, run_count: int, content: bytes) -> Self:
        """What `to_bytes` wrote."""
        start = SKETCH_BYTES + _HEADER.size
        figure_count, kept = _HEADER.unpack_from(content, SKETCH_BYTES)
        figures = np.frombuffer(content, "<u4", figure_count, start)
        runs = np.frombuffer(content, "<u4", kept, start + 4 * figure_count)
        sketch = np.frombuffer(content, "<u4", SLOTS)
        return cls(run_count, sketch, figures, runs if run_count <= EXACT else None)


def read_sketches(contents: Sequence[bytes]) -> Sketches:
    """The sketches of stored signatures, of each of which the first bytes are enough."""
    joined = b"".join(content[:SKETCH_BYTES] for content in contents)
    return np.frombuffer(joined, "<u4").reshape(len(contents), SLOTS)


@lru_cache(maxsize=4096)
def passage_runs(text: str) -> Runs:
    """The runs of a short text themselves; cheaper than a signature for a passage."""
    words = _words(fold(text))
    places = (words[place:] for place in range(RUN))
    return frozenset(zip(*places, strict=False)) or frozenset((tuple(words),))


def shared_part(runs: Runs, others: Runs) -> float:
    """The share of the runs that the others have too, 0..1."""
    return len(runs & others) / max(len(runs), 1)


def _hashes(text: str) -> tuple[Hashes, Hashes]:
    """Of the runs and of the figures; a text of fewer words than a run is one run."""
    numbers: dict[str, int] = {}
    order = np.array(
        [numbers.setdefault(word, len(numbers)) for word in _words(text)], dtype=np.int64
    )
    known = [fold(word) for word in numbers]
    hashes = np.array([_word_hash(word) for word in known], dtype=np.uint64)
    is_figure = np.array([_is_figure(word) for word in known], dtype=bool)
    undated = order[~_dates(known, order)]
    figures = hashes[undated[is_figure[undated]]]
    return _runs(hashes[undated]), np.unique((figures >> _HALF).astype(np.uint32))


def _words(text: str) -> list[str]:
    """In reading order, not folded: each distinct word is folded once, later."""
    seen = _LINE_END_HYPHEN.sub("", _UNSEEN.sub("", text))
    if not unicodedata.is_normalized("NFC", seen):
        seen = unicodedata.normalize("NFC", seen)
    return _WORD.findall(seen)


def _runs(words: NDArray[np.uint64]) -> Hashes:
    if not len(words):
        return np.empty(0, np.uint32)
    count = max(len(words) - RUN + 1, 1)
    mixed = np.zeros(count, np.uint64)
    for place in range(min(RUN, len(words))):
        mixed = mixed * _WORD_MIX + words[place : place + count]
    mixed = (mixed ^ (mixed >> _HALF)) * _RUN_MIX
    return np.unique((mixed >> _HALF).astype(np.uint32))


def _dates(words: Sequence[str], order: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which places hold part of a date, or of the time that follows one."""

    def where(kind: re.Pattern[str]) -> NDArray[np.bool_]:
        return np.array([bool(kind.match(word)) for word in words], dtype=bool)[order]

    found = np.zeros(len(order), dtype=bool)
    span = len(order) - 2
    if span < 1:
        return found
    kinds = {"y": where(_YEAR), "d": where(_DAY), "m": where(_MONTH)}
    for date in _DATES:
        first, second, third = (kinds[kind][at : span + at] for at, kind in enumerate(date))
        starts = first & second & third
        for at in range(3):
            found[at : span + at] |= starts
    clock = where(_CLOCK)
    for _ in range(3):
        found[1:] |= found[:-1] & clock[1:]
    return found


def _is_figure(word: str) -> bool:
    return sum(map(str.isdigit, word)) >= 3


def _word_hash(word: str) -> int:
    digest = blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest)


def _sketch(runs: Hashes) -> NDArray[np.uint32]:
    sketch = _empty_sketch().copy()
    for start in range(0, len(runs), _BLOCK):
        sketch.update_batch(runs[start : start + _BLOCK].tolist())
    return sketch.hashvalues.astype(np.uint32)


@cache
def _empty_sketch() -> "MinHash":
    from datasketch import MinHash

    return MinHash(num_perm=SLOTS, seed=1, hashfunc=int, scheme="affine32")
