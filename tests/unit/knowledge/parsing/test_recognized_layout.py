"""Reading order, paragraphs and confidence of lines that recognition found."""

import random

import pytest

from alexandria.knowledge.documents import BlockKind
from alexandria.knowledge.parsing.recognized_layout import recognized_pieces
from alexandria.knowledge.parsing.recognizers import RecognizedLine

LEFT = [
    "The first column tells of beans",
    "that were sown in April, when",
    "the soil was warm enough.",
    "Nobody asked the beans.",
]
RIGHT = [
    "The second column tells of the",
    "harvest, which came in August",
    "and went on until the first",
    "cold night of the autumn.",
]


def line(text: str, left: float, top: float, confidence: float = 0.9) -> RecognizedLine:
    """A line of letters that are 10 wide and 20 high."""
    return RecognizedLine(text, confidence, left, top, left + 10 * len(text), top + 20)


def column(texts: list[str], left: float, top: float, pitch: float = 22) -> list[RecognizedLine]:
    return [line(text, left, top + pitch * at) for at, text in enumerate(texts)]


def shuffled(lines: list[RecognizedLine]) -> list[RecognizedLine]:
    return random.Random(7).sample(lines, len(lines))


def read(lines: list[RecognizedLine]) -> str:
    return " ".join(" ".join(piece.text for piece in recognized_pieces(lines)).split())


def test_nothing_gives_nothing() -> None:
    assert recognized_pieces([]) == []


@pytest.mark.parametrize("shift", [0, 7, 11])
def test_columns_are_read_one_after_the_other(shift: float) -> None:
    wide = line("A title that stands over both of the columns of this page, all across", 0, 0)
    foot = line("A last line that runs below both of the columns of this page, all across", 0, 200)
    page = [wide, *column(LEFT, 0, 40), *column(RIGHT, 340, 40 + shift), foot]
    text = read(shuffled(page))
    assert text == " ".join([wide.text, *LEFT, *RIGHT, foot.text])


def test_a_heading_below_the_columns_comes_after_both() -> None:
    page = [*column(LEFT, 0, 0), *column(RIGHT, 340, 5), line("More", 0, 140)]
    below = column(["What follows runs across the whole page, from one side to the other."], 0, 165)
    assert read(shuffled([*page, *below])).endswith("autumn. More " + below[0].text)


def test_cells_of_a_row_stay_together() -> None:
    cells = [("Bean", "12", "north"), ("Pea", "30", "south"), ("Lentil", "7", "east")]
    page = [
        line(text, 200 * at, 24 * row)
        for row, texts in enumerate(cells)
        for at, text in enumerate(texts)
    ]
    assert read(shuffled(page)) == "Bean 12 north Pea 30 south Lentil 7 east"


def test_a_wide_gap_ends_a_paragraph_and_a_cut_word_is_joined() -> None:
    first = column(["The beans grow well in sandy", "soil, and they like the sun-", "shine."], 0, 0)
    second = column(["Peas do not."], 0, 110)
    pieces = recognized_pieces(shuffled([*first, *second]))
    assert [piece.text for piece in pieces] == [
        "The beans grow well in sandy soil, and they like the sunshine.",
        "Peas do not.",
    ]


def test_bullets_are_list_items() -> None:
    pieces = recognized_pieces(column(["• water them often", "• never in the sun"], 0, 0))
    assert [piece.kind for piece in pieces] == [BlockKind.LIST_ITEM] * 2


def test_a_piece_is_as_sure_as_its_lines_by_their_length() -> None:
    page = [line("x" * 30, 0, 0, 0.9), line("y" * 10, 0, 22, 0.5), line("z" * 20, 0, 100, 0.7)]
    sure, unsure = recognized_pieces(page)
    assert sure.confidence == pytest.approx(0.8)
    assert unsure.confidence == pytest.approx(0.7)


def test_no_line_is_lost_or_read_twice() -> None:
    dice = random.Random(3)
    for _ in range(20):
        texts = [f"w{at}" * dice.randint(1, 9) for at in range(60)]
        page = [line(text, dice.uniform(0, 900), dice.uniform(0, 1200)) for text in texts]
        assert sorted(read(page).split()) == sorted(texts)
