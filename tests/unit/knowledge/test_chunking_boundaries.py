"""Where cuts fall, from sizes and keys alone."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alexandria.knowledge.chunking.boundaries import Limits, choose_cuts

LIMITS = Limits(most=10, reach=4, small=3)
_RUNS = st.lists(st.lists(st.tuples(st.integers(1, 10), st.floats(0, 3)), min_size=1), min_size=1)


@given(_RUNS)
def test_chunks_keep_the_limit_and_small_neighbours_join(
    runs: list[list[tuple[int, float]]],
) -> None:
    sizes = [[size for size, _ in run] for run in runs]
    cuts = choose_cuts(sizes, [np.array([key for _, key in run]) for run in runs], LIMITS)
    flat = [size for run in sizes for size in run]
    totals = [sum(flat[a:b]) for a, b in zip(cuts, [*cuts[1:], len(flat)], strict=True)]
    assert cuts[0] == 0
    assert max(totals) <= 10
    if len(runs) == 1:
        pairs = pairwise(totals)
        assert all(a + b > 10 or min(a, b) > 3 for a, b in pairs)


def test_the_strongest_boundary_is_cut_and_weak_ones_near_it_are_not() -> None:
    keys = np.array([0, 0.1, 0.2, 0.9, 0.8, 0.3, 0.1, 0.2])
    assert choose_cuts([[2] * 8], [keys], LIMITS) == [0, 3]


def test_equal_boundaries_are_cut_evenly() -> None:
    cuts = choose_cuts([[1] * 64_000], [np.zeros(64_000)], LIMITS)
    assert 6400 <= len(cuts) <= 12_800


def test_runs_share_a_chunk_only_when_whole() -> None:
    zeros = [np.zeros(1), np.zeros(2), np.zeros(1)]
    assert choose_cuts([[2], [6, 6], [2]], zeros, LIMITS) == [0, 1, 2, 3]
    assert choose_cuts([[2], [3, 3], [1]], zeros, LIMITS) == [0]
