"""Speed and fidelity of the exported model against sentence-transformers' default.

The folder's text files (.txt, .md, .html) give the texts: paragraphs are the natural ones,
and runs of them cut at 220 words the long ones. Both models read the same texts in the same
process, turn by turn; each figure is the best of the rounds, since a shared machine only ever
adds time. Processor time is given too: it does not count what other programs took.
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alexandria.adapters.text_embedding.model_export import calibration_texts, export_model
from alexandria.adapters.text_embedding.openvino import MODELS, OpenVinoEmbedder
from alexandria.settings import Settings
from bench.figures import Figure, Goal, Reference

TEXTS = 200
ROUNDS = 3
SPEED = Goal(2.4, at_least=True, of_ratio=True)
COSINE = Goal(0.99, at_least=True)

_MODEL = "all-MiniLM-L6-v2"
_ORIGINAL = "sentence-transformers"
_LONG_WORDS = 220
_SUFFIXES = frozenset({".txt", ".md", ".html"})
_QUERIES = 50

Encode = Callable[[list[str]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Speed:
    """Best of the rounds: texts a second by the clock and by processor time."""

    wall: float
    processor: float


def measure(folder: Path) -> Iterator[Figure]:
    """Natural texts, long texts and single queries, the export against the original."""
    encoders = load_encoders(Settings().model_folder)
    natural = natural_texts(folder, TEXTS)
    yield from compare("natural", natural, encoders)
    yield from compare("long", long_texts(natural), encoders)
    theirs, ours = (1000 * query_seconds(encode) for encode in encoders.values())
    yield Figure("embedding: one query", ours, "ms", Reference(theirs, _ORIGINAL))


def compare(name: str, texts: list[str], encoders: dict[str, Encode]) -> Iterator[Figure]:
    """Both speeds on the texts, and the cosine between the vectors."""
    theirs, ours = (encode(texts) for encode in encoders.values())
    cosine = np.einsum("td,td->t", theirs, ours)
    speeds: dict[str, list[Speed]] = {key: [] for key in encoders}
    for _ in range(ROUNDS):
        for key, encode in encoders.items():
            speeds[key].append(timed(encode, texts))
    first, second = (best(found) for found in speeds.values())
    label, reference = f"embedding: {name} texts", Reference(first.wall, _ORIGINAL)
    yield Figure(label, second.wall, "chunks/s", reference, SPEED)
    reference = Reference(first.processor, _ORIGINAL)
    yield Figure(f"{label}, by processor time", second.processor, "chunks/s", reference)
    yield Figure(f"{label}, lowest cosine", float(cosine.min()), "", goal=COSINE)


def paragraphs(folder: Path) -> Iterator[str]:
    """Paragraphs of the text files in a folder, of at least 20 characters."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _SUFFIXES:
            text = re.sub(r"<[^>]+>", " ", path.read_text(encoding="utf-8", errors="replace"))
            found = (" ".join(part.split()) for part in re.split(r"\n\s*\n", text))
            yield from (part for part in found if len(part) >= 20)


def natural_texts(folder: Path, count: int) -> list[str]:
    """Paragraphs taken evenly from the folder; the calibration texts if it has none."""
    found = list(paragraphs(folder))
    found = found or [text for part in calibration_texts() for text in part]
    step = max(1, len(found) // count)
    return found[::step][:count]


def long_texts(texts: list[str]) -> list[str]:
    """The same words in texts of 220, which fill the model's 256 tokens."""
    words = " ".join(texts).split()
    cuts = range(0, max(1, len(words) - _LONG_WORDS), _LONG_WORDS)
    return [" ".join(words[cut : cut + _LONG_WORDS]) for cut in cuts]


def timed(encode: Encode, texts: list[str]) -> Speed:
    """Speed of one pass over the texts."""
    wall, processor = time.perf_counter(), time.process_time()
    encode(texts)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return Speed(len(texts) / wall, len(texts) / processor)


def best(speeds: list[Speed]) -> Speed:
    """The fastest of each kind."""
    return Speed(max(s.wall for s in speeds), max(s.processor for s in speeds))


def query_seconds(encode: Encode) -> float:
    """Median seconds of one short query."""
    taken: list[float] = []
    for number in range(_QUERIES):
        start = time.perf_counter()
        encode([f"what does chapter {number} say about the river?"])
        taken.append(time.perf_counter() - start)
    return float(np.median(taken))


def load_encoders(folder: Path) -> dict[str, Encode]:
    """Sentence-transformers as it comes, and the export, made when missing."""
    from importlib import import_module

    from sentence_transformers import SentenceTransformer

    embedder = OpenVinoEmbedder(export_model(_MODEL, folder))
    weights: Any = import_module(MODELS[_MODEL].source)
    original = SentenceTransformer(str(weights.get_model_path()), device="cpu")

    def encode(texts: list[str]) -> NDArray[np.float32]:
        return np.asarray(original.encode(texts, show_progress_bar=False), dtype=np.float32)

    return {_ORIGINAL: encode, embedder.model_id: embedder.embed}
