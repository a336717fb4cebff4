"""What is read from Excel files beyond plain rows of plain values."""

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.comments import Comment

from alexandria.knowledge.documents import BlockKind, ParsedDocument
from alexandria.knowledge.parsing import parse_document
from alexandria.knowledge.parsing.readers.office.number_formats import show_number
from alexandria.knowledge.parsing.readers.office.workbook import column_number, parse_area

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'


def workbook(fill: Callable[[Any], None]) -> ParsedDocument:
    """The document of a workbook whose first sheet is filled by `fill`."""
    book = Workbook()
    fill(book.worksheets[0])
    buffer = io.BytesIO()
    book.save(buffer)
    return parse_document(buffer.getvalue(), "x.xlsx")


def by_hand(sheet: str, *, name: str = "x.xlsx") -> ParsedDocument:
    """The document of a workbook with the XML of one sheet's content as given."""
    links = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts = {
        "xl/workbook.xml": f'<workbook {_MAIN} xmlns:r="{links}"><sheets>'
        '<sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/'
        f'package/2006/relationships"><Relationship Id="r1" Type="{links}/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f"<worksheet {_MAIN}>{sheet}</worksheet>",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, part in parts.items():
            archive.writestr(path, part)
    return parse_document(buffer.getvalue(), name)


def rows_of(document: ParsedDocument) -> list[str]:
    return [
        document.text[one.start : one.end] for one in document.blocks if one.kind is BlockKind.TABLE
    ]


def codes(document: ParsedDocument) -> list[tuple[str, int | None]]:
    return [(note.code, note.unit) for note in document.notes]


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (2.0, "General", "2"),
        (0.1 + 0.2, "General", "0.3"),
        (1234567.891, "#,##0.00", "1,234,567.89"),
        (0.215, "0.0%", "21.5%"),
        (0.5, "0%", "50%"),
        (9.5, '#,##0.00 "EUR"', "9.50 EUR"),
        (9.5, "[$€-407]#,##0.00", "€9.50"),
        (-9.5, '"$"#,##0.00_);("$"#,##0.00)', "($9.50)"),
        (-9.5, "0.00", "-9.50"),
        (3.14159, "0.0##", "3.14159"),
        (12.5, "0.00E+00", "12.5"),
        (45_000, "yyyy-mm-dd", "2023-03-15"),
        (45_000.75, "dd.mm.yyyy hh:mm", "2023-03-15 18:00"),
        (0.25, "h:mm AM/PM", "06:00"),
        (1.5, "[h]:mm:ss", "36:00:00"),
        (1, "yyyy-mm-dd", "1900-01-01"),
        (1e300, "yyyy-mm-dd", f"{1e300:.0f}"),
        (5, '"Batch "0', "Batch 5"),
        (7, "[Red]0.0;[Blue]-0.0", "7.0"),
    ],
)
def test_numbers_read_as_their_cells_show_them(value: float, code: str, shown: str) -> None:
    assert show_number(value, code) == shown


def test_days_are_counted_from_1904_where_the_workbook_says_so() -> None:
    assert show_number(0, "yyyy-mm-dd", from_1904=True) == "1904-01-01"


def test_places_and_ranges() -> None:
    assert [column_number(one) for one in ("A1", "Z9", "AA1", "XFD1048576", "7")] == [
        *(1, 26, 27, 16_384, 0)
    ]
    area = parse_area("B2:D4")
    assert area is not None
    assert (area.first_row, area.first_column, area.last_row, area.last_column) == (2, 2, 4, 4)
    assert parse_area("nonsense") is None


def test_dates_truth_values_and_errors() -> None:
    def fill(sheet: Any) -> None:
        sheet.append(["Day", "Hour", "Span", "Done", "Odd"])
        sheet.append([date(2024, 2, 29), time(6, 30), timedelta(hours=30), True, "#DIV/0!"])
        sheet.append(
            [
                datetime(2024, 3, 1, 8, 15, tzinfo=UTC).replace(tzinfo=None),
                time(7),
                timedelta(hours=2),
                False,
                "x",
            ]
        )

    assert rows_of(workbook(fill)) == [
        "Day: 2024-02-29; Hour: 06:30; Span: 30:00:00; Done: TRUE; Odd: #DIV/0!",
        "Day: 2024-03-01 08:15; Hour: 07:00; Span: 2:00:00; Done: FALSE; Odd: x",
    ]


def test_formulas_without_saved_values_are_read_as_formulas_and_noted() -> None:
    def fill(sheet: Any) -> None:
        sheet.append(["Item", "Price"])
        sheet.append(["Bean", 2])
        sheet.append(["Sum", "=SUM(B2:B2)"])

    document = workbook(fill)
    assert rows_of(document)[-1] == "Item: Sum; Price: =SUM(B2:B2)"
    assert codes(document) == [("formula_without_value", 0)]


def test_a_saved_value_is_taken_and_a_shared_formula_is_moved_to_its_cell() -> None:
    document = by_hand(
        "<sheetData><row r='1'><c r='A1' t='str'><v>Item</v></c><c r='B1' t='str'><v>Sum</v></c>"
        "</row><row r='2'><c r='A2' t='inlineStr'><is><r><t>Be</t></r><r><t>an</t></r></is></c>"
        "<c r='B2'><f t='shared' si='0' ref='B2:B3'>C2*2</f><v>8</v></c></row>"
        "<row r='3'><c r='A3' t='str'><v>Pea</v></c><c r='B3'><f t='shared' si='0'/></c></row>"
        "</sheetData>"
    )
    assert rows_of(document) == ["Item: Bean; Sum: 8", "Item: Pea; Sum: =C3*2"]
    assert codes(document) == [("formula_without_value", 0)]


def test_merged_cells_stand_in_every_row_and_column_they_cover() -> None:
    def fill(sheet: Any) -> None:
        sheet.append(["Harvest"])
        sheet.append(["Bed", "Beans", None])
        sheet.append([None, "red", "white"])
        sheet.append(["North", 1, 2])
        sheet.append([None, 3, 4])
        for area in ("A1:C1", "A2:A3", "B2:C2", "A4:A5"):
            sheet.merge_cells(area)

    document = workbook(fill)
    assert document.text.startswith("Harvest\n\n")
    assert rows_of(document) == [
        "Bed: North; Beans / red: 1; Beans / white: 2",
        "Bed: North; Beans / red: 3; Beans / white: 4",
    ]


def test_hidden_sheets_rows_and_columns_are_read_and_noted() -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    for row in (("Bed", "Beans"), ("North", 1), ("South", 2)):
        sheet.append(row)
    sheet.row_dimensions[3].hidden = True
    other = book.create_sheet("Secret")
    other.append(["plain", "words"])
    other.sheet_state = "hidden"
    buffer = io.BytesIO()
    book.save(buffer)
    document = parse_document(buffer.getvalue(), "x.xlsx")
    assert rows_of(document) == ["Bed: North; Beans: 1", "Bed: South; Beans: 2", "plain; words"]
    assert codes(document) == [("hidden_cells", 0), ("hidden_sheet", 1)]


def test_tables_side_by_side_and_below_one_another_are_tables_of_their_own() -> None:
    def fill(sheet: Any) -> None:
        for row in (
            ("Bed", "Beans", None, "Tool", "Price"),
            ("North", 1, None, "Spade", 20),
            ("South", 2, None, "Rake", 15),
            (None,),
            ("Month", "Rain"),
            ("May", 80),
        ):
            sheet.append(row)

    assert rows_of(workbook(fill)) == [
        *("Bed: North; Beans: 1", "Bed: South; Beans: 2"),
        *("Tool: Spade; Price: 20", "Tool: Rake; Price: 15"),
        "Month: May; Rain: 80",
    ]


def test_sheets_with_the_same_headers_have_their_name_in_the_rows() -> None:
    book = Workbook()
    for year in ("1987", "1988"):
        sheet = book.create_sheet(year)
        sheet.append(["Bed", "Beans"])
        sheet.append(["North", int(year) - 1980])
    buffer = io.BytesIO()
    book.save(buffer)
    rows = rows_of(parse_document(buffer.getvalue(), "x.xlsx"))
    assert rows == ["1987; Bed: North; Beans: 7", "1988; Bed: North; Beans: 8"]


def test_comments_are_read_with_their_place() -> None:
    def fill(sheet: Any) -> None:
        sheet.append(["Bed", "Beans"])
        sheet.append(["North", 1])
        sheet["B2"].comment = Comment("eaten by snails", "Ann")

    assert "B2: eaten by snails" in workbook(fill).text


def test_far_cells_and_empty_ranges_cost_nothing() -> None:
    empty = "".join(f"<row r='{at}'><c r='A{at}' s='1'/></row>" for at in range(2, 20_000))
    document = by_hand(
        f"<cols><col min='1' max='16384' hidden='1'/></cols><sheetData><row r='1'>"
        f"<c r='A1'><v>1</v></c></row>{empty}<row r='1048576'><c r='XFD1048576'><v>2</v></c></row>"
        "</sheetData><mergeCells><mergeCell ref='A1:XFD1048576'/></mergeCells>"
    )
    assert {"1", "2"} <= set(document.text.split())
    assert len(document.text) < 1_000_000


def test_cells_scattered_far_apart_are_read_row_by_row() -> None:
    def place(at: int) -> str:
        name, number = "", at
        while number:
            number, rest = divmod(number - 1, 26)
            name = chr(65 + rest) + name
        return f"{name}{at}"

    rows = "".join(f"<row r='{n}'><c r='{place(n)}'><v>{n}</v></c></row>" for n in range(1, 3_000))
    document = by_hand(f"<sheetData>{rows}</sheetData>")
    assert document.text.split() == [str(at) for at in range(1, 3_000)]


def test_a_workbook_with_macros_is_a_workbook() -> None:
    document = by_hand("<sheetData><row r='1'><c><v>1</v></c><c><v>2</v></c></row></sheetData>",
                       name="x.xlsm")  # fmt: skip
    assert document.text == "1; 2"
