"""What a client may narrow a search to. A side that is left out stays open."""

from typing import Self

from pydantic import Field, model_validator

from serving.schemas.base import Day, Language, Name, RequestBody, with_example

MOST_NAMES = 100


class DateRange(RequestBody):
    """Days, both included, in UTC. The first must not be later than the last."""

    model_config = with_example({"from": "2020-01-01", "to": "2024-12-31"})

    first: Day | None = Field(default=None, alias="from", description="First day.")
    last: Day | None = Field(default=None, alias="to", description="Last day.")

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if self.first and self.last and self.first > self.last:
            raise ValueError("`from` must not be later than `to`")
        return self


class DocumentFilters(RequestBody):
    """All sides must hold; within a side, one match is enough."""

    model_config = with_example(
        {
            "sources": ["library"],
            "languages": ["en"],
            "date_range": {"from": "2020-01-01", "to": "2030-12-31"},
        }
    )

    source_types: list[Name] = Field(
        default_factory=list[str], max_length=MOST_NAMES, description='Such as "folder" or "file".'
    )
    sources: list[Name] = Field(
        default_factory=list[str], max_length=MOST_NAMES, description="Source names."
    )
    languages: list[Language] = Field(
        default_factory=list[str], max_length=MOST_NAMES, description="ISO 639-1 codes."
    )
    tags: list[Name] = Field(
        default_factory=list[str], max_length=MOST_NAMES, description="Tags of the sources."
    )
    date_range: DateRange | None = Field(
        default=None, description="When the document last changed in its source."
    )
    selected_files: list[Name] = Field(
        default_factory=list[str],
        max_length=MOST_NAMES,
        description="Document ids, paths or titles.",
    )
