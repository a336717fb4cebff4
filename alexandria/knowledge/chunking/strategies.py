"""How a document may be cut, as data that is written to and read from JSON.

A strategy is part of an index generation: two strategies whose `to_json()` are equal give
the same chunks. Sizes are tokens of the embedding model, without its special tokens, for
`StructureStrategy`, and characters for `RecursiveStrategy`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from alexandria.errors import InvalidInputError

MODEL_TOKENS = 254
"""What the default model reads beside its two special tokens; the rest it cuts off."""


class _StrategyBase(BaseModel):
    """What all strategies share: frozen, no unknown fields, plain JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_json(self) -> dict[str, Any]:
        """The strategy as plain JSON values."""
        return self.model_dump(mode="json")


class StructureStrategy(_StrategyBase):
    """Cut where the document's own structure and content say.

    Attributes:
        max_tokens: Upper bound of a chunk.
        reach_tokens: How far boundaries compete: the nearer a better one, the weaker they
            are. More makes chunks more even, less lets an edit move fewer cuts.
        small_tokens: A chunk of at most this size joins a neighbour it fits together with.
    """

    kind: Literal["structure"] = "structure"
    max_tokens: int = Field(default=240, ge=16, le=MODEL_TOKENS)
    reach_tokens: int = Field(default=96, ge=0)
    small_tokens: int = Field(default=60, ge=0)

    @model_validator(mode="after")
    def _check_order(self) -> Self:
        if 2 * self.reach_tokens > self.max_tokens:
            raise ValueError("reach_tokens must be at most half of max_tokens")
        return self


class RecursiveStrategy(_StrategyBase):
    """Cut at the coarsest separator whose pieces fit; blind to structure and content.

    Attributes:
        max_characters: Upper bound of a chunk.
        overlap: Characters a chunk may repeat from the one before.
        separators: Tried in order; the last, "", cuts between any two characters.
    """

    kind: Literal["recursive"] = "recursive"
    max_characters: int = Field(default=256, ge=8)
    overlap: int = Field(default=0, ge=0)
    separators: tuple[str, ...] = ("\n\n", "\n", " ", "")

    @field_validator("separators")
    @classmethod
    def _check_separators(cls, separators: tuple[str, ...]) -> tuple[str, ...]:
        if not separators or separators.index("") != len(separators) - 1:
            raise ValueError('separators must end with "", which cuts long words')
        return separators

    @model_validator(mode="after")
    def _check_overlap(self) -> Self:
        if 2 * self.overlap > self.max_characters:
            raise ValueError("overlap must be at most half of max_characters")
        return self


Strategy = StructureStrategy | RecursiveStrategy

MODULE_STRATEGIES: Mapping[str, Strategy] = MappingProxyType(
    {
        "library": StructureStrategy(),
        "lms": RecursiveStrategy(),
        "marketplace": StructureStrategy(max_tokens=128, reach_tokens=48, small_tokens=32),
    }
)
"""The strategy of each module that indexes documents.

- library: whole paragraphs, as many as one embedding reads. Fewer vectors to compute and
  search, and an answer quotes enough to be understood by itself.
- lms: a quiz item or a memory stands on one statement, so small pieces of even size.
- marketplace: listings and product sheets put one fact in a line or row; smaller chunks
  keep a fact from drowning among its neighbours, structure keeps it with its heading.
"""


def strategy_from_json(data: Mapping[str, Any]) -> Strategy:
    """The strategy that `to_json` wrote.

    Raises:
        InvalidInputError: Unknown kind, unknown field, or a value out of range.
    """
    known: TypeAdapter[Strategy] = TypeAdapter(Annotated[Strategy, Field(discriminator="kind")])
    try:
        return known.validate_python(dict(data))
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'strategy'}: {e['msg']}" for e in error.errors()
        )
        raise InvalidInputError(f"Not a chunking strategy: {problems}.") from error
