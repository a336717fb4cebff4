"""Picture files: units, what they keep, and what is refused. Recognition is `Looker` here."""

import io
import struct
import zlib
from dataclasses import replace

import pytest
from PIL import Image, ImageChops, ImageDraw
from tiled_picture import tiled_tiff

from alexandria.errors import (
    CorruptFileError,
    FileTooLargeError,
    NoTextLayerError,
    RecognitionFailedError,
)
from alexandria.knowledge.documents import BlockKind, UnitKind, under_name
from alexandria.knowledge.parsing import parse_document
from alexandria.knowledge.parsing.drafts import Draft, FoundImage, Piece, Section
from alexandria.knowledge.parsing.pictures.pixels import MAX_PIXELS, in_shades, reduced, to_rgb
from alexandria.knowledge.parsing.recognition import recognize_images, uncertain_units
from alexandria.knowledge.parsing.recognizers import RecognizedLine, Tools


class Blind:
    """A recognizer that finds no text."""

    def recognize(self, picture: Image.Image) -> list[RecognizedLine]:
        return []


class Broken:
    """A recognizer that breaks down."""

    def recognize(self, picture: Image.Image) -> list[RecognizedLine]:
        raise RecognitionFailedError("It broke.")


class Unsure:
    """A recognizer that guesses."""

    def recognize(self, picture: Image.Image) -> list[RecognizedLine]:
        return [RecognizedLine("perhaps", 0.6, 0, 0, 90, 20)]


def saved(pictures: list[Image.Image], kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    first, *rest = pictures
    more = {"save_all": True, "append_images": rest} if rest else {}
    first.save(buffer, kind, **more, **options)
    return buffer.getvalue()


def half_black(mode: str, size: tuple[int, int] = (40, 20)) -> Image.Image:
    """Black on its left half, white on its right."""
    picture = Image.new("L", size, 255)
    ImageDraw.Draw(picture).rectangle((0, 0, size[0] // 2 - 1, size[1]), fill=0)
    if mode == "I;16":
        return picture.convert("I").point(lambda value: value * 257).convert("I;16")
    if mode in {"LA", "RGBA"}:
        clear = picture.point(lambda value: 255 - value)
        return Image.merge("LA", (Image.new("L", size, 0), clear)).convert(mode)
    return picture.convert(mode)


def test_without_a_recognizer_the_advice_names_the_setting() -> None:
    with pytest.raises(NoTextLayerError) as caught:
        parse_document(saved([half_black("L")], "PNG"), "x.png")
    assert "ALEXANDRIA_OCR_ENGINE" in caught.value.advice


def test_the_pages_of_a_tiff_are_units(tools: Tools) -> None:
    pages = [Image.new("1", (30, 10 + at)) for at in range(3)]
    document = parse_document(saved(pages, "TIFF", compression="group4"), "fax.tif", tools)
    assert [(one.kind, one.label, one.anchor) for one in document.units] == [
        (UnitKind.IMAGE, f"Image {at}", f"image={at}") for at in (1, 2, 3)
    ]
    assert document.text == "\n\n".join(f"There are 30 by {10 + at} dots." for at in range(3))
    assert [(one.unit, one.height, one.text) for one in document.images] == [
        (at, 10 + at, f"There are 30 by {10 + at} dots.") for at in range(3)
    ]


def test_a_damaged_page_of_a_tiff_is_the_only_one_missing(tools: Tools) -> None:
    pages = [Image.new("L", (300, 200), at) for at in range(3)]
    content = bytearray(saved(pages, "TIFF", compression="tiff_adobe_deflate"))
    at = content.index(zlib.compress(bytes([1]) * 60_000, 6)[:12])
    content[at : at + 40] = bytes(40)
    document = parse_document(bytes(content), "scan.tif", tools)
    assert [one.problem.code if one.problem else "" for one in document.units] == [
        "",
        "corrupt_file",
        "",
    ]


def test_an_animation_is_its_first_frame(tools: Tools) -> None:
    frames = [Image.new("P", (20 + at, 20)) for at in range(3)]
    document = parse_document(saved(frames, "GIF"), "dance.gif", tools)
    assert len(document.units) == 1
    assert document.text == "There are 20 by 20 dots."


def test_a_picture_without_words_says_nothing_until_it_is_given_a_name() -> None:
    content = saved([half_black("RGB")], "PNG")
    document = parse_document(content, "bean-bed_2024.png", Tools(recognizer=Blind()))
    assert (document.title, document.text, document.blocks) == ("", "", ())
    assert [(one.problem, one.start, one.end) for one in document.units] == [(None, 0, 0)]
    named = under_name(document, "Bean bed 2024")
    assert named.text == "Bean bed 2024"
    assert [one.kind for one in named.blocks] == [BlockKind.HEADING]
    assert [(one.start, one.end) for one in named.units] == [(0, 13)]
    assert under_name(named, "Another name") == named
    assert [one.code for one in document.notes] == ["no_text_recognized"]
    assert [(one.text, one.confidence) for one in document.images] == [("", None)]


def test_low_confidence_is_flagged() -> None:
    content = saved([half_black("RGB")], "PNG")
    document = parse_document(content, "x.png", Tools(recognizer=Unsure()))
    assert [one.code for one in document.notes] == ["low_confidence"]
    assert document.units[0].confidence == pytest.approx(0.6)
    assert document.blocks[0].confidence == pytest.approx(0.6)


def test_a_cut_picture_is_damaged(tools: Tools) -> None:
    noise = Image.effect_noise((200, 200), 80)
    with pytest.raises(CorruptFileError):
        parse_document(saved([noise], "JPEG")[:-900], "x.jpg", tools)


@pytest.mark.parametrize("side", [10_001, 60_000])
def test_a_bomb_is_refused_before_it_is_unpacked(side: int, tools: Tools) -> None:
    assert side * side > MAX_PIXELS
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n"
    for kind, data in ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(99))), (b"IEND", b"")):
        body = kind + data
        content += struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
    with pytest.raises(FileTooLargeError):
        parse_document(content, "x.png", tools)


@pytest.mark.parametrize(
    "mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr", "I", "I;16", "F", "LA", "RGBA"]
)
def test_every_mode_becomes_black_on_white(mode: str) -> None:
    plain, scale = to_rgb(half_black(mode), 4000)
    assert (plain.mode, plain.size, scale) == ("RGB", (40, 20), 1.0)
    assert max(plain.getpixel((5, 10))) < 16  # pyright: ignore[reportArgumentType]
    assert min(plain.getpixel((35, 10))) > 239  # pyright: ignore[reportArgumentType]


def test_white_drawing_on_nothing_stands_on_black() -> None:
    drawing = Image.new("RGBA", (40, 20), (0, 0, 0, 0))
    ImageDraw.Draw(drawing).rectangle((0, 0, 9, 20), fill=(255, 255, 255, 255))
    plain, _ = to_rgb(drawing, 4000)
    assert plain.getpixel((5, 10)) == (255, 255, 255)
    assert plain.getpixel((35, 10)) == (0, 0, 0)


def test_the_camera_says_which_way_is_up() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    content = saved([half_black("RGB")], "JPEG", exif=exif)
    with Image.open(io.BytesIO(content)) as picture:
        plain, _ = to_rgb(picture, 4000)
    assert plain.size == (20, 40)
    assert max(plain.getpixel((10, 5))) < 16  # pyright: ignore[reportArgumentType]


def test_large_pictures_are_scaled_down() -> None:
    plain, scale = to_rgb(half_black("1", (900, 300)), 300)
    assert (plain.size, scale) == ((300, 100), pytest.approx(1 / 3))


def _draft(*images: FoundImage) -> Draft:
    piece = Piece(BlockKind.PARAGRAPH, "Text.")
    sections = (
        Section(UnitKind.PAGE, f"Page {at}", f"page={at}", (piece,), images=images) for at in (1, 2)
    )
    return Draft(tuple(sections))


def test_a_picture_is_read_once_and_small_ones_never(tools: Tools) -> None:
    large = FoundImage(saved([half_black("L", (200, 100))], "PNG"))
    small = FoundImage(saved([half_black("L", (40, 20))], "PNG"))
    draft, images = recognize_images(_draft(large, small), tools.recognizer)
    texts = [[piece.text for piece in section.pieces] for section in draft.sections]
    assert texts == [["Text.", "There are 200 by 100 dots."], ["Text."]]
    assert [(one.unit, one.text) for one in images] == [
        (0, "There are 200 by 100 dots."),
        (0, ""),
        (1, "There are 200 by 100 dots."),
        (1, ""),
    ]


def test_a_picture_that_breaks_recognition_costs_only_its_text() -> None:
    found = FoundImage(saved([half_black("L", (200, 100))], "PNG"))
    draft, images = recognize_images(_draft(found), Broken())
    assert [(note.code, note.unit) for note in draft.notes] == [("image_not_recognized", 0)]
    assert len(images) == 2
    assert not list(uncertain_units(draft))


def test_a_picture_file_that_breaks_recognition_is_quarantined() -> None:
    with pytest.raises(RecognitionFailedError):
        parse_document(saved([half_black("L")], "PNG"), "x.png", Tools(recognizer=Broken()))


def test_pictures_that_nobody_looked_for_text_in_are_noted() -> None:
    large = FoundImage(saved([half_black("L", (200, 100))], "PNG"))
    small = FoundImage(saved([half_black("L", (40, 20))], "PNG"))
    draft, images = recognize_images(_draft(large, small), None)
    (note,) = draft.notes
    assert (note.code, note.unit, len(images)) == ("image_not_recognized", None, 4)
    assert "without their text: 1." in note.message
    scan = replace(large, is_recognized=True)  # a page whose own problem says so
    assert recognize_images(_draft(scan, small), None)[0].notes == ()


@pytest.mark.parametrize(
    "mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr", "I", "I;16", "F", "LA", "RGBA"]
)
def test_a_picture_is_shrunk_in_parts_as_it_is_in_one(mode: str) -> None:
    picture = half_black(mode, (1800, 900))
    whole = in_shades(picture).convert("RGBA").reduce(3)
    assert reduced(picture, 300).size == whole.size
    assert ImageChops.difference(reduced(picture, 300), whole).getbbox() is None


def test_a_strip_is_shrunk_along_its_length_only() -> None:
    assert reduced(half_black("L", (4, 60_000)), 300).size == (2, 600)
    assert reduced(half_black("L", (60_000, 1)), 300).size == (600, 1)


def test_a_tile_larger_than_its_picture_counts(tools: Tools) -> None:
    with pytest.raises(FileTooLargeError):
        parse_document(tiled_tiff(20_000), "x.tif", tools)
    with pytest.raises(CorruptFileError):  # there is no tile in it
        parse_document(tiled_tiff(64), "x.tif", tools)
