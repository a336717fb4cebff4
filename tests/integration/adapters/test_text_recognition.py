"""The real engine: turned and crooked pages, kinds of pixels, PDF pages, languages, the corpus."""

import csv
import io
import pickle
import re
from functools import cache
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from alexandria.adapters.reading_tools import ToolChoice, choose_tools, load_tools
from alexandria.adapters.text_recognition import load_recognizer
from alexandria.adapters.text_recognition.languages import LANGUAGES, allowed_characters
from alexandria.adapters.text_recognition.tesseract import load_tesseract
from alexandria.errors import ConfigurationError, NoTextLayerError
from alexandria.knowledge.documents import ParsedDocument
from alexandria.knowledge.parsing import parse_document
from alexandria.knowledge.parsing.recognizers import Tools
from alexandria.settings import Settings

LINES = (
    "The beans of the north bed",
    "were sown in April, when the",
    "soil had become warm enough.",
    "Twelve rows of them grew well",
    "and nine were eaten by snails.",
)
TEXT = " ".join(LINES)
PHRASE = re.compile(r'OCR should give: "([^"]+)"')
TOOLS = load_tools(ToolChoice())


@cache
def page(size: int = 28) -> Image.Image:
    """A small page of print."""
    font = ImageFont.load_default(size)
    picture = Image.new("L", (size * 22, size * 11), 255)
    for at, line in enumerate(LINES):
        ImageDraw.Draw(picture).text((size * 2, size * (2 + 1.5 * at)), line, 0, font)
    return picture


def saved(picture: Image.Image, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return buffer.getvalue()


def read(picture: Image.Image, tools: Tools = TOOLS) -> str:
    document = parse_document(saved(picture), "page.png", tools)
    return " ".join(document.text.split())


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("skew", [0, 3, -15, 15])
def test_turned_and_crooked_pages_are_read(turn: int, skew: int) -> None:
    crooked = page().rotate(turn + skew, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    assert read(crooked) == TEXT


@pytest.mark.parametrize("mode", ["1", "P", "CMYK", "I;16", "LA", "RGBA"])
def test_every_kind_of_pixels_is_read(mode: str) -> None:
    picture = page()
    if mode == "I;16":
        picture = picture.convert("I").point(lambda value: value * 200).convert("I;16")
    elif mode in {"LA", "RGBA"}:
        clear = picture.point(lambda value: 255 - value)
        picture = Image.merge("LA", (Image.new("L", picture.size, 0), clear)).convert(mode)
    elif mode == "1":
        picture = picture.convert("1", dither=Image.Dither.NONE)
    else:
        picture = picture.convert("RGB").convert(mode)
    recognizer = TOOLS.recognizer
    assert recognizer
    assert " ".join(sorted(line.text for line in recognizer.recognize(picture))) == " ".join(
        sorted(LINES)
    )


@pytest.mark.parametrize("size", [11, 120])
def test_small_and_large_print_is_read(size: int) -> None:
    assert read(page(size)) == TEXT


def test_boxes_are_those_of_the_upright_page() -> None:
    recognizer = TOOLS.recognizer
    assert recognizer
    upright, turned = (
        sorted(recognizer.recognize(one), key=lambda line: line.top)
        for one in (page(), page().rotate(90, expand=True))
    )
    assert [line.text for line in turned] == [line.text for line in upright] == list(LINES)
    for one, other in zip(upright, turned, strict=True):
        assert (one.left, one.top) == pytest.approx((other.left, other.top), abs=8)
        assert (one.right, one.bottom) == pytest.approx((other.right, other.bottom), abs=8)


def test_a_picture_without_text_gives_none() -> None:
    recognizer = TOOLS.recognizer
    assert recognizer
    assert recognizer.recognize(Image.new("RGB", (300, 200), "green")) == []


def test_a_page_that_is_hard_to_read_says_so() -> None:
    clear = parse_document(saved(page()), "page.png", TOOLS)
    smeared = page(14).filter(ImageFilter.GaussianBlur(2.2))
    poor = parse_document(saved(smeared), "page.png", TOOLS)
    assert (clear.units[0].confidence or 0) > 0.9
    assert not clear.notes
    assert [one.code for one in poor.notes] in (["low_confidence"], ["no_text_recognized"])


@pytest.mark.parametrize(("blur", "is_flagged"), [(0.0, False), (1.8, True)])
def test_a_poor_copy_of_a_scan_is_flagged(corpus: Path, blur: float, is_flagged: bool) -> None:
    with Image.open(corpus / "images" / "linnsequencer-brochure-page.png") as scan:
        small = scan.convert("L").resize((850, 1100), Image.Resampling.BOX)
    copy = saved(small.filter(ImageFilter.GaussianBlur(blur)))
    document = parse_document(copy, "copy.png", TOOLS)
    assert ("low_confidence" in [one.code for one in document.notes]) == is_flagged
    assert ("press RECORD and PLAY" in document.text) != is_flagged


def test_a_scanned_page_joins_the_pages_with_text() -> None:
    pypdf = pytest.importorskip("pypdf")
    fpdf = pytest.importorskip("fpdf")
    made = fpdf.FPDF()
    made.add_page()
    made.set_font("Helvetica", size=12)
    made.text(20, 30, "A page that is text.")
    made.add_page()
    made.image(page().rotate(180), x=20, y=20, w=160)
    made.add_page()
    content = bytes(made.output())
    assert len(pypdf.PdfReader(io.BytesIO(content)).pages) == 3
    document = parse_document(content, "mixed.pdf", TOOLS)
    first, second, third = document.units
    assert document.text[first.start : first.end] == "A page that is text."
    assert " ".join(document.text[second.start : second.end].split()) == TEXT
    assert first.confidence is None
    assert (second.confidence or 0) > 0.9
    assert third.problem
    assert third.problem.code == "empty_page"
    assert [(one.unit, one.text.replace("\n", " ")) for one in document.images] == [(1, TEXT)]
    without = parse_document(content, "mixed.pdf")
    problem = without.units[1].problem
    assert problem
    assert (problem.code, "ALEXANDRIA_OCR_ENGINE" in problem.advice) == ("no_text_layer", True)


def test_a_scan_without_an_engine_stays_in_quarantine() -> None:
    fpdf = pytest.importorskip("fpdf")
    made = fpdf.FPDF()
    made.add_page()
    made.image(page(), x=20, y=20, w=160)
    content = bytes(made.output())
    with pytest.raises(NoTextLayerError) as caught:
        parse_document(content, "scan.pdf", load_tools(ToolChoice(ocr_engine="off")))
    assert "ALEXANDRIA_OCR_ENGINE" in caught.value.advice
    assert " ".join(parse_document(content, "scan.pdf", TOOLS).text.split()) == TEXT


def test_named_languages_leave_their_letters() -> None:
    known = ["", "a", "7", "é", "ß", "ő", "É", "日", "か", "…", "÷", "한", " "]
    german = [known[at] for at in allowed_characters(known, ["de"])]
    assert german == ["", "a", "7", "ß", "…", "÷", " "]
    chinese = [known[at] for at in allowed_characters(known, ["zh", "fr"])]
    assert chinese == ["", "a", "7", "é", "É", "日", "…", "÷", " "]
    assert len(allowed_characters(known, [])) == len(known)


def test_a_narrowed_engine_reads_the_same_page() -> None:
    tools = load_tools(ToolChoice(ocr_languages=("en",)))
    assert read(page(), tools) == TEXT


def test_every_letter_of_a_language_is_one_the_model_knows() -> None:
    from alexandria.adapters.text_embedding.openvino import import_openvino
    from alexandria.adapters.text_recognition.networks import model_path

    model = import_openvino().Core().read_model(model_path("PP-OCRv6_rec_small.onnx"))
    known = set(model.get_rt_info()["framework"]["character"].value.splitlines())
    missing = {
        code: lost
        for code, one in LANGUAGES.items()
        if one.is_rapid and (lost := set(one.letters) - known)
    }
    assert not missing


def test_a_language_without_a_model_is_refused_with_advice() -> None:
    with pytest.raises(ConfigurationError, match="tesseract"):
        load_recognizer("rapidocr", ("ru",))


def test_the_choice_travels_to_workers_and_loads_once() -> None:
    choice = choose_tools(Settings(ocr_languages=("en", "de"), ocr_threads=2))
    assert choice == ToolChoice(ocr_languages=("en", "de"), threads=2)
    assert pickle.loads(pickle.dumps(choice)) == choice
    assert load_tools(choice) is load_tools(choice)


def test_tesseract_is_used_where_it_is_installed() -> None:
    recognizer = load_tesseract((), 1)
    if recognizer is None:
        assert load_recognizer("tesseract") is None
        pytest.skip("Tesseract is not installed")
    for turn in (90, 180):
        assert "The beans of the north bed" in read(
            page().rotate(turn, expand=True), Tools(recognizer)
        )


@cache
def _document(path: Path) -> ParsedDocument:
    """What is read in a file, once for all who ask: a page takes seconds."""
    return parse_document(path.read_bytes(), path.name, TOOLS)


def _corpus_rows() -> list[dict[str, str]]:
    manifest = Path(__file__).resolve().parents[4] / "shared" / "corpus" / "manifest.csv"
    lines = manifest.read_text(encoding="utf-8").splitlines() if manifest.is_file() else []
    return [row for row in csv.DictReader(lines) if PHRASE.search(row["notes"])]


@pytest.mark.parametrize("row", _corpus_rows(), ids=lambda row: row["path"])
def test_the_corpus_gives_what_its_manifest_says(row: dict[str, str], corpus: Path) -> None:
    document = _document(corpus / row["path"])
    phrase = PHRASE.search(row["notes"])
    assert phrase
    assert phrase[1] in " ".join(document.text.split())
    assert all(unit.problem is None and (unit.confidence or 0) > 0.9 for unit in document.units)
    assert document.language == row["language"]


def test_columns_of_the_brochure_are_read_one_after_the_other(corpus: Path) -> None:
    document = _document(corpus / "images" / "linnsequencer-brochure-page.png")
    text = " ".join(document.text.split())
    assert "press RECORD and PLAY, then play your MIDI keyboard" in text
    assert text.index("To overdub notes at") < text.index("Creating a Song")
    assert text.index("Composition Without Compromise") < text.index("Additional Features")
