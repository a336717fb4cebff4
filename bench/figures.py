"""Figures: what was measured, beside its reference and its goal, as a table or as JSON.

A figure without a reference claims nothing about speed: it is a count or an amount. A goal
is held either to the figure itself or to its ratio to the reference.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Goal:
    """A limit. `of_ratio` tells what is held to it: the ratio, or the figure itself."""

    limit: float
    at_least: bool = False
    of_ratio: bool = False

    def is_met_by(self, value: float) -> bool:
        """Whether the value is on the right side of the limit, or on it."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        return f"{sign} {self.limit:g}{' of ref.' if self.of_ratio else ''}"


@dataclass(frozen=True, slots=True)
class Reference:
    """What a figure is compared with: its value in the figure's own unit, and its name."""

    value: float
    name: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the result.

    Attributes:
        name: "<benchmark>: <what>".
        measured: In `unit`.
        unit: "s", "ms", "chunks/s", "MB", "share", "chunks"…
        reference: What it is compared with, taken in the same run; None for plain amounts.
        goal: What it should reach; None for a figure that only explains another.
    """

    name: str
    measured: float
    unit: str
    reference: Reference | None = None
    goal: Goal | None = None

    @property
    def ratio(self) -> float | None:
        """Measured by reference; None without one, or when the reference is nothing."""
        if self.reference is None or not self.reference.value:
            return None
        return self.measured / self.reference.value

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; None when there is none, or no ratio to hold to it."""
        value = self.ratio if self.goal and self.goal.of_ratio else self.measured
        return None if self.goal is None or value is None else self.goal.is_met_by(value)


def print_table(figures: Iterable[Figure], console: Console | None = None) -> None:
    """The figures as a table with one line each."""
    table = Table(header_style="bold")
    table.add_column("Figure", overflow="fold", min_width=32)
    for column in ("Measured", "Reference", "Ratio", "Goal"):
        table.add_column(column, justify="right")
    table.add_column("Met")
    for figure in figures:
        table.add_row(*_cells(figure))
    console = console or Console()
    console.width = max(console.width, 112)
    console.print(table)


def to_json(machine: dict[str, object], figures: Sequence[Figure]) -> str:
    """The figures, with their ratios and verdicts, and what they were taken on."""
    rows = [asdict(item) | {"ratio": item.ratio, "is_met": item.is_met} for item in figures]
    return json.dumps({"machine": machine, "figures": rows}, ensure_ascii=False, indent=2)


def _cells(figure: Figure) -> list[str]:
    reference = figure.reference
    return [
        figure.name,
        f"{_amount(figure.measured)} {figure.unit}",
        f"{_amount(reference.value)} ({reference.name})" if reference else "",
        f"{figure.ratio:.2f}" if figure.ratio is not None else "",
        str(figure.goal or ""),
        {True: "yes", False: "NO", None: ""}[figure.is_met],
    ]


def _amount(value: float) -> str:
    """Three digits that matter; whole from a hundred on."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
