"""Which letters a language is written with, and what Tesseract calls it.

RapidOCR's network knows 18,000 characters and tells languages apart no further than that.
Naming the languages of a library narrows it to their letters: an English page then cannot
hold a letter that English does not have, and reading is a little faster.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from alexandria.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Language:
    """A language of the Latin script, or one with signs of its own.

    Attributes:
        tesseract: Its name there.
        letters: In lower case, those beyond a to z; empty for none.
        scripts: First words of the Unicode names of its signs, for scripts other than Latin.
        is_rapid: Whether the models inside RapidOCR's package read it.
    """

    tesseract: str
    letters: str = ""
    scripts: tuple[str, ...] = ()
    is_rapid: bool = True


_CHINESE = ("CJK", "FULLWIDTH", "HALFWIDTH", "IDEOGRAPHIC", "BOPOMOFO")
_KANA = (*_CHINESE, "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA")

LANGUAGES: dict[str, Language] = {
    "af": Language("afr", "áèéêëíîïóôöúû"),
    "az": Language("aze", "çəğıöşü"),
    "bs": Language("bos", "čćđšž"),
    "ca": Language("cat", "àçèéíïòóúü·"),
    "cs": Language("ces", "áčďéěíňóřšťúůýž"),
    "cy": Language("cym", "áàâäéèêëíìîïóòôöúùûüŵýŷÿ"),
    "da": Language("dan", "æøåáé"),
    "de": Language("deu", "äöüß"),
    "en": Language("eng"),
    "es": Language("spa", "áéíñóúü"),
    "et": Language("est", "äõöšüž"),
    "eu": Language("eus", "ñçü"),
    "fi": Language("fin", "åäöšž"),
    "fr": Language("fra", "àâæçèéêëîïôùûüÿœ"),
    "ga": Language("gle", "áéíóú"),
    "gl": Language("glg", "áéíïñóúü"),
    "hr": Language("hrv", "čćđšž"),
    "hu": Language("hun", "áéíóöőúüű"),
    "id": Language("ind", "é"),
    "is": Language("isl", "áæðéíóöþúý"),
    "it": Language("ita", "àèéìîòóùú"),
    "ja": Language("jpn", scripts=_KANA),
    "ku": Language("kmr", "çêîşû"),
    "la": Language("lat", "āēīōūæœëï"),
    "lb": Language("ltz", "äéëöü"),
    "lt": Language("lit", "ąčęėįšųūž"),
    "lv": Language("lav", "āčēģīķļņšūž"),
    "mi": Language("mri", "āēīōū"),
    "ms": Language("msa", "é"),
    "mt": Language("mlt", "àċèġħìòùż"),
    "nl": Language("nld", "áèéêëíïóôöúüĳ"),
    "no": Language("nor", "æøåéèêóòôü"),
    "oc": Language("oci", "àáçèéíïòóúü"),
    "pl": Language("pol", "ąćęłńóśźż"),
    "pt": Language("por", "àáâãçéêíóôõúü"),
    "qu": Language("que", "ñ"),
    "ro": Language("ron", "ăâîșțşţ"),
    "sk": Language("slk", "áäčďéíĺľňóôŕšťúýž"),
    "sl": Language("slv", "čšž"),
    "sq": Language("sqi", "çë"),
    "sv": Language("swe", "åäöé"),
    "sw": Language("swa"),
    "tl": Language("fil", "ñ"),
    "tr": Language("tur", "âçğıîöşûü"),
    "uz": Language("uzb"),
    "zh": Language("chi_sim", scripts=_CHINESE),
    "ar": Language("ara", is_rapid=False),
    "bg": Language("bul", is_rapid=False),
    "el": Language("ell", is_rapid=False),
    "fa": Language("fas", is_rapid=False),
    "he": Language("heb", is_rapid=False),
    "hi": Language("hin", is_rapid=False),
    "ko": Language("kor", is_rapid=False),
    "ru": Language("rus", is_rapid=False),
    "sr": Language("srp", is_rapid=False),
    "th": Language("tha", is_rapid=False),
    "uk": Language("ukr", is_rapid=False),
    "vi": Language("vie", is_rapid=False),
}
"""By ISO 639-1 code."""

_FOREIGN = frozenset({*_KANA, "HANGUL"})


def allowed_characters(characters: Sequence[str], languages: Sequence[str]) -> list[int]:
    """Which of the characters the languages use; signs and digits are of every language.

    Args:
        characters: What the network knows.
        languages: ISO 639-1 codes; no code stands for all characters.

    Raises:
        ConfigurationError: The network does not read one of them.
    """
    if not languages:
        return list(range(len(characters)))
    wanted = [LANGUAGES[code] for code in languages if _is_rapid(code)]
    letters = set("".join(one.letters + one.letters.upper() for one in wanted))
    scripts = {script for one in wanted for script in one.scripts}
    return [
        position
        for position, character in enumerate(characters)
        if _is_used(character, letters, scripts)
    ]


def tesseract_names(languages: Sequence[str]) -> list[str]:
    """Tesseract's names of the languages; one it may know by a name of its own is kept."""
    return [LANGUAGES[code].tesseract if code in LANGUAGES else code for code in languages]


def _is_rapid(code: str) -> bool:
    if code in LANGUAGES and LANGUAGES[code].is_rapid:
        return True
    known = ", ".join(sorted(code for code, one in LANGUAGES.items() if one.is_rapid))
    raise ConfigurationError(
        f"RapidOCR's models do not read the language {code!r}. They read {known}; for others "
        "install Tesseract with its language data and set ALEXANDRIA_OCR_ENGINE=tesseract."
    )


def _is_used(character: str, letters: set[str], scripts: set[str]) -> bool:
    if len(character) != 1 or character.isascii() or character in letters:
        return True
    script = unicodedata.name(character, "").partition(" ")[0]
    if script in _FOREIGN:
        return script in scripts
    return not (script == "LATIN" and character.isalpha())
