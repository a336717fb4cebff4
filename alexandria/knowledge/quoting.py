"""Answers made of sentences as the sources have them, and a check of answers that are not.

`quote_answer` is the model that needs no model: it picks the sentences that say most about
the question and cites each. When nothing says enough, it says that instead of guessing.
`mark_unsupported` reads an answer that a language model wrote, with marks such as [2], and
tells for each sentence whether the passages it cites carry it.

Laws: a quote is `passage.text[start:end]`, character for character. Numbers in the text
and in the citations are the same, from 1. No sentence is quoted twice. Without passages,
or without an answer in them, `answered` is False and there are no citations.

Offsets are Python string indexes into the passage's text, half-open. Scores and the
confidence lie in 0..1 unless said otherwise.
"""

import math
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alexandria.knowledge.embedding import Vectors
from alexandria.knowledge.ranking import Rarity, covered, estimate_rarity
from alexandria.knowledge.terms import analyze, fold, query_weights, term_id

NO_ANSWER = "The library has no passage that answers this."

Embed = Callable[[Sequence[str]], Vectors]
SentenceSpans = Callable[[str], list[tuple[int, int]]]

_LONGEST_QUOTE = 400
_PIECE = re.compile(rf"\S.{{0,{_LONGEST_QUOTE - 1}}}(?!\S)|\S{{{_LONGEST_QUOTE}}}", re.DOTALL)
_MARK = re.compile(r"\s*\[(\d{1,4}(?:\s*[-–,;]\s*\d{1,4})*)\]")
_LEADING_MARKS = re.compile(rf"(?:{_MARK.pattern})+")
_RANGE = re.compile(r"(\d+)\s*[-–]\s*(\d+)")
_WIDEST_RANGE = 20


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk as an answer may cite it.

    Attributes:
        title: The document's title.
        text: What may be quoted.
        anchor: Where a viewer opens it: "page=3".
        label: What a reader calls the place: "Page 3".
        score: Its ranking score; only the order and relative distance matter.
        section: Headings above it, outermost first.
    """

    chunk_id: str
    document_id: str
    title: str
    text: str
    anchor: str
    label: str
    score: float
    section: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """A quote and where it stands: `quote == passage.text[start:end]`."""

    number: int
    chunk_id: str
    document_id: str
    title: str
    label: str
    anchor: str
    quote: str
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Answer:
    """Quoted sentences with their marks, or the admission that there is no answer.

    Attributes:
        text: Each quote followed by its mark, "... [1] ... [2]".
        confidence: How likely the passages answer the question at all.
    """

    text: str
    citations: tuple[Citation, ...]
    answered: bool
    confidence: float


@dataclass(frozen=True, slots=True)
class QuotingWeights:
    """How sentences are chosen; the defaults were measured, see `quote_answer`.

    Attributes:
        cosine: Weight of a sentence's likeness to the question.
        coverage: Weight of the share of the question's words it holds, title included.
        passage: Weight of its passage's place among the passages.
        passages: How many passages are read.
        embedded: How many sentences are compared by embedding, at most.
        quotes: How many sentences are quoted, at most.
        close: A further sentence is quoted from this share of the best one's score on.
        alike: Share of common words from which two sentences say the same.
        refuse_below: Confidence under which there is no answer.
    """

    cosine: float = 1.0
    coverage: float = 0.5
    passage: float = 0.3
    passages: int = 8
    embedded: int = 32
    quotes: int = 3
    close: float = 0.75
    alike: float = 0.8
    refuse_below: float = 0.5


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
class _Sentence:
    passage: int
    start: int
    end: int
    text: str
    terms: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Scored:
    sentence: _Sentence
    score: float
    cosine: float
    coverage: float


def quote_answer(
    question: str,
    passages: Sequence[Passage],
    embed: Embed,
    sentence_spans: SentenceSpans,
    languages: Sequence[str] = ("en",),
    weights: QuotingWeights | None = None,
) -> Answer:
    """Answer with one to `weights.quotes` sentences, most relevant first.

    Sentences of one passage stay together in reading order.

    Args:
        question: What was asked.
        passages: What was found, best first.
        embed: Texts to unit vectors; called once, with the question first.
        sentence_spans: Text to the spans of its sentences.
        languages: Languages of the passages, ISO 639-1; the question is read in each.
        weights: The measured defaults when None.
    """
    chosen = weights or QuotingWeights()
    scored = _score_sentences(
        question, passages[: chosen.passages], embed, sentence_spans, languages, chosen
    )
    confidence = _confidence(scored)
    if confidence < chosen.refuse_below:
        return Answer(NO_ANSWER, (), answered=False, confidence=confidence)
    picked = _in_reading_order(_pick(scored, chosen))
    citations = tuple(
        _cite(number, passages[hit.sentence.passage], hit.sentence, hit.score)
        for number, hit in enumerate(picked, start=1)
    )
    text = " ".join(f"{citation.quote} [{citation.number}]" for citation in citations)
    return Answer(text, citations, answered=True, confidence=confidence)


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
    n-th of `passages`. A sentence without a mark, or with invented ones only, has no
    support.

    Args:
        answer_text: What a language model wrote.
        passages: What it was given, in the order it was numbered.
        embed: Texts to unit vectors; called at most once.
        sentence_spans: Text to the spans of its sentences.
        languages: Languages of the passages, ISO 639-1; the answer is read in each.
        supported_from: Support from which a sentence counts as supported.
    """
    claims = _claims(answer_text, sentence_spans)
    cited = sorted({n for _, marks in claims for n in marks if 1 <= n <= len(passages)})
    sources = {
        number: _sentences([passages[number - 1]], sentence_spans, languages) for number in cited
    }
    texts = [text for text, _ in claims]
    texts += [sentence.text for number in cited for sentence in sources[number]]
    vectors = embed(texts) if cited else np.zeros((len(texts), 1), dtype=np.float32)
    rows = iter(vectors[len(claims) :])
    likeness = {number: [next(rows) for _ in sources[number]] for number in cited}
    rarity = estimate_rarity([s.terms for number in cited for s in sources[number]])
    checked: list[CheckedSentence] = []
    for (text, marks), vector in zip(claims, vectors, strict=False):
        evidence = [
            (number, sentence, row)
            for number in marks
            if number in sources
            for sentence, row in zip(sources[number], likeness[number], strict=True)
        ]
        checked.append(
            _check(text, marks, vector, evidence, passages, languages, rarity, supported_from)
        )
    return checked
