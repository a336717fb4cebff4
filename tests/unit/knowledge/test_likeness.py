"""Likeness: what makes two texts copies of one work, and what does not."""

import random
import re
import textwrap
import unicodedata
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from alexandria.knowledge.likeness import (
    Copy,
    Signature,
    are_copies,
    candidate_pairs,
    likeness,
    passage_runs,
    read_sketches,
    shared_part,
)
from alexandria.knowledge.likeness.comparing import LARGE_BAR, LEAST_RUNS, SMALL_BAR, bar

WORDS = [
    first + second
    for first in ("ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe")
    for second in ("rin", "sel", "tom", "vak", "wen", "xor", "yal", "zun", "bir", "cad")
]


def prose(seed: int, words: int) -> str:
    """Paragraphs of sentences of made-up words; other seeds share next to no runs."""
    chooser = random.Random(seed)
    sentences = [
        " ".join(chooser.choice(WORDS) for _ in range(12)).capitalize() + "."
        for _ in range(words // 12)
    ]
    return "\n\n".join(" ".join(sentences[at : at + 5]) for at in range(0, len(sentences), 5))


def exported(text: str, head: str) -> str:
    """The text as pages: wrapped, hyphenated, with running heads and page numbers."""
    lines = [line for part in text.split("\n\n") for line in [*textwrap.wrap(part, 72), ""]]
    pages = [
        "\n".join([head, "", *lines[at : at + 40], "", f"Page {number}"])
        for number, at in enumerate(range(0, len(lines), 40), start=1)
    ]
    return re.sub(r"(\w{3})(\w{3})\n(?=\w)", r"\1-\n\2 ", "\n\f".join(pages))


def invoice(number: int, terms: str) -> str:
    """A letter of a template: only the figures and the customer differ."""
    chooser = random.Random(number)
    items = "\n".join(
        f"{chooser.choice(WORDS)} {chooser.randint(1, 9)} x {chooser.randint(100, 999)}.50"
        for _ in range(4)
    )
    total = chooser.randint(1000, 9999)
    customer = f"{chooser.choice(WORDS)} {chooser.choice(WORDS)}, {chooser.randint(100, 999)} Quay"
    return f"Invoice {40000 + number}\nTo {customer}\n{items}\nTotal {total}.00\n\n{terms}"


def contract(seed: int, terms: str) -> str:
    """The terms with names and amounts of its own in thirty places."""
    chooser = random.Random(seed)
    words = terms.split()
    for _ in range(30):
        words[chooser.randrange(len(words))] = str(chooser.randint(10_000, 99_999))
    return " ".join(words)


def copies(one: str, other: str) -> bool:
    return are_copies(Signature.of(one), Signature.of(other))


@pytest.mark.parametrize("words", [150, 600, 3000, 12_000])
def test_a_text_and_its_pages_are_copies(words: int) -> None:
    text = prose(1, words)
    assert copies(text, exported(text, "A report"))


@pytest.mark.parametrize("words", [60, 600, 6000])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("21 November 2026", "3 December 2026"),
        ("November 21, 2026 10:05", "December 3rd, 2026 9:41"),
        ("2026-11-21T10:05:00", "2026-12-03T09:41:00"),
        ("21.11.2026", "03.12.2026"),
        ("21. März 2026", "3. Dezember 2026"),
    ],
)
def test_a_report_exported_again_on_another_day_is_a_copy(
    words: int, first: str, second: str
) -> None:
    text = prose(2, words)
    assert copies(f"Report of {first}\n\n{text}", f"Report of {second}\n\n{text}")


@pytest.mark.parametrize("change", ["lines", "case", "decomposed", "soft hyphens", "full width"])
def test_how_characters_and_lines_are_written_is_no_difference(change: str) -> None:
    text = prose(3, 240).replace("a", "ä")
    other = {
        "lines": textwrap.fill(text, 40),
        "case": text.upper(),
        "decomposed": unicodedata.normalize("NFD", text),
        "soft hyphens": text.replace("rin", "ri\u00adn"),
        "full width": text.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)}),
    }[change]
    assert likeness(Signature.of(text), Signature.of(other)) == 1.0


def test_scripts_without_spaces_are_compared_by_characters() -> None:
    text = "我们今天在图书馆里读书这本书讲的是一个灯塔管理员的故事他每天晚上点亮灯塔的灯"
    assert copies(text, "\n".join(textwrap.wrap(text, 9)))
    assert not copies(text, text[::-1])


@pytest.mark.parametrize("share", [0.04, 0.5, 0.8])
def test_a_part_of_a_book_is_no_copy_of_it(share: float) -> None:
    book = prose(4, 20_000)
    assert not copies(book, book[: int(len(book) * share)])


@pytest.mark.parametrize("terms", [0, 200, 800, 4000])
def test_two_invoices_from_one_template_are_no_copies(terms: int) -> None:
    assert not copies(invoice(1, prose(5, terms)), invoice(2, prose(5, terms)))


@pytest.mark.parametrize("words", [600, 3000, 9000])
def test_two_contracts_from_one_template_are_no_copies(words: int) -> None:
    terms = prose(6, words)
    assert not copies(contract(1, terms), contract(2, terms))


def test_page_numbers_of_one_rendering_are_no_figures_of_its_own() -> None:
    book = prose(7, 9000)
    numbered = "\n\n".join(f"{part}\n\n{page}" for page, part in enumerate(book.split("\n\n"), 100))
    assert copies(book, numbered)


def test_texts_of_few_words_are_never_copies() -> None:
    assert not copies("Exit", "Exit")
    assert not copies("", "")
    words = " ".join(WORDS[: LEAST_RUNS + 2])
    assert copies(words, words)


def test_a_licence_in_two_names_is_two_documents() -> None:
    terms = prose(8, 160)
    one = f"Copyright (c) 2010 The Lamp Developers. {terms} So say the Lamp Developers."
    two = f"Copyright (c) 2022 Open Beacon. {terms} So says Open Beacon."
    assert not copies(one, two)


def test_the_bar_falls_with_the_length_of_the_texts() -> None:
    bars = [bar(count) for count in (1, 1000, 2000, 8000, 100_000)]
    assert bars == sorted(bars, reverse=True)
    assert (bars[0], bars[-1]) == (SMALL_BAR, LARGE_BAR)


@pytest.mark.parametrize("words", [5, 600, 6000])
def test_a_signature_comes_back_from_the_ledger_as_it_went(words: int) -> None:
    signature = Signature.of(prose(9, 12) if words == 5 else prose(9, words))
    again = Signature.from_bytes(signature.run_count, signature.to_bytes())
    assert again.to_bytes() == signature.to_bytes()
    assert likeness(signature, again) == 1.0
    assert np.array_equal(read_sketches([signature.to_bytes()])[0], signature.sketch)


def test_an_estimate_is_near_the_truth() -> None:
    text = prose(10, 12_000)
    other = text[: len(text) * 9 // 10] + prose(11, 1200)
    estimate = likeness(Signature.of(text), Signature.of(other))
    assert estimate == pytest.approx(0.9 / 1.1, abs=0.12)


def test_candidates_hold_every_pair_of_copies_and_few_others() -> None:
    texts = [prose(seed, words) for seed in range(40) for words in (120, 1500)]
    texts += [exported(text, "Again") for text in texts]
    signatures = [Signature.of(text) for text in texts]
    pairs = candidate_pairs(
        read_sketches([signature.to_bytes() for signature in signatures]),
        np.array([signature.run_count for signature in signatures]),
    )
    found = set(map(tuple, pairs.tolist()))
    assert {(row, row + 80) for row in range(80)} <= found
    assert len(found) < 100


def test_candidates_of_many_like_texts_do_not_grow_with_their_square() -> None:
    sketch = Signature.of(prose(12, 600)).to_bytes()
    pairs = candidate_pairs(read_sketches([sketch] * 2000), np.full(2000, 500))
    assert len(pairs) < 2000 * 25 * 10


def test_nothing_has_no_candidates() -> None:
    assert candidate_pairs(read_sketches([]), np.empty(0, np.int64)).shape == (0, 2)


def test_a_passage_is_found_in_texts_that_are_cut_elsewhere() -> None:
    text = prose(13, 240)
    half = len(text) // 2
    runs = passage_runs(text[half - 200 : half + 200])
    first, second = passage_runs(text[:half]), passage_runs(text[half:].upper())
    assert shared_part(runs, first) == pytest.approx(0.5, abs=0.15)
    assert shared_part(runs, first | second) > 0.9
    assert shared_part(runs, passage_runs(prose(14, 240))) < 0.1
    assert passage_runs("two words") == frozenset({("two", "words")})


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_the_best_copy_is_whole_then_rich_then_long_then_old() -> None:
    pdf, epub, text = "application/pdf", "application/epub+zip", "text/plain"
    ordered = [
        Copy("e", epub, 0, 100, NOON),
        Copy("d", pdf, 0, 900, NOON + timedelta(days=1)),
        Copy("c", pdf, 0, 100, NOON),
        Copy("a", pdf, 0, 100, NOON + timedelta(days=1)),
        Copy("b", pdf, 0, 100, NOON + timedelta(days=1)),
        Copy("f", "image/png", 0, 100, NOON),
        Copy("g", text, 0, 900, NOON),
        Copy("h", epub, 1, 900, NOON),
    ]
    shuffled = random.Random(1).sample(ordered, len(ordered))
    assert sorted(shuffled, key=lambda copy: copy.standing) == ordered
