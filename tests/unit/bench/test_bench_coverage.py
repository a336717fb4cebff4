"""The coverage report holds files to what their manifest says, and nothing else."""

import csv
import io
from pathlib import Path

from rich.console import Console

from bench.coverage import Line, Promise, broken_promises, print_lines, read_manifest

NOTES = {
    "a.txt": 'two pages; contains: "the lamp (lit)"',
    "b.png": 'a scan, "yellow"; OCR should give: "32 Track"',
    "c.flac": 'speech: "ask not"',
    "d.docx": "one large table",
}


def test_a_manifest_says_what_each_file_must_yield(tmp_path: Path) -> None:
    with (tmp_path / "manifest.csv").open("w", encoding="utf-8", newline="") as lines:
        rows = ((path, "Title", notes) for path, notes in NOTES.items())
        csv.writer(lines).writerows([("path", "title", "notes"), *rows])
    assert read_manifest(tmp_path / "manifest.csv") == {
        "a.txt": Promise("the lamp (lit)"),
        "b.png": Promise("32 Track"),
        "c.flac": Promise("ask not", is_spoken=True),
        "d.docx": Promise(),
    }


def test_only_a_file_the_manifest_names_can_break_a_promise() -> None:
    kept = Line("a.txt", "published", ends_as_promised=True)
    unnamed = Line("readme.txt", "quarantined")
    broken = Line("b.png", "absent", ends_as_promised=False)
    assert broken_promises([kept, unnamed, broken]) == [broken]


def test_every_file_has_a_line_and_the_total_adds_them_up() -> None:
    lines = [
        Line("books/a.txt", "published", 12, 12, 0, "", 3, "lamp", True, True, True),
        Line("b.pdf", "published", 210, 207, 3, "3 corrupt_file", 0, "lens", False, True, False),
        Line("c.bin", "quarantined", codes="unsupported_format"),
    ]
    written = io.StringIO()
    print_lines(lines, Console(file=written, width=180))
    rows = [line.replace("│", " ").split() for line in written.getvalue().splitlines()]
    shown = [" ".join(row) for row in rows]
    assert "b.pdf published 210 207 3 0 3 corrupt_file NO yes NO" in shown
    assert "3 files 2 published 222 219 3 3 1/2 2/2 1/2" in shown
