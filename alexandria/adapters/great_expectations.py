"""Great Expectations: hold rows to a suite that is given as data.

The library is slow to import, so no rows at all are answered without it. Its reports of
use to its makers are switched off before it is imported.
"""

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Expectation:
    """One Great Expectations expectation: its class name and its arguments."""

    kind: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """Whether all held; `failures` says in words which did not, and on how many rows."""

    row_count: int
    failures: list[str]


def run_suite(name: str, rows: Sequence[Row], expectations: Sequence[Expectation]) -> SuiteResult:
    """Hold the rows to the expectations; no rows hold to anything."""
    if not rows:
        return SuiteResult(0, [])
    gx = _import()
    import pandas as pd
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    suite = gx.ExpectationSuite(
        name=name,
        expectations=[
            getattr(gx.expectations, item.kind)(**item.arguments) for item in expectations
        ],
    )
    batch = (
        context.data_sources.add_pandas(name)
        .add_dataframe_asset(name)
        .add_batch_definition_whole_dataframe(name)
        .get_batch({"dataframe": pd.DataFrame(list(rows))})
    )
    result = batch.validate(suite, result_format="SUMMARY")
    return SuiteResult(len(rows), [_explain(item) for item in result.results if not item.success])


def import_ahead() -> None:
    """Import the library in a thread, for a caller that soon needs it and now waits."""
    threading.Thread(target=_import, name="import great_expectations", daemon=True).start()


def _import() -> Any:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations

    return great_expectations


def _explain(result: Any) -> str:
    config = result.expectation_config
    arguments = {key: value for key, value in config.kwargs.items() if key != "batch_id"}
    detail = result.result or {}
    count = detail.get("unexpected_count")
    examples = detail.get("partial_unexpected_list") or []
    words = f"{config.type} {arguments}"
    if count is not None:
        words += f" fails on {count} rows, such as {examples[:3]}"
    return words
