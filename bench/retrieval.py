"""How well the hybrid search finds what a labelled set asks for, against both its parents.

Not a speed: nDCG@10 and Recall@100 as `alexandria evaluate` computes them, through the real
graph and stores. The reference is the better of dense and BM25 on the same set.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.figures import Figure, Goal, Reference
from bench.library import COMMAND

ABOVE_PARENTS = Goal(1.0, at_least=True, of_ratio=True)
MEASURES = {"ndcg_at_10": ABOVE_PARENTS, "recall_at_100": None}


def measure(folder: Path) -> Iterator[Figure]:
    """Evaluate one labelled set; see `alexandria evaluate --help` for its files."""
    command = [COMMAND, "evaluate", folder, "--json"]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    result: dict[str, Any] = json.loads(said)
    scores: dict[str, dict[str, float]] = result["scores"]
    for name, goal in MEASURES.items():
        parent = max(("dense", "bm25"), key=lambda side: scores[side][name])
        reference = Reference(scores[parent][name], parent)
        label = f"retrieval: {result['set']} {name}"
        yield Figure(label, scores["hybrid"][name], "", reference, goal)
