"""The garbage collector of a process that loads much, works and ends: a command, a run.

What such a process loads it keeps to its end, and a library for data checks alone is a quarter
of a million objects. As Python comes, they are looked through again and again while they are
loaded (1.2 s of the 3.2 s to import Great Expectations) and once more at the end (1.3 s).
"""

import atexit
import gc
from functools import cache

ALLOCATIONS = 50_000
"""Objects made, less those gone, until the youngest are looked through; Python's is 700."""

YOUNG, OLD = 20, 100
"""How many times that until the next older ones are; Python's are 10 and 10."""


@cache
def collect_rarely() -> None:
    """Look for garbage seldom from here on, and not at all when the process ends."""
    gc.set_threshold(ALLOCATIONS, YOUNG, OLD)
    atexit.register(gc.freeze)
