"""Messages as mail programs really send them: names, encodings, parts, locks, mailboxes."""

import base64
import io
from email.message import EmailMessage

import pytest

from alexandria.errors import (
    CorruptFileError,
    PasswordProtectedError,
    UnsupportedFormatError,
)
from alexandria.knowledge.documents import ParsedDocument
from alexandria.knowledge.parsing import parse_document


def mail(headers: str, body: str = "Hello.", encoding: str = "utf-8") -> bytes:
    return f"From: Ann <ann@example.org>\n{headers}\n\n{body}\n".encode(encoding)


def read(content: bytes) -> ParsedDocument:
    return parse_document(content, "mail.eml")


def with_parts(*parts: str, kind: str = "mixed") -> bytes:
    """A message of parts, each given with its own headers."""
    body = "".join(f"--b\n{part}\n" for part in parts)
    return mail(f"Subject: Parts\nContent-Type: multipart/{kind}; boundary=b", f"{body}--b--")


def attached(disposition: str, kind: str = "application/pdf") -> str:
    return f"Content-Type: {kind}\nContent-Disposition: attachment; {disposition}\n\nx"


def picture(width: int, height: int) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (width, height)).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


TEXT = "Content-Type: text/plain\n\nHello."
HTML = "Content-Type: text/html\n\n<p>Hello <b>there</b>.</p>"


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("filename*=utf-8''%D0%BE%D1%82%D1%87%D1%91%D1%82.pdf", "отчёт.pdf"),
        ("filename*0*=utf-8''%C3%BCber; filename*1*=%20uns; filename*2=\".pdf\"", "über uns.pdf"),
        ("filename=\"bad.pdf\"; filename*=utf-8''%E8%B1%86.pdf", "豆.pdf"),
        ('filename="=?utf-8?B?w7xiZXI=?= =?utf-8?Q?_a.pdf?="', "über a.pdf"),
        ('filename="=?iso-2022-jp?B?GyRCRiYbKEI=?=.pdf"', "豆.pdf"),
        ('filename="grün.pdf"', "grün.pdf"),
        ("filename=two words.pdf", "two words.pdf"),
        ('filename="../../etc/passwd"', "passwd"),
        ('filename="C:\\\\Users\\\\ann\\\\list.pdf"', "list.pdf"),
        ('filename="a\x07b\u202egpj.exe"', "abgpj.exe"),
        ('filename=".."', "file"),
        ("x=y", "part-1.pdf"),
    ],
)
def test_file_names_in_any_script_and_any_form(disposition: str, name: str) -> None:
    document = read(with_parts(TEXT, attached(disposition)))
    assert [one.name for one in document.attachments] == [name]
    assert document.text.endswith(f"Attachments: {name}")


def test_names_are_unique_without_regard_to_case() -> None:
    parts = [attached(f'filename="{name}"') for name in ("a.pdf", "A.pdf", "x/a.pdf")]
    document = read(with_parts(TEXT, *parts))
    assert [one.name for one in document.attachments] == ["a.pdf", "A (2).pdf", "a (3).pdf"]


@pytest.mark.parametrize(
    ("subject", "found"),
    [
        ("=?utf-8?q?B=C3=A4ume?=", "Bäume"),
        ("=?utf-8?q?B=C3?= =?utf-8?q?=A4ume?=", "Bäume"),
        ("=?utf-8?b?QsOkdW1l?=\n =?iso-8859-1?q?_gr=FCn?=", "Bäume grün"),
        ("plain =?utf-8?q?B=C3=A4ume?= and on", "plain Bäume and on"),
        ("=?utf-8?b?broken!?= here", "=?utf-8?b?broken!?= here"),
        ("=?x-nonsense?q?Beans?=", "Beans"),
        ("Bäume", "Bäume"),
        ("long\n subject", "long subject"),
    ],
)
def test_subjects_in_any_form(subject: str, found: str) -> None:
    assert read(mail(f"Subject: {subject}")).title == found


def test_a_field_of_bare_bytes_is_read() -> None:
    assert "Grüße über Öl" in read(mail("Subject: Grüße über Öl", encoding="cp1252")).text


@pytest.mark.parametrize("declared", ["us-ascii", "iso-8859-1", "windows-1252", "nonsense", "zlib"])
def test_a_wrong_encoding_does_not_spoil_the_text(declared: str) -> None:
    headers = f"Subject: x\nContent-Type: text/plain; charset={declared}\nMIME-Version: 1.0"
    assert "Größe über alles" in read(mail(headers, "Größe über alles")).text


@pytest.mark.parametrize("headers", ["To: <>", "Message-ID: <", "Date: yesterday", "X: y"])
def test_odd_and_missing_fields_do_no_harm(headers: str) -> None:
    document = read(mail(headers))
    assert document.units[0].label == "Message"
    assert document.text.endswith("Hello.")


@pytest.mark.parametrize(("part", "text"), [(TEXT, "Hello."), (HTML, "Hello there.")])
def test_one_kind_of_body_is_enough(part: str, text: str) -> None:
    assert read(with_parts(part)).text.endswith(text)


def test_html_counts_among_alternatives_and_plain_where_it_says_nothing() -> None:
    assert "Hello there." in read(with_parts(TEXT, HTML, kind="alternative")).text
    silent = "Content-Type: text/html\n\n<img src='cid:1'>"
    assert "Hello." in read(with_parts(TEXT, silent, kind="alternative")).text


def test_text_between_and_after_files_is_kept() -> None:
    more = "Content-Type: text/plain\n\nAfter the picture."
    document = read(with_parts(TEXT, attached('filename="a.pdf"'), more))
    assert document.text.endswith("Hello.\n\nAfter the picture.\n\nAttachments: a.pdf")


def test_parts_nested_in_parts_are_found() -> None:
    inner = f"Content-Type: multipart/alternative; boundary=c\n\n--c\n{TEXT}\n--c\n{HTML}\n--c--"
    middle = f"Content-Type: multipart/related; boundary=d\n\n--d\n{inner}\n--d\n"
    middle += "Content-Type: image/png\nContent-ID: <1>\nContent-Transfer-Encoding: base64\n\n"
    middle += f"{picture(400, 300)}\n--d--"
    document = read(with_parts(middle, attached('filename="a.pdf"')))
    assert "Hello there." in document.text
    assert [one.name for one in document.attachments] == ["part-1.png", "a.pdf"]


def test_only_small_pictures_inside_the_message_are_left_out() -> None:
    parts = [
        f"Content-Type: image/png; name=p{width}x{height}.png\nContent-ID: <{width}>\n"
        f"Content-Disposition: {how}\nContent-Transfer-Encoding: base64\n\n{picture(width, height)}"
        for width, height, how in (
            (1, 1, "inline"),
            (600, 60, "inline"),
            (150, 150, "inline"),
            (320, 200, "inline"),
            (32, 32, "attachment"),
        )
    ]
    document = read(with_parts(HTML, *parts, kind="related"))
    assert [one.name for one in document.attachments] == ["p320x200.png", "p32x32.png"]
    assert [(one.code, one.unit) for one in document.notes] == [("small_pictures_left_out", 0)]
    assert "left out: 3." in document.notes[0].message


INVITATION = """Content-Type: text/calendar; method=REQUEST

BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//x//y//EN
BEGIN:VEVENT
UID:1
DTSTART:20250319T180000Z
DTEND:20250319T193000Z
SUMMARY:Reading group\\, second evening
LOCATION:Garden house
ORGANIZER;CN=Ann Author:mailto:ann@example.org
ATTENDEE:mailto:bo@example.org
DESCRIPTION:We read two
  chapters.
END:VEVENT
END:VCALENDAR
"""


def test_an_invitation_is_read() -> None:
    text = read(with_parts(TEXT, HTML, INVITATION, kind="alternative")).text
    assert "Hello there." in text
    assert "Event: Reading group, second evening" in text
    assert "Start: 2025-03-19 18:00 UTC\nEnd: 2025-03-19 19:30 UTC" in text
    assert "Organizer: Ann Author <ann@example.org>\nAttendees: bo@example.org" in text
    assert "We read two chapters." in text


def test_a_broken_invitation_is_noted() -> None:
    document = read(with_parts(TEXT, "Content-Type: text/calendar\n\nBEGIN:VEVENT\nno"))
    assert [one.code for one in document.notes] == ["unread_part"]


def test_a_signature_is_no_file() -> None:
    signature = attached("filename=smime.p7s", "application/pkcs7-signature")
    document = read(with_parts(TEXT, signature, kind="signed"))
    assert document.attachments == ()
    assert "Hello." in document.text


LOCKED = "Content-Type: application/octet-stream\n\n-----BEGIN PGP MESSAGE-----\nabc"


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (with_parts("Content-Type: application/pgp-encrypted\n\nVersion: 1", LOCKED,
                    kind="encrypted; protocol=x"), PasswordProtectedError),
        (mail("Content-Type: application/pkcs7-mime; smime-type=enveloped-data", "MIIB"),
         PasswordProtectedError),
        (mail("X: y", "-----BEGIN PGP MESSAGE-----\n\nabc\n-----END PGP MESSAGE-----"),
         PasswordProtectedError),
        (mail("Content-Type: application/pkcs7-mime; smime-type=signed-data", "MIIB"),
         UnsupportedFormatError),
    ],
)  # fmt: skip
def test_a_locked_message_is_refused_with_advice(
    content: bytes, error: type[PasswordProtectedError | UnsupportedFormatError]
) -> None:
    with pytest.raises(error) as caught:
        read(content)
    assert "mail program" in caught.value.advice


def test_a_locked_part_beside_text_is_noted() -> None:
    document = read(with_parts(TEXT, "Content-Type: application/pkcs7-mime; name=smime.p7m\n\nMII"))
    assert [one.code for one in document.notes] == ["encrypted_part"]


def test_a_winmail_file_is_handed_on_and_refused_with_advice() -> None:
    message = EmailMessage()
    message["Subject"] = "Plan"
    message.set_content("See the plan.")
    message.add_attachment(
        b"\x78\x9f\x3e\x22" + bytes(40), maintype="application", subtype="ms-tnef",
        filename="winmail.dat",
    )  # fmt: skip
    (file,) = read(message.as_bytes()).attachments
    with pytest.raises(UnsupportedFormatError) as caught:
        parse_document(file.content, file.name)
    assert "HTML" in caught.value.advice


def test_quoted_replies_are_kept_and_flowed_lines_joined() -> None:
    headers = "Subject: x\nContent-Type: text/plain; charset=utf-8; format=flowed"
    body = "This sentence goes \non here.\n\n> What you \n> wrote.\n>> What I wrote before."
    text = read(mail(headers, body)).text
    assert "This sentence goes on here." in text
    assert "> What you wrote.\n>> What I wrote before." in text


def test_a_message_sent_in_base64_is_unpacked() -> None:
    inner = base64.encodebytes(mail("Subject: Beans/peas", "Inner words.")).decode()
    part = f"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n{inner}"
    (file,) = read(with_parts(TEXT, part)).attachments
    assert file.name == "Beans-peas.eml"
    assert "Inner words." in parse_document(file.content, file.name).text


def test_a_report_of_delivery_keeps_its_fields() -> None:
    status = "Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nAction: failed"
    document = read(with_parts(TEXT, status, kind="report"))
    assert "Action: failed" in document.text


def test_a_message_that_is_only_a_file_lists_it() -> None:
    document = read(mail("Subject: x\nContent-Type: application/pdf; name=a.pdf", "%PDF-"))
    assert document.text.endswith("Attachments: a.pdf")
    assert document.attachments[0].content.startswith(b"%PDF-")


MAILBOX = (
    b"From ann@example.org Wed Mar  5 09:12:00 2025\nFrom: ann@example.org\nSubject: One\n"
    b"Date: Wed, 5 Mar 2025 09:12:00 +0000\n\nFirst words.\n\n>From then on it rained.\n"
    b"From here it is text.\n\n"
    b"From bo@example.org Thu Mar  6 09:12:00 2025\nFrom: bo@example.org\nSubject: Two\n"
    b"Content-Type: application/pkcs7-mime\n\nMIIB\n\n"
    b"From ann@example.org Fri Mar  7 09:12:00 2025\nFrom: ann@example.org\nSubject: Three\n"
    b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; name=a.txt\n\n"
    b"filed\n--b\nContent-Type: text/plain\n\nThird words.\n--b--\n"
)


@pytest.mark.parametrize("name", ["archive.mbox", "Inbox"])
@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_mailbox_has_a_unit_for_each_message(name: str, line_end: bytes) -> None:
    document = parse_document(MAILBOX.replace(b"\n", line_end), name)
    assert document.media_type == "application/mbox"
    assert [(one.label, one.anchor) for one in document.units] == [
        ("One", "message=1"),
        ("Two", "message=2"),
        ("Three", "message=3"),
    ]
    assert [one.problem.code if one.problem else "" for one in document.units] == [
        "",
        "password_protected",
        "",
    ]
    assert "From then on it rained.\nFrom here it is text." in document.text
    assert "Third words.\n\nAttachments: a.txt" in document.text
    assert [one.name for one in document.attachments] == ["a.txt"]


def test_a_letter_that_begins_with_from_is_text() -> None:
    document = parse_document(b"From the garden\nSubject: beans\n\nThey grow.\n", "letter.txt")
    assert document.media_type == "text/plain"
    assert document.text.startswith("From the garden")


def test_a_text_without_headers_is_no_mail() -> None:
    with pytest.raises(CorruptFileError):
        read(b"\nonly words\n")


def test_a_message_that_ends_too_early_says_so() -> None:
    whole = with_parts(TEXT, attached("filename=a.pdf"))
    assert read(whole).notes == ()
    cut = read(whole.removesuffix(b"--b--\n"))
    assert [(note.code, note.unit) for note in cut.notes] == [("file_cut", 0)]
    assert cut.text == read(whole).text
    page = b"From: <Saved by a browser>\nContent-Type: multipart/related; boundary=b\n\n"
    page += f"--b\n{HTML}\n".encode()
    assert [note.code for note in parse_document(page, "x.mhtml").notes] == ["file_cut"]
    assert parse_document(page + b"--b--\n", "x.mhtml").notes == ()
