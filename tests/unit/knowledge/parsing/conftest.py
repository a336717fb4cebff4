"""One small file of each format, made here so that the tests need no other files."""

import gzip
import io
import tarfile
import zipfile
from email.message import EmailMessage

import pytest
import xlwt
from compound_files import build_attachment, build_compound, build_message
from PIL import Image

from alexandria.knowledge.parsing.recognizers import RecognizedLine, SpokenLine, Tools

XHTML = '<html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body>{}</body></html>'


def build_pdf(pages: list[str], *, info: str = "", pictures: tuple[int, ...] = ()) -> bytes:
    """A PDF with a line of text for each line of a page; pictures: indexes of image pages."""
    objects = ["<</Type/Catalog/Pages 2 0 R>>", ""]
    objects.append("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    objects.append(
        "<</Type/XObject/Subtype/Image/Width 1/Height 1/ColorSpace/DeviceGray"
        "/BitsPerComponent 8/Length 1>>stream\n0\nendstream"
    )
    kids: list[str] = []
    for index, page in enumerate(pages):
        lines = " ".join(f"({line}) Tj 0 -14 Td" for line in page.split("\n") if line)
        drawn = f"BT /F1 12 Tf 72 720 Td {lines} ET" if lines else ""
        if index in pictures:
            drawn += " q 300 0 0 300 72 72 cm /I1 Do Q"
        objects.append(f"<</Length {len(drawn)}>>stream\n{drawn}\nendstream")
        resources = "<</Font<</F1 3 0 R>>/XObject<</I1 4 0 R>>>>"
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources{resources}"
            f"/Contents {len(objects)} 0 R>>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<</Type/Pages/Count {len(kids)}/Kids[{' '.join(kids)}]>>"
    objects.append(f"<<{info}>>")
    out, offsets = b"%PDF-1.4\n", list[int]()
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    trailer = f"trailer<</Size {size}/Root 1 0 R/Info {size - 1} 0 R>>"
    tail = f"xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}\nstartxref\n{len(out)}\n%%EOF\n"
    return out + tail.encode()


def build_zip(members: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def build_epub(extra: dict[str, str] | None = None) -> bytes:
    chapters = {
        "cover": '<svg xmlns="http://www.w3.org/2000/svg"/>',
        "one": "<h1>The First</h1><p>It was a dark night.</p>",
        "two": '<p>No heading here.</p><script>alert("no")</script>',
        "three": "<h2>The Third</h2><p>It ended &amp; well.</p>",
    }
    items = "".join(
        f'<item id="{one}" href="text/{one}.xhtml" media-type="application/xhtml+xml"/>'
        for one in chapters
    )
    spine = "".join(f'<itemref idref="{one}"/>' for one in chapters)
    package = (
        '<package xmlns="http://www.idpf.org/2007/opf" version="3.0">'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Nights</dc:title>'
        "<dc:creator>Ann Author</dc:creator><dc:language>en-GB</dc:language></metadata>"
        '<manifest><item id="nav" href="nav.xhtml" properties="nav" '
        f'media-type="application/xhtml+xml"/>{items}</manifest><spine>{spine}</spine></package>'
    )
    nav = '<nav><ol><li><a href="text/two.xhtml#a">Chapter <b>Two</b></a></li></ol></nav>'
    return build_zip(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container><rootfiles><rootfile full-path="e/p.opf"/>'
            "</rootfiles></container>",
            "e/p.opf": package,
            "e/nav.xhtml": XHTML.format(nav),
            **{f"e/text/{one}.xhtml": XHTML.format(body) for one, body in chapters.items()},
            **(extra or {}),
        }
    )


def build_docx() -> bytes:
    from docx import Document

    document = Document()
    document.core_properties.title = "Bean report"
    document.core_properties.author = "Ann Author"
    document.add_heading("Soil", 1)
    document.add_paragraph("Beans like light soil.")
    document.add_paragraph("water often", style="List Bullet")
    document.add_heading("Yield", 1)
    table = document.add_table(rows=0, cols=2)
    for row in (("Bed", "Beans"), ("North", "12"), ("South", "30")):
        for cell, value in zip(table.add_row().cells, row, strict=True):
            cell.text = value
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def build_pptx() -> bytes:
    from pptx import Presentation

    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "Why beans"  # pyright: ignore[reportOptionalMemberAccess]
    slide.placeholders[1].text = "They feed the soil."  # pyright: ignore[reportAttributeAccessIssue]
    slide.notes_slide.notes_text_frame.text = "Pause here."  # pyright: ignore[reportOptionalMemberAccess]
    deck.slides.add_slide(deck.slide_layouts[6])
    buffer = io.BytesIO()
    deck.save(buffer)
    return buffer.getvalue()


def build_xlsx() -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Prices"
    for row in (("Price list",), ("Item", "Price"), ("Bean", 2), ("Pea", 1.5), (), ("Note",)):
        sheet.append(row)
    book.create_sheet("Empty")
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def build_odt() -> bytes:
    office = "urn:oasis:names:tc:opendocument:xmlns:"
    spaces = f'xmlns:office="{office}office:1.0" xmlns:text="{office}text:1.0"'
    body = '<text:h text:outline-level="1">Seeds</text:h><text:p>Keep seeds dry.</text:p>'
    return build_zip(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": f"<office:document-content {spaces}><office:body><office:text>{body}"
            "</office:text></office:body></office:document-content>",
            "styles.xml": f"<office:document-styles {spaces}><office:font-face-decls/>"
            "<office:styles/><office:automatic-styles/><office:master-styles/></office:document-styles>",
            "meta.xml": f'<office:document-meta {spaces} xmlns:dc="http://purl.org/dc/elements/'
            '1.1/"><office:meta><dc:title>Seed notes</dc:title></office:meta>'
            "</office:document-meta>",
            "META-INF/manifest.xml": '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:'
            'opendocument:xmlns:manifest:1.0"/>',
        }
    )


def build_mail() -> bytes:
    message = EmailMessage()
    message["From"] = "Ann Author <ann@example.org>"
    message["To"] = "Bo <bo@example.org>"
    message["Subject"] = "Bohnen für Bo"
    message["Date"] = "Wed, 05 Mar 2025 09:12:00 +0000"
    message.set_content("Lieber Bo,\n\nkönnen wir am Montag die Bohnen ernten?\n\n> old words\n")
    message.add_attachment("Bed,Beans\nNorth,12\nSouth,30\n", subtype="csv", filename="beds.csv")
    message.add_attachment(
        b"\x89PNG\r\n\x1a\n", maintype="image", subtype="png", filename="bean.png"
    )
    return message.as_bytes()


TEXT = """The Bean Book

by Ann Author


CHAPTER I

The soil in the north bed is light and warm, and the beans that were sown
there in April stood a hand high when the ones in the south bed had only
just broken through.

CHAPTER II

Oh bean,
so green,
unseen.
"""


def build_tar(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def build_xls() -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Prices")
    for row, cells in enumerate((("Item", "Price"), ("Bean", 2), ("Pea", 1.5))):
        for column, value in enumerate(cells):
            sheet.write(row, column, value)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def build_outlook() -> bytes:
    file = build_attachment({0x3707: "beds.csv", 0x3701: b"Bed,Beans\nNorth,12\n"})
    body = "Dear Bo,\r\n\r\nthe beans are ripe."
    message = build_message({0x37: "Beans", 0x1000: body, 0x0C1A: "Ann"}, [], [file])
    return build_compound(message)


def build_open_document(kind: str, body: str) -> bytes:
    names = ("office", "table", "text", "drawing", "presentation")
    spaces = " ".join(f'xmlns:{n}="urn:oasis:names:tc:opendocument:xmlns:{n}:1.0"' for n in names)
    return build_zip(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "content.xml": f"<office:document-content {spaces}><office:body><office:{kind}>{body}"
            f"</office:{kind}></office:body></office:document-content>",
        }
    )


def build_picture(kind: str, size: tuple[int, int] = (64, 48)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, "white").save(buffer, kind)
    return buffer.getvalue()


class Looker:
    """A recognizer that sees the same in every picture."""

    def recognize(self, picture: Image.Image) -> list[RecognizedLine]:
        width, height = picture.size
        return [RecognizedLine(f"There are {width} by {height} dots.", 0.9, 0, 0, width, height)]


class Listener:
    """A transcriber that hears the same in every recording."""

    def transcribe(self, content: bytes) -> list[SpokenLine]:
        return [SpokenLine(f"There are {len(content)} bytes of sound.", 0.5, 2.0, 0.9)]


SAMPLES: dict[str, bytes] = {
    "book.txt": TEXT.encode(),
    "notes.md": b"---\ntitle: Notes\n---\n# Beans\n\nGood *beans*.\n\n- one\n- two\n\n"
    b"| Bed | Beans |\n|---|---|\n| North | 12 |\n\n```\n  x = 1\n```\n",
    "page.html": b"<!doctype html><html lang='en'><head><title>Beans, by Ann Author</title>"
    b"<style>p{}</style></head><body><nav>Home</nav><h1>Beans</h1><p>Good<br>beans."
    b"<p hidden>secret</p><script>no()</script></body></html>",
    "book.epub": build_epub(),
    "paper.pdf": build_pdf(
        ["Beans are good.\nThey feed us.", "", "More of it."], info="/Title(Beans)/Author(Ann)"
    ),
    "report.docx": build_docx(),
    "deck.pptx": build_pptx(),
    "prices.xlsx": build_xlsx(),
    "seeds.odt": build_odt(),
    "beds.csv": b'Bed;Beans;Note\nNorth;12;"two\nlines"\nSouth;30;\n',
    "mail.eml": build_mail(),
    "talk.vtt": b"WEBVTT\n\nNOTE hidden\n\n1\n00:01:02.000 --> 00:01:03.000\n<v Ann>Hello &amp;\n\n"
    b"01:03.500 --> 01:04.000\n<v Ann>welcome.\n\n01:05.000 --> 01:06.000\n<v Bo>Thanks.\n",
    "talk.srt": b"1\n00:00:01,000 --> 00:00:02,500\nHello there.\n",
    "inbox.mbox": b"From ann Wed Mar  5 09:12:00 2025\nFrom: ann@example.org\nSubject: One\n\n"
    b"First words.\n\nFrom bo Thu Mar  6 09:12:00 2025\nFrom: bo@example.org\nSubject: Two\n\n"
    b"Second words.\n",
    "mail.msg": build_outlook(),
    "plan.ics": b"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:1\n"
    b"DTSTART;VALUE=DATE:20250319\nSUMMARY:Sowing\nEND:VEVENT\nEND:VCALENDAR\n",
    "page.mhtml": b"From: <Saved by Blink>\nSubject: Beans\nMIME-Version: 1.0\n"
    b'Content-Type: multipart/related; type="text/html"; boundary="b"\n\n'
    b"--b\nContent-Type: text/html\n\n<html><body><p>Saved words.</p></body></html>\n--b--\n",
    "notes.rtf": rb"{\rtf1\ansi\ansicpg1251 \'cf\'f0\'e8\'e2\'e5\'f2\par{\b Beans} grow.\par}",
    "prices.xls": build_xls(),
    "prices.ods": build_open_document(
        "spreadsheet",
        '<table:table table:name="Prices"><table:table-row><table:table-cell><text:p>Bean</text:p>'
        "</table:table-cell></table:table-row></table:table>",
    ),
    "deck.odp": build_open_document(
        "presentation",
        "<drawing:page><drawing:frame><text:p>Why beans</text:p></drawing:frame></drawing:page>",
    ),
    "talk.flac": b"fLaC\0\0\0\x22",
    "talk.mp3": b"ID3\4\0\0\0\0",
    "talk.wav": b"RIFF\x24\0\0\0WAVEfmt ",
    "talk.m4a": b"\0\0\0\x20ftypM4A \0",
    "talk.ogg": b"OggS\0\2\0\0",
    "beans.png": build_picture("PNG"),
    "beans.jpg": build_picture("JPEG"),
    "beans.tif": build_picture("TIFF"),
    "beans.webp": build_picture("WEBP"),
    "beans.gif": build_picture("GIF"),
    "beans.bmp": build_picture("BMP"),
    "drawing.svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><title>Bean bed'
    b"</title><style>text{}</style><script>no()</script><text x='1' y='2'>North"
    b"<tspan x='1' y='9'>bed</tspan></text></svg>",
    "bundle.zip": build_zip({"notes/one.txt": "Beans grow.", "two.txt": "Peas too."}),
    "bundle.tar": build_tar({"notes/one.txt": b"Beans grow.", "two.txt": b"Peas too."}),
    "letter.txt.gz": gzip.compress(b"Dear Bo, the beans are ripe.", mtime=0),
}


SPECIAL: dict[str, bytes] = {
    "locked.epub": build_epub(
        {"META-INF/encryption.xml": '<e><CipherReference URI="e/text/one.xhtml"/></e>'}
    ),
    "entity.epub": build_epub(
        {
            "e/text/one.xhtml": '<!DOCTYPE html [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
            + XHTML.format("<p>before &x; after</p>")
        }
    ),
    "scanned.pdf": build_pdf(["", ""], pictures=(0, 1)),
    "mixed.pdf": build_pdf(["Some text here.", ""], pictures=(1,)),
    "running.pdf": build_pdf(
        [
            f"Report of the year {page}\nThe {word} page speaks of well-known and hyphen-\n"
            f"ated {word} things, even of well-\nknown ones.\n"
            f"The {word} page ends\nin this way.\nleft {page} over"
            for page, word in enumerate(("first", "second", "third", "fourth"), start=7)
        ]
    ),
    "bomb.docx": build_zip({"word/document.xml": bytes(24 << 20)}),
    "locked.docx": bytes.fromhex("d0cf11e0a1b11ae1") + "EncryptedPackage".encode("utf-16-le"),
}


@pytest.fixture
def specials() -> dict[str, bytes]:
    """Files that are locked, scanned, hostile or odd."""
    return SPECIAL


@pytest.fixture(params=sorted(SAMPLES))
def sample(request: pytest.FixtureRequest) -> tuple[str, bytes]:
    """Name and content of one sample; the test runs for each."""
    return request.param, SAMPLES[request.param]


@pytest.fixture
def samples() -> dict[str, bytes]:
    return SAMPLES


@pytest.fixture
def tools() -> Tools:
    """What reads pixels and sound here."""
    return Tools(Looker(), Listener())
