"""Which language a text is in: ISO 639-1, or "und" when there is too little to tell.

The script comes first: kana is Japanese, Hangul Korean, Thai Thai, and a text in Cyrillic can
only be one of the languages written in it. Where a script has several, py3langid decides
among those. It knows 97 languages in a 4.5 MB package and takes 1 s to load once; lingua was
no better on the same samples at a hundred times the size (96 MB).

A unit is judged from 600 characters: 0.8 s for the 1,108 units of the test corpus.
A short one keeps its document's language, and so does one in Han characters alone when the
document is Japanese: titles and lists in it have no kana.
"""

import re
from copy import copy
from functools import cache
from typing import Any

UNKNOWN = "und"
_BY_SCRIPT = {
    "A-Za-z\u00aa-\u024f\u1e00-\u1eff": (
        *("ca", "cs", "cy", "da", "de", "en", "es", "et", "eu", "fi", "fr", "ga", "gl", "hr", "hu"),
        *("id", "is", "it", "la", "lt", "lv", "ms", "nl", "no", "pl", "pt", "ro", "sk", "sl", "sq"),
        *("sv", "sw", "tr", "vi"),
    ),
    "\u0400-\u052f": ("ru", "uk", "bg", "sr", "mk"),
    "\u0370-\u03ff\u1f00-\u1fff": ("el",),
    "\u0530-\u058f": ("hy",),
    "\u0590-\u05ff": ("he",),
    "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff": ("ar", "fa", "ur"),
    "\u0900-\u097f": ("hi",),
    "\u0980-\u09ff": ("bn",),
    "\u0b80-\u0bff": ("ta",),
    "\u0e00-\u0e7f": ("th",),
    "\u10a0-\u10ff": ("ka",),
    "\u3040-\u30ff": ("ja",),
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff": ("zh",),
    "\u1100-\u11ff\uac00-\ud7af": ("ko",),
}
"""Languages told apart, by the letters they are written in: fewer candidates, fewer mistakes."""

_SCRIPTS = {languages: re.compile(f"[{letters}]") for letters, languages in _BY_SCRIPT.items()}
LANGUAGES = tuple(sorted({one for languages in _SCRIPTS for one in languages}))
_JAPANESE: tuple[str, ...] = ("ja",)
_CHINESE: tuple[str, ...] = ("zh",)
_DENSE: dict[tuple[str, ...], int] = {_JAPANESE: 3, _CHINESE: 3, ("ko",): 2}
"""A character of these scripts says as much as so many letters."""

_KIN = frozenset(
    frozenset(pair.split())
    for pair in ("id ms", "no da", "cs sk", "bg mk", "sr mk", "hr sl", "es gl", "pt gl", "ru uk")
)
"""So alike that their words and endings mostly serve for each other; Serbian in Latin letters
counts as Croatian."""

MIN_LETTERS = 20
_FEW_LETTERS = 60
_MIN_KANA = 0.05
_SAMPLES = 3
_DOCUMENT_SAMPLE = 2_000
_UNIT_SAMPLE = 200
_CONFIDENT, _SURE = 0.6, 0.9
_TAG = re.compile(r"([A-Za-z]{2})(?:$|[-_])")


def normalize_language(tag: str) -> str:
    """The ISO 639-1 code of a language tag such as "en-US"; empty when it has none."""
    match = _TAG.match(tag.strip())
    return match[1].lower() if match else ""


def detect_language(text: str) -> str:
    """The language of most of the text, judged from its start, middle and end."""
    return _detect(_sample(text, _DOCUMENT_SAMPLE), MIN_LETTERS, _CONFIDENT)


def unit_language(text: str, document: str) -> str:
    """The language of a part of a document; the document's where the part says too little.

    Args:
        text: The part.
        document: ISO 639-1 of the document, or "und".
    """
    sample = _sample(text, _UNIT_SAMPLE)
    alone = document == UNKNOWN
    own = _detect(sample, *((MIN_LETTERS, _CONFIDENT) if alone else (_FEW_LETTERS, _SURE)))
    if own == UNKNOWN or (own == "zh" and document == "ja" and len(sample) < _UNIT_SAMPLE):
        return document
    return own


def _detect(sample: str, least: int, confidence: float) -> str:
    """The language of a sample; the bounds hold where its script has several."""
    candidates, letters = _candidates(sample)
    if len(candidates) == 1:
        return candidates[0] if letters >= MIN_LETTERS else UNKNOWN
    if letters < least:
        return UNKNOWN
    (language, probability), (second, next_best), *_ = _identifier(candidates).rank(sample)
    if frozenset((language, second)) in _KIN:
        probability += next_best
    return str(language) if probability >= confidence else UNKNOWN


def _candidates(sample: str) -> tuple[tuple[str, ...], int]:
    """The languages of the sample's commonest script, and its letters, dense ones counted up."""
    counts: dict[tuple[str, ...], int] = {}
    left = sum(map(str.isalpha, sample))
    for languages, letters in _SCRIPTS.items():
        if left <= 0:
            break
        found = len(letters.findall(sample))
        left -= found
        counts[languages] = found * _DENSE.get(languages, 1)
    kana, han = counts.get(_JAPANESE, 0), counts.get(_CHINESE, 0)
    if kana > _MIN_KANA * (kana + han):
        counts[_JAPANESE], counts[_CHINESE] = kana + han, 0
    best = max(counts, key=lambda languages: counts[languages], default=_CHINESE)
    return best, counts.get(best, 0)


def _sample(text: str, size: int) -> str:
    if len(text) <= _SAMPLES * size:
        return text
    step = (len(text) - size) // (_SAMPLES - 1)
    return " ".join(text[i * step : i * step + size] for i in range(_SAMPLES))


@cache
def _identifier(languages: tuple[str, ...]) -> Any:
    """A classifier among these languages; all of them share one model."""
    identifier = copy(load_model())
    identifier.set_languages(list(languages))
    return identifier


@cache
def load_model() -> Any:
    """A classifier among all languages; loading it takes most of a second."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
