"""A CLIP model through sentence-transformers: pictures that show alike things lie close.

The weights are the operator's choice and are never downloaded from here.
"""

import hashlib
import json
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from alexandria.errors import ConfigurationError, ModelMissingError
from alexandria.knowledge.embedding import Vectors

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

BATCH = 16
"""Pictures the model sees at once."""


class ClipDescriber:
    """`ImageDescriber` of a CLIP model; `dimension` is 512 for the usual ones."""

    def __init__(self, name: str, model: Any) -> None:
        self._model = model
        self.dimension = self.describe([_blank()]).shape[1]
        self.model_id = f"clip-{Path(name).name}-{self.dimension}-{_fingerprint(name)}"

    def describe(self, pictures: Sequence[bytes]) -> Vectors:
        """One vector of length 1 for each picture, in the order given."""
        if not pictures:
            return np.empty((0, self.dimension), np.float32)
        rows = self._model.encode(
            [_open(content) for content in pictures],
            batch_size=BATCH,
            convert_to_numpy=True,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return np.asarray(rows, np.float32)


def load_clip(name: str) -> ClipDescriber:
    """A CLIP model by its folder, or by the name it was downloaded under.

    Raises:
        ModelMissingError: It is not on this machine.
        ConfigurationError: It is a model that cannot look at pictures.
    """
    from sentence_transformers import SentenceTransformer

    try:
        model = SentenceTransformer(name, device="cpu", local_files_only=True)
    except (OSError, ValueError) as error:
        raise ModelMissingError(
            f"The image model {name} is not on this machine. Download it as a "
            "sentence-transformers folder and name that in ALEXANDRIA_IMAGE_MODEL, or unset it."
        ) from error
    try:
        return ClipDescriber(name, model)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigurationError(
            f"The model {name} does not look at pictures; ALEXANDRIA_IMAGE_MODEL wants CLIP."
        ) from error


def _open(content: bytes) -> "Picture":
    from PIL import Image as Pillow

    with Pillow.open(BytesIO(content)) as picture:
        return picture.convert("RGB")


def _blank() -> bytes:
    from PIL import Image as Pillow

    buffer = BytesIO()
    Pillow.new("RGB", (8, 8)).save(buffer, "PNG")
    return buffer.getvalue()


def _fingerprint(name: str) -> str:
    """What tells one folder's weights from another's: names and sizes of its files."""
    folder = Path(name)
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    known = [(path.relative_to(folder).as_posix(), path.stat().st_size) for path in files]
    return hashlib.sha256(json.dumps([folder.name, known]).encode()).hexdigest()[:12]
