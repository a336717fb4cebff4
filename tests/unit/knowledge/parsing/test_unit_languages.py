"""The language of a text and of the parts of a document."""

# ruff: noqa: RUF001 (letters of many scripts look like Latin ones)

import pytest
from test_encodings import SENTENCES

from alexandria.knowledge.documents import UnitKind
from alexandria.knowledge.parsing import parse_document
from alexandria.knowledge.parsing.languages import detect_language, unit_language

MORE = {
    "en": "The old lighthouse stood at the end of the cape and showed the ships their way.",
    "nl": "De oude vuurtoren stond aan het einde van de kaap en wees elke nacht de schepen de weg.",
    "pt": "O velho farol ficava na ponta do cabo e todas as noites mostrava o caminho aos navios.",
    "it": "Il vecchio faro stava in cima al capo e ogni notte indicava la via alle navi.",
    "fi": "Vanha majakka seisoi niemen kärjessä ja näytti joka yö laivoille tietä.",
    "sr": "Стари светионик је стајао на крају рта и сваке ноћи показивао пут бродовима.",
    "fa": "کتاب‌های قدیمی در کتابخانه نگهداری می‌شوند و هر روز خوانندگان زیادی می‌آیند.",
    "ur": "پرانی کتابیں لائبریری میں رکھی گئی ہیں اور روزانہ بہت سے لوگ آتے ہیں۔",
    "hi": "पुरानी किताबें पुस्तकालय में रखी गई हैं और हर दिन बहुत से लोग आते हैं।",
    "ka": "ძველი შუქურა კონცხის ბოლოს იდგა.",
}
TEXTS = {**{tongue: text for tongue, (text, _) in SENTENCES.items() if tongue != "zt"}, **MORE}


@pytest.mark.parametrize("tongue", sorted(TEXTS))
def test_a_sentence_tells_its_language(tongue: str) -> None:
    assert detect_language(TEXTS[tongue]) == tongue


@pytest.mark.parametrize("text", ["", "12.04.2021 : 17 %", "OK", "§ 3"])
def test_too_little_is_no_language(text: str) -> None:
    assert detect_language(text) == "und"


@pytest.mark.parametrize(
    ("text", "document", "expected"),
    [
        ("Kapitel II. The End", "de", "de"),
        ("", "fr", "fr"),
        ("第一章 総論", "ja", "ja"),
        ("東京都、大阪府、神奈川県、愛知県、北海道、福岡県、兵庫県、埼玉県、千葉県", "ja", "ja"),
        ("第一章 総論", "zh", "zh"),
        (TEXTS["zh"], "en", "zh"),
        (TEXTS["ja"], "zh", "ja"),
        (TEXTS["ru"], "en", "ru"),
        (TEXTS["de"] * 2, "en", "de"),
        ("iPhone 15 Proのバッテリーを交換する方法", "en", "ja"),
    ],
)
def test_a_unit_has_its_own_language_or_the_document_s(
    text: str, document: str, expected: str
) -> None:
    assert unit_language(text, document) == expected


def test_chapters_of_one_document_have_their_languages() -> None:
    chapters = ("de", "ru", "ja", "fr")
    text = "\n\n".join(f"# {n}\n\n{TEXTS[one] * 2}" for n, one in enumerate(chapters))
    units = parse_document(text.encode(), "x.md").units
    assert {unit.kind for unit in units} == {UnitKind.CHAPTER}
    assert tuple(unit.language for unit in units) == chapters
