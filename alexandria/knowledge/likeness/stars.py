"""Groups of copies: who is the copy of whom, when many texts drift away from each other."""

from collections.abc import Callable, Iterator, Mapping


def stars(
    near: Mapping[int, set[int]], are_alike: Callable[[int, int], bool]
) -> Iterator[tuple[int, int]]:
    """Each copy with the best text that it is alike; a best text is no copy itself.

    The best text takes those alike it, the best of the rest takes its own, and so on. They are
    looked for among those near it and near what it took, so a text is compared at most as
    often as others are near it, and the work grows with the pairs that are near.

    Args:
        near: For each text those known to be alike it; the lower number is the better copy.
        are_alike: Whether two texts may be copies, the better one given first.
    """
    settled: set[int] = set()
    for best in sorted(near):
        if best in settled:
            continue
        settled.add(best)
        seen, waiting = {best}, [best]
        while waiting:
            for other in near[waiting.pop()] - seen - settled:
                seen.add(other)
                if are_alike(best, other):
                    settled.add(other)
                    waiting.append(other)
                    yield best, other
