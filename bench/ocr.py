"""Text recognition: pages a minute, memory, and its share of the time that reading takes.

The folder's documents are read in one process and on one thread, as a worker does it, and the
recognizer is watched while it works. Times are processor time, which on one thread is what a
machine without other work would show; the clock's are given beside it. A page made here gives
the figure for a folder without pictures.
"""

import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from alexandria.adapters.reading_tools import ToolChoice, load_tools
from alexandria.errors import UnreadableError
from alexandria.knowledge.parsing import parse_document
from alexandria.knowledge.parsing.recognizers import RecognizedLine, TextRecognizer, Tools
from bench.figures import Figure

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

_SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".gif", ".bmp", ".pdf"}
    | {".docx", ".pptx", ".xlsx", ".odt", ".epub", ".html", ".eml", ".md", ".txt", ".csv"}
)
_LINES_OF_A_PAGE = 45
_LINE = "The beans of the north bed were sown in April, when the soil had become warm enough."


@dataclass(slots=True)
class Watched:
    """A recognizer that notes what each picture took, in processor time and by the clock."""

    recognizer: TextRecognizer
    processor: list[float] = field(default_factory=list[float])
    clock: list[float] = field(default_factory=list[float])
    letters: int = 0

    def recognize(self, picture: "Picture") -> list[RecognizedLine]:
        """The lines of the recognizer it watches."""
        started, worked = time.perf_counter(), time.process_time()
        lines = self.recognizer.recognize(picture)
        self.processor.append(time.process_time() - worked)
        self.clock.append(time.perf_counter() - started)
        self.letters += sum(len(line.text) for line in lines)
        return lines


def measure(folder: Path) -> Iterator[Figure]:
    """Speed of recognition and what it adds to reading the folder."""
    recognizer = load_tools(ToolChoice()).recognizer
    if recognizer is None:
        return
    page = sample_page()
    parse_document(page, "warm-up.png", Tools(recognizer))
    watched = Watched(recognizer)
    parse_document(page, "page.png", Tools(watched))
    yield Figure("ocr: a page of 45 lines", watched.processor[0], "s")
    yield Figure("ocr: a page of 45 lines, by the clock", watched.clock[0], "s")
    watched = Watched(recognizer)
    started = time.process_time()
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _SUFFIXES:
            read(path, Tools(watched))
    total = time.process_time() - started
    yield from _figures(watched, total)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    yield Figure("ocr: memory of the process", peak, "MB")


def _figures(watched: Watched, total: float) -> Iterator[Figure]:
    """What reading the folder took; nothing when it holds no pictures."""
    spent, count = sum(watched.processor), len(watched.processor)
    if spent:
        yield Figure("ocr: pictures and pages", count, "")
        yield Figure("ocr: speed on one core", 60 * count / spent, "pages/min")
        yield Figure("ocr: speed by the clock", 60 * count / sum(watched.clock), "pages/min")
        yield Figure("ocr: letters", watched.letters / spent, "letters/s")
        yield Figure("ocr: share of reading time", spent / total, "share")


def read(path: Path, tools: Tools) -> None:
    """Read a file; one that cannot be read costs its time and nothing else."""
    try:
        parse_document(path.read_bytes(), path.name, tools)
    except UnreadableError:
        return


def sample_page() -> bytes:
    """A page of print at 200 dpi."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("L", (1654, 2339), 255)
    font = ImageFont.load_default(32)
    for at in range(_LINES_OF_A_PAGE):
        ImageDraw.Draw(picture).text((150, 120 + 46 * at), _LINE, 0, font)
    buffer = BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()
