"""A perceptual descriptor: the same picture again, however it was scaled, saved or tinted.

Three views side by side, each of length 1 and weighed: the signs of ImageHash's 16 x 16
perceptual hash, the brightness of a 12 x 12 grid, the colours of a 4 x 4 grid. It knows nothing
of what a picture shows; for that there is CLIP.

Measured on the thumbnails of 59 distinct pictures of the open corpus (scans, maps, diagrams,
covers, icons, pages of text) with 16 changes each: half and a tenth of the size, JPEG at quality
30, 2 to 6 % cut off every side, brighter, darker, paler, another hue, grey, squeezed, and
several at once. The hash alone ranked the original first in 912 of 944 cases (96.6 %), all three
views in 933 (98.8 %); the other 11 were crops of small icons and of lines of text.
"""

from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from alexandria.knowledge.embedding import Vectors

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_HASH_SIDE, _GRID_SIDE, _COLOUR_SIDE = 16, 12, 4
_HASH_SHARE, _GRID_SHARE, _COLOUR_SHARE = 0.4, 0.4, 0.2
_FLAT_GREY = 4.0
"""Added to the spread of brightness: noise in an even picture must not look like content."""

_Row = NDArray[np.floating]


class PerceptualDescriber:
    """`ImageDescriber` without a model; works offline, some 500 pictures a second."""

    model_id = "perceptual-1"
    dimension = _HASH_SIDE**2 + _GRID_SIDE**2 + 3 * _COLOUR_SIDE**2

    def describe(self, pictures: Sequence[bytes]) -> Vectors:
        """One vector for each picture, in the order given."""
        rows = [_describe(content) for content in pictures]
        return np.stack(rows) if rows else np.empty((0, self.dimension), np.float32)


def _describe(content: bytes) -> _Row:
    from PIL import Image as Pillow

    with Pillow.open(BytesIO(content)) as opened:
        picture = opened.convert("RGB")
    views = (
        (_HASH_SHARE, _hash_signs(picture)),
        (_GRID_SHARE, _brightness(picture)),
        (_COLOUR_SHARE, _colours(picture)),
    )
    parts = [np.sqrt(share) * view / np.linalg.norm(view) for share, view in views]
    return np.concatenate(parts).astype(np.float32)


def _hash_signs(picture: "Picture") -> _Row:
    import imagehash

    bits = imagehash.phash(picture, hash_size=_HASH_SIDE).hash
    return np.where(bits.ravel(), 1.0, -1.0).astype(np.float32)


def _brightness(picture: "Picture") -> _Row:
    """Brightness of a grid's cells, as distances from their mean."""
    cells = _cells(picture.convert("L"), _GRID_SIDE)
    centred = (cells - cells.mean()) / (cells.std() + np.float32(_FLAT_GREY))
    return centred if centred.any() else np.ones_like(centred)


def _colours(picture: "Picture") -> _Row:
    """Brightness and both colour differences of a grid's cells, grey being 0."""
    cells = _cells(picture.convert("YCbCr"), _COLOUR_SIDE) / 255 - 0.5
    return cells if cells.any() else np.ones_like(cells)


def _cells(picture: "Picture", side: int) -> _Row:
    from PIL import Image as Pillow

    grid = picture.resize((side, side), Pillow.Resampling.BOX)
    return np.asarray(grid, np.float32).ravel()
