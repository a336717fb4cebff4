"""A process that writes a Qdrant index is killed at any moment, and nothing it reported is lost."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from qdrant_model import assert_ranking, chunk_id, edge_index, entry, sparse_scores

from alexandria.knowledge.indexing import SearchFilter

WRITER = """
import sys
from pathlib import Path
sys.path[:0] = [sys.argv[2]]
from qdrant_model import DIMENSION, QdrantEdgeIndex, chunk_id, entry
print("ready", flush=True)
with QdrantEdgeIndex.open(Path(sys.argv[1]), DIMENSION) as index:
    print("open", flush=True)
    for start in range(index.count(), 100_000, 300):
        index.upsert([entry(n) for n in range(start, start + 300)])
        print(start + 300, flush=True)
"""


def killed_writer(folder: Path, after_line: str, pause_s: float) -> list[str]:
    """Run the writer, kill it that long after the line was printed; all it has printed."""
    command = [sys.executable, "-c", WRITER, str(folder), str(Path(__file__).parent)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        printed: list[str] = []
        while not printed or printed[-1] != after_line:
            printed.append(writer.stdout.readline().strip())
        time.sleep(pause_s)
        writer.send_signal(signal.SIGKILL)
        return printed + writer.stdout.read().split()


@pytest.mark.parametrize("seed", range(3))
def test_a_kill_while_creating_leaves_a_folder_that_opens(tmp_path: Path, seed: int) -> None:
    folder = tmp_path / "generation"
    killed_writer(folder, "ready", random.Random(seed).uniform(0.0, 0.5))
    with edge_index(tmp_path) as index:
        index.upsert([entry(n) for n in range(5)])
        assert {chunk_id(n) for n in range(5)} <= index.chunk_ids()


def test_a_kill_while_writing_loses_nothing_that_was_reported(tmp_path: Path) -> None:
    chance = random.Random(5)
    for _ in range(4):
        printed = killed_writer(tmp_path / "generation", "open", chance.uniform(0.2, 1.0))
        reported = [int(line) for line in printed if line.isdecimal()]
        with edge_index(tmp_path) as index:
            held = index.chunk_ids()
            assert {chunk_id(n) for n in range(max(reported, default=0))} <= held
            assert index.vectors(sorted(held)).keys() == held
            # everything held is found, whole, by both kinds of search
            entries = [entry(n) for n in range(100_000) if n < len(held)]
            assert {e.chunk_id for e in entries} == held
            query = entries[11].terms if entries else {1: 1.0}
            found = index.search_sparse(query, SearchFilter(), 20)
            assert_ranking(found, sparse_scores(entries, query, SearchFilter()), 20, 1e-3)
