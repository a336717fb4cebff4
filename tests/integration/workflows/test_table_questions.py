"""Questions for one value of one table are answered by the row that holds it.

Every table here is longer than a chunk, so the row asked for lies where no header is near.
"""

import io
from collections.abc import Callable
from pathlib import Path

from openpyxl import Workbook

from alexandria.workflows.operating.sources import add_source
from alexandria.workflows.workspace import Workspace

Found = Callable[..., list[tuple[str, str]]]

_TOWNS = (
    *("Aldermouth", "Brindle", "Carrow", "Dunmere", "Eastwick", "Fallow", "Garth", "Hexley"),
    *("Inverness", "Jarrow", "Kelso", "Lydford", "Marlow", "Norwick", "Oakham", "Penrith"),
    *("Quorn", "Redcar", "Selby", "Thirsk", "Ulverston", "Ventnor", "Whitby", "Yarm"),
)
_BIRDS = (
    *("avocet", "bittern", "curlew", "dunlin", "eider", "fulmar", "gannet", "heron"),
    *("ibis", "jackdaw", "kestrel", "lapwing", "merlin", "nightjar", "osprey", "puffin"),
    *("quail", "razorbill", "skua", "tern", "urchin owl", "vireo", "whimbrel", "yellowhammer"),
)


def _rainfall() -> bytes:
    """Two sheets with the same headers in two rows: seasons over months, merged."""
    book = Workbook()
    for index, year in enumerate((1987, 1988)):
        sheet = book.worksheets[0] if not index else book.create_sheet()
        sheet.title = f"Rainfall {year}"
        sheet.append(["Rainfall by town in millimetres"])
        sheet.merge_cells("A1:E1")
        sheet.append(["Town", "Winter", None, "Summer", None])
        sheet.append([None, "January", "February", "July", "August"])
        sheet.merge_cells("A2:A3")
        sheet.merge_cells("B2:C2")
        sheet.merge_cells("D2:E2")
        for at, town in enumerate(_TOWNS):
            base = 100 * (index + 1) + at
            sheet.append([town, base + 0.5, base + 31, base + 57, base + 83])
    return _saved(book.save)


def _census() -> bytes:
    lines = [f"{bird};{3 * at + 7};{at},5;{at + 40} %" for at, bird in enumerate(_BIRDS)]
    head = "Bird census of the estuary\n\nSpecies;Nesting pairs;Mean clutch;Survival\n"
    return (head + "\n".join(lines) + "\n").encode("cp1252")


def _ferries() -> bytes:
    rows = "".join(
        f"<tr><th>{town}</th><td>{6 + at % 5}:1{at % 10}</td><td>{17 + at % 4}:4{at % 10}</td>"
        f"<td>{4 + at}</td></tr>"
        for at, town in enumerate(_TOWNS)
    )
    head = "<tr><th>Harbour</th><th>First ferry</th><th>Last ferry</th><th>Fare in pounds</th></tr>"
    table = f"<table><caption>Ferry times</caption><thead>{head}</thead>{rows}</table>"
    return f"<!doctype html><html><body><h1>Ferries</h1>{table}</body></html>".encode()


def _orchard() -> bytes:
    from docx import Document

    document = Document()
    document.add_heading("Orchard register", 1)
    table = document.add_table(rows=1, cols=4)
    for cell, text in zip(
        table.rows[0].cells, ("Plot", "Apple variety", "Trees", "Planted"), strict=True
    ):
        cell.text = text
    for at, town in enumerate(_TOWNS):
        values = (f"Plot {at + 1}", f"{town} Pippin", str(11 * at + 5), str(1931 + at))
        for cell, text in zip(table.add_row().cells, values, strict=True):
            cell.text = text
    return _saved(document.save)


def _wool() -> bytes:
    """A page of figures without rules, as a price report prints them."""
    from fpdf import FPDF

    page = FPDF()
    page.add_page()
    page.set_font("helvetica", size=10)
    page.text(20, 20, "Weekly wool auction")
    columns = (20, 70, 110, 150)
    rows = [("Breed", "Bales sold", "Pence per kilo", "Last year")]
    rows += [
        (f"{bird.title()} fleece", str(120 + 13 * at), f"{90 + at}.25", f"{80 + at}.75")
        for at, bird in enumerate(_BIRDS)
    ]
    for line, row in enumerate(rows):
        for left, text in zip(columns, row, strict=True):
            page.text(left, 32 + 6 * line, text)
    return bytes(page.output())


def _saved(save: Callable[[io.BytesIO], None]) -> bytes:
    buffer = io.BytesIO()
    save(buffer)
    return buffer.getvalue()


_FILES: dict[str, Callable[[], bytes]] = {
    "rainfall.xlsx": _rainfall,
    "census.csv": _census,
    "ferries.html": _ferries,
    "orchard.docx": _orchard,
    "wool.pdf": _wool,
}

_QUESTIONS = (
    ("How much rain fell in Whitby in August 1987?", "Whitby", "Summer / August: 205"),
    ("What was the rainfall in Norwick in January 1988?", "Norwick", "Winter / January: 213.5"),
    ("How much did it rain in Garth in July 1988?", "Garth", "Summer / July: 263"),
    ("How many nesting pairs of whimbrel were counted?", "whimbrel", "Nesting pairs: 73"),
    ("What was the survival of the kestrel?", "kestrel", "Survival: 50 %"),
    ("What is the mean clutch of the puffin?", "puffin", "Mean clutch: 15,5"),
    ("When does the last ferry leave Penrith harbour?", "Penrith", "Last ferry: 20:45"),
    ("What is the ferry fare to Selby in pounds?", "Selby", "Fare in pounds: 22"),
    ("When is the first ferry from Kelso?", "Kelso", "First ferry: 6:10"),
    ("How many trees of Thirsk Pippin are there?", "Thirsk", "Trees: 214"),
    ("When was the apple variety Oakham Pippin planted?", "Oakham", "Planted: 1945"),
    ("How many bales of razorbill fleece were sold?", "Razorbill", "Bales sold: 341"),
    ("How many pence per kilo did lapwing fleece bring?", "Lapwing", "Pence per kilo: 101.25"),
    ("What was the price of tern fleece last year?", "Tern", "Last year: 99.75"),
)


def test_the_row_asked_for_is_in_the_first_hit(
    workspace: Workspace, tmp_path: Path, sync: Callable[..., object], found: Found
) -> None:
    folder = tmp_path / "tables"
    folder.mkdir()
    for name, build in _FILES.items():
        (folder / name).write_bytes(build())
    sync(workspace, add_source(workspace, folder))
    missed: list[str] = []
    for question, row, value in _QUESTIONS:
        text = found(question, limit=1)[0][1]
        if not any(row in line and value in line for line in text.split("\n")):
            missed.append(f"{question}\n    {text[:300]}")
    assert not missed, "\n".join(missed)
