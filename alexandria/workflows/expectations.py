"""The Great Expectations suites for documents, chunks and embeddings, as data.

A suite looks at what is staged only, so a run that changed nothing asks nothing, and does
not pay for importing the library.
"""

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


DOCUMENTS = (
    Expectation("ExpectColumnValuesToNotBeNull", {"column": "title"}),
    Expectation("ExpectColumnValueLengthsToBeBetween", {"column": "title", "min_value": 1}),
    Expectation("ExpectColumnValuesToMatchRegex", {"column": "language", "regex": r"^[a-z]{2,3}$"}),
    Expectation("ExpectColumnValuesToMatchRegex", {"column": "media_type", "regex": r"^\w+/\S+$"}),
    Expectation("ExpectColumnValuesToBeBetween", {"column": "character_count", "min_value": 1}),
    Expectation("ExpectColumnValuesToBeBetween", {"column": "unit_count", "min_value": 1}),
)

CHUNKS = (
    Expectation("ExpectColumnValuesToNotBeNull", {"column": "chunk_id"}),
    Expectation(
        "ExpectColumnValuesToBeBetween", {"column": "token_count", "min_value": 0, "max_value": 254}
    ),
    Expectation("ExpectColumnValuesToBeBetween", {"column": "character_count", "min_value": 1}),
    Expectation(
        "ExpectColumnPairValuesToBeEqual",
        {"column_A": "character_count", "column_B": "span_length"},
    ),
    Expectation("ExpectColumnValueLengthsToBeBetween", {"column": "anchor", "min_value": 1}),
    Expectation("ExpectColumnValuesToBeInSet", {"column": "has_outer_space", "value_set": [False]}),
)


def embedding_expectations(model_id: str, dimension: int) -> tuple[Expectation, ...]:
    """What holds of every vector of a model: it is there, of that size, of length 1."""
    return (
        Expectation("ExpectColumnValuesToBeInSet", {"column": "model_id", "value_set": [model_id]}),
        Expectation("ExpectColumnValuesToNotBeNull", {"column": "model_id"}),
        Expectation(
            "ExpectColumnValuesToBeInSet", {"column": "dimension", "value_set": [dimension]}
        ),
        Expectation(
            "ExpectColumnValuesToBeBetween",
            {"column": "norm", "min_value": 0.995, "max_value": 1.005},
        ),
    )


def run_suite(name: str, rows: Sequence[Row], expectations: Sequence[Expectation]) -> SuiteResult:
    """Hold the rows to the expectations; no rows hold to anything."""
    if not rows:
        return SuiteResult(0, [])
    import great_expectations as gx
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
