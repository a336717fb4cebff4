"""Hebrew and Arabic come out in the order they are read, whatever order a file has them in."""

# ruff: noqa: RUF001 (letters of many scripts look like Latin ones)

import io
import re
from collections.abc import Callable, Sequence

import pytest

from alexandria.knowledge.parsing import parse_document
from alexandria.knowledge.parsing.drafts import clean_text

HEBREW = "בשנת 1954 באו 320 ספינות אל הנמל Haifa Port ונשארו בו."
ARABIC = "في عام 1954 وصلت 320 سفينة إلى الميناء القديم."
EMBEDDED = "The words שלום עולם stand for hello world in it."
Drawn = tuple[float, float, str]
"""Where a run of glyphs starts, in points, and the run from left to right."""

_WIDTH = 6.0


def draw_pdf(runs: Sequence[Drawn]) -> bytes:
    """A PDF that shows the runs; each letter is 6 points wide and known by its Unicode value."""
    letters = sorted({letter for _, _, run in runs for letter in run})
    codes = {letter: f"{33 + number:02x}" for number, letter in enumerate(letters)}
    drawn = "".join(
        f"BT /F1 12 Tf {x} {y} Td <{''.join(map(codes.__getitem__, run))}> Tj ET\n"
        for x, y, run in runs
    )
    pairs = "".join(f"<{codes[one]}> <{ord(one):04x}>\n" for one in letters)
    mapping = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /M def\n"
        "1 begincodespacerange <00> <ff> endcodespacerange\n"
        f"{len(letters)} beginbfchar\n{pairs}endbfchar endcmap end end"
    )
    size = len(letters)
    widths = f"/FirstChar 33/LastChar {32 + size}/Widths[{' '.join(['500'] * size)}]"
    box, fonts = "[0 0 612 792]", "<</F1 5 0 R>>"
    bodies = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Count 1/Kids[3 0 R]>>",
        f"<</Type/Page/Parent 2 0 R/MediaBox{box}/Contents 4 0 R/Resources<</Font{fonts}>>>>",
        f"<</Length {len(drawn)}>>stream\n{drawn}\nendstream",
        f"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 6 0 R{widths}>>",
        f"<</Length {len(mapping)}>>stream\n{mapping}\nendstream",
    ]
    objects = "".join(f"{n} 0 obj\n{body}\nendobj\n" for n, body in enumerate(bodies, start=1))
    return f"%PDF-1.4\n{objects}trailer<</Root 1 0 R>>\n%%EOF".encode()


def as_shown(line: str) -> list[str]:
    """The runs of a right-to-left line in the order they are read, glyphs from left to right."""
    words = re.sub("([A-Za-z]) (?=[A-Za-z])", "\\1\0", line).split(" ")
    return [
        word.replace("\0", " ") if re.search("[A-Za-z0-9]", word) else word[::-1] for word in words
    ]


def in_one_run(lines: Sequence[str]) -> list[Drawn]:
    shown = [" ".join(reversed(as_shown(line))) for line in lines]
    return [(550 - _WIDTH * len(run), 700 - 16 * row, run) for row, run in enumerate(shown)]


def word_by_word(lines: Sequence[str]) -> list[Drawn]:
    drawn: list[Drawn] = []
    for row, line in enumerate(lines):
        right = 550.0
        for run in as_shown(line):
            drawn.append((right - _WIDTH * len(run), 700 - 16 * row, run))
            right -= _WIDTH * (len(run) + 1)
    return drawn


def letter_by_letter(lines: Sequence[str]) -> list[Drawn]:
    drawn: list[Drawn] = []
    for x, y, run in word_by_word(lines):
        letters = [(x + _WIDTH * place, y, letter) for place, letter in enumerate(run)]
        drawn += letters if run.isascii() else reversed(letters)
    return drawn


def from_the_left(lines: Sequence[str]) -> list[Drawn]:
    return sorted(word_by_word(lines), key=lambda one: (-one[1], one[0]))


@pytest.mark.parametrize("draw", [in_one_run, word_by_word, letter_by_letter, from_the_left])
@pytest.mark.parametrize("line", [HEBREW, ARABIC])
def test_a_pdf_line_is_read_however_it_is_drawn(
    line: str, draw: Callable[[Sequence[str]], list[Drawn]]
) -> None:
    document = parse_document(draw_pdf(draw([line])), "x.pdf")
    assert document.text == line


def test_lines_of_a_paragraph_are_joined() -> None:
    lines = [ARABIC.rstrip("."), "وبقيت فيه عشرة أيام كاملة قبل الرحيل."]
    document = parse_document(draw_pdf(in_one_run(lines)), "x.pdf")
    assert document.text == " ".join(lines)
    assert document.language == "ar"


def test_words_inside_a_line_of_the_other_direction_keep_their_order() -> None:
    shown = EMBEDDED.replace("שלום עולם", "שלום עולם"[::-1])
    assert parse_document(draw_pdf([(72, 700, shown)]), "x.pdf").text == EMBEDDED


def test_numbers_and_names_in_brackets_keep_their_order() -> None:
    line = "המדריך נקרא OWASP Top 10 2017 בשנה הזאת, 12-15 אחוזים."
    shown = " ".join(
        [*(word[::-1] for word in reversed(["בשנה", "הזאת,"])), "OWASP Top 10 2017"]
        + [word[::-1] for word in reversed(["המדריך", "נקרא"])]
    )
    shown = f"{'אחוזים.'[::-1]} 12-15 {shown}"
    assert parse_document(draw_pdf([(72, 700, shown)]), "x.pdf").text == line


def test_a_docx_a_page_and_a_text_stay_as_they_are() -> None:
    from docx import Document

    paper, buffer = Document(), io.BytesIO()
    for line in (HEBREW, ARABIC):
        paper.add_paragraph(line)
    paper.save(buffer)
    page = f'<html dir="rtl"><body><p>{HEBREW}</p><p>{ARABIC}</p></body></html>'
    files = {
        "x.docx": buffer.getvalue(),
        "x.html": page.encode(),
        "x.txt": f"{HEBREW}\n\n{ARABIC}\n".encode("utf-16"),
    }
    for name, content in files.items():
        assert parse_document(content, name).text == f"{HEBREW}\n\n{ARABIC}"


def test_marks_that_open_a_direction_go_and_those_of_one_place_stay() -> None:
    assert clean_text("\u202bשלום\u202c \u2067א\u2069 \u202eevil") == "שלום א evil"
    assert clean_text("C\u200e++ می\u200cخواهم क्\u200dष") == "C\u200e++ می\u200cخواهم क्\u200dष"
