"""Messages that Outlook saved: every form of the text, people, files, messages inside."""

import io

import pytest
from compound_files import Tree, build_attachment, build_compound, build_message
from compressed_rtf import compress

from alexandria.errors import (
    CorruptFileError,
    PasswordProtectedError,
    UnreadableError,
    UnsupportedFormatError,
)
from alexandria.knowledge.documents import ParsedDocument
from alexandria.knowledge.parsing import parse_document

SUBJECT, PLAIN, HTML, RTF, CLASS = 0x37, 0x1000, 0x1013, 0x1009, 0x1A
SENDER_NAME, SENDER_ADDRESS, SENT, CODE_PAGE = 0x0C1A, 0x0C1F, 0x39, 0x3FDE
NAME, ADDRESS, KIND = 0x3001, 0x39FE, 0x0C15
FILE_NAME, FILE_BYTES, CONTENT_ID = 0x3707, 0x3701, 0x3712
MARCH_5 = 133_856_395_200_000_000
"""2025-03-05 09:12 UTC, in tenths of microseconds since 1601."""

ENVELOPE: dict[int, str | bytes | int] = {
    SUBJECT: "Bohnen für Bo",
    SENDER_NAME: "Ann Author",
    SENDER_ADDRESS: "ann@example.org",
    SENT: MARCH_5,
}


def read(tree: Tree, name: str = "mail.msg") -> ParsedDocument:
    return parse_document(build_compound(tree), name)


def test_a_message_has_its_people_date_text_and_files() -> None:
    document = read(
        build_message(
            {**ENVELOPE, PLAIN: "Lieber Bo,\r\n\r\nkönnen wir am Montag ernten?\r\n"},
            [
                {NAME: "Bo", ADDRESS: "bo@example.org", KIND: 1},
                {NAME: "Cy", ADDRESS: "/o=firm/cn=cy", KIND: 2},
            ],
            [build_attachment({FILE_NAME: "../beds.csv", FILE_BYTES: b"Bed,Beans\nNorth,12\n"})],
        )
    )
    assert document.text == (
        "Bohnen für Bo\n\nFrom: Ann Author <ann@example.org>\nTo: Bo <bo@example.org>\nCc: Cy\n"
        "Date: 2025-03-05 09:12 UTC\n\nLieber Bo,\n\nkönnen wir am Montag ernten?\n\n"
        "Attachments: beds.csv"
    )
    assert (document.title, document.author) == ("Bohnen für Bo", "Ann Author")
    assert [one.anchor for one in document.units] == ["message=1"]
    assert document.attachments[0].content.startswith(b"Bed,Beans")


def test_the_html_text_counts_in_its_own_encoding() -> None:
    html = "<html><body><h2>Größe</h2><p>Über alles</p></body></html>"
    document = read(
        build_message({**ENVELOPE, PLAIN: "plain", HTML: html.encode("cp1252"), CODE_PAGE: 1252})
    )
    assert document.text.endswith("Größe\n\nÜber alles")
    assert "plain" not in document.text


def test_formatted_text_is_read_where_there_is_no_other() -> None:
    rtf = rb"{\rtf1\ansi\ansicpg1251 \'cf\'f0\'e8\'e2\'e5\'f2, \b Ann\b0 .\par}"
    document = read(build_message({**ENVELOPE, RTF: compress(rtf, compressed=True)}))
    assert document.text.endswith("Привет, Ann.")


def test_a_damaged_form_of_the_text_gives_way_to_another() -> None:
    deep = b"<div>" * 3_000
    document = read(build_message({**ENVELOPE, HTML: deep, PLAIN: "the plain words"}))
    assert document.text.endswith("the plain words")


def test_a_message_inside_is_a_message_file() -> None:
    file = build_attachment({FILE_NAME: "list.txt", FILE_BYTES: b"beans and peas"})
    inner = build_message(
        {**ENVELOPE, SUBJECT: "Früher", HTML: b"<p>The <b>inner</b> words.</p>"},
        [{NAME: "Bö", ADDRESS: "bo@example.org", KIND: 1}],
        [file],
        header=24,
    )
    outer = build_message({**ENVELOPE, PLAIN: "See below."}, [], [build_attachment({}, inner)])
    (forwarded,) = read(outer).attachments
    assert forwarded.name == "Früher.eml"
    document = parse_document(forwarded.content, forwarded.name)
    assert document.title == "Früher"
    assert "From: Ann Author <ann@example.org>\nTo: Bö <bo@example.org>" in document.text
    assert "The inner words." in document.text
    assert [(one.name, one.content) for one in document.attachments] == [
        ("list.txt", b"beans and peas")
    ]


def test_small_pictures_that_the_text_shows_are_left_out() -> None:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (120, 40)).save(buffer, "PNG")
    logo: dict[int, str | bytes | int] = {FILE_NAME: "logo.png", FILE_BYTES: buffer.getvalue()}
    html = b"<p>Hello.<img src='cid:logo@1'></p>"
    files = [build_attachment({**logo, CONTENT_ID: "logo@1"}), build_attachment(logo)]
    document = read(build_message({**ENVELOPE, HTML: html}, [], files))
    assert [one.name for one in document.attachments] == ["logo.png"]
    assert [one.code for one in document.notes] == ["small_pictures_left_out"]


def test_an_encrypted_message_is_refused_and_a_signed_one_read() -> None:
    with pytest.raises(PasswordProtectedError):
        read(build_message({**ENVELOPE, CLASS: "IPM.Note.SMIME"}))
    signed = (
        b"Content-Type: multipart/signed; boundary=b\nSubject: Signed\n\n"
        b"--b\nContent-Type: text/plain\n\nSigned words.\n--b--\n"
    )
    files = [build_attachment({FILE_NAME: "smime.p7m", FILE_BYTES: signed})]
    message = build_message({**ENVELOPE, CLASS: "IPM.Note.SMIME.MultipartSigned"}, [], files)
    assert "Signed words." in read(message).text


@pytest.mark.parametrize(
    ("stream", "advice"),
    [("WordDocument", "DOCX"), ("PowerPoint Document", "PPTX"), ("VisioDocument", "PDF")],
)
def test_older_office_files_are_refused_with_advice(stream: str, advice: str) -> None:
    with pytest.raises(UnsupportedFormatError) as caught:
        read({stream: b"x" * 600}, "renamed.txt")
    assert advice in caught.value.advice


def test_a_locked_office_file_is_refused() -> None:
    with pytest.raises(PasswordProtectedError):
        read({"EncryptedPackage": b"x" * 600, "EncryptionInfo": b"y"}, "report.docx")


@pytest.mark.parametrize("percent", [1, 20, 50, 80, 99])
def test_a_cut_message_is_read_or_refused(percent: int) -> None:
    content = build_compound(build_message({**ENVELOPE, PLAIN: "words " * 900}))
    try:
        document = parse_document(content[: len(content) * percent // 100], "mail.msg")
    except (CorruptFileError, UnsupportedFormatError):
        return
    except UnreadableError as error:
        pytest.fail(f"refused as {error.code}")
    assert document.text
