"""Stars of copies: each copy hangs on the best text it is alike, without comparing all."""

import random
from collections.abc import Callable, Mapping

from alexandria.knowledge.likeness import stars


def drifting(count: int, reach: int) -> tuple[dict[int, set[int]], Callable[[int, int], bool]]:
    """Drafts in a row whose order by standing is mixed; near by two places, alike by `reach`."""
    order = random.Random(7).sample(range(count), count)
    place = {row: at for at, row in enumerate(order)}
    near = {
        row: {order[at] for at in range(max(at_of - 2, 0), min(at_of + 3, count)) if at != at_of}
        for row, at_of in place.items()
    }
    return near, lambda one, other: abs(place[one] - place[other]) <= reach


def compared_with_all(
    near: Mapping[int, set[int]], are_alike: Callable[[int, int], bool]
) -> set[tuple[int, int]]:
    """The same by comparing each best text with all of the rest."""
    found: set[tuple[int, int]] = set()
    rest = sorted(near)
    while rest:
        best, *others = rest
        found |= {(best, other) for other in others if are_alike(best, other)}
        rest = [other for other in others if not are_alike(best, other)]
    return found


def test_drifting_drafts_hang_on_the_best_that_they_are_alike() -> None:
    near, are_alike = drifting(300, reach=5)
    assert set(stars(near, are_alike)) == compared_with_all(near, are_alike)


def test_comparisons_grow_with_the_pairs_that_are_near() -> None:
    near, are_alike = drifting(5_000, reach=5)
    compared: list[tuple[int, int]] = []

    def counted(one: int, other: int) -> bool:
        compared.append((one, other))
        return are_alike(one, other)

    assert len(list(stars(near, counted))) > 2_500
    assert len(compared) <= sum(len(others) for others in near.values())


def test_many_equal_texts_of_which_each_is_near_a_few_are_one_star() -> None:
    near, _ = drifting(2_000, reach=0)
    assert {best for best, _ in stars(near, lambda *_: True)} == {0}
