"""Tesseract, a program of the system, as a `TextRecognizer`.

It is used only where it is asked for and installed, with the language data installed for
it. It first tells which way up a page is, then reads it; small skew it handles itself.
"""

import csv
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO, StringIO
from itertools import groupby
from typing import TYPE_CHECKING

from alexandria.adapters.text_recognition.languages import tesseract_names
from alexandria.errors import ConfigurationError, RecognitionFailedError
from alexandria.knowledge.parsing.pictures.pixels import to_rgb
from alexandria.knowledge.parsing.recognizers import RecognizedLine

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_PROGRAM = "tesseract"
_LONGEST_SIDE = 5000
_SECONDS = 300
_ORIENTATION = "osd"
_LAYOUT_ONLY, _WHOLE_PAGE = "0", "3"
_QUARTER = re.compile(r"^Rotate: (90|180|270)$", re.MULTILINE)
_ENLARGED_BELOW = 800
_COLUMNS = ("block_num", "par_num", "line_num")


def load_tesseract(languages: tuple[str, ...], threads: int) -> "TesseractRecognizer | None":
    """A recognizer, or None where the program is not installed.

    Raises:
        ConfigurationError: It does not run, or lacks the data of one of the languages.
    """
    program = shutil.which(_PROGRAM)
    if program is None:
        return None
    recognizer = TesseractRecognizer(program, tuple(tesseract_names(languages)), threads)
    try:
        missing = set(recognizer.languages) - recognizer.installed
    except RecognitionFailedError as error:
        raise ConfigurationError(f"Tesseract does not run: {error}") from error
    if missing or not recognizer.languages:
        names = ", ".join(sorted(missing)) or "any language"
        raise ConfigurationError(
            f"Tesseract lacks the data of {names}; install it (tesseract-ocr-…) or change "
            "ALEXANDRIA_OCR_LANGUAGES."
        )
    return recognizer


@dataclass(frozen=True)
class TesseractRecognizer:
    """A `TextRecognizer`.

    Attributes:
        program: Its path.
        wanted: Names of its languages; empty for all that are installed.
        threads: How many it may use.
    """

    program: str
    wanted: tuple[str, ...]
    threads: int

    @cached_property
    def installed(self) -> frozenset[str]:
        """Names of the languages it has data for; orientation is one of them."""
        lines = self._run(["--list-langs"], b"").splitlines()
        return frozenset(line.strip() for line in lines[1:] if line.strip())

    @property
    def languages(self) -> tuple[str, ...]:
        """Names of the languages it reads."""
        return self.wanted or tuple(sorted(self.installed - {_ORIENTATION, "equ", "snum"}))

    def recognize(self, picture: "Picture") -> list[RecognizedLine]:
        """The lines in a picture; see `TextRecognizer`.

        Raises:
            RecognitionFailedError: The program broke down on it.
        """
        page, scale = _readable(picture)
        if _ORIENTATION in self.installed:
            page = page.rotate(-self._quarter_turn(page), expand=True)
        options = ["stdin", "stdout", "-l", "+".join(self.languages), "--psm", _WHOLE_PAGE, "tsv"]
        table = self._run(options, _png(page))
        return list(_lines(table, 1 / scale))

    def _quarter_turn(self, page: "Picture") -> int:
        """By how many degrees the page has to be turned clockwise; 0 when it cannot tell."""
        options = ["stdin", "stdout", "--psm", _LAYOUT_ONLY]
        try:
            told = _QUARTER.search(self._run(options, _png(page)))
        except RecognitionFailedError:  # it says so of pages with few letters
            return 0
        return int(told[1]) if told else 0

    def _run(self, options: list[str], content: bytes) -> str:
        command = ["env", f"OMP_THREAD_LIMIT={self.threads}", self.program, *options]
        try:
            done = subprocess.run(
                command, input=content, capture_output=True, timeout=_SECONDS, check=True
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise RecognitionFailedError(f"Tesseract broke down: {error}") from error
        return done.stdout.decode("utf-8", "replace")


def _readable(picture: "Picture") -> tuple["Picture", float]:
    """The picture with letters large enough for the program, and its scale."""
    page, scale = to_rgb(picture, _LONGEST_SIDE)
    if max(page.size) >= _ENLARGED_BELOW:
        return page, scale
    return page.resize((page.width * 2, page.height * 2)), scale * 2


def _png(page: "Picture") -> bytes:
    buffer = BytesIO()
    page.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _lines(table: str, scale: float) -> Iterator[RecognizedLine]:
    """Lines of its table of words, in pixels of the picture given."""
    rows = csv.DictReader(StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE)
    words = [row for row in rows if (row["text"] or "").strip() and float(row["conf"]) >= 0]
    for _, group in groupby(words, key=lambda row: [row[name] for name in _COLUMNS]):
        line = list(group)
        boxes = [[float(row[name]) for name in ("left", "top", "width", "height")] for row in line]
        yield RecognizedLine(
            text=" ".join(row["text"].strip() for row in line),
            confidence=sum(float(row["conf"]) for row in line) / (100 * len(line)),
            left=min(left for left, _, _, _ in boxes) * scale,
            top=min(top for _, top, _, _ in boxes) * scale,
            right=max(left + width for left, _, width, _ in boxes) * scale,
            bottom=max(top + height for _, top, _, height in boxes) * scale,
        )
