"""The sample library is what its README says, and is built from its manuscripts alone."""

import csv
import email
import email.policy
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pypandoc
import pypdfium2
import pytest
from pptx import Presentation
from pptx.shapes.autoshape import Shape
from pptx.shapes.graphfrm import GraphicFrame

SAMPLE = Path(__file__).resolve().parents[2] / "sample"
LIBRARY = SAMPLE / "library"
DOCUMENTS = sorted(path for path in LIBRARY.rglob("*") if path.is_file())
FORMATS = {
    ".csv",
    ".docx",
    ".eml",
    ".epub",
    ".html",
    ".md",
    ".odt",
    ".pdf",
    ".pptx",
    ".txt",
    ".vtt",
    ".xlsx",
}

with (SAMPLE / "questions.csv").open(encoding="utf-8", newline="") as file:
    QUESTIONS = list(csv.DictReader(file))
ANSWERED = [row for row in QUESTIONS if row["kind"] != "unanswerable"]


def pdf_pages(path: Path) -> list[str]:
    with pypdfium2.PdfDocument(path) as document:
        return [page.get_textpage().get_text_range() for page in document]


def pandoc_text(path: Path) -> str:
    return pypandoc.convert_file(str(path), "plain", extra_args=["--wrap=none"])


def slide_text(path: Path) -> str:
    shapes = [
        shape
        for slide in Presentation(str(path)).slides
        for shape in (*slide.shapes, *slide.notes_slide.shapes)
    ]
    cells = [
        cell.text
        for shape in shapes
        if isinstance(shape, GraphicFrame) and shape.has_table
        for row in shape.table.rows
        for cell in row.cells
    ]
    frames = [shape.text_frame.text for shape in shapes if isinstance(shape, Shape)]
    return "\n".join(frames + cells)


def workbook_text(path: Path) -> str:
    book = openpyxl.load_workbook(path, read_only=True)
    return "\n".join(
        str(value) for sheet in book for row in sheet.iter_rows(values_only=True) for value in row
    )


def message_text(path: Path) -> str:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    return message.get_content()


def plain_text(path: Path) -> str:
    return path.read_text("utf-8")


READERS: dict[str, Callable[[Path], str]] = {
    ".docx": pandoc_text,
    ".eml": message_text,
    ".epub": pandoc_text,
    ".html": pandoc_text,
    ".odt": pandoc_text,
    ".pdf": lambda path: "\n".join(pdf_pages(path)),
    ".pptx": slide_text,
    ".xlsx": workbook_text,
}


def one_line(text: str) -> str:
    return " ".join(text.split())


def manuscript_of(document: str) -> Path:
    path = SAMPLE / "manuscripts" / document
    return path if path.exists() else next(path.parent.glob(f"{path.name}.*"))


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    return {
        path.relative_to(LIBRARY).as_posix(): one_line(READERS.get(path.suffix, plain_text)(path))
        for path in DOCUMENTS
    }


def test_a_build_gives_the_committed_bytes(tmp_path: Path) -> None:
    command = [sys.executable, str(SAMPLE / "build.py"), "--into", str(tmp_path)]
    subprocess.run(command, check=True)
    built = {path.relative_to(tmp_path): path for path in tmp_path.rglob("*") if path.is_file()}
    assert sorted(built) == [path.relative_to(LIBRARY) for path in DOCUMENTS]
    changed = [
        str(name)
        for name, path in built.items()
        if path.read_bytes() != (LIBRARY / name).read_bytes()
    ]
    assert not changed, "run `python sample/build.py`"


def test_every_promised_format_is_there() -> None:
    assert {path.suffix for path in DOCUMENTS} == FORMATS


def test_it_is_worth_reading_and_quick_to_read(texts: dict[str, str]) -> None:
    assert 14 <= len(texts) <= 18
    assert 20_000 <= sum(len(text.split()) for text in texts.values()) <= 35_000


def test_the_novel_has_chapters() -> None:
    novel = plain_text(manuscript_of("stories/the-salt-clock.epub"))
    assert sum(line.startswith("# ") for line in novel.splitlines()) >= 8


def test_the_certificate_has_no_text() -> None:
    assert pdf_pages(LIBRARY / "history/electrical-inspection-1934.pdf") == [""]


def test_one_page_of_the_manual_is_only_a_picture() -> None:
    pages = pdf_pages(LIBRARY / "manuals/lamp-and-lens-manual.pdf")
    assert len(pages) >= 5
    assert pages.count("") == 1


def test_there_are_forty_different_questions_of_every_kind() -> None:
    kinds = {row["question"]: row["kind"] for row in QUESTIONS}
    assert len(kinds) == 40
    assert Counter(kinds.values()) == {
        "fact": 16,
        "table": 7,
        "two_documents": 6,
        "foreign_language": 6,
        "unanswerable": 5,
    }


def test_only_two_document_questions_have_two_rows() -> None:
    documents: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in QUESTIONS:
        documents[row["question"], row["kind"]].add(row["document"])
    assert len(QUESTIONS) == sum(len(names) for names in documents.values())
    for (question, kind), names in documents.items():
        assert len(names) == (2 if kind == "two_documents" else 1), question


def test_unanswerable_questions_name_no_document() -> None:
    unanswerable = [row for row in QUESTIONS if row["kind"] == "unanswerable"]
    assert not any(row["document"] or row["phrase"] for row in unanswerable)


@pytest.mark.parametrize("row", ANSWERED, ids=lambda row: f"{row['document']}: {row['phrase']}")
def test_the_phrase_is_in_the_manuscript_and_in_the_document(
    row: dict[str, str], texts: dict[str, str]
) -> None:
    assert row["phrase"]
    assert row["phrase"] in texts[row["document"]]
    assert row["phrase"] in one_line(plain_text(manuscript_of(row["document"])))
