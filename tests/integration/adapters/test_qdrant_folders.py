"""The folder of the Qdrant engine in this process: kept, locked, damaged and dropped."""

import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from qdrant_model import DIMENSION, assert_ranking, edge_index, entry, library, sparse_scores

from alexandria.adapters.qdrant.edge import QdrantEdgeIndex
from alexandria.errors import ConfigurationError, IndexLockedError
from alexandria.knowledge.indexing import SearchFilter


def test_closing_keeps_everything(tmp_path: Path) -> None:
    entries = library()
    with edge_index(tmp_path) as index:
        index.upsert(entries)
    with edge_index(tmp_path) as index:
        assert index.chunk_ids() == {e.chunk_id for e in entries}
        found = index.search_sparse(entries[11].terms, SearchFilter(), 500)
        assert_ranking(found, sparse_scores(entries, entries[11].terms, SearchFilter()), 500, 1e-4)


def test_an_open_folder_is_locked_for_everybody_else(tmp_path: Path) -> None:
    opening = (
        "import sys; from pathlib import Path;"
        "from alexandria.adapters.qdrant.edge import QdrantEdgeIndex;"
        "from alexandria.errors import IndexLockedError\n"
        "try:\n"
        f"    with QdrantEdgeIndex.open(Path(sys.argv[1]), {DIMENSION}) as i: print(i.count())\n"
        "except IndexLockedError as error: print(error.code)\n"
    )
    command = [sys.executable, "-c", opening, str(tmp_path / "generation")]
    with edge_index(tmp_path) as index:
        index.upsert([entry(1)])
        with pytest.raises(IndexLockedError), edge_index(tmp_path):
            pass
        assert subprocess.check_output(command, text=True).strip() == "index_locked"
        assert index.count() == 1
    assert subprocess.check_output(command, text=True).strip() == "1"


def test_the_engines_own_lock_is_told_as_well(tmp_path: Path) -> None:
    from qdrant_edge import EdgeShard

    with edge_index(tmp_path) as index:
        index.upsert([entry(1)])
    intruder = EdgeShard.load(str(tmp_path / "generation"))
    with pytest.raises(IndexLockedError), edge_index(tmp_path):
        pass
    intruder.close()
    with edge_index(tmp_path) as index:
        assert index.count() == 1


def test_another_dimension_is_refused_and_nothing_is_lost(tmp_path: Path) -> None:
    with edge_index(tmp_path) as index:
        index.upsert([entry(1)])
    other = QdrantEdgeIndex.open(tmp_path / "generation", DIMENSION + 1)
    with pytest.raises(ConfigurationError, match="other vectors"), other:
        pass
    with edge_index(tmp_path) as index:
        assert index.count() == 1


def truncate(pattern: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        for path in folder.glob(pattern):
            path.write_bytes(b"")

    return damage


DAMAGES = {
    "segment state": truncate("segments/*/segment.json"),
    "log": truncate("wal/first-index"),
    "payload index, on which the engine panics": truncate(
        "segments/*/payload_index/*document-null/has_values/status.dat"
    ),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_folder_starts_empty_and_says_so(
    tmp_path: Path, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    with edge_index(tmp_path) as index:
        index.upsert([entry(n) for n in range(20)])
    damage(tmp_path / "generation")
    with caplog.at_level(logging.WARNING), edge_index(tmp_path) as index:
        assert index.count() == 0
        assert "starts empty" in caplog.text
        index.upsert([entry(1)])
    with edge_index(tmp_path) as index:
        assert index.count() == 1


def test_dropping_removes_the_folder(tmp_path: Path) -> None:
    with edge_index(tmp_path) as index:
        index.upsert([entry(1)])
        index.drop()
        assert not (tmp_path / "generation").exists()
    with edge_index(tmp_path) as index:
        assert index.count() == 0
