"""What turns texts and pictures into vectors. The runtimes are in `alexandria.adapters`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
"""Shape (texts or pictures, dimension), float32, each row of length 1."""


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """A model as data.

    Attributes:
        name: The name its makers gave it.
        dimension: Components of a vector.
        max_tokens: Longest input it reads, special tokens included; the rest is cut off.
        license: SPDX identifier of the weights.
        source: Where the weights come from: an installed package or a model folder.
    """

    name: str
    dimension: int
    max_tokens: int
    license: str
    source: str


class Embedder(Protocol):
    """Turns texts into vectors. The same text always gives the same vector."""

    @property
    def model(self) -> EmbeddingModel:
        """The model it runs."""
        ...

    @property
    def model_id(self) -> str:
        """Name, precision and export version: vectors of equal ids may be compared."""
        ...

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Character span of every token of the text, without special tokens, uncut."""
        ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One vector for each text, in the order given."""
        ...


class ImageDescriber(Protocol):
    """Turns pictures into vectors; the closer two are, the more alike the pictures."""

    @property
    def model_id(self) -> str:
        """Vectors of equal ids may be compared."""
        ...

    @property
    def dimension(self) -> int:
        """Components of a vector."""
        ...

    def describe(self, pictures: Sequence[bytes]) -> Vectors:
        """One vector for each picture, in the order given.

        Args:
            pictures: The thumbnails (`recognition.make_thumbnail`) of the pictures.
        """
        ...
