"""Speed and fidelity of the exported model against sentence-transformers' default.

    python -m bench.embedding [FOLDER] [--texts N] [--rounds N]

FOLDER holds text files (.txt, .md, .html); their paragraphs are the natural texts, and runs
of them cut at 220 words the long ones. Both models read the same texts in the same process,
turn by turn; each figure is the best of the rounds, since a shared machine only ever adds
time. Processor time is given too: it does not count what other programs took.
"""

import argparse
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alexandria.adapters.model_export import calibration_texts, export_model
from alexandria.adapters.openvino import MODELS, OpenVinoEmbedder
from alexandria.settings import Settings

_MODEL = "all-MiniLM-L6-v2"
_LONG_WORDS = 220
_SUFFIXES = frozenset({".txt", ".md", ".html"})
_QUERIES = 50

Encode = Callable[[list[str]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Speed:
    """Best of the rounds: texts a second by the clock and by processor time."""

    wall: float
    processor: float


def paragraphs(folder: Path) -> Iterator[str]:
    """Paragraphs of the text files in a folder, of at least 20 characters."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in _SUFFIXES:
            text = re.sub(r"<[^>]+>", " ", path.read_text(encoding="utf-8", errors="replace"))
            found = (" ".join(part.split()) for part in re.split(r"\n\s*\n", text))
            yield from (part for part in found if len(part) >= 20)


def natural_texts(folder: Path | None, count: int) -> list[str]:
    """Paragraphs taken evenly from the folder; without one, the calibration texts."""
    found = list(paragraphs(folder)) if folder else []
    found = found or [text for part in calibration_texts() for text in part]
    step = max(1, len(found) // count)
    return found[::step][:count]


def long_texts(texts: list[str]) -> list[str]:
    """The same words in texts of 220, which fill the model's 256 tokens."""
    words = " ".join(texts).split()
    cuts = range(0, max(1, len(words) - _LONG_WORDS), _LONG_WORDS)
    return [" ".join(words[cut : cut + _LONG_WORDS]) for cut in cuts]


def measure(encode: Encode, texts: list[str]) -> Speed:
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


def compare(name: str, texts: list[str], encoders: dict[str, Encode], rounds: int) -> None:
    """Print both speeds on the texts, their ratio and the cosine between the vectors."""
    theirs, ours = (encode(texts) for encode in encoders.values())
    cosine = np.einsum("td,td->t", theirs, ours)
    speeds: dict[str, list[Speed]] = {key: [] for key in encoders}
    for _ in range(rounds):
        for key, encode in encoders.items():
            speeds[key].append(measure(encode, texts))
    first, second = (best(found) for found in speeds.values())
    print(f"{name}: {len(texts)} texts, {first.wall:.1f} -> {second.wall:.1f} chunks/s")
    print(f"  ratio {second.wall / first.wall:.2f} by the clock (goal 2.4), ", end="")
    print(f"{second.processor / first.processor:.2f} by processor time")
    print(f"  cosine to the original: mean {cosine.mean():.4f}, lowest {cosine.min():.4f}")


def load_encoders(folder: Path) -> dict[str, Encode]:
    """Sentence-transformers as it comes, and the export, made when missing."""
    from importlib import import_module

    from sentence_transformers import SentenceTransformer

    embedder = OpenVinoEmbedder(export_model(_MODEL, folder))
    weights: Any = import_module(MODELS[_MODEL].source)
    original = SentenceTransformer(str(weights.get_model_path()), device="cpu")

    def encode(texts: list[str]) -> NDArray[np.float32]:
        return np.asarray(original.encode(texts, show_progress_bar=False), dtype=np.float32)

    return {"sentence-transformers": encode, embedder.model_id: embedder.embed}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Speed and fidelity of the exported model.")
    parser.add_argument("folder", type=Path, nargs="?", help="folder of text files")
    parser.add_argument("--texts", type=int, default=200, help="natural texts to embed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", type=Path, default=None, help="folder of the exports")
    options = parser.parse_args()
    encoders = load_encoders(options.models or Settings().model_folder)
    natural = natural_texts(options.folder, options.texts)
    print(" against ".join(reversed(list(encoders))))
    compare("natural", natural, encoders, options.rounds)
    compare("long", long_texts(natural), encoders, options.rounds)
    before, after = (query_seconds(encode) for encode in encoders.values())
    print(f"one query: {before * 1e3:.1f} -> {after * 1e3:.1f} ms, ratio {before / after:.1f}")


if __name__ == "__main__":
    main()
