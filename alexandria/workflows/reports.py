"""What a stage says of one piece of work: how much, how long, what it cost."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

from alexandria.adapters.postgres import Database


@dataclass
class StageReport:
    """One stage's work on one source.

    Attributes:
        asset: Name of the asset, "<stage>/<plural noun>".
        row_count: Rows it wrote; 0 means that nothing was pending.
        elapsed_seconds: Wall time.
        model_seconds: Part of it spent inside a model.
        token_count: Tokens that a model read.
        cost_usd: Money paid to a provider; local models cost nothing.
        details: Counts worth showing, by name.
    """

    asset: str
    row_count: int = 0
    elapsed_seconds: float = 0.0
    model_seconds: float = 0.0
    token_count: int = 0
    cost_usd: float = 0.0
    details: dict[str, int | float | str] = field(default_factory=dict[str, int | float | str])

    @contextmanager
    def model_time(self) -> Generator[None]:
        """Count the time inside as the model's."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.model_seconds += time.perf_counter() - started


@contextmanager
def stage_report(
    asset: str, clock: Callable[[], float] = time.perf_counter
) -> Generator[StageReport]:
    """A report whose wall time is that of the block."""
    report = StageReport(asset)
    started = clock()
    try:
        yield report
    finally:
        report.elapsed_seconds = clock() - started


def record_stage_run(
    database: Database, report: StageReport, *, source_id: str | None, run_id: str
) -> None:
    """Keep the report for the analysts; work that found nothing pending is not an event."""
    if report.row_count:
        database.execute(
            "add_stage_run",
            asset=report.asset,
            source_id=source_id,
            run_id=run_id,
            elapsed_seconds=report.elapsed_seconds,
            model_seconds=report.model_seconds,
            row_count=report.row_count,
            token_count=report.token_count,
            cost_usd=report.cost_usd,
        )
