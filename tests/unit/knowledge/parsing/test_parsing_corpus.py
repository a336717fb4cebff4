"""The shared corpus: every readable file holds what its manifest says. Skipped without it."""

import csv
import re
from functools import cache
from pathlib import Path

import pytest

from alexandria.errors import NoTextLayerError
from alexandria.knowledge.documents import BlockKind, ParsedDocument
from alexandria.knowledge.parsing import parse_document

CORPUS = Path(__file__).resolve().parents[4] / ".." / "shared" / "corpus"
PIXELS_OR_SOUND = ("OCR should give", "speech:")
CONTAINS = re.compile(r'contains: "(.*)"')


def _manifest() -> list[dict[str, str]]:
    path = CORPUS / "manifest.csv"
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return list(csv.DictReader(lines))


ROWS = _manifest()
pytestmark = pytest.mark.skipif(not ROWS, reason="the shared corpus is not here")
READABLE = [row for row in ROWS if not any(mark in row["notes"] for mark in PIXELS_OR_SOUND)]
PICTURES = [row for row in ROWS if row not in READABLE]


@cache
def parse(path: str) -> ParsedDocument:
    return parse_document((CORPUS / path).read_bytes(), Path(path).name)


@pytest.mark.parametrize("row", READABLE, ids=lambda row: row["path"])
def test_the_text_and_language_are_there(row: dict[str, str]) -> None:
    document = parse(row["path"])
    phrase = CONTAINS.search(row["notes"])
    if phrase:
        assert phrase[1] in " ".join(document.text.split())
    assert document.language == row["language"] or len(document.text) < 200
    assert all(one.start < one.end or one.problem for one in document.units)


@pytest.mark.parametrize("row", PICTURES, ids=lambda row: row["path"])
def test_pixels_and_sound_are_refused(row: dict[str, str]) -> None:
    with pytest.raises(NoTextLayerError):
        parse(row["path"])


@pytest.mark.parametrize(
    "row",
    [row for row in READABLE if row["path"].startswith("books/")],
    ids=lambda row: row["path"],
)
def test_books_know_their_title_and_author(row: dict[str, str]) -> None:
    document = parse(row["path"])
    assert document.title.casefold() in row["title"].casefold()
    assert document.author.casefold() in row["author"].casefold()


@pytest.mark.parametrize(
    ("path", "chapters"),
    [
        ("books/war-and-peace.txt", 365),
        ("books/pride-and-prejudice.txt", 61),
        ("books/the-time-machine.txt", 17),
        ("books/le-tour-du-monde-en-quatre-vingts-jours.txt", 37),
        ("books/don-quijote.txt", 126),
        ("books/alice-in-wonderland.html", 12),
        ("books/die-verwandlung.html", 3),
    ],
)
def test_chapters_are_found(path: str, chapters: int) -> None:
    found = len(parse(path).units)
    assert chapters <= found <= chapters + 3


def test_a_docx_keeps_its_headings_and_tables() -> None:
    document = parse("docx/owasp-asvs-5.0.0-en.docx")
    headings = sum(block.kind is BlockKind.HEADING for block in document.blocks)
    assert 225 <= headings <= 227


def test_columns_are_read_one_after_the_other() -> None:
    text = " ".join(parse("pdf/federal-register-2020-17221.pdf").text.split())
    assert "undesired movement of the airplane’s horizontal stabilizer. The FAA proposes" in text  # noqa: RUF001
    assert "align with the other non-normal checklists, and modified to provide guidance" in text


def test_running_heads_are_dropped() -> None:
    assert parse("pdf/federal-register-2020-17221.pdf").text.count("Thursday, August 6, 2020") <= 2
