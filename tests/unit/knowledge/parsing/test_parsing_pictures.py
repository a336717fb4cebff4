"""Pictures inside documents: each in the unit that shows it, and none lost in silence."""

import base64
import io
import random
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from alexandria.knowledge.documents import ParsedDocument, UnitKind
from alexandria.knowledge.parsing import parse_document
from alexandria.knowledge.parsing.drafts import Draft, Section
from alexandria.knowledge.parsing.pictures.office import add_office_pictures

DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h9v9z"/></svg>'


def picture(seed: int, size: tuple[int, int] = (60, 40), kind: str = "PNG") -> bytes:
    """A picture of coloured boxes; another seed is another picture."""
    chance = random.Random(seed)
    drawn = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(drawn)
    for _ in range(6):
        left, top = chance.randrange(size[0] - 8), chance.randrange(size[1] - 8)
        box = (left, top, left + chance.randrange(8, 30), top + chance.randrange(8, 30))
        pen.rectangle(box, fill=tuple(chance.randrange(256) for _ in range(3)))
    buffer = io.BytesIO()
    drawn.save(buffer, kind)
    return buffer.getvalue()


RED, BLUE = picture(1), picture(2)


def zipped(members: Mapping[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def rezipped(content: bytes, changes: Mapping[str, bytes]) -> bytes:
    """An archive with some members changed or added."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    return zipped(members | dict(changes))


def placed(document: ParsedDocument) -> list[tuple[str, bytes, str]]:
    """Label of the unit, bytes and description of every picture."""
    return [
        (document.units[image.unit].label, image.content, image.description)
        for image in document.images
    ]


def codes(document: ParsedDocument) -> list[str]:
    return [note.code for note in document.notes]


def word_file() -> bytes:
    """Two chapters with a picture each, the second named by a description; a logo on top."""
    from docx import Document

    document = Document()
    logo = document.sections[0].header.paragraphs[0].add_run()
    logo.add_picture(io.BytesIO(picture(3)))
    document.add_heading("Soil", 1)
    document.add_paragraph("Light soil.")
    document.add_picture(io.BytesIO(RED))
    document.add_heading("Yield", 1)
    document.add_paragraph("Much of it.")
    shape = document.add_picture(io.BytesIO(BLUE))
    inline = shape._inline  # pyright: ignore[reportPrivateUsage]
    inline.docPr.set("descr", "Beans by bed")
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def test_word_pictures_lie_in_their_chapters() -> None:
    document = parse_document(word_file(), "report.docx")
    assert placed(document) == [
        ("Soil", picture(3), ""),
        ("Soil", RED, ""),
        ("Yield", BLUE, "Beans by bed"),
    ]
    first = document.images[1]
    assert (first.width, first.height, first.media_type) == (60, 40, "image/png")
    assert Image.open(io.BytesIO(first.thumbnail)).size == (60, 40)


def test_slides_have_their_own_pictures_and_a_repeated_one_each_time() -> None:
    from pptx import Presentation
    from pptx.util import Pt

    deck = Presentation()
    for number, shown in enumerate(((RED, BLUE), (RED, RED)), start=1):
        slide = deck.slides.add_slide(deck.slide_layouts[5])
        slide.shapes.title.text = f"Part {number}"  # pyright: ignore[reportOptionalMemberAccess]
        for content in shown:
            shape = slide.shapes.add_picture(io.BytesIO(content), Pt(9), Pt(9))
            properties = shape._element._nvXxPr.cNvPr  # pyright: ignore[reportPrivateUsage]
            properties.set("descr", f"Boxes of {number}")
    buffer = io.BytesIO()
    deck.save(buffer)
    document = parse_document(buffer.getvalue(), "deck.pptx")
    assert placed(document) == [
        ("Slide 1: Part 1", RED, "Boxes of 1"),
        ("Slide 1: Part 1", BLUE, "Boxes of 1"),
        ("Slide 2: Part 2", RED, "Boxes of 2"),
    ]


def test_sheets_have_their_own_pictures() -> None:
    from openpyxl import Workbook
    from openpyxl.drawing.image import Image as SheetImage

    book = Workbook()
    book.worksheets[0].append(["Item", "Price"])
    other = book.create_sheet("Plans")
    other.append(["Bed", "Beans"])
    other.add_image(SheetImage(io.BytesIO(BLUE)), "D4")
    buffer = io.BytesIO()
    book.save(buffer)
    document = parse_document(buffer.getvalue(), "prices.xlsx")
    assert [(label, len(content)) for label, content, _ in placed(document)] == [
        ("Sheet Plans", len(document.images[0].content))
    ]
    assert document.images[0].width == 60


def test_open_document_pictures_lie_in_their_chapters() -> None:
    names = "urn:oasis:names:tc:opendocument:xmlns:"
    spaces = (
        f'xmlns:office="{names}office:1.0" xmlns:text="{names}text:1.0" '
        f'xmlns:draw="{names}drawing:1.0" xmlns:svg="{names}svg-compatible:1.0" '
        'xmlns:xlink="http://www.w3.org/1999/xlink"'
    )
    frame = (
        '<text:p>See<draw:frame><draw:image xlink:href="Pictures/one.png"/>'
        "<svg:desc>A bean</svg:desc></draw:frame></text:p>"
    )
    body = (
        '<text:h text:outline-level="1">Seeds</text:h><text:p>Keep dry.</text:p>'
        f'<text:h text:outline-level="1">Sowing</text:h>{frame}'
    )
    content = zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": f"<office:document-content {spaces}><office:body><office:text>{body}"
            "</office:text></office:body></office:document-content>",
            "styles.xml": f"<office:document-styles {spaces}><office:font-face-decls/>"
            "<office:styles/><office:automatic-styles/><office:master-styles/>"
            "</office:document-styles>",
            "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="{names}manifest:1.0"/>',
            "Pictures/one.png": RED,
        }
    )
    document = parse_document(content, "seeds.odt")
    assert placed(document) == [("Sowing", RED, "A bean")]


def open_pages(kind: str, pages: str) -> bytes:
    """An OpenDocument file of a body's children, with one picture."""
    names = "urn:oasis:names:tc:opendocument:xmlns:"
    spaces = (
        f'xmlns:office="{names}office:1.0" xmlns:text="{names}text:1.0" '
        f'xmlns:draw="{names}drawing:1.0" xmlns:table="{names}table:1.0" '
        'xmlns:xlink="http://www.w3.org/1999/xlink"'
    )
    return zipped(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "content.xml": f"<office:document-content {spaces}><office:body><office:{kind}>{pages}"
            f"</office:{kind}></office:body></office:document-content>",
            "Pictures/one.png": BLUE,
        }
    )


def test_open_document_slides_and_sheets_have_their_own_pictures() -> None:
    frame = '<draw:frame><draw:image xlink:href="Pictures/one.png"/></draw:frame>'
    box = "<draw:frame><draw:text-box><text:p>Beans.</text:p></draw:text-box></draw:frame>"
    slides = f"<draw:page>{box}</draw:page><draw:page>{box}{frame}</draw:page>"
    deck = parse_document(open_pages("presentation", slides), "deck.odp")
    assert [(image.unit, image.content) for image in deck.images] == [(1, BLUE)]
    row = "<table:table-row><table:table-cell><text:p>Bean</text:p></table:table-cell>{}"
    sheets = "".join(
        f'<table:table table:name="{name}">{row.format("</table:table-row>")}{shown}</table:table>'
        for name, shown in (("Prices", ""), ("Plans", f"<table:shapes>{frame}</table:shapes>"))
    )
    book = parse_document(open_pages("spreadsheet", sheets), "book.ods")
    assert [(image.unit, image.content) for image in book.images] == [(1, BLUE)]


def test_a_books_chapters_have_the_pictures_they_name() -> None:
    chapters = {
        "one": '<h1>The First</h1><p>Dark.<img src="../pics/a%20b.png" alt="A lamp"/></p>',
        "two": '<h1>The Second</h1><p>Light.<img src="https://example.org/far.png"/>'
        '<img src="../pics/line.svg"/><img src="../pics/gone.png"/></p>',
    }
    items = "".join(
        f'<item id="{one}" href="text/{one}.xhtml" media-type="application/xhtml+xml"/>'
        for one in chapters
    )
    spine = "".join(f'<itemref idref="{one}"/>' for one in chapters)
    book = zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container><rootfiles><rootfile full-path="e/p.opf"/>'
            "</rootfiles></container>",
            "e/p.opf": '<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata/>'
            f"<manifest>{items}</manifest><spine>{spine}</spine></package>",
            **{
                f"e/text/{one}.xhtml": f"<html><body>{text}</body></html>"
                for one, text in chapters.items()
            },
            "e/pics/a b.png": RED,
            "e/pics/line.svg": DRAWING,
        }
    )
    document = parse_document(book, "nights.epub")
    assert placed(document) == [("The First", RED, "A lamp")]
    assert [note.message[:21] for note in document.notes] == ["Pictures left out: 2."]


def address(content: bytes, kind: str = "png") -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def test_a_page_gives_the_pictures_written_into_it_and_fetches_none() -> None:
    page = (
        "<!doctype html><html><body><h1>Soil</h1><p>Light.</p>"
        f'<figure><img src="{address(RED)}"><figcaption>The north bed</figcaption></figure>'
        '<img src="http://127.0.0.1:9/a.png"><img src="file:///etc/passwd">'
        f"<h1>Yield</h1><p>Much.</p><img alt='Beans' src='{address(BLUE)}'>"
        "<img src='data:image/png;base64,####'></body></html>"
    )
    document = parse_document(page.encode(), "page.html")
    assert placed(document) == [("Soil", RED, "The north bed"), ("Yield", BLUE, "Beans")]
    assert codes(document) == ["images_skipped"]


def test_markdown_pictures_lie_in_their_chapters() -> None:
    text = f"# Soil\n\nLight.\n\n# Yield\n\n![Beans]({address(BLUE)})\n\nMuch. ![far](a.png)\n"
    document = parse_document(text.encode(), "notes.md")
    assert placed(document) == [("Yield", BLUE, "Beans")]
    assert codes(document) == []


@pytest.mark.parametrize(
    "content",
    [DRAWING, b"", b"\x89PNG\r\n\x1a\n cut", picture(4, (9, 40)), b"\xd7\xcd\xc6\x9a" + bytes(30)],
)
def test_what_is_no_picture_of_pixels_is_counted_and_harms_nothing(content: bytes) -> None:
    document = parse_document(
        rezipped(word_file(), {"word/media/image2.png": content}), "report.docx"
    )
    assert [label for label, _, _ in placed(document)] == ["Soil", "Yield"]
    assert codes(document) == ["images_skipped"]
    assert "Light soil." in document.text


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "JPEG2000", "ICO"])
def test_every_kind_of_pixels_is_taken(kind: str) -> None:
    content = picture(5, kind=kind)
    page = f"<!doctype html><body><p>Beans.</p><img src='{address(content, kind.lower())}'></body>"
    document = parse_document(page.encode(), "page.html")
    assert [image.content for image in document.images] == [content]
    assert document.images[0].media_type.startswith("image/")
    assert codes(document) == []


def test_a_damaged_part_costs_its_pictures_only() -> None:
    broken = rezipped(word_file(), {"word/_rels/document.xml.rels": b"<not xml"})
    with zipfile.ZipFile(io.BytesIO(word_file())) as archive:
        links = archive.read("word/_rels/document.xml.rels")
    assert b"image" in links
    draft = Draft((Section(UnitKind.CHAPTER, "Soil", "chapter=1"),))
    assert add_office_pictures(draft, broken) == draft


def distinct(found: Sequence[tuple[str, bytes, str]]) -> int:
    return len({content for _, content, _ in found})


@pytest.mark.parametrize(
    ("name", "count", "unit"),
    [
        ("docx/owasp-top-10-2017-fr.docx", 8, "+RF Details About Risk Factors"),
        ("docx/owasp-asvs-5.0.0-en.docx", 2, "Frontispiece"),
        ("pptx/owasp-top-10-2017-en.pptx", 4, "Slide 2: Table of Contents"),
    ],
)
def test_every_picture_of_the_open_corpus_is_found(
    corpus: Path, name: str, count: int, unit: str
) -> None:
    document = parse_document((corpus / name).read_bytes(), name)
    found = placed(document)
    assert distinct(found) == count
    assert any(unit in label for label, _, _ in found)
