# ruff: noqa: RUF001 (models write ranges with an en dash)
"""Whether the sentences of a written answer stand in the passages they cite.

A language model writes an answer with marks such as [2]. `mark_unsupported` tells for each
sentence which passages it names, which marks name nothing, and whether some cited sentence
carries it: shares its words, is like it in meaning, and has every number it has.

Laws: citations quote the passage character for character; a sentence that cites nothing is
never supported; support lies in 0..1.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alexandria.knowledge.quoting import (
    Citation,
    Embed,
    Passage,
    Sentence,
    SentenceSpans,
    cite,
    sentences_of,
    terms_of,
)
from alexandria.knowledge.ranking import covered
from alexandria.knowledge.terms import analyze

SUPPORTED_FROM = 0.5
"""Support from which a claim counts as carried by its source. On 250 statements made from
encyclopedia questions and their answers, it keeps 98 % of those that cite the passage they
came from and lets 9 % pass that cite another of the five passages found with it."""

_MARK = re.compile(r"\s*\[(\d{1,4}(?:\s*[-–,;]\s*\d{1,4})*)\]")
_LEADING_MARKS = re.compile(rf"(?:{_MARK.pattern})+")
_WIDEST_RANGE = 20


@dataclass(frozen=True, slots=True)
class CheckedSentence:
    """One sentence of a written answer and what its citations are worth.

    Attributes:
        text: The sentence without its marks.
        citations: For each mark that names a passage, the passage's most supporting sentence.
        invented: Marks that name no passage.
        support: How well the best cited sentence carries it; 0 without one.
        supported: Whether `support` suffices and every number in it is in a cited passage.
    """

    text: str
    citations: tuple[Citation, ...]
    invented: tuple[int, ...]
    support: float
    supported: bool


@dataclass(frozen=True, slots=True)
class _Claim:
    text: str
    marks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Evidence:
    sentence: Sentence
    support: float


def mark_unsupported(
    answer_text: str,
    passages: Sequence[Passage],
    embed: Embed,
    sentence_spans: SentenceSpans,
    languages: Sequence[str] = ("en",),
    supported_from: float = SUPPORTED_FROM,
) -> list[CheckedSentence]:
    """Check each sentence of a written answer against the passages its marks name.

    Marks are read as [1], [1, 3] and [1-3], before or after the full stop; [n] is the
    n-th of `passages`. A sentence without marks, or with invented ones only, has no support.

    Args:
        answer_text: What a language model wrote.
        passages: What it was given, in the order it was numbered.
        embed: Texts to unit vectors; called once, or not at all when nothing is cited.
        sentence_spans: Text to the spans of its sentences.
        languages: Languages of the passages, ISO 639-1; the answer is read in each.
        supported_from: Support from which a sentence counts as supported.
    """
    claims = _claims(answer_text, sentence_spans)
    cited = {number for claim in claims for number in claim.marks if number <= len(passages)}
    evidence = [
        sentence
        for number in sorted(cited - {0})
        for sentence in sentences_of(number - 1, passages[number - 1], sentence_spans, languages)
    ]
    if not evidence:
        return [_check(claim, passages, [], languages, supported_from) for claim in claims]
    vectors = embed([*(claim.text for claim in claims), *(found.text for found in evidence)])
    likeness = vectors[: len(claims)] @ vectors[len(claims) :].T
    return [
        _check(claim, passages, _weigh(claim, evidence, row, languages), languages, supported_from)
        for claim, row in zip(claims, likeness, strict=True)
    ]


def _claims(answer_text: str, sentence_spans: SentenceSpans) -> list[_Claim]:
    """Sentences and their marks; marks that open a sentence belong to the one before."""
    claims: list[_Claim] = []
    for start, end in sentence_spans(answer_text):
        sentence = answer_text[start:end]
        leading = _LEADING_MARKS.match(sentence)
        if leading and claims:
            before = claims[-1]
            claims[-1] = _Claim(before.text, _marks(leading.group(), before.marks))
            sentence = sentence[leading.end() :]
        text = _MARK.sub("", sentence).strip()
        if any(character.isalnum() for character in text):
            claims.append(_Claim(text, _marks(sentence)))
        elif claims:
            claims[-1] = _Claim(claims[-1].text, _marks(sentence, claims[-1].marks))
    return claims


def _marks(text: str, before: tuple[int, ...] = ()) -> tuple[int, ...]:
    """Every number named in marks, in order, once, after those of `before`."""
    numbers = [number for mark in _MARK.finditer(text) for number in _numbers(mark.group(1))]
    return tuple(dict.fromkeys((*before, *numbers)))


def _numbers(mark: str) -> Iterable[int]:
    for part in re.split("[,;]", mark):
        ends = [int(number) for number in re.findall(r"\d+", part)]
        span = range(ends[0], ends[-1] + 1)
        yield from span if 0 < len(span) <= _WIDEST_RANGE else ends


def _weigh(
    claim: _Claim,
    evidence: Sequence[Sentence],
    likeness: NDArray[np.float32],
    languages: Sequence[str],
) -> list[_Evidence]:
    """How well each sentence of the cited passages carries the claim."""
    said = terms_of(claim.text, languages)
    scored: list[_Evidence] = []
    for sentence, cosine in zip(evidence, likeness.tolist(), strict=True):
        if sentence.passage + 1 in claim.marks:
            coverage = covered(said, sentence.terms, {})
            support = min(max((cosine + coverage) / 2, 0.0), 1.0)
            scored.append(_Evidence(sentence, support))
    return scored


def _check(
    claim: _Claim,
    passages: Sequence[Passage],
    evidence: Sequence[_Evidence],
    languages: Sequence[str],
    supported_from: float,
) -> CheckedSentence:
    best: dict[int, _Evidence] = {}
    for hit in evidence:
        number = hit.sentence.passage + 1
        if number not in best or hit.support > best[number].support:
            best[number] = hit
    support = max((hit.support for hit in best.values()), default=0.0)
    sources = [passages[number - 1] for number in best]
    return CheckedSentence(
        text=claim.text,
        citations=tuple(
            cite(number, passages[number - 1], best[number].sentence, best[number].support)
            for number in claim.marks
            if number in best
        ),
        invented=tuple(number for number in claim.marks if not 1 <= number <= len(passages)),
        support=support,
        supported=support >= supported_from and _numbers_held(claim.text, sources, languages),
    )


def _numbers_held(text: str, sources: Sequence[Passage], languages: Sequence[str]) -> bool:
    """Whether every number of the text stands in one of the sources or its title."""
    held: set[str] = set()
    for source in sources:
        held |= _number_terms(" ".join((source.title, *source.section, source.text)), languages)
    return _number_terms(text, languages) <= held


def _number_terms(text: str, languages: Sequence[str]) -> set[str]:
    terms = {term for language in languages or ("en",) for term in analyze(text, language)}
    return {term for term in terms if any(character.isdigit() for character in term)}
