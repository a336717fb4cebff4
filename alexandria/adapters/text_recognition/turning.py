"""How a page lies in a picture, and its boxes as if it stood upright.

A scan may be turned by quarters and askew by some degrees. Both show in the boxes of its
lines: the long sides of most lines point along the text. Which of the two ways is up, boxes
cannot tell; the recognizer tries both.
"""

from dataclasses import dataclass
from math import atan2, cos, degrees, radians, sin

import numpy as np
from numpy.typing import NDArray

from alexandria.adapters.text_recognition.networks import Corners, Pixels

_ELONGATED = 2.0
_TALL = 1.5


@dataclass(frozen=True, slots=True)
class Turn:
    """By how many degrees the text of a picture runs clockwise from the horizontal."""

    degrees: float

    def reversed(self) -> "Turn":
        """The same lines read upside down."""
        return Turn(self.degrees + 180)

    def upright(self, points: Corners, width: int, height: int) -> Corners:
        """Points of the picture where they lie once the text runs level.

        Args:
            points: Of any number; the last axis holds x and y.
            width: Of the picture, in pixels.
            height: Likewise.
        """
        edges = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
        return self._rotated(points) - self._rotated(edges).min(axis=0)

    def _rotated(self, points: Corners) -> Corners:
        angle = radians(self.degrees)
        matrix = np.array([[cos(angle), -sin(angle)], [sin(angle), cos(angle)]], dtype=np.float32)
        return points @ matrix


def find_turn(boxes: Corners) -> Turn:
    """The turn most of the text has; of the two ways up, the one nearer to upright."""
    ways, lengths, shapes = _long_sides(boxes)
    telling = shapes >= _ELONGATED
    if not telling.any():
        return Turn(0.0)
    ways, lengths = ways[telling], lengths[telling]
    steep = np.abs(ways) > 45
    quarter = 90.0 if lengths[steep].sum() > lengths[~steep].sum() else 0.0
    chosen = steep if quarter else ~steep
    askew = (ways[chosen] - quarter + 90) % 180 - 90
    return Turn(quarter + _weighted_median(askew, lengths[chosen]))


def in_reading_order(box: Corners, level: Corners) -> Corners:
    """A box's corners in the picture, in the order top left, top right, and on clockwise.

    Args:
        box: Where they lie in the picture.
        level: The same corners upright.
    """
    sums, differences = level.sum(axis=1), level[:, 0] - level[:, 1]
    order = [sums.argmin(), differences.argmax(), sums.argmax(), differences.argmin()]
    return box if len(set(order)) < 4 else box[order]


def cut_out(pixels: Pixels, corners: Corners) -> Pixels:
    """The part of the picture inside a box, level."""
    import cv2

    top_left, top_right, bottom_right, bottom_left = corners
    width = max(_distance(top_left, top_right), _distance(bottom_left, bottom_right), 1)
    height = max(_distance(top_left, bottom_left), _distance(top_right, bottom_right), 1)
    size = round(width), round(height)
    straight = np.array([[0, 0], [size[0], 0], size, [0, size[1]]], dtype=np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), straight)
    cut = cv2.warpPerspective(
        pixels, matrix, size, borderMode=cv2.BORDER_REPLICATE, flags=cv2.INTER_CUBIC
    )
    return np.asarray(cut, dtype=np.uint8)


def is_tall(line: Pixels) -> bool:
    """Whether a cut-out stands on end, as labels along an axis do."""
    return line.shape[0] >= _TALL * line.shape[1]


def _long_sides(
    boxes: Corners,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Of each box: direction of its longer side in degrees (-90..90), length, elongation."""
    across = (boxes[:, 1] - boxes[:, 0] + boxes[:, 2] - boxes[:, 3]) / 2
    along = (boxes[:, 3] - boxes[:, 0] + boxes[:, 2] - boxes[:, 1]) / 2
    widths, heights = np.linalg.norm(across, axis=1), np.linalg.norm(along, axis=1)
    sides = np.where((widths >= heights)[:, None], across, along)
    ways = [(degrees(atan2(y, x)) + 90) % 180 - 90 for x, y in sides]
    longer, shorter = np.maximum(widths, heights), np.minimum(widths, heights)
    return np.array(ways), longer.astype(np.float64), longer / np.maximum(shorter, 1)


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> float:
    order = values.argsort()
    heaped = weights[order].cumsum()
    return float(values[order][np.searchsorted(heaped, heaped[-1] / 2)])


def _distance(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(one - other))
