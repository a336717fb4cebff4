"""A file that cannot be read is listed with a reason and stops no other."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from docx import Document
from fpdf import FPDF
from PIL import Image, ImageDraw, ImageFont

from alexandria.adapters.workers import Limits, Workers
from alexandria.knowledge.chunking import Chunk
from alexandria.workflows.operating.sources import Source
from alexandria.workflows.operating.status import QuarantineEntry, read_status
from alexandria.workflows.quality.verification import Count
from alexandria.workflows.reading.documents import list_documents, read_document
from alexandria.workflows.reports import StageReport
from alexandria.workflows.stages import chunking, parsing
from alexandria.workflows.stages.piecework import (
    Cutting,
    Outcome,
    Reading,
    cut_document,
    read_file,
)
from alexandria.workflows.workspace import Workspace

Sync = Callable[..., dict[str, StageReport]]
Write = Callable[[Path, str | bytes], Path]
Found = Callable[..., list[tuple[str, str]]]
Differences = Callable[[], list[Count]]


@pytest.fixture
def workspace(workspace: Workspace) -> Workspace:
    """A library without text recognition: what is a picture stays unread."""
    settings = workspace.settings.model_copy(update={"ocr_engine": "off"})
    return replace(workspace, settings=settings)


def _picture_pages(*, with_text: bool) -> bytes:
    """A PDF of one page that is a picture, after a page of text if asked for."""
    picture = BytesIO()
    Image.new("RGB", (200, 100), (120, 120, 120)).save(picture, "PNG")
    document = FPDF()
    document.set_font("helvetica", size=12)
    if with_text:
        document.add_page()
        document.multi_cell(0, 8, "The inspector found the wiring of the lantern room sound.")
    document.add_page()
    document.image(picture, x=10, y=10, w=180, h=240)
    return bytes(document.output())


UNREADABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "garbage.docx": (lambda path: path.write_bytes(b"\x00\x17not a document" * 40), "corrupt_file"),
    "empty.txt": (lambda path: path.write_bytes(b""), "empty_file"),
    "scan.pdf": (lambda path: path.write_bytes(_picture_pages(with_text=False)), "no_text_layer"),
    "huge.txt": (lambda path: path.write_text("word " * 1000), "file_too_large"),
    "dangling.txt": (lambda path: path.symlink_to(path.with_name("nowhere")), "unreadable"),
    "pipe.txt": (os.mkfifo, "unreadable"),
}


def test_unreadable_files_are_listed_with_reasons_and_stop_no_other(
    workspace: Workspace,
    source: Source,
    shelf: Path,
    sync: Sync,
    found: Found,
    differences: Differences,
) -> None:
    workspace.settings = workspace.settings.model_copy(update={"max_file_bytes": 4000})
    for name, (make, _) in UNREADABLE.items():
        make(shelf / name)
    sync(workspace, source)
    entries = {entry.path: entry for entry in read_status(workspace).quarantine}
    assert {path: entry.code for path, entry in entries.items()} == {
        name: code for name, (_, code) in UNREADABLE.items()
    }
    assert all(entry.reason and entry.advice for entry in entries.values())
    assert found("Who kept the lighthouse?")[0][0] == "lighthouse.txt"
    standing = read_status(workspace).sources[0]
    assert (standing.published, standing.quarantined, standing.pending) == (3, 6, 0)
    assert differences() == []


def test_a_page_without_text_is_listed_and_the_others_are_found(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write, found: Found
) -> None:
    write(shelf / "inspection.pdf", _picture_pages(with_text=True))
    sync(workspace, source)
    (entry,) = read_status(workspace).quarantine
    assert (entry.path, entry.unit, entry.code) == ("inspection.pdf", "Page 2", "no_text_layer")
    assert found("What did the inspector find?")[0][0] == "inspection.pdf"


def test_units_found_are_units_indexed_plus_units_in_quarantine(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write
) -> None:
    write(shelf / "inspection.pdf", _picture_pages(with_text=True))
    write(shelf / "scan.pdf", _picture_pages(with_text=False))
    sync(workspace, source)
    entries = read_status(workspace).quarantine
    for document in list_documents(workspace):
        units = read_document(workspace, document.document_id).units
        listed = [entry for entry in entries if entry.path == document.path]
        assert document.units_found == document.units_indexed + document.units_quarantined
        assert document.units_found == len(units)
        assert {entry.unit for entry in listed if entry.unit} == {
            unit.label for unit in units if unit.problem_code
        }
        assert document.units_found or listed


@pytest.mark.parametrize("name", ["garbage.docx", "empty.txt", "dangling.txt"])
def test_a_file_that_was_put_right_leaves_quarantine(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write, name: str
) -> None:
    UNREADABLE[name][0](shelf / name)
    sync(workspace, source)
    assert _paths(workspace) == [name]
    (shelf / name).unlink()
    right = name.replace(".docx", ".txt")
    write(shelf / right, "The ferry leaves at nine from the stone pier.\n")
    sync(workspace, source)
    assert _paths(workspace) == []
    assert {item.state for item in list_documents(workspace)} == {"published"}


def test_a_deleted_unreadable_file_leaves_quarantine(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write
) -> None:
    write(shelf / "empty.txt", "")
    sync(workspace, source)
    (shelf / "empty.txt").unlink()
    sync(workspace, source)
    assert _paths(workspace) == []


@pytest.mark.parametrize("damage", ["emptied", "replaced by a broken link"])
def test_readers_keep_the_last_good_version_of_a_file_that_became_unreadable(
    workspace: Workspace,
    source: Source,
    shelf: Path,
    sync: Sync,
    write: Write,
    found: Found,
    differences: Differences,
    damage: str,
) -> None:
    sync(workspace, source)
    good = (shelf / "garden.txt").read_text()
    before = found("quinces and medlars")
    if damage == "emptied":
        write(shelf / "garden.txt", "")
    else:
        (shelf / "garden.txt").unlink()
        (shelf / "garden.txt").symlink_to(shelf / "nowhere")
    sync(workspace, source)
    assert found("quinces and medlars") == before
    assert _paths(workspace) == ["garden.txt"]
    assert differences() == []
    (shelf / "garden.txt").unlink()
    write(shelf / "garden.txt", good)
    sync(workspace, source)
    assert _paths(workspace) == []
    assert {item.state for item in list_documents(workspace)} == {"published"}
    assert found("quinces and medlars") == before


def test_the_same_problem_is_listed_once_however_often_it_is_seen(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write
) -> None:
    write(shelf / "empty.txt", "")
    sync(workspace, source)
    before = [_untimed(entry) for entry in read_status(workspace).quarantine]
    sync(workspace, source)
    assert [_untimed(entry) for entry in read_status(workspace).quarantine] == before


def _untimed(entry: QuarantineEntry) -> QuarantineEntry:
    from datetime import UTC, datetime

    return replace(entry, quarantined_at=datetime.fromtimestamp(0, UTC))


def _paths(workspace: Workspace) -> list[str]:
    return [entry.path for entry in read_status(workspace).quarantine]


def test_a_scan_is_read_again_once_there_is_something_to_read_it_with(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write
) -> None:
    page = Image.new("L", (900, 200), 255)
    font = ImageFont.load_default(48)
    ImageDraw.Draw(page).text((40, 60), "The ferry leaves at nine", 0, font)
    content = BytesIO()
    page.save(content, "PNG")
    write(shelf / "notice.png", content.getvalue())
    sync(workspace, source)
    (entry,) = read_status(workspace).quarantine
    assert (entry.path, entry.code) == ("notice.png", "no_text_layer")
    assert sync(workspace, source)["parsed_documents"].row_count == 0
    settings = workspace.settings.model_copy(update={"ocr_engine": "rapidocr"})
    sync(replace(workspace, settings=settings), source)
    assert read_status(workspace).quarantine == []


def test_the_scanned_pages_of_a_document_are_read_once_there_is_something_to_read_them_with(
    workspace: Workspace,
    source: Source,
    shelf: Path,
    sync: Sync,
    write: Write,
    found: Found,
    differences: Differences,
) -> None:
    page = Image.new("L", (900, 200), 255)
    words = "The ferry leaves at nine"
    ImageDraw.Draw(page).text((40, 60), words, 0, ImageFont.load_default(48))
    document = FPDF()
    document.set_font("helvetica", size=12)
    document.add_page()
    document.multi_cell(0, 8, "The inspector found the wiring of the lantern room sound.")
    document.add_page()
    document.image(page, x=10, y=10, w=180)
    write(shelf / "report.pdf", bytes(document.output()))
    sync(workspace, source)
    (entry,) = read_status(workspace).quarantine
    assert (entry.path, entry.unit, entry.code) == ("report.pdf", "Page 2", "no_text_layer")
    assert sync(workspace, source)["parsed_documents"].row_count == 0

    settings = workspace.settings.model_copy(update={"ocr_engine": "rapidocr"})
    reading = replace(workspace, settings=settings)
    sync(reading, source, until="postgres_index")
    assert found("inspector wiring lantern")[0][0] == "report.pdf"
    assert not any("ferry" in text for _, text in found("When does the ferry leave?"))
    sync(reading, source)
    assert read_status(workspace).quarantine == []
    assert words in found("When does the ferry leave?")[0][1]
    assert differences() == []
    assert sum(report.row_count for report in sync(reading, source).values()) == 0


def test_the_pictures_of_a_document_are_read_once_there_is_something_to_read_them_with(
    workspace: Workspace,
    source: Source,
    shelf: Path,
    sync: Sync,
    write: Write,
    found: Found,
    differences: Differences,
) -> None:
    page = Image.new("L", (900, 200), 255)
    words = "The ferry leaves at nine"
    ImageDraw.Draw(page).text((40, 60), words, 0, ImageFont.load_default(48))
    picture, content = BytesIO(), BytesIO()
    page.save(picture, "PNG")
    letter = Document()
    letter.add_paragraph("The timetable hangs in the harbour office.")
    letter.add_picture(picture)
    letter.save(content)
    write(shelf / "letter.docx", content.getvalue())
    sync(workspace, source)
    assert read_status(workspace).sources[0].coverage.notes == {"image_not_recognized": 1}
    assert sync(workspace, source)["parsed_documents"].row_count == 0

    settings = workspace.settings.model_copy(update={"ocr_engine": "rapidocr"})
    reading = replace(workspace, settings=settings)
    sync(reading, source, until="postgres_index")
    assert found("Where does the timetable hang?")[0][0] == "letter.docx"
    assert not any(words in text for _, text in found("When does the ferry leave?"))
    sync(reading, source)
    assert read_status(workspace).sources[0].coverage.notes == {}
    assert words in found("When does the ferry leave?")[0][1]
    assert differences() == []
    assert sum(report.row_count for report in sync(reading, source).values()) == 0


def test_an_entry_says_what_is_wrong_now(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write
) -> None:
    content = BytesIO()
    Image.effect_noise((300, 300), 80).save(content, "PNG")
    write(shelf / "cut.png", content.getvalue()[:-9_000])
    sync(workspace, source)
    assert [entry.code for entry in read_status(workspace).quarantine] == ["no_text_layer"]
    settings = workspace.settings.model_copy(update={"ocr_engine": "rapidocr"})
    sync(replace(workspace, settings=settings), source)
    (entry,) = read_status(workspace).quarantine
    assert entry.code == "corrupt_file"
    assert "OCR" not in entry.reason + entry.advice


def read_or_break(task: Reading) -> Outcome:
    """Stands for readers with a defect that some files bring out."""
    if task.name == "crash.txt":
        os.kill(os.getpid(), signal.SIGSEGV)
    if task.name == "hang.txt":
        time.sleep(600)
    if task.name == "hoard.txt":
        return read_file(replace(task, name=str(bytearray(4 * 2**30))))
    return read_file(task)


def test_a_file_that_breaks_its_reader_costs_itself(
    workspace: Workspace,
    source: Source,
    shelf: Path,
    sync: Sync,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("crash", "hang", "hoard"):
        write(shelf / f"{name}.txt", f"This one makes its reader {name}.")
    monkeypatch.setattr(parsing, "read_file", read_or_break)
    with Workers(2, Limits(2 * 2**30, seconds=5)) as workers:
        settings = workspace.settings.model_copy(update={"reading_seconds": 5.0})
        sync(replace(workspace, settings=settings, workers=workers), source)
    codes = {entry.path: entry.code for entry in read_status(workspace).quarantine}
    assert codes == {
        "crash.txt": "reader_crashed",
        "hang.txt": "reader_timeout",
        "hoard.txt": "reader_memory",
    }
    states = {one.path: one.state for one in list_documents(workspace)}
    assert {path for path, state in states.items() if state == "published"} == {
        path.name for path in shelf.iterdir() if path.stem not in {"crash", "hang", "hoard"}
    }


def test_what_ran_out_of_time_is_read_again_with_more_of_it(
    workspace: Workspace,
    source: Source,
    shelf: Path,
    sync: Sync,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write(shelf / "hang.txt", "A slow file about the slow ferry.")
    with monkeypatch.context() as patch, Workers(1, Limits(2 * 2**30, seconds=2)) as workers:
        patch.setattr(parsing, "read_file", read_or_break)
        settings = workspace.settings.model_copy(update={"reading_seconds": 2.0})
        sync(replace(workspace, settings=settings, workers=workers), source)
    assert [entry.code for entry in read_status(workspace).quarantine] == ["reader_timeout"]
    sync(workspace, source)
    assert read_status(workspace).quarantine == []


def cut_or_break(task: Cutting) -> list[Chunk]:
    """Stands for a cutter with a defect that one text brings out."""
    if "torn sail" in task.document.text:
        os.kill(os.getpid(), signal.SIGSEGV)
    return cut_document(task)


def test_a_text_that_breaks_what_cuts_it_costs_itself(
    workspace: Workspace,
    source: Source,
    shelf: Path,
    sync: Sync,
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write(shelf / "sail.txt", "Nobody mends a torn sail in the dark.")
    monkeypatch.setattr(chunking, "cut_document", cut_or_break)
    sync(workspace, source)
    (entry,) = read_status(workspace).quarantine
    assert (entry.path, entry.code) == ("sail.txt", "reader_crashed")
    coverage = read_status(workspace).sources[0].coverage
    assert (coverage.quarantined, coverage.pending) == ({"reader_crashed": 1}, 0)
    published = {one.path for one in list_documents(workspace) if one.state == "published"}
    assert published == {path.name for path in shelf.iterdir()} - {"sail.txt"}
