"""Chooses where to cut a sequence of atoms so that an edit moves few cuts.

Filling chunks from the left packs well, but a sentence added on page one shifts every cut
to the end of the chapter. Here a cut depends only on what is near it. Every boundary comes
with a key derived from the words beside it; then

1. Reach: a boundary is as strong as its distance to the nearest boundary of a higher key,
   up to a bound, and among equals as its key. Strong boundaries lie well apart, so cutting
   at them leaves no crumbs, and an edit changes the strength only within that bound.
2. Split: a run above the limit is cut at its strongest boundary, and its parts likewise.
   When a boundary appears or vanishes, all cuts outside the chunks at its sides remain.
3. Join: a small chunk joins a neighbour when both fit together, smallest first.

Boundaries of equal strength (the same line a thousand times) are cut nearest to the
middle, which keeps the number of steps near n log n.

Sizes are tokens. Boundary `i` lies before atom `i`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Keys = NDArray[np.float64]
"""Rank of the boundary before each atom, shape (atoms,), in 0..`HIGHEST_KEY`."""

HIGHEST_KEY = 16.0
_Offsets = NDArray[np.int64]
"""Tokens before each boundary, the end included, shape (atoms + 1,)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Tokens: chunks are at most `most`, strength reaches `reach`, up to `small` joins."""

    most: int
    reach: int
    small: int


def choose_cuts(runs: Sequence[Sequence[int]], keys: Sequence[Keys], limits: Limits) -> list[int]:
    """Where chunks begin in consecutive runs of atoms, counted through all of them.

    A chunk holds atoms of one run, or several runs that are whole.

    Args:
        runs: Tokens of each atom, run by run; none above `limits.most`, no run empty.
        keys: Rank of the boundary before each atom, run by run.
        limits: Bounds for chunks.

    Returns:
        First atom of every chunk, ascending, beginning with 0.
    """
    starts: list[int] = []
    seams = [0]
    for sizes, own_keys in zip(runs, keys, strict=True):
        before = _offsets(sizes)
        strengths = _strengths(own_keys, before, limits.reach)
        starts += [seams[-1] + start for start in _split(strengths, before, limits.most)]
        seams.append(seams[-1] + len(sizes))
    before = _offsets([size for sizes in runs for size in sizes])
    return sorted(_join(starts, before, limits, set(seams)))


def _offsets(sizes: Sequence[int]) -> _Offsets:
    return np.concatenate(([0], np.cumsum(np.asarray(sizes, dtype=np.int64))))


def _strengths(keys: Keys, before: _Offsets, reach: int) -> NDArray[np.float64]:
    """Distance to the nearest boundary of a higher key, at most `reach`; ties by key.

    Both ends of the run count as boundaries of a higher key.
    """
    ranks, places = keys.tolist(), before.tolist()
    distances = [reach] * len(ranks)
    above = [0] * len(ranks)  # the nearest boundary to the left with a higher key
    descending = [0]
    for i in range(1, len(ranks)):
        while len(descending) > 1 and ranks[descending[-1]] < ranks[i]:
            passed = descending.pop()
            distances[passed] = min(distances[passed], places[i] - places[passed])
        last = descending[-1]
        above[i] = above[last] if last and ranks[last] == ranks[i] else last
        distances[i] = min(reach, places[i] - places[above[i]])
        descending.append(i)
    for i in descending[1:]:
        distances[i] = min(distances[i], places[-1] - places[i])
    return np.asarray(distances) * HIGHEST_KEY + keys


def _split(strengths: NDArray[np.float64], before: _Offsets, most: int) -> list[int]:
    """First atom of every part, ascending, when each run above the limit is cut."""
    starts: list[int] = []
    pending = [(0, len(strengths))]
    while pending:
        first, last = pending.pop()
        if last - first == 1 or before[last] - before[first] <= most:
            starts.append(first)
            continue
        cut = _strongest(strengths, before, first, last)
        pending += [(cut, last), (first, cut)]
    return starts


def _strongest(strengths: NDArray[np.float64], before: _Offsets, first: int, last: int) -> int:
    """The strongest boundary inside first..last, nearest to the middle among equals."""
    inside = strengths[first + 1 : last]
    candidates = np.flatnonzero(inside == inside.max()) + first + 1
    middle = (before[first] + before[last]) / 2
    return int(candidates[np.argmin(np.abs(before[candidates] - middle))])


def _join(starts: Sequence[int], before: _Offsets, limits: Limits, seams: set[int]) -> set[int]:
    """The chunk starts that remain after small chunks joined a neighbour."""
    places = before.tolist()
    left = dict(zip(starts[1:], starts[:-1], strict=True))
    right = dict(zip(starts, [*starts[1:], len(places) - 1], strict=True))

    def sides(cut: int) -> tuple[int, int]:
        return places[cut] - places[left[cut]], places[right[cut]] - places[cut]

    kept = set(starts)
    for cut in sorted(left, key=lambda cut: (cut in seams, min(sides(cut)), cut)):
        whole = cut not in seams or {left[cut], right[cut]} <= seams
        if whole and sum(sides(cut)) <= limits.most and min(sides(cut)) <= limits.small:
            kept.discard(cut)
            right[left[cut]], left[right[cut]] = right[cut], left[cut]
    return kept
