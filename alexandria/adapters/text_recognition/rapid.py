"""RapidOCR's networks as a `TextRecognizer`: turned pages, poor lines, boxes, confidence.

Laws: the same picture gives the same lines; boxes are those of the upright page; confidence is
the share of words that are likely right; a line the network only guesses at is left out;
nothing is loaded before the first picture; any number of threads may call, one is served at a
time.
"""

import importlib.util
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from alexandria.adapters.text_recognition.languages import allowed_characters
from alexandria.adapters.text_recognition.networks import (
    Corners,
    LineFinder,
    LineReader,
    Pixels,
)
from alexandria.adapters.text_recognition.turning import (
    Turn,
    cut_out,
    find_turn,
    in_reading_order,
    is_tall,
)
from alexandria.errors import RecognitionFailedError
from alexandria.knowledge.parsing.pictures.pixels import to_rgb
from alexandria.knowledge.parsing.recognizers import RecognizedLine

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

LEAST_CERTAINTY = 0.5
"""Mean certainty of a line's characters; below it the network guesses, as at textures."""

LETTERS_OF_A_WORD = 3
"""Certainty to this power is the share of words that are right. Three scanned pages made worse
step by step, with blur, noise, compression and down to 40 dpi, gave between 2.5 and 3.7."""

_LONGEST_SIDE = 3200
_DOUBTFUL = 0.8
_SAMPLES = 3
_SAMPLE_SHAPE = 8.0
"""Lines this many times as wide as high tell best which way is up, for their price."""


def load_rapid(languages: tuple[str, ...], threads: int) -> "RapidRecognizer | None":
    """A recognizer, or None where the package is not installed.

    Raises:
        ConfigurationError: A language it has no model for.
    """
    allowed_characters((), languages)
    if importlib.util.find_spec("rapidocr") is None:
        return None
    return RapidRecognizer(languages, threads)


class RapidRecognizer:
    """A `TextRecognizer`.

    Args:
        languages: ISO 639-1 codes to expect; empty for all that the models read.
        threads: How many one picture may use.
    """

    def __init__(self, languages: Sequence[str] = (), threads: int = 1) -> None:
        self._languages = tuple(languages)
        self._threads = threads
        self._lock = threading.Lock()

    @cached_property
    def _finder(self) -> LineFinder:
        return LineFinder(self._threads)

    @cached_property
    def _reader(self) -> LineReader:
        return LineReader(self._languages, self._threads)

    def recognize(self, picture: "Picture") -> list[RecognizedLine]:
        """The lines in a picture; see `TextRecognizer`.

        Raises:
            RecognitionFailedError: The engine broke down on it.
        """
        import cv2

        rgb, scale = to_rgb(picture, _LONGEST_SIDE)
        try:
            with self._lock:
                return list(self._lines(np.asarray(rgb)[:, :, ::-1], 1 / scale))
        except (RuntimeError, ValueError, cv2.error) as error:
            raise RecognitionFailedError(f"Text recognition broke down: {error}") from error

    def _lines(self, pixels: Pixels, scale: float) -> Iterator[RecognizedLine]:
        pixels = np.ascontiguousarray(pixels)
        boxes = self._finder.find(pixels)
        if not len(boxes):
            return
        page = self._upright(pixels, boxes)
        for level, line in zip(page.level, page.lines, strict=True):
            text, certainty = self._read(line)
            if text.strip() and certainty >= LEAST_CERTAINTY:
                box = (level.min(axis=0) * scale).tolist() + (level.max(axis=0) * scale).tolist()
                yield RecognizedLine(text.strip(), certainty**LETTERS_OF_A_WORD, *box)
        self._reader.rest()

    def _upright(self, pixels: Pixels, boxes: Corners) -> "_Page":
        """The page the way up that reads better."""
        page = _cut(pixels, boxes, find_turn(boxes))
        wide = [line for line in page.lines if not is_tall(line)]
        samples = sorted(wide, key=lambda line: abs(line.shape[1] / line.shape[0] - _SAMPLE_SHAPE))
        as_is = sum(self._reader.read(line)[1] for line in samples[:_SAMPLES])
        flipped = sum(self._reader.read(_flip(line))[1] for line in samples[:_SAMPLES])
        return _cut(pixels, boxes, page.turn.reversed()) if flipped > as_is else page

    def _read(self, line: Pixels) -> tuple[str, float]:
        """The line, turned whichever way reads best when it stands on end or reads badly."""
        if is_tall(line):
            on_end = [self._reader.read(np.rot90(line, turns)) for turns in (1, 3)]
            return max(on_end, key=lambda one: one[1])
        text, certainty = self._reader.read(line)
        if certainty >= _DOUBTFUL:
            return text, certainty
        return max((text, certainty), self._reader.read(_flip(line)), key=lambda one: one[1])


@dataclass(frozen=True, slots=True)
class _Page:
    """A picture's lines cut out, their boxes upright, and how the page was turned."""

    turn: Turn
    level: Corners
    lines: list[Pixels]


def _cut(pixels: Pixels, boxes: Corners, turn: Turn) -> _Page:
    height, width = pixels.shape[:2]
    level = turn.upright(boxes, width, height)
    ordered = [in_reading_order(*one) for one in zip(boxes, level, strict=True)]
    return _Page(turn, level, [cut_out(pixels, corners) for corners in ordered])


def _flip(line: Pixels) -> Pixels:
    return np.ascontiguousarray(line[::-1, ::-1])
