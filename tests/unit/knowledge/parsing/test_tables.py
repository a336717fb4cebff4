"""Rows of tables carry their headers, whatever the format and however it merges cells."""

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence

import pytest

from alexandria.knowledge.documents import BlockKind, ParsedDocument
from alexandria.knowledge.parsing import parse_document
from alexandria.knowledge.parsing.table_headings import is_number
from alexandria.knowledge.parsing.tables import Cell, fill_spans, table_pieces


def rows_of(document: ParsedDocument) -> list[str]:
    return [
        document.text[one.start : one.end] for one in document.blocks if one.kind is BlockKind.TABLE
    ]


def rendered(rows: Sequence[Sequence[str]], **said: object) -> list[str]:
    return [piece.text for piece in table_pieces(rows, **said)]  # type: ignore[arg-type]


def html(table: str) -> list[str]:
    page = f"<!doctype html><html><body>{table}</body></html>"
    return rows_of(parse_document(page.encode(), "x.html"))


def csv(text: str) -> list[str]:
    return rows_of(parse_document(text.encode(), "x.csv"))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ((("Bed", "Beans"), ("North", "12")), ["Bed: North; Beans: 12"]),
        ((("", "Mon", "Tue"), ("9:00", "Math", "Art")), ["9:00; Mon: Math; Tue: Art"]),
        ((("1", "2"), ("3", "4")), ["1; 2", "3; 4"]),
        ((("0", "0"), ("0", "1")), ["0; 0", "0; 1"]),
        (
            (("State", "2014", "2015"), ("Texas", "5", "6")),
            ["State: Texas; 2014: 5; 2015: 6"],
        ),
        (
            (("Ann", "1990", "3"), ("Bob", "1991", "4"), ("Eve", "1992", "7")),
            ["Ann; 1990; 3", "Bob; 1991; 4", "Eve; 1992; 7"],
        ),
        (
            (("Weight", "12 kg"), ("Height", "3"), ("Colour", "red")),
            ["Weight: 12 kg", "Height: 3", "Colour: red"],
        ),
        (
            (("Item", "Price", "Weight"), ("", "(EUR)", "kg"), ("Bean", "2", "3")),
            ["Item: Bean; Price (EUR): 2; Weight (kg): 3"],
        ),
        (
            (("", "2015", "", "2016", ""), ("Town", "Q1", "Q2", "Q1", "Q2"), ("A", *"1234")),
            ["Town: A; 2015 / Q1: 1; 2015 / Q2: 2; 2016 / Q1: 3; 2016 / Q2: 4"],
        ),
        ((("Bed", "Beans", "Peas"), ("North", "12"), ("South", "3", "4", "late")),
            ["Bed: North; Beans: 12", "Bed: South; Beans: 3; Peas: 4; late"]),
    ],
)  # fmt: skip
def test_headers_are_found_by_their_looks(rows: list[list[str]], expected: list[str]) -> None:
    assert rendered(rows) == expected


def test_a_title_row_is_no_header_and_a_header_without_values_is_kept() -> None:
    pieces = table_pieces([["Yield"], ["Bed", "Beans", "Note"], ["North", "12", ""]])
    assert [(piece.kind, piece.text) for piece in pieces] == [
        (BlockKind.PARAGRAPH, "Yield"),
        (BlockKind.TABLE, "Bed; Beans; Note"),
        (BlockKind.TABLE, "Bed: North; Beans: 12"),
    ]


def test_a_row_that_names_a_group_stands_before_the_rows_of_the_group() -> None:
    rows = [["Town", "Rain"], ["Islands"], ["Skye", "9"], ["Mainland"], ["Garth", "4"]]
    assert rendered(rows) == [
        "Islands",
        "Islands; Town: Skye; Rain: 9",
        "Mainland",
        "Mainland; Town: Garth; Rain: 4",
    ]


def test_parts_of_a_wide_row_repeat_its_key() -> None:
    names = ["Number", "Town", *(f"Measurement {at}" for at in range(60))]
    rows = [[str(row), f"Town {row}", *(str(row * at) for at in range(60))] for row in (7, 8)]
    found = rendered([names, *rows])
    assert len(found) > 4
    assert all(len(line) <= 600 for line in found)
    assert all("Town: Town 7" in line or "Town: Town 8" in line for line in found)
    joined = "; ".join(found)
    assert all(f"Measurement {at}: {8 * at}" in joined for at in range(60))


def test_a_table_of_many_rows_keeps_them_all_in_fewer_pieces() -> None:
    found = rendered([["Id", "Name"], *([str(at), f"n{at}"] for at in range(12_345))])
    assert len(found) < 10_500
    lines = "\n".join(found).split("\n")
    assert lines == [f"Id: {at}; Name: n{at}" for at in range(12_345)]


def test_the_name_of_a_table_stands_in_its_rows() -> None:
    assert rendered([["Bed", "Beans"], ["North", "12"]], name="1987") == [
        "1987; Bed: North; Beans: 12"
    ]


def test_spans_fill_their_places() -> None:
    rows = [
        [Cell("All", 3)],
        [Cell("Bed", rows=2), Cell("Beans", 2)],
        [Cell("red"), Cell("white")],
        [Cell("North"), Cell("12", 2)],
    ]
    assert list(fill_spans(rows)) == [
        ["All"],
        ["Bed", "Beans", "Beans"],
        ["Bed", "red", "white"],
        ["North", "12", "12"],
    ]


def test_spans_beyond_all_measure_cost_no_more_than_a_bound() -> None:
    rows = [[Cell("x", 10**9, 10**9)], *([Cell("y")] for _ in range(50))]
    assert sum(map(len, fill_spans(rows))) < 300_000


@pytest.mark.parametrize("text", ["12", "-1.5", "(3)", "45 %", "$1,200", "1 000,50", "9 €"])
def test_figures(text: str) -> None:
    assert is_number(text)


@pytest.mark.parametrize("text", ["", "A1", "2 kg", "Q1", "1" * 100])
def test_no_figures(text: str) -> None:
    assert not is_number(text)


def test_html_headers_in_two_rows_with_spans() -> None:
    assert html(
        "<table><thead><tr><th rowspan=2>Region</th><th colspan=2>2015</th></tr>"
        "<tr><th>Q1<th>Q2</tr></thead><tr><td rowspan=2>North<td>1<td>2<tr><td>3<td>4</table>"
    ) == [
        "Region: North; 2015 / Q1: 1; 2015 / Q2: 2",
        "Region: North; 2015 / Q1: 3; 2015 / Q2: 4",
    ]


def test_html_rows_named_by_their_first_cell() -> None:
    table = "<table><tr><th>Name<td>Ann<tr><th>Born<td>1815<tr><th>Jobs<td>smith</table>"
    assert html(table) == ["Name: Ann", "Born: 1815", "Jobs: smith"]


def test_a_caption_stands_above_its_rows() -> None:
    page = (
        "<!doctype html><html><body><table><caption>Prices</caption><tr><th>Bean<th>Price"
        "<tr><td>red<td>2</table></body></html>"
    )
    assert parse_document(page.encode(), "x.html").text == "Prices\n\nBean: red; Price: 2"


@pytest.mark.parametrize(
    "text",
    [
        "Land;Preis\nDE;1,50\nFR;2,75\nIT;3,10\n",
        "Land\tPreis\nDE\t1,50\nFR\t2,75\nIT\t3,10\n",
        "Land|Preis\nDE|1,50\nFR|2,75\nIT|3,10\n",
        'Land,Preis\nDE,"1,50"\nFR,"2,75"\nIT,"3,10"\n',
        "\ufeffLand;Preis\r\nDE;1,50\r\nFR;2,75\r\nIT;3,10\r\n",
        "sep=;\nLand;Preis\nDE;1,50\nFR;2,75\nIT;3,10\n",
    ],
)
def test_separators_and_decimal_commas(text: str) -> None:
    assert csv(text) == ["Land: DE; Preis: 1,50", "Land: FR; Preis: 2,75", "Land: IT; Preis: 3,10"]


def test_lines_above_the_header_of_a_csv_are_paragraphs() -> None:
    text = "Harvest report\nDate,2024-01-01\n\nBed,Beans,Peas,Note\nNorth,12,3,dry\nEast,7,1,wet\n"
    document = parse_document(text.encode(), "x.csv")
    assert document.text.startswith("Harvest report\n\nDate: 2024-01-01\n\n")
    assert rows_of(document)[0] == "Bed: North; Beans: 12; Peas: 3; Note: dry"


def test_a_cell_of_several_lines_is_one_and_a_lone_quote_takes_nothing_along() -> None:
    assert csv('Bed,Note\nNorth,"two\nlines"\n') == ["Bed: North; Note: two lines"]
    lines = "".join(f"{at},plain\n" for at in range(500))
    found = csv(f'Id,Note\n900,"open\n{lines}')
    assert len(found) == 501
    assert found[-1] == "Id: 499; Note: plain"


def test_docx_header_rows_and_merged_cells() -> None:
    from docx import Document

    document = Document()
    table = document.add_table(rows=4, cols=3)
    texts = (("Bed", "Beans", ""), ("", "red", "white"), ("North", "12", "3"), ("", "7", "1"))
    for row, values in zip(table.rows, texts, strict=True):
        for cell, text in zip(row.cells, values, strict=True):
            cell.text = text
    table.cell(0, 1).merge(table.cell(0, 2))
    table.cell(0, 0).merge(table.cell(1, 0))
    table.cell(2, 0).merge(table.cell(3, 0))
    assert rows_of(parse_document(_saved(document.save), "x.docx")) == [
        "Bed: North; Beans / red: 12; Beans / white: 3",
        "Bed: North; Beans / red: 7; Beans / white: 1",
    ]


def test_docx_tables_inside_tables_are_read_in_order() -> None:
    from docx import Document

    document = Document()
    outer = document.add_table(rows=1, cols=2)
    outer.rows[0].cells[0].text = "left words"
    inner = outer.rows[0].cells[1].add_table(rows=2, cols=2)
    for cell, text in zip(inner._cells, ("Bed", "Beans", "North", "12"), strict=True):  # pyright: ignore[reportPrivateUsage]
        cell.text = text
    text = parse_document(_saved(document.save), "x.docx").text
    assert text == "left words\n\nBed: North; Beans: 12"


def test_pptx_merged_cells_charts_and_notes() -> None:
    from pptx import Presentation
    from pptx.chart.data import ChartData
    from pptx.enum.chart import XL_CHART_TYPE
    from pptx.util import Inches

    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[6])
    place = (Inches(1), Inches(1), Inches(4), Inches(1))
    table = slide.shapes.add_table(3, 3, *place).table
    texts = (("Bed", "Beans", ""), ("", "red", "white"), ("North", "12", "3"))
    for row, values in enumerate(texts):
        for column, text in enumerate(values):
            table.cell(row, column).text = text
    table.cell(0, 1).merge(table.cell(0, 2))
    table.cell(0, 0).merge(table.cell(1, 0))
    data = ChartData()
    data.categories = ["North", "South"]
    data.add_series("Peas", (4, 5.5))
    slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *place[:1], Inches(4), *place[2:], data)
    found = rows_of(parse_document(_saved(deck.save), "x.pptx"))
    assert found[0] == "Bed: North; Beans / red: 12; Beans / white: 3"
    assert {"North; Peas: 4", "South; Peas: 5.5"} <= set(found)


def _figures(
    rows: Sequence[Sequence[str]],
    *,
    extra: Sequence[tuple[int, int, str]] = (),
    labels: Mapping[int, str] | None = None,
) -> bytes:
    """A PDF page with the rows in columns, other texts at places of their own, and labels
    to the left of the columns at the height of a row."""
    from fpdf import FPDF

    page = FPDF()
    page.add_page()
    page.set_font("helvetica", size=10)
    for left, top, text in extra:
        page.text(left, top, text)
    for line, row in enumerate(rows):
        if labels and line in labels:
            page.text(14, 40 + 6 * line, labels[line])
        for column, text in enumerate(row):
            page.text(20 + 40 * column, 40 + 6 * line, text)
    return bytes(page.output())


def test_pdf_rows_of_figures_get_the_words_above_their_columns() -> None:
    rows = [("State", "Handgun", "Long Gun"), *((f"State {at}", f"{at},1", "7") for at in range(6))]
    document = parse_document(_figures(rows, extra=[(20, 20, "Checks of 2015")]), "x.pdf")
    assert rows_of(document) == [
        f"State: State {at}; Handgun: {at},1; Long Gun: 7" for at in range(6)
    ]
    assert "Checks of 2015" in document.text


def test_pdf_headers_of_several_columns_stand_before_those_below() -> None:
    rows = [("State", "Sold", "Lent", "Sold", "Lent"), *(("Ohio", *"1234"),) * 4]
    extra = [(75, 34, "Cars"), (155, 34, "Boats")]
    found = rows_of(parse_document(_figures(rows, extra=extra), "x.pdf"))
    assert found[0] == (
        "State: Ohio; Cars / Sold: 1; Cars / Lent: 2; Boats / Sold: 3; Boats / Lent: 4"
    )


def test_pdf_labels_to_the_left_name_the_rows_below() -> None:
    towns = [(f"Town {at}", f"{at}.10", f"{at}.20") for at in range(4)]
    rows = [("", "Week", "Year"), *towns[:2], (), *towns[2:]]
    found = rows_of(parse_document(_figures(rows, labels={3: "Corn in dollars"}), "x.pdf"))
    assert found == [
        "Town 0; Week: 0.10; Year: 0.20",
        "Town 1; Week: 1.10; Year: 1.20",
        "Corn in dollars",
        "Corn in dollars; Town 2; Week: 2.10; Year: 2.20",
        "Corn in dollars; Town 3; Week: 3.10; Year: 3.20",
    ]


def _ruled(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows of a page with a table as programs draw it, all its columns of one width."""
    from fpdf import FPDF

    page = FPDF()
    page.add_page()
    page.set_font("helvetica", size=11)
    with page.table() as table:
        for row in rows:
            table.row(row)
    return rows_of(parse_document(bytes(page.output()), "x.pdf"))


def test_pdf_columns_may_be_headed_by_years() -> None:
    rows = [("Metric", "2022", "2023"), ("Net income", "782", "64"), ("Cost of beans", "9", "12")]
    assert _ruled(rows) == [
        "Metric: Net income; 2022: 782; 2023: 64",
        "Metric: Cost of beans; 2022: 9; 2023: 12",
    ]


def test_pdf_rows_may_hold_more_words_than_figures() -> None:
    towns = [("Norway", "Oslo", "709000"), ("Sweden", "Lund", "94000"), ("Malta", "Birgu", "2600")]
    assert _ruled([("Country", "Town", "People"), *towns])[1] == (
        "Country: Sweden; Town: Lund; People: 94000"
    )


def test_pdf_prose_with_numbers_stays_prose() -> None:
    lines = [
        (f"In {1900 + at} there were {at} wet days and {at * 3} dry ones.",) for at in range(9)
    ]
    assert rows_of(parse_document(_figures(lines), "x.pdf")) == []


def _saved(save: Callable[[io.BytesIO], None]) -> bytes:
    buffer = io.BytesIO()
    save(buffer)
    return buffer.getvalue()


def test_docx_keeps_numbers_insertions_controls_and_equations() -> None:
    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    math = "http://schemas.openxmlformats.org/officeDocument/2006/math"
    body = (
        "<w:p><w:pPr><w:pStyle w:val='H'/></w:pPr><w:r><w:t>Kinds</w:t></w:r></w:p>"
        "<w:p><w:pPr><w:numPr><w:ilvl w:val='0'/><w:numId w:val='4'/></w:numPr></w:pPr>"
        "<w:r><w:t>first</w:t></w:r></w:p>"
        "<w:p><w:pPr><w:numPr><w:ilvl w:val='1'/><w:numId w:val='4'/></w:numPr></w:pPr>"
        "<w:r><w:t>below</w:t></w:r></w:p>"
        "<w:p><w:pPr><w:numPr><w:ilvl w:val='0'/><w:numId w:val='4'/></w:numPr></w:pPr>"
        "<w:r><w:t>second</w:t></w:r></w:p>"
        "<w:sdt><w:sdtContent><w:p><w:r><w:t>in a control</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        "<w:p><w:ins><w:r><w:t>put in</w:t></w:r></w:ins><w:del><w:r><w:delText>gone</w:delText>"
        "</w:r></w:del><w:r><w:tab/><w:t>x</w:t><w:noBreakHyphen/><w:t>y</w:t></w:r></w:p>"
        "<w:p><m:oMath><m:r><m:t>a+b</m:t></m:r></m:oMath></w:p>"
    )
    levels = "".join(
        f"<w:lvl w:ilvl='{depth}'><w:start w:val='1'/><w:numFmt w:val='{style}'/>"
        f"<w:lvlText w:val='{text}'/></w:lvl>"
        for depth, style, text in ((0, "decimal", "%1."), (1, "lowerLetter", "%1.%2)"))
    )
    parts = {
        "word/document.xml": f"<w:document xmlns:w='{word}' xmlns:m='{math}'><w:body>{body}"
        "</w:body></w:document>",
        "word/numbering.xml": f"<w:numbering xmlns:w='{word}'><w:abstractNum w:abstractNumId='1'>"
        f"{levels}</w:abstractNum><w:num w:numId='4'><w:abstractNumId w:val='1'/></w:num>"
        "</w:numbering>",
        "word/styles.xml": f"<w:styles xmlns:w='{word}'><w:style w:styleId='G'><w:name "
        "w:val='heading 2'/></w:style><w:style w:styleId='H'><w:name w:val='Ours'/>"
        "<w:basedOn w:val='G'/></w:style></w:styles>",
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    document = parse_document(buffer.getvalue(), "x.docx")
    assert document.blocks[0].kind is BlockKind.HEADING
    assert document.blocks[0].level == 2
    assert document.text == (
        "Kinds\n\n1. first\n1.a) below\n2. second\n\nin a control\n\nput in x-y\n\na+b"
    )
