"""Index generations: the choices that decide what an index holds.

A generation is named by its choices, so the same choices are the same generation, and
two kinds of chunk or vector can never meet in one index.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from alexandria.knowledge.identifiers import hash_text

CHUNKER_VERSION = "1"
"""Part of every chunker id: raise it when the same strategy cuts differently."""

Strategy = Mapping[str, object]
"""A chunking strategy as plain JSON; see `alexandria.knowledge.chunking`."""


@dataclass(frozen=True, slots=True)
class GenerationSettings:
    """What a generation is built from.

    Attributes:
        parser_version: Documents parsed by an older one are parsed again.
        model_name: The embedding model, as the settings name it.
        model_id: That model with its precision and export.
        dimension: Components of its vectors.
        strategies: Chunking strategy by module.
    """

    parser_version: str
    model_name: str
    model_id: str
    dimension: int
    strategies: Mapping[str, Strategy]

    @property
    def generation_id(self) -> str:
        """Twelve hexadecimal characters that name these choices."""
        return hash_text(self.to_json())[:12]

    def chunker_id(self, module: str) -> str:
        """Names how documents of a module are read and cut.

        The parser's version is in it: what a newer parser reads is cut beside what readers
        see, never in its place.
        """
        strategy = json.dumps(self.strategies[module], sort_keys=True)
        return hash_text(f"{CHUNKER_VERSION}\0{self.parser_version}\0{strategy}")[:12]

    def to_json(self) -> str:
        """Canonical JSON; `from_json` reads it back."""
        return json.dumps(
            {
                "parser_version": self.parser_version,
                "chunker_version": CHUNKER_VERSION,
                "model_name": self.model_name,
                "model_id": self.model_id,
                "dimension": self.dimension,
                "strategies": {name: dict(value) for name, value in self.strategies.items()},
            },
            sort_keys=True,
        )

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> "GenerationSettings":
        """Read back what `to_json` wrote, as the dictionary Postgres returns."""
        strategies = value["strategies"]
        assert isinstance(strategies, Mapping)
        return cls(
            parser_version=str(value["parser_version"]),
            model_name=str(value["model_name"]),
            model_id=str(value["model_id"]),
            dimension=int(str(value["dimension"])),
            strategies={str(name): dict(strategy) for name, strategy in strategies.items()},
        )
