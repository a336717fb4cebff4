"""What each format's reader finds in a small file."""

import io
import zipfile

import pytest

from alexandria.errors import (
    ArchiveLimitError,
    CorruptFileError,
    EmptyFileError,
    NoTextLayerError,
    PasswordProtectedError,
    UndecodableTextError,
    UnreadableError,
    UnsupportedFormatError,
)
from alexandria.knowledge.documents import BlockKind, ParsedDocument, UnitKind
from alexandria.knowledge.parsing import SUPPORTED, detect_media_type, parse_document
from alexandria.knowledge.parsing.recognizers import Tools

Samples = dict[str, bytes]


def texts(document: ParsedDocument, kind: BlockKind) -> list[str]:
    return [document.text[one.start : one.end] for one in document.blocks if one.kind is kind]


def units(document: ParsedDocument) -> list[tuple[str, str, str]]:
    return [
        (one.label, one.anchor, one.problem.code if one.problem else "") for one in document.units
    ]


def test_the_table_of_formats_is_what_detection_finds(
    sample: tuple[str, bytes], tools: Tools
) -> None:
    name, content = sample
    extension = name.rpartition(".")[2]
    (entry,) = [one for one in SUPPORTED if extension in one.extensions]
    assert detect_media_type(content, name) == entry.media_type
    assert parse_document(content, name, tools).media_type == entry.media_type


def test_every_format_has_a_sample(samples: Samples) -> None:
    assert {name.rpartition(".")[2] for name in samples} == {one.extensions[0] for one in SUPPORTED}


@pytest.mark.parametrize("name", ["paper.pdf", "book.epub", "report.docx", "page.html", "talk.vtt"])
def test_content_decides_over_the_name(samples: Samples, name: str) -> None:
    assert detect_media_type(samples[name], "renamed.txt") == detect_media_type(samples[name], name)


def test_the_same_bytes_give_the_same_document(sample: tuple[str, bytes], tools: Tools) -> None:
    name, content = sample
    assert parse_document(content, name, tools) == parse_document(content, name, tools)


def test_plain_text(samples: Samples) -> None:
    document = parse_document(samples["book.txt"], "book.txt")
    assert (document.title, document.author, document.language) == (
        "The Bean Book",
        "Ann Author",
        "en",
    )
    assert [one.label for one in document.units] == ["The Bean Book", "CHAPTER I", "CHAPTER II"]
    assert "the beans that were sown there in April" in document.text
    assert "Oh bean,\nso green,\nunseen." in document.text


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("CHAPTER I", "CHAPTER II"),
        ("Kapitel 1", "Kapitel 2"),
        ("Chapitre premier", "Chapitre II"),
        ("Capítulo primero. Que trata de todo", "Capítulo II. Donde se cuenta"),
        ("I", "II"),
        ("Глава 1", "Глава 2"),
        ("BOOK ONE: 1805", "BOOK TWO: 1806"),
        ("Erstes Buch", "Zweites Buch"),
    ],
)
def test_chapter_lines_in_several_languages(first: str, second: str) -> None:
    text = f"{first}\n\nSome words stand here.\n\n{second}\n\nOther words stand there.\n"
    document = parse_document(text.encode(), "book.txt")
    assert [one.label for one in document.units] == [first, second]
    assert [one.anchor for one in document.units] == ["chapter=1", "chapter=2"]


def test_the_pronoun_i_is_no_chapter() -> None:
    document = parse_document(b"Who did it?\n\nI\n\nYou did?\n", "x.txt")
    assert [one.kind for one in document.units] == [UnitKind.TEXT]


def test_transcript_turns_have_their_times() -> None:
    text = "[00:00:04] CDR: Roger. Clock.\n[00:00:13] CDR: We got a roll program.\n"
    document = parse_document(text.encode(), "x.txt")
    assert [one.anchor for one in document.blocks] == ["time=00:00:04", "time=00:00:13"]


def test_markdown(samples: Samples) -> None:
    document = parse_document(samples["notes.md"], "notes.md")
    assert document.title == "Notes"
    assert texts(document, BlockKind.LIST_ITEM) == ["one", "two"]
    assert texts(document, BlockKind.TABLE) == ["Bed: North; Beans: 12"]
    assert texts(document, BlockKind.CODE) == ["  x = 1"]
    assert "Good beans." in document.text


def test_html_keeps_content_and_drops_the_rest(samples: Samples) -> None:
    document = parse_document(samples["page.html"], "page.html")
    assert document.text == "Beans\n\nGood\nbeans."
    assert (document.title, document.author, document.language) == ("Beans", "Ann Author", "en")


def test_html_layout_tables_are_paragraphs_and_data_tables_rows() -> None:
    page = (
        b"<html><body><table><tr><td><h2>Left</h2></td><td>Right</td></tr></table>"
        b"<table><tr><th>Bed</th><th>Beans</th><th>Unused</th></tr>"
        b"<tr><td colspan=2>all</td></tr><tr><td>North</td><td>12</td></tr></table></body></html>"
    )
    document = parse_document(page, "x.html")
    assert texts(document, BlockKind.HEADING) == ["Left"]
    assert texts(document, BlockKind.TABLE) == [
        "Bed; Beans; Unused",
        "Bed: all; Beans: all",
        "Bed: North; Beans: 12",
    ]


def test_epub(samples: Samples) -> None:
    document = parse_document(samples["book.epub"], "book.epub")
    assert (document.title, document.author, document.language) == ("Nights", "Ann Author", "en")
    assert units(document) == [
        ("Chapter 1", "chapter=1", "no_text_layer"),
        ("The First", "chapter=2", ""),
        ("Chapter Two", "chapter=3", ""),
        ("The Third", "chapter=4", ""),
    ]
    assert "alert" not in document.text
    assert "It ended & well." in document.text


def test_pdf(samples: Samples) -> None:
    document = parse_document(samples["paper.pdf"], "paper.pdf")
    assert (document.title, document.author) == ("Beans", "Ann")
    assert units(document) == [
        ("Page 1", "page=1", ""),
        ("Page 2", "page=2", "empty_page"),
        ("Page 3", "page=3", ""),
    ]


def test_docx(samples: Samples) -> None:
    document = parse_document(samples["report.docx"], "report.docx")
    assert (document.title, document.author) == ("Bean report", "Ann Author")
    assert [one.label for one in document.units] == ["Soil", "Yield"]
    assert texts(document, BlockKind.LIST_ITEM) == ["water often"]
    assert texts(document, BlockKind.TABLE) == ["Bed: North; Beans: 12", "Bed: South; Beans: 30"]


def test_docx_text_boxes_and_footnotes_are_kept_once(samples: Samples) -> None:
    word = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    choice = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    line = "<w:p><w:r><w:t>{}</w:t></w:r></w:p>"
    box = f"<w:txbxContent>{line.format('boxed words')}</w:txbxContent>"
    drawn = (
        f"<w:p {choice}><w:r><mc:AlternateContent><mc:Choice>{box}</mc:Choice>"
        f"<mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r></w:p>"
    )
    notes = (
        f"<w:footnotes {word}><w:footnote>{line.format('noted words')}</w:footnote></w:footnotes>"
    )
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(samples["report.docx"])) as source,
        zipfile.ZipFile(buffer, "w") as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            if name == "word/document.xml":
                content = content.replace(b"<w:sectPr", drawn.encode() + b"<w:sectPr", 1)
            target.writestr(name, content)
        target.writestr("word/footnotes.xml", notes)
    text = parse_document(buffer.getvalue(), "report.docx").text
    assert text.count("boxed words") == 1
    assert text.count("noted words") == 1


def test_pptx(samples: Samples) -> None:
    document = parse_document(samples["deck.pptx"], "deck.pptx")
    assert units(document) == [
        ("Slide 1: Why beans", "slide=1", ""),
        ("Slide 2", "slide=2", "empty_page"),
    ]
    assert texts(document, BlockKind.HEADING) == ["Why beans"]
    assert "Pause here." in document.text


def test_xlsx(samples: Samples) -> None:
    document = parse_document(samples["prices.xlsx"], "prices.xlsx")
    assert units(document) == [
        ("Sheet Prices", "sheet=Prices", ""),
        ("Sheet Empty", "sheet=Empty", "empty_page"),
    ]
    assert texts(document, BlockKind.TABLE) == ["Item: Bean; Price: 2", "Item: Pea; Price: 1.5"]
    assert texts(document, BlockKind.PARAGRAPH) == ["Price list", "Note"]


def test_odt(samples: Samples) -> None:
    document = parse_document(samples["seeds.odt"], "seeds.odt")
    assert document.title == "Seed notes"
    assert texts(document, BlockKind.HEADING) == ["Seeds"]
    assert texts(document, BlockKind.PARAGRAPH) == ["Keep seeds dry."]


def test_csv(samples: Samples) -> None:
    document = parse_document(samples["beds.csv"], "beds.csv")
    assert texts(document, BlockKind.TABLE) == [
        "Bed: North; Beans: 12; Note: two lines",
        "Bed: South; Beans: 30",
    ]


def test_mail_with_attachments(samples: Samples) -> None:
    document = parse_document(samples["mail.eml"], "mail.eml")
    assert (document.title, document.author, document.language) == (
        "Bohnen für Bo",
        "Ann Author",
        "de",
    )
    assert units(document) == [("Bohnen für Bo", "message=1", "")]
    assert [one.name for one in document.attachments] == ["beds.csv", "bean.png"]
    table = parse_document(document.attachments[0].content, "beds.csv")
    assert "Bed: North; Beans: 12" in table.text


def test_forwarded_mail_is_read(samples: Samples) -> None:
    from email import message_from_bytes, policy
    from email.message import EmailMessage

    outer = EmailMessage()
    outer["From"] = "bo@example.org"
    outer.set_content("See below.")
    outer.add_attachment(message_from_bytes(samples["mail.eml"], policy=policy.default))
    (forwarded,) = parse_document(outer.as_bytes(), "outer.eml").attachments
    inner = parse_document(forwarded.content, forwarded.name)
    assert "die Bohnen ernten" in inner.text
    assert len(inner.attachments) == 2


def test_captions_group_by_speaker(samples: Samples) -> None:
    document = parse_document(samples["talk.vtt"], "talk.vtt")
    assert document.text == "Ann: Hello & welcome.\n\nBo: Thanks."
    assert [one.anchor for one in document.blocks] == ["time=00:01:02.000", "time=00:01:05.000"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252", "utf-16-le"])
def test_encodings(encoding: str) -> None:
    text = "Die Bäume im Garten blühen früh, und größer wird der Schatten über den Wegen. " * 3
    assert text.strip() in parse_document(text.encode(encoding), "x.txt").text


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("locked.epub", PasswordProtectedError),
        ("locked.docx", PasswordProtectedError),
        ("scanned.pdf", NoTextLayerError),
        ("bomb.docx", ArchiveLimitError),
    ],
)
def test_locked_scanned_and_hostile_files_are_refused(
    specials: Samples, name: str, error: type[UnreadableError]
) -> None:
    with pytest.raises(error):
        parse_document(specials[name], name)


def test_a_pdf_with_a_password_is_refused() -> None:
    pypdf = pytest.importorskip("pypdf")
    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret", algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    with pytest.raises(PasswordProtectedError):
        parse_document(buffer.getvalue(), "x.pdf")


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("x.txt", b"", EmptyFileError),
        ("x.txt", b" \n\t\r\n", EmptyFileError),
        ("x.html", b"<html><body><script>x</script></body></html>", EmptyFileError),
        ("x.png", b"\x89PNG\r\n\x1a\n1234", NoTextLayerError),
        ("x.mp3", b"ID3\x04\x00", NoTextLayerError),
        ("x.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), UnsupportedFormatError),
        ("x.bin", bytes(range(256)) * 4, UnsupportedFormatError),
        ("x.pdf", bytes(range(256)) * 4, CorruptFileError),
        ("x.vtt", b"WEBVTT\n\nnothing timed", CorruptFileError),
        ("x.txt", b"\xff\xfe" + b"\x01\x00\x02\x00" * 300, UndecodableTextError),
    ],
)
def test_what_cannot_be_read_says_why(
    name: str, content: bytes, error: type[UnreadableError]
) -> None:
    with pytest.raises(error) as caught:
        parse_document(content, name)
    assert caught.value.message
    assert caught.value.advice


def test_a_pdf_with_some_pictures_keeps_its_text(specials: Samples) -> None:
    document = parse_document(specials["mixed.pdf"], "mixed.pdf")
    assert units(document) == [("Page 1", "page=1", ""), ("Page 2", "page=2", "no_text_layer")]


def test_running_heads_go_and_cut_words_are_joined(specials: Samples) -> None:
    document = parse_document(specials["running.pdf"], "running.pdf")
    assert "Report of the year" not in document.text
    assert "left 7 over" not in document.text
    text = " ".join(document.text.split())
    assert "The first page speaks of well-known and hyphenated first things" in text
    assert "even of well-known ones." in text


def test_external_entities_are_not_read(specials: Samples) -> None:
    document = parse_document(specials["entity.epub"], "entity.epub")
    assert "before" in document.text
    assert "root:" not in document.text


def test_a_page_in_a_font_without_letters_is_not_read_as_signs(tools: Tools) -> None:
    untold = (
        "begincmap 1 begincodespacerange <00> <ff> endcodespacerange "
        "1 beginbfrange <00> <ff> <e000> endbfrange endcmap"
    )
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Count 2/Kids[3 0 R 4 0 R]/MediaBox[0 0 612 792]>>",
        "<</Type/Page/Parent 2 0 R/Contents 5 0 R/Resources<</Font<</F1 6 0 R>>>>>>",
        "<</Type/Page/Parent 2 0 R/Contents 5 0 R/Resources<</Font<</F1 7 0 R>>>>>>",
        "<</Length 44>>stream\nBT /F1 12 Tf 72 720 Td (Beans like it) Tj ET \nendstream",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 8 0 R>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        f"<</Length {len(untold)}>>stream\n{untold}\nendstream",
    ]
    body = "".join(f"{n} 0 obj\n{one}\nendobj\n" for n, one in enumerate(objects, start=1))
    content = f"%PDF-1.4\n{body}trailer<</Root 1 0 R>>".encode()
    document = parse_document(content, "x.pdf")
    codes = [unit.problem.code if unit.problem else "" for unit in document.units]
    assert (document.text, codes) == ("Beans like it", ["no_text_layer", ""])
    assert not any(unit.problem for unit in parse_document(content, "x.pdf", tools).units)
