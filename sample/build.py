#!/usr/bin/env python3
"""Builds the sample library from its manuscripts: `python sample/build.py [--into FOLDER]`.

Every file under `manuscripts/` becomes one file at the same place under `library/`. A name
with two suffixes says what it becomes and what it is written in (`letters.odt.md` becomes
`letters.odt`); a name with one suffix is copied as it is.

Laws: the same manuscripts and the same versions of the libraries give the same bytes, on
any day and machine, since every date and identifier is fixed; no manuscript reads another;
a file that is up to date is written again all the same.

Needs pandoc (through pypandoc), XlsxWriter, fpdf2, Pillow and PyYAML.
"""

import argparse
import datetime as dt
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fpdf import FPDF
    from PIL.Image import Image
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

HERE = Path(__file__).resolve().parent
MANUSCRIPTS = HERE / "manuscripts"
LIBRARY = HERE / "library"
MADE_AT = dt.datetime(2025, 11, 15, 12, 0, tzinfo=dt.UTC)
"""The date every built file carries."""

PANDOC_INPUT = "markdown-smart"
PANDOC_OPTIONS = {
    ".docx": ("--to=docx",),
    ".epub": ("--to=epub3", "--split-level=1"),
    ".odt": ("--to=odt",),
    ".pptx": ("--to=pptx", "--slide-level=1"),
}

PICTURE = re.compile(r"^```picture ?(\w*)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
"""A fenced block that becomes a page holding nothing but a picture of its text."""

PAGE_SIZE_PX = (827, 1169)
"""A4 at 100 dots per inch."""

SCAN_TILT_DEGREES = 0.6
SCAN_NOISE = 3.0
PAPER = 240
INK = 40


def build(into: Path) -> list[Path]:
    """Build every document of the library.

    Args:
        into: Folder that receives the files; made when absent.

    Returns:
        The files written, sorted by path.
    """
    sources = sorted(path for path in MANUSCRIPTS.rglob("*") if path.is_file())
    return sorted(_build_one(source, into) for source in sources)


def _build_one(source: Path, into: Path) -> Path:
    suffixes = tuple(source.suffixes[-2:])
    target = into / source.relative_to(MANUSCRIPTS)
    if len(suffixes) == 2:
        target = target.with_name(source.stem)
    target.parent.mkdir(parents=True, exist_ok=True)
    WRITERS.get(suffixes, shutil.copyfile)(source, target)
    return target


def _pandoc(*options: str, text: str | None = None) -> str:
    import pypandoc

    environment = os.environ | {"SOURCE_DATE_EPOCH": str(int(MADE_AT.timestamp()))}
    command = [pypandoc.get_pandoc_path(), f"--from={PANDOC_INPUT}", *options]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, input=text, env=environment
    )
    return done.stdout


def write_with_pandoc(source: Path, target: Path) -> None:
    """Turn Markdown into DOCX, EPUB, ODT or PPTX, as the target's suffix says."""
    _pandoc(*PANDOC_OPTIONS[target.suffix], f"--output={target}", str(source))


def write_pdf(source: Path, target: Path) -> None:
    """Typeset Markdown as a PDF with a text layer; picture blocks become bare pictures."""
    import yaml

    _, front, body = source.read_text("utf-8").split("---\n", 2)
    pages = _new_pdf(**yaml.safe_load(front))
    start = 0
    for block in PICTURE.finditer(body):
        _typeset(pages, body[start : block.start()])
        _add_picture(pages, draw_page(block[2], DRAWINGS.get(block[1])))
        start = block.end()
    _typeset(pages, body[start:])
    pages.output(str(target))


def write_scan(source: Path, target: Path) -> None:
    """Turn plain text into a one-page PDF that looks scanned and has no text layer."""
    pages = _new_pdf(title=source.name.split(".")[0], author="")
    _add_picture(pages, draw_page(source.read_text("utf-8"), None))
    pages.output(str(target))


def _new_pdf(title: str, author: str, date: dt.date | None = None) -> "FPDF":
    from fpdf import FPDF

    pages = FPDF(format="A4")
    pages.set_title(title)
    pages.set_author(author)
    pages.set_subject(f"Dated {date}" if date else "")
    pages.set_creation_date(MADE_AT)
    pages.set_image_filter("DCTDecode")
    pages.set_margins(left=30, top=25, right=30)
    pages.set_auto_page_break(auto=True, margin=25)
    return pages


def _typeset(pages: "FPDF", markdown: str) -> None:
    if not markdown.strip():
        return
    pages.add_page()
    pages.set_font("Times", size=12)
    pages.write_html(_pandoc("--to=html4", "--wrap=none", text=markdown), font_family="Times")


def _add_picture(pages: "FPDF", picture: "Image") -> None:
    pages.add_page()
    pages.image(picture, x=0, y=0, w=pages.w, h=pages.h)


def draw_page(text: str, drawing: "Callable[[Image], None] | None") -> "Image":
    """A grey picture of a typed page as a flatbed scanner sees it, `PAGE_SIZE_PX` large.

    Args:
        text: The lines typed on the page.
        drawing: What draws the figure under them; None for none.
    """
    import numpy as np
    from PIL import Image, ImageDraw, ImageFont

    page = Image.new("L", PAGE_SIZE_PX, PAPER)
    ImageDraw.Draw(page).multiline_text(
        (110, 120), text, fill=INK, font=ImageFont.load_default(22), spacing=10
    )
    if drawing:
        drawing(page)
    page = page.rotate(SCAN_TILT_DEGREES, Image.Resampling.BICUBIC, fillcolor=PAPER)
    noise = np.random.default_rng(1934).normal(0, SCAN_NOISE, (page.height, page.width))
    return Image.fromarray(np.clip(np.asarray(page) + noise, 0, 255).astype(np.uint8))


def _draw_lens(page: "Image") -> None:
    from PIL import ImageDraw

    centre_x, centre_y, radius = 413, 800, 230
    pen = ImageDraw.Draw(page)
    for size in (radius, radius - 30, 24):
        pen.circle((centre_x, centre_y), size, outline=INK, width=3)
    for panel in range(9):
        pen.arc(
            (centre_x - 150, centre_y - 150, centre_x + 150, centre_y + 150),
            start=40 * panel,
            end=40 * panel + 30,
            fill=INK,
            width=8,
        )


def write_workbook(source: Path, target: Path) -> None:
    """Turn a YAML list of sheets, each with columns and rows, into an XLSX workbook."""
    import xlsxwriter
    import yaml

    content = yaml.safe_load(source.read_text("utf-8"))
    with xlsxwriter.Workbook(str(target)) as book:
        created = MADE_AT.replace(tzinfo=None)
        book.set_properties(
            {"title": content["title"], "author": content["author"], "created": created}
        )
        head = book.add_format({"bold": True, "bottom": 1})
        date = book.add_format({"num_format": "yyyy-mm-dd"})
        for sheet in content["sheets"]:
            _fill_sheet(book.add_worksheet(sheet["name"]), sheet, head, date)


def _fill_sheet(
    page: "Worksheet", sheet: dict[str, Sequence[Any]], head: "Format", date: "Format"
) -> None:
    page.freeze_panes(1, 0)
    page.write_row(0, 0, sheet["columns"], head)
    for number, row in enumerate(sheet["rows"], start=1):
        for column, value in enumerate(row):
            page.write(number, column, value, date if isinstance(value, dt.date) else None)
    page.autofit()


DRAWINGS: "dict[str, Callable[[Image], None]]" = {"lens": _draw_lens}
"""Figures a picture block can ask for by name."""

WRITERS: dict[tuple[str, ...], Callable[[Path, Path], object]] = {
    (".docx", ".md"): write_with_pandoc,
    (".epub", ".md"): write_with_pandoc,
    (".odt", ".md"): write_with_pandoc,
    (".pdf", ".md"): write_pdf,
    (".pdf", ".txt"): write_scan,
    (".pptx", ".md"): write_with_pandoc,
    (".xlsx", ".yaml"): write_workbook,
}
"""Suffixes of the document and of its manuscript, and what makes the one from the other."""


def main() -> None:
    """Read the command line and build."""
    parser = argparse.ArgumentParser(description="Build the sample library.")
    parser.add_argument("--into", type=Path, default=LIBRARY, help="folder to write to")
    build(parser.parse_args().into)


if __name__ == "__main__":
    main()
