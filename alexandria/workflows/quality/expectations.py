"""The suites for documents, chunks and embeddings, as data.

A suite looks at what is staged only, so a run that changed nothing asks nothing.
"""

from alexandria.adapters.great_expectations import Expectation

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
