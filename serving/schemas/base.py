"""What every request and response model shares.

A request with a field nobody knows is refused: a misspelt filter must not widen a search.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)


class RequestBody(BaseModel):
    """The body of a request."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ResponseBody(BaseModel):
    """The body of a response, read from a workflow's dataclass by attribute."""

    model_config = ConfigDict(from_attributes=True, frozen=True)


Id = UUID
"""An id as a client writes it, where only one of ours can be meant."""

Name = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        min_length=1,
        max_length=1000,
        pattern=r"^[^\x00]*[^\x00\s][^\x00]*$",
    ),
]
"""A name, tag, path or title as a client writes it."""

Question = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        min_length=3,
        max_length=1000,
        pattern=r"^[^\x00]*[^\x00\s][^\x00]+[^\x00\s][^\x00]*$",
    ),
]
"""A question of 3 to 1000 characters after white space around it is taken off."""

Language = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z]{2,3}$"),
    Field(description='ISO 639-1 code, "und" for unknown.'),
]


def _written_as_a_day(value: object) -> object:
    if value is None or isinstance(value, date):
        return value
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError('a day is written as "2026-01-31"')
    return value


def _written_as_a_time(value: object) -> object:
    if value is None or isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise ValueError('a time is written as "2026-01-31T12:00:00Z"')
    return value


def _in_utc(moment: datetime) -> datetime:
    """The same moment; one just outside the years 1 to 9999 becomes their end."""
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        edge = datetime.min if moment.year == 1 else datetime.max  # noqa: DTZ901 - made UTC here
        return edge.replace(tzinfo=UTC)


def _true_or_false(value: object) -> object:
    if value not in (True, False, "true", "false"):
        raise ValueError("it must be true or false")
    return value


def _no_text(value: object) -> object:
    if isinstance(value, str | bool):
        raise ValueError("it must be a number, no text and no truth value")  # noqa: TRY004 - pydantic's
    return value


Day = Annotated[date, BeforeValidator(_written_as_a_day)]
"""A day as RFC 3339 writes it; not seconds since 1970, nor a time."""

Moment = Annotated[AwareDatetime, BeforeValidator(_written_as_a_time), AfterValidator(_in_utc)]
"""A moment as RFC 3339 writes it, with its offset."""

Count = Annotated[int, BeforeValidator(_no_text)]
"""A whole number in a JSON body."""

Truth = Annotated[bool, Field(strict=True)]
"""true or false in a JSON body."""

FormTruth = Annotated[bool, BeforeValidator(_true_or_false)]
"""true or false in a form, whose values are text."""

IdText = Annotated[str, Field(json_schema_extra={"format": "uuid"})]
"""An id of ours. What is none names nothing: where it is asked for, that is 404."""


def with_example(example: Mapping[str, Any]) -> ConfigDict:
    """Configuration of a model whose documentation shows an example."""
    return ConfigDict(json_schema_extra={"examples": [dict(example)]})
