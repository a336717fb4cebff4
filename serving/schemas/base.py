"""What every request and response model shares.

A request with a field nobody knows is refused: a misspelt filter must not widen a search.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class RequestBody(BaseModel):
    """The body of a request."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ResponseBody(BaseModel):
    """The body of a response, read from a workflow's dataclass by attribute."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=1000, pattern=r"^[^\x00]+$"),
]
"""A name, tag, path or title as a client writes it."""

Question = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=3, max_length=1000, pattern=r"^[^\x00]+$"),
]
"""A question of 3 to 1000 characters after white space around it is taken off."""

Language = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z]{2,3}$"),
    Field(description='ISO 639-1 code, "und" for unknown.'),
]


def with_example(example: Mapping[str, Any]) -> ConfigDict:
    """Configuration of a model whose documentation shows an example."""
    return ConfigDict(json_schema_extra={"examples": [dict(example)]})
