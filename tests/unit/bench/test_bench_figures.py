"""A figure says truly whether its goal is met."""

import io
import json

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bench.figures import Figure, Goal, Reference, print_table, to_json

amounts = st.floats(min_value=0.001, max_value=1e6)


@given(amounts, amounts, st.booleans())
def test_a_limit_on_the_ratio_does_not_depend_on_the_unit(
    measured: float, reference: float, at_least: bool
) -> None:
    goal = Goal(0.85, at_least=at_least, of_ratio=True)
    in_seconds = Figure("speed", measured, "s", Reference(reference, "bare"), goal)
    in_milliseconds = Figure(
        "speed", 1024 * measured, "ms", Reference(1024 * reference, "bare"), goal
    )
    assert in_seconds.is_met is in_milliseconds.is_met


@given(amounts, amounts)
def test_the_limit_itself_is_good_enough(limit: float, other: float) -> None:
    assert Goal(limit).is_met_by(limit)
    assert Goal(limit, at_least=True).is_met_by(limit)
    if other != limit:
        assert Goal(limit).is_met_by(other) is not Goal(limit, at_least=True).is_met_by(other)


def test_nothing_is_claimed_without_a_goal_or_without_its_reference() -> None:
    assert Figure("time", 3.0, "s").is_met is None
    assert Figure("time", 3.0, "s", Reference(0.0, "none"), Goal(1, of_ratio=True)).is_met is None


def test_table_and_json_show_a_missed_goal() -> None:
    missed = Figure("edit: chunks", 7, "chunks", Reference(100, "the document"), Goal(3))
    shown = io.StringIO()
    print_table([missed], Console(file=shown, width=120))
    assert "NO" in shown.getvalue()
    (row,) = json.loads(to_json({"cores": 2}, [missed]))["figures"]
    assert (row["ratio"], row["is_met"]) == (0.07, False)
