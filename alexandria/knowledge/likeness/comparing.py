"""Comparing signatures: which pairs may be copies, how alike they are, where the bar lies.

Likeness is the share of their runs that two texts have in common (Jaccard). Measured on open
documents, exactly, with the bar for their length:

    0.97  0.75  a novel as EPUB and as pages of text with running heads and hyphens
    0.97  0.81  a standard of 15 pages as Markdown and as such pages
    0.87  0.75  a guide as PDF and as slides, with table cells in another order
    1.00  0.95  a report of 150 words exported on two days; 0.97 as pages
    0.92  0.95  the MIT licence in two names, 0.86 in two others: documents of their own
    0.94  0.95  two invoices above 800 words of the same terms, each with figures of its own
    0.84  0.91  two contracts of 3,000 words that differ in 30 places, likewise
    0.41  0.75  that guide and its French translation, which is not complete
    0.31  0.75  a standard and the table of its requirements, a third of it
    0.04  0.89  the novel and one of its chapters

All other pairs of that library are below 0.31. Copies lie 0.02 above their bar or more, all
others 0.02 below it or have figures of their own or are only a part of the other.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from alexandria.knowledge.likeness.signatures import (
    EXACT,
    FIGURES_KEPT,
    SLOTS,
    Hashes,
    Signature,
    Sketches,
)

Pairs = NDArray[np.int64]
"""Shape (pairs, 2): two rows of `Sketches`, the lower one first."""

SMALL_BAR, LARGE_BAR = 0.95, 0.75
SMALL, LARGE = EXACT, 8000
"""Runs up to which the one bar holds, and from which the other; in between it falls evenly."""

LEAST_PART = 0.85
"""Of the longer text's runs that the shorter one must have in number: a part is no copy."""

LEAST_RUNS = 20
"""Shorter texts say too little: two photographs may both show the word "Exit"."""

OWN_FIGURES, OWN_SHARE = 4, 0.1
"""Figures that only one of two texts has, in number and of its own, that make it another."""

_WIDE_BAND, _NARROW_BAND = 12, 5
_WINDOW = 20
_DOUBT = 0.12
"""Three standard errors of an estimated likeness at the bar for long texts."""

_PART = 8192
"""Pairs that are estimated at once, in 8 MB."""


def likeness(one: Signature, other: Signature) -> float:
    """The share of their runs that both have, 0..1; estimated for long texts."""
    if one.runs is not None and other.runs is not None:
        common = len(np.intersect1d(one.runs, other.runs, assume_unique=True))
        return common / max(one.run_count + other.run_count - common, 1)
    smaller, larger = sorted((one.run_count, other.run_count))
    return min(float(np.mean(one.sketch == other.sketch)), smaller / larger)


def are_copies(one: Signature, other: Signature) -> bool:
    """Whether one text can stand for the other: see `bar` and `have_own_figures`."""
    smaller, larger = sorted((one.run_count, other.run_count))
    if smaller < max(LEAST_RUNS, LEAST_PART * larger):
        return False
    return likeness(one, other) >= bar(smaller) and not have_own_figures(one, other)


def bar(run_count: int) -> float:
    """The likeness from which texts are copies, the shorter one having so many runs."""
    share = min(max((run_count - SMALL) / (LARGE - SMALL), 0.0), 1.0)
    return SMALL_BAR - share * (SMALL_BAR - LARGE_BAR)


def have_own_figures(one: Signature, other: Signature) -> bool:
    """Whether each has figures that the other lacks, as two contracts from one template do.

    Page numbers that one rendering adds stand on one side only, so they do not count.
    """
    mine, theirs = _comparable(one.figures, other.figures)
    common = len(np.intersect1d(mine, theirs, assume_unique=True))
    return all(
        len(figures) - common >= max(OWN_FIGURES, OWN_SHARE * len(figures))
        for figures in (mine, theirs)
    )


def candidate_pairs(sketches: Sketches, run_counts: NDArray[np.int64]) -> Pairs:
    """The pairs that may be copies, found by equal bands of their sketches.

    Few pairs of copies are missed: one in two thousand at the bar of small texts, one in
    a thousand at that of large ones. The work grows with the number of texts, not of pairs:
    of many texts with an equal band each is paired with the next `_WINDOW` in the order of
    the band after it. Pairs whose estimated likeness is far below their bar are left out.
    """
    some = np.flatnonzero(run_counts >= LEAST_RUNS)
    large = np.flatnonzero(run_counts >= LEAST_PART * SMALL)
    found = [
        *_equal_bands(sketches, some, _WIDE_BAND),
        *_equal_bands(sketches, large, _NARROW_BAND),
    ]
    codes = np.unique(np.concatenate([np.empty(0, np.int64), *found]))
    pairs = np.stack(np.divmod(codes, max(len(sketches), 1)), axis=1)
    parts = (pairs[start : start + _PART] for start in range(0, len(pairs), _PART))
    kept = [_promising(sketches, run_counts, part) for part in parts]
    return np.concatenate([np.empty((0, 2), np.int64), *kept])


def _equal_bands(
    sketches: Sketches, rows: NDArray[np.int64], width: int
) -> Iterator[NDArray[np.int64]]:
    """Pairs of rows, each as one number: lower * len(sketches) + higher; some repeatedly."""
    random = np.random.default_rng(1)
    weights = random.integers(1, 2**63, size=width, dtype=np.uint64) | np.uint64(1)
    bands = [
        (sketches[rows, start : start + width].astype(np.uint64) * weights).sum(axis=1)
        for start in range(0, SLOTS - width + 1, width)
    ]
    for band, following in zip(bands, [*bands[1:], bands[0]], strict=True):
        order = np.lexsort((following, band))
        values, places = band[order], rows[order]
        for distance in range(1, _WINDOW + 1):
            equal = values[distance:] == values[:-distance]
            if not equal.any():
                break
            one, other = places[:-distance][equal], places[distance:][equal]
            yield np.minimum(one, other) * len(sketches) + np.maximum(one, other)


def _promising(sketches: Sketches, run_counts: NDArray[np.int64], pairs: Pairs) -> Pairs:
    counts = np.sort(run_counts[pairs], axis=1)
    estimates = (sketches[pairs[:, 0]] == sketches[pairs[:, 1]]).mean(axis=1)
    bars = np.array([bar(int(count)) for count in counts[:, 0]])
    return pairs[(estimates >= bars - _DOUBT) & (counts[:, 0] >= LEAST_PART * counts[:, 1])]


def _comparable(one: Hashes, other: Hashes) -> tuple[Hashes, Hashes]:
    """Both lists up to where the shorter reaching one of them was cut off."""
    ends = [int(hashes[-1]) for hashes in (one, other) if len(hashes) == FIGURES_KEPT]
    if not ends:
        return one, other
    return one[one <= min(ends)], other[other <= min(ends)]
