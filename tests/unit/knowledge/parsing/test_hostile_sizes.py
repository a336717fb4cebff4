"""Inputs that would take very long if a reader's work grew faster than they do.

None of these tests looks at a clock: each input is so large that only work in proportion to
it ends in any time that a test run has.
"""

import io
import random
import unicodedata
import zipfile
from collections.abc import Callable

import pytest
from test_parsing_laws import check_laws

from alexandria.errors import CorruptFileError, UnreadableError
from alexandria.knowledge.parsing import detect_media_type, parse_document
from alexandria.knowledge.parsing.drafts import clean_text

Samples = dict[str, bytes]


def page(body: str) -> bytes:
    return f"<html><body>{body}</body></html>".encode()


def mail(fields: str, body: str = "Beans.") -> bytes:
    return f"From: a@example.org\nTo: b@example.org\n{fields}\n\n{body}\n".encode()


def captions(text: str) -> bytes:
    return f"WEBVTT\n\n00:01.000 --> 00:02.000\n{text}\n".encode()


LONG: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a word without an end": ("x.txt", lambda: b"w" * 1_000_000),
    "a line without an end": ("x.txt", lambda: b"word " * 200_000),
    "spaces": ("x.txt", lambda: b"a" + b" \t" * 500_000 + b"b"),
    "blank lines": ("x.txt", lambda: b"a" + b"\n \n" * 300_000 + b"b"),
    "quote marks": ("x.txt", lambda: b">" * 500_000 + b"x"),
    "combining marks": ("x.txt", lambda: ("a" + "\u0301\u0316" * 100_000).encode()),
    "short lines": ("x.txt", lambda: b"a\n" * 100_000),
    "a row of cells": ("x.csv", lambda: b",".join(b"%d" % n for n in range(200_000))),
    "a wide row and a long column": (
        "x.csv",
        lambda: b",".join(b"c%d" % n for n in range(20_000)) + b"\n" + b"x\n" * 20_000,
    ),
    "an open quote": ("x.csv", lambda: b'a,"' + b"x,\n" * 200_000),
    "headings": ("x.md", lambda: b"# a\n" * 20_000),
    "brackets": ("x.md", lambda: b"![[" * 4_000),
    "emphasis": ("x.md", lambda: b"*a **a " * 5_000),
    "comments": ("x.md", lambda: b"a <!-- " * 20_000),
    "tags": ("x.html", lambda: page("<" * 500_000)),
    "attributes": ("x.html", lambda: page(f"<p {' '.join(f'a{n}' for n in range(200_000))}>x")),
    "bars of links": ("x.html", lambda: page("<nav>a</nav>b" * 30_000)),
    "cells": ("x.html", lambda: page("<table>" + "<tr><td>a<td>b" * 5_000)),
    "wide cells": ("x.html", lambda: page(f"<table>{'<tr><td colspan=99999>a<td>b' * 2_000}")),
    "voices": ("x.vtt", lambda: captions("<v " * 100_000 + "a")),
    "marks": ("x.vtt", lambda: captions("<" * 300_000 + "a")),
    "encoded words": ("x.eml", lambda: mail("Subject: " + "=?utf-8?q?a?= " * 40_000)),
    "parameters": ("x.eml", lambda: mail("Content-Type: text/plain; " + "a=b; " * 100_000)),
    "addresses": ("x.eml", lambda: mail("Cc: " + "a@example.org, " * 20_000)),
    "brackets in addresses": ("x.eml", lambda: mail("Cc: " + "(<" * 100_000)),
    "quoted lines": ("x.eml", lambda: mail("Subject: x", "> > a\n" * 50_000)),
    "drawn words": ("x.svg", lambda: b"<svg>" + b"<text>a</text>" * 20_000 + b"</svg>"),
}


@pytest.mark.parametrize("name", LONG)
def test_work_grows_no_faster_than_the_file(name: str) -> None:
    file, make = LONG[name]
    check_laws(parse_document(make(), file))


def test_deep_nesting_is_read_or_refused() -> None:
    files = {
        "x.html": page("<div>" * 100_000 + "core"),
        "x.svg": b"<svg>" + b"<g>" * 100_000 + b"<text>core</text>",
        "x.eml": mail("Content-Type: message/rfc822\n\n" * 5_000),
    }
    for name, content in files.items():
        with pytest.raises(CorruptFileError):
            parse_document(content, name)


@pytest.mark.parametrize(
    "text",
    [
        ">" * 500 + " core",
        "- " * 500 + "core",
        "".join(f"{' ' * 2 * level}- item{level}\n" for level in range(150)) + "\ncore",
        "".join(f"{'>' * level} item{level}\n\n" for level in range(150)) + "core",
    ],
    ids=["quotes", "lists", "growing list", "growing quotes"],
)
def test_deep_markdown_loses_nothing(text: str) -> None:
    document = parse_document(text.encode(), "x.md").text
    assert "core" in document
    assert all(f"item{level}" in document for level in range(150) if f"item{level}\n" in text)


def test_detection_does_not_try_every_way_to_read_comments() -> None:
    assert detect_media_type(b"<!-- -->" * 500 + b"text", "x") == "text/plain"
    assert detect_media_type(b"<!-- -->" * 100 + b"<html>", "x") == "text/html"
    assert detect_media_type(b"<!-- <html> --><svg>", "x") == "image/svg+xml"


def test_marks_in_any_order_are_normalized_as_unicode_says() -> None:
    chance = random.Random(7)
    marks = [chr(code) for code in (*range(0x300, 0x370), 0xF73, 0xF75, 0x344, 0x5B0, 0x64B)]
    for _ in range(50):
        text = "e" + "".join(chance.choices(marks, k=200)) + "x\u0301\u0316"
        assert clean_text(text) == unicodedata.normalize("NFC", text)


def test_nested_lists_do_not_double_the_work_of_pandoc(samples: Samples) -> None:
    deep = 60
    nested = "<text:list><text:list-item>" * deep + "<text:p>core</text:p>"
    closed = nested + "</text:list-item></text:list>" * deep
    spaced = '<text:p>far<text:s text:c="999999999"/>apart</text:p>'
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(samples["seeds.odt"])) as source,
        zipfile.ZipFile(buffer, "w") as target,
    ):
        for name in source.namelist():
            part = source.read(name)
            end = b"</office:text>"
            target.writestr(name, part.replace(end, f"{closed}{spaced}".encode() + end))
    text = " ".join(parse_document(buffer.getvalue(), "x.odt").text.split())
    assert "core" in text
    assert "far apart" in text


def test_a_chapter_listed_a_thousand_times_is_one(samples: Samples) -> None:
    more = "".join(f'<item id="m{n}" href="text/one.xhtml" media-type="a"/>' for n in range(1000))
    refs = "".join(f'<itemref idref="m{n}"/>' for n in range(1000))
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(samples["book.epub"])) as source,
        zipfile.ZipFile(buffer, "w") as target,
    ):
        for name in source.namelist():
            part = source.read(name).replace(b"</manifest>", f"{more}</manifest>".encode())
            target.writestr(name, part.replace(b"</spine>", f"{refs}</spine>".encode()))
    assert len(parse_document(buffer.getvalue(), "x.epub").units) == 4


@pytest.mark.parametrize("lines", [["- bean"] * 8_000, ["a b c 1 2 3"] * 5_000, ["w" * 30_000]])
def test_a_page_of_a_pdf_may_hold_any_number_of_lines(lines: list[str]) -> None:
    drawn = " ".join(f"({line}) Tj 0 -14 Td" for line in lines)
    content = f"BT /F1 12 Tf 72 720 Td {drawn} ET"
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Count 1/Kids[4 0 R]>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 5 0 R/Resources 6 0 R>>",
        f"<</Length {len(content)}>>stream\n{content}\nendstream",
        "<</Font<</F1 3 0 R>>>>",
    ]
    body = "".join(f"{n} 0 obj\n{one}\nendobj\n" for n, one in enumerate(objects, start=1))
    try:
        check_laws(parse_document(f"%PDF-1.4\n{body}trailer<</Root 1 0 R>>".encode(), "x.pdf"))
    except UnreadableError as error:
        pytest.fail(error.message)
