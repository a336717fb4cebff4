"""Rich text in any alphabet, workbooks of old Excel, OpenDocument sheets and slides."""

import base64
import io
import struct
import zipfile
from datetime import date, datetime, time

import pytest
import xlwt
from compound_files import build_compound

from alexandria.errors import CorruptFileError, PasswordProtectedError
from alexandria.knowledge.documents import BlockKind, ParsedDocument
from alexandria.knowledge.parsing import parse_document
from alexandria.knowledge.parsing.readers.other_office.rich_text import unicode_letters


def blocks(document: ParsedDocument, kind: BlockKind) -> list[str]:
    return [document.text[one.start : one.end] for one in document.blocks if one.kind is kind]


def rtf(body: str, head: str = r"\ansi\ansicpg1252") -> ParsedDocument:
    return parse_document(f"{{\\rtf1{head} {body}}}".encode("latin-1"), "notes.rtf")


def escaped(text: str, encoding: str) -> str:
    return "".join(f"\\'{byte:02x}" for byte in text.encode(encoding))


def font(number: int, charset: int) -> str:
    return f"{{\\fonttbl{{\\f{number}\\fnil\\fcharset{charset} Some Font;}}}}"


@pytest.mark.parametrize(
    ("text", "encoding", "charset"),
    [
        ("Grüße, Ärger", "cp1252", 0),
        ("Привет мир", "cp1251", 204),
        ("žluťoučký kůň", "cp1250", 238),
        ("日本語の文 アイ", "cp932", 128),
        ("한국어", "cp949", 129),
        ("中文", "gbk", 134),
        ("ελληνικά", "cp1253", 161),
        ("עברית", "cp1255", 177),
    ],
)
def test_letters_of_any_alphabet(text: str, encoding: str, charset: int) -> None:
    by_font = rtf(f"\\f1 {escaped(text, encoding)} end\\par", font(1, charset))
    assert by_font.text == f"{text} end"
    page = {"gbk": "936"}.get(encoding, encoding.removeprefix("cp"))
    by_page = rtf(f"{escaped(text, encoding)}\\par", f"\\ansi\\ansicpg{page}")
    assert by_page.text == text


def test_unicode_letters_and_what_stands_in_for_them() -> None:
    body = r"A\u1041?\u1042 B {\uc2\u26085\'93\'faC}{\uc0\u233 D} \u-10179?\u-8704? \emdash x\par"
    assert rtf(r"a\'7bb\'5c\u125?\par").text == "a{b\\}"
    assert rtf(body).text == "AБВ 日CéD 😀 —x"  # noqa: RUF001


def test_letters_right_after_a_word_and_across_line_ends() -> None:
    assert rtf("one\\par\\'e9lan\\par\r\n\xe9t\xe9\\par").text == "one\n\nélan\n\nété"
    cut = "\\'93\r\n\\'fa\\'96\n{\\b x}"
    assert rtf(f"\\f1 {cut}\\par", font(1, 128)).text.startswith("日")


def test_bytes_of_a_picture_are_not_taken_for_text() -> None:
    assert unicode_letters("{\\bin4 {\\}}\xe9}") == ("{7b5c7d7dé}", True)


def test_rich_text_keeps_its_structure() -> None:
    document = rtf(
        r"{\stylesheet{\s0 Normal;}{\s1\outlinelevel0 heading 1;}}"
        r"{\info{\title Bean book}{\author Ann Author}}"
        r"\pard\s1\outlinelevel0 Soil\par\pard\s0 Beans like it light.{\footnote So they say.}\par"
        r"\pard\s1\outlinelevel0 Yield\par"
        r"\trowd\cellx3000\cellx6000\pard\intbl Bed\cell Beans\cell\row"
        r"\trowd\cellx3000\cellx6000\pard\intbl North\cell 12\cell\row"
        r"\pard\s0 That is all.\par"
    )
    assert (document.title, document.author) == ("Bean book", "Ann Author")
    assert [one.label for one in document.units] == ["Soil", "Yield"]
    assert "Beans like it light.[1]" in document.text
    assert "So they say." in document.text
    assert "That is all." in document.text
    rows = " ".join(blocks(document, BlockKind.TABLE))
    assert all(word in rows for word in ("Bed", "Beans", "North", "12"))


def test_pictures_of_rich_text_are_found() -> None:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (90, 60), "red").save(buffer, "PNG")
    document = rtf(f"Words.\\par{{\\pict\\pngblip\\picw90\\pich60 {buffer.getvalue().hex()}}}\\par")
    assert [(one.width, one.height) for one in document.images] == [(90, 60)]


def test_damaged_rich_text_is_read_as_far_as_it_goes() -> None:
    document = rtf(r"{\b unclosed \'e9 \par{{{")
    assert document.text == "unclosed é"
    assert [one.code for one in document.notes] == ["file_cut"]
    assert parse_document(b"{\\rtf1 words\\par \\'", "x.rtf").text == "words"


def workbook() -> xlwt.Workbook:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Prices")
    day = xlwt.easyxf(num_format_str="YYYY-MM-DD")
    sheet.write_merge(0, 0, 0, 4, "Price list")
    for column, name in enumerate(("Item", "Price", "Since", "Sold", "Time")):
        sheet.write(1, column, name)
    for row, item in enumerate(("Bean", "Pea", "Lentil"), start=2):
        sheet.write(row, 0, item)
        sheet.write(row, 1, row - 0.5)
        sheet.write(row, 2, date(2025, 3, row), day)
        sheet.write(row, 3, row == 2)
        sheet.write(row, 4, time(9, 30), xlwt.easyxf(num_format_str="HH:MM"))
    sheet.write(6, 0, "Note")
    moment = xlwt.easyxf(num_format_str="YYYY-MM-DD HH:MM:SS")
    sheet.write(7, 0, datetime(2025, 3, 5, 9, 12), moment)  # noqa: DTZ001 - sheets know no zone
    hidden = book.add_sheet("Drafts")
    hidden.visibility = 1
    hidden.write_merge(0, 1, 0, 0, "North")
    hidden.write(0, 1, 1)
    hidden.write(1, 1, 2)
    hidden.write(2, 0, "South")
    hidden.write(2, 1, 3)
    book.add_sheet("Empty")
    return book


def saved(book: xlwt.Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_an_old_workbook() -> None:
    document = parse_document(saved(workbook()), "prices.xls")
    assert [(one.label, one.anchor) for one in document.units] == [
        ("Sheet Prices", "sheet=Prices"),
        ("Sheet Drafts", "sheet=Drafts"),
        ("Sheet Empty", "sheet=Empty"),
    ]
    assert document.units[2].problem
    rows = blocks(document, BlockKind.TABLE)
    assert "Item: Bean; Price: 1.5; Since: 2025-03-02; Sold: True; Time: 09:30:00" in rows
    assert "Item: Lentil; Price: 3.5; Since: 2025-03-04; Sold: False; Time: 09:30:00" in rows
    assert document.text.startswith("Price list")
    assert "2025-03-05 09:12:00" in document.text
    assert [(one.code, one.unit) for one in document.notes] == [("hidden_sheet", 1)]


def test_merged_rows_of_an_old_workbook_name_each_row() -> None:
    document = parse_document(saved(workbook()), "prices.xls")
    drafts = document.text[document.units[1].start : document.units[1].end]
    assert drafts.count("North") == 2


def test_errors_in_cells_are_shown() -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Sums")
    sheet.write(0, 0, "Sum")
    sheet.row(1).set_cell_error(0, "#DIV/0!")
    assert "#DIV/0!" in parse_document(saved(book), "sums.xls").text


def test_a_workbook_with_a_password_is_refused() -> None:
    stream = workbook().get_biff_data()
    size = struct.unpack_from("<H", stream, 2)[0] + 4
    lock = struct.pack("<HHHHH", 0x2F, 6, 0, 0x1234, 0x5678)
    content = build_compound({"Workbook": stream[:size] + lock + stream[size:]})
    with pytest.raises(PasswordProtectedError):
        parse_document(content, "locked.xls")


def test_a_damaged_workbook_is_refused() -> None:
    with pytest.raises(CorruptFileError):
        parse_document(build_compound({"Workbook": b"\x09\x08" + bytes(600)}), "x.xls")


SPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in (
        *(("office", "office"), ("table", "table"), ("text", "text")),
        *(("draw", "drawing"), ("presentation", "presentation")),
    )
)


def opened(kind: str, body: str, extra: dict[str, str] | None = None) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}")
        content = f"<office:document-content {SPACES}><office:body><office:{kind}>{body}"
        archive.writestr(
            "content.xml", f"{content}</office:{kind}></office:body></office:document-content>"
        )
        archive.writestr(
            "meta.xml",
            '<m xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Seeds</dc:title></m>',
        )
        for name, text in (extra or {}).items():
            archive.writestr(name, text)
    return buffer.getvalue()


def cell(text: str, attributes: str = "") -> str:
    return f"<table:table-cell {attributes}><text:p>{text}</text:p></table:table-cell>"


ROWS = "".join(
    f"<table:table-row>{''.join(row)}</table:table-row>"
    for row in (
        (cell("Item"), cell("Price"), cell("Since"), cell("Sold")),
        (
            cell("Bean<text:s/>one"),
            cell("2,50 €", 'office:value-type="float" office:value="2.50"'),
            cell("5.3.25", 'office:value-type="date" office:date-value="2025-03-05T00:00:00"'),
            cell("WAHR", 'office:value-type="boolean" office:boolean-value="true"'),
            '<table:table-cell table:number-columns-repeated="16380"/>',
        ),
        (
            cell("Pea"),
            cell("3", 'office:value-type="float" office:value="3"'),
            cell("6.3.25", 'office:value-type="date" office:date-value="2025-03-06"'),
            cell("FALSCH", 'office:value-type="boolean" office:boolean-value="false"'),
        ),
    )
)
EMPTY_ROWS = (
    '<table:table-row table:number-rows-repeated="1048000"><table:table-cell '
    'table:number-columns-repeated="16384"/></table:table-row>'
)


def test_an_opendocument_spreadsheet() -> None:
    body = f'<table:table table:name="Prices">{ROWS}{EMPTY_ROWS}</table:table>'
    document = parse_document(
        opened("spreadsheet", body + '<table:table table:name="Empty"/>'), "prices.ods"
    )
    assert [(one.label, one.problem is None) for one in document.units] == [
        ("Sheet Prices", True),
        ("Sheet Empty", False),
    ]
    assert blocks(document, BlockKind.TABLE) == [
        "Item: Bean one; Price: 2.5; Since: 2025-03-05; Sold: True",
        "Item: Pea; Price: 3; Since: 2025-03-06; Sold: False",
    ]
    assert document.title == "Seeds"


def frame(text: str, role: str = "outline") -> str:
    box = f"<draw:text-box>{text}</draw:text-box>"
    return f'<draw:frame presentation:class="{role}">{box}</draw:frame>'


def test_an_opendocument_presentation() -> None:
    listed = "<text:list><text:list-item><text:p>light soil</text:p></text:list-item></text:list>"
    table = f"<draw:frame><table:table>{ROWS}</table:table></draw:frame>"
    notes = f"<presentation:notes>{frame('<text:p>Pause here.</text:p>', 'notes')}"
    first = frame("<text:p>Why <text:span>beans</text:span></text:p>", "title") + frame(
        f"<text:p>They feed<text:line-break/>the soil.</text:p>{listed}"
    )
    foot = frame("<text:p>page 1</text:p>", "page-number")
    body = (
        f"<draw:page>{first}{table}{foot}{notes}</presentation:notes></draw:page>"
        "<draw:page><draw:custom-shape><text:p>boxed</text:p></draw:custom-shape></draw:page>"
        "<draw:page/>"
    )
    document = parse_document(opened("presentation", body), "deck.odp")
    assert [(one.label, one.anchor) for one in document.units] == [
        ("Slide 1: Why beans", "slide=1"),
        ("Slide 2", "slide=2"),
        ("Slide 3", "slide=3"),
    ]
    assert document.units[2].problem
    assert blocks(document, BlockKind.HEADING) == ["Why beans"]
    assert blocks(document, BlockKind.LIST_ITEM) == ["light soil"]
    assert "They feed\nthe soil." in document.text
    assert "Item: Pea; Price: 3" in document.text
    assert "Pause here." in document.text
    assert "boxed" in document.text
    assert "page 1" not in document.text


@pytest.mark.parametrize("kind", ["text", "spreadsheet", "presentation"])
def test_a_locked_opendocument_file_is_refused(kind: str) -> None:
    lock = {"META-INF/manifest.xml": "<m:manifest><m:encryption-data/></m:manifest>"}
    with pytest.raises(PasswordProtectedError):
        parse_document(opened(kind, "", lock), "locked.zip")


PAGE = base64.encodebytes("<html><body><h1>Größe</h1><p>Saved words.</p></body></html>".encode())
SAVED = (
    b"From: <Saved by Blink>\nSubject: Beans\nDate: Wed, 5 Mar 2025 09:12:00 -0000\n"
    b'MIME-Version: 1.0\nContent-Type: multipart/related; type="text/html"; boundary="b"\n\n'
    b"--b\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
    + PAGE
    + b"\n--b\nContent-Type: image/png\n\nx\n--b--\n"
)


@pytest.mark.parametrize("name", ["page.mhtml", "page.mht", "page.txt"])
def test_a_saved_web_page_in_one_file(name: str) -> None:
    document = parse_document(SAVED, name)
    assert document.media_type == "multipart/related"
    assert document.text == "Größe\n\nSaved words."


def test_a_saved_page_without_a_page_is_refused() -> None:
    with pytest.raises(CorruptFileError):
        parse_document(SAVED.replace(b"text/html; charset", b"text/css; charset"), "page.mhtml")
