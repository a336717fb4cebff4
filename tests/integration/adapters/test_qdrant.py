"""Both Qdrant indexes against a model that is nothing but numpy and dictionaries."""

import logging
import math
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from alexandria.adapters.qdrant import open_server_index
from alexandria.adapters.qdrant import requests as qdrant_requests
from alexandria.adapters.qdrant.edge import QdrantEdgeIndex
from alexandria.adapters.qdrant.server import QdrantServerIndex
from alexandria.errors import (
    ConfigurationError,
    IndexLockedError,
    InvalidInputError,
    NotFoundError,
    StoreUnavailableError,
)
from alexandria.knowledge.indexing import (
    IndexEntry,
    ScoredChunk,
    SearchFilter,
    SparseVector,
    VectorIndex,
)
from alexandria.settings import Settings

DIMENSION = 16
START = datetime(2024, 1, 1, tzinfo=UTC)
Index = QdrantEdgeIndex | QdrantServerIndex


def chunk_id(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_OID, str(number)))


def entry(number: int, version: int = 0, tenant: str = "default") -> IndexEntry:
    """An entry that is a function of its arguments, with 0 to 11 of 40 terms."""
    rng = np.random.default_rng([number, version])
    dense = rng.standard_normal(DIMENSION).astype(np.float32)
    terms = rng.choice(40, size=number % 12, replace=False)
    return IndexEntry(
        chunk_id=chunk_id(number),
        document_id=f"document-{number // 5}",
        source_id=f"source-{number % 3}",
        tenant_id=tenant,
        access_id=f"access-{number % 2}",
        language=("en", "de")[number % 2],
        tags=("red", "blue", "green")[: number % 4],
        modified_at=START + timedelta(days=number, microseconds=1),
        dense=(dense / np.linalg.norm(dense)).astype(np.float32),
        terms={int(term): float(rng.uniform(0.5, 2.2)) for term in terms},
    )


@contextmanager
def edge_index(folder: Path) -> Generator[Index]:
    with QdrantEdgeIndex.open(folder / "generation", DIMENSION) as index:
        yield index


@contextmanager
def local_index(_folder: Path) -> Generator[Index]:
    from qdrant_client import QdrantClient

    client = QdrantClient(":memory:")
    try:
        yield QdrantServerIndex(client, "generation", DIMENSION)
    finally:
        client.close()


OPENERS: dict[str, Callable[[Path], AbstractContextManager[Index]]] = {
    "edge": edge_index,
    "server": local_index,
}


@pytest.fixture(params=sorted(OPENERS))
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Index]:
    with OPENERS[request.param](tmp_path) as opened:
        yield opened


def passes(candidate: IndexEntry, where: SearchFilter) -> bool:
    return (
        candidate.tenant_id == where.tenant_id
        and (not where.source_ids or candidate.source_id in where.source_ids)
        and (not where.languages or candidate.language in where.languages)
        and (not where.tags or bool(set(where.tags) & set(candidate.tags)))
        and (not where.document_ids or candidate.document_id in where.document_ids)
        and (where.modified_from is None or candidate.modified_at >= where.modified_from)
        and (where.modified_to is None or candidate.modified_at <= where.modified_to)
    )


def dense_scores(
    entries: Iterable[IndexEntry], vector: NDArray[np.float32], where: SearchFilter
) -> dict[str, float]:
    length = float(np.linalg.norm(vector))
    return {e.chunk_id: float(e.dense @ vector) / length for e in entries if passes(e, where)}


def sparse_scores(
    entries: Sequence[IndexEntry], query: SparseVector, where: SearchFilter
) -> dict[str, float]:
    n = len(entries)
    frequency = {term: sum(term in e.terms for e in entries) for term in query}
    idf = {t: math.log(1 + (n - df + 0.5) / (df + 0.5)) for t, df in frequency.items()}
    return {
        e.chunk_id: sum(query[t] * idf[t] * e.terms[t] for t in query.keys() & e.terms.keys())
        for e in entries
        if passes(e, where) and query.keys() & e.terms.keys()
    }


def assert_ranking(
    found: list[ScoredChunk], expected: dict[str, float], limit: int, tolerance: float
) -> None:
    """The scores are the model's, best first; ids may differ only among equal scores."""
    best = sorted(expected.values(), reverse=True)[:limit]
    assert len(found) == len({hit.chunk_id for hit in found}) == len(best)
    assert [hit.score for hit in found] == pytest.approx(best, abs=tolerance)
    assert [expected[hit.chunk_id] for hit in found] == pytest.approx(best, abs=tolerance)


FILTERS = {
    "tenant only": SearchFilter(),
    "source": SearchFilter(source_ids=("source-1", "source-2")),
    "language": SearchFilter(languages=("de",)),
    "any of the tags": SearchFilter(tags=("blue", "green")),
    "documents": SearchFilter(document_ids=("document-1", "document-7", "missing")),
    "from, included": SearchFilter(modified_from=entry(50).modified_at),
    "to, included": SearchFilter(modified_to=entry(50).modified_at),
    "just before": SearchFilter(modified_to=entry(50).modified_at - timedelta(microseconds=1)),
    "other zone": SearchFilter(
        modified_from=entry(20).modified_at.astimezone(timezone(timedelta(hours=5))),
        modified_to=entry(30).modified_at.astimezone(timezone(timedelta(hours=-7))),
    ),
    "everything": SearchFilter("other", None, ("source-0",), ("en",), ("red",), (), START),
    "nobody": SearchFilter("nobody"),
}


def library() -> list[IndexEntry]:
    """Two tenants of 100, all written; then a quarter replaced and a quarter deleted."""
    first = [entry(n) for n in range(100)]
    second = [entry(n, tenant="other") for n in range(100, 200)]
    return first + second


@pytest.fixture
def filled(index: Index) -> tuple[Index, list[IndexEntry]]:
    before = library()
    index.upsert(before)
    replaced = [entry(n, version=1) for n in range(25)]
    index.upsert(replaced)
    index.delete(chunk_id(n) for n in range(25, 50))
    return index, replaced + before[50:]


@pytest.mark.parametrize("where", FILTERS.values(), ids=FILTERS.keys())
def test_dense_and_sparse_order_match_the_model(
    filled: tuple[Index, list[IndexEntry]], where: SearchFilter
) -> None:
    index, entries = filled
    rng = np.random.default_rng(7)
    for limit in (1, 10, 500):
        vector = rng.standard_normal(DIMENSION).astype(np.float32)
        query = {int(t): float(w) for t, w in zip(rng.choice(45, 5), (1, 1, 2, 1, 3), strict=True)}
        found = index.search_dense(vector, where, limit)
        assert_ranking(found, dense_scores(entries, vector, where), limit, 1e-3)
        found = index.search_sparse(query, where, limit)
        assert_ranking(found, sparse_scores(entries, query, where), limit, 1e-4)


def test_a_tenant_never_sees_another(filled: tuple[Index, list[IndexEntry]]) -> None:
    index, entries = filled
    owner = {e.chunk_id: e.tenant_id for e in entries}
    everything: SparseVector = dict.fromkeys(range(40), 1.0)
    for tenant in ("default", "other", "", "nobody"):
        where = SearchFilter(tenant, tags=("red",), source_ids=("source-0", "source-1"))
        hits = index.search_dense(entries[0].dense, where, 500)
        hits += index.search_sparse(everything, where, 500)
        assert {owner[hit.chunk_id] for hit in hits} <= {tenant}
        assert bool(hits) == (tenant in {"default", "other"})


def test_what_was_stored_comes_back(filled: tuple[Index, list[IndexEntry]]) -> None:
    index, entries = filled
    assert index.chunk_ids() == {e.chunk_id for e in entries}
    assert index.count() == len(entries)
    stored = index.vectors([*(e.chunk_id for e in entries), chunk_id(30), chunk_id(999)])
    assert stored.keys() == {e.chunk_id for e in entries}
    for e in entries:
        assert stored[e.chunk_id].dtype == np.float32
        np.testing.assert_allclose(stored[e.chunk_id], e.dense, atol=1e-3)


def test_equal_scores_come_in_the_order_of_their_ids(index: Index) -> None:
    twins = [replace(entry(1), chunk_id=chunk_id(n)) for n in range(20)]
    index.upsert(twins)
    for hits in (
        index.search_dense(twins[0].dense, SearchFilter(), 20),
        index.search_sparse(twins[0].terms, SearchFilter(), 20),
    ):
        assert [hit.chunk_id for hit in hits] == sorted(t.chunk_id for t in twins)


def test_nothing_in_nothing_out(index: Index) -> None:
    index.upsert([])
    index.delete([])
    index.delete([chunk_id(1)])
    assert index.count() == 0
    assert index.chunk_ids() == set()
    assert index.vectors([]) == {}
    assert index.search_dense(entry(1).dense, SearchFilter(), 5) == []
    assert index.search_sparse({1: 1.0}, SearchFilter(), 5) == []
    assert index.search_sparse({}, SearchFilter(), 5) == []


def test_a_bad_entry_stops_the_whole_call(index: Index) -> None:
    good = entry(1)
    bad = (
        replace(good, dense=np.ones(DIMENSION + 1, np.float32)),
        replace(good, dense=np.full(DIMENSION, np.nan, np.float32)),
        replace(good, chunk_id="chunk-1"),
        replace(good, modified_at=datetime(2024, 1, 1)),  # noqa: DTZ001
    )
    for wrong in bad:
        with pytest.raises(InvalidInputError):
            index.upsert([good, wrong])
    assert index.count() == 0
    with pytest.raises(InvalidInputError):
        index.search_dense(np.ones(DIMENSION - 1, np.float32), SearchFilter(), 1)
    with pytest.raises(InvalidInputError):
        index.delete(["chunk-1"])


def test_a_term_of_weight_zero_is_not_a_term(index: Index) -> None:
    index.upsert([replace(entry(1), terms={1: 0.0}), replace(entry(2), terms={1: 0.0, 2: 1.0})])
    assert index.search_sparse({1: 1.0}, SearchFilter(), 5) == []
    (hit,) = index.search_sparse({1: 1.0, 2: 1.0}, SearchFilter(), 5)
    assert hit.score == pytest.approx(math.log(1 + 1.5 / 1.5), abs=1e-5)


def test_both_satisfy_the_protocol(index: Index) -> None:
    served: VectorIndex = index
    served.upsert([entry(number) for number in range(600)])  # more than two batches
    assert len(served.chunk_ids()) == 600
    index.optimize()
    assert index.count() == 600


def test_optimizing_changes_no_answer(index: Index) -> None:
    entries = [entry(number) for number in range(2400)]
    index.upsert(entries)
    index.delete(e.chunk_id for e in entries[::2])
    living = entries[1::2]
    index.optimize()
    assert index.chunk_ids() == {e.chunk_id for e in living}
    for probe in living[:20]:
        found = index.search_dense(probe.dense, SearchFilter(), 30)
        assert_ranking(found, dense_scores(living, probe.dense, SearchFilter()), 30, 1e-3)
        found = index.search_sparse(probe.terms, SearchFilter(), 30)
        assert_ranking(found, sparse_scores(living, probe.terms, SearchFilter()), 30, 1e-3)


operations = st.lists(
    st.one_of(
        st.tuples(st.just("upsert"), st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2)))),
        st.tuples(st.just("delete"), st.lists(st.tuples(st.integers(0, 9), st.just(0)))),
        st.tuples(st.just("optimize"), st.just([])),
    ),
    max_size=8,
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=operations)
def test_any_order_of_writes_equals_the_model(
    index: Index, steps: list[tuple[str, list[tuple[int, int]]]]
) -> None:
    index.delete(index.chunk_ids())
    model: dict[str, IndexEntry] = {}
    for action, targets in steps:
        entries = [entry(number, version) for number, version in targets]
        for _ in range(2):  # the second time must change nothing
            if action == "upsert":
                index.upsert(entries)
                model.update((e.chunk_id, e) for e in entries)
            elif action == "delete":
                index.delete(e.chunk_id for e in entries)
                for e in entries:
                    model.pop(e.chunk_id, None)
            else:
                index.optimize()
    assert index.chunk_ids() == model.keys()
    query: SparseVector = dict.fromkeys(range(40), 1.0)
    living = list(model.values())
    found = index.search_sparse(query, SearchFilter(), 20)
    assert_ranking(found, sparse_scores(living, query, SearchFilter()), 20, 1e-4)
    vector = entry(3).dense
    found = index.search_dense(vector, SearchFilter(), 20)
    assert_ranking(found, dense_scores(living, vector, SearchFilter()), 20, 1e-3)


def test_both_engines_give_the_same_answers(tmp_path: Path) -> None:
    with ExitStack() as stack:
        edge, server = (stack.enter_context(OPENERS[n](tmp_path)) for n in ("edge", "server"))
        for one in (edge, server):
            one.upsert(library())
            one.delete(chunk_id(n) for n in range(0, 200, 3))
        for number in range(10):
            query = entry(number * 12 + 11).terms
            left, right = (i.search_sparse(query, SearchFilter(), 200) for i in (edge, server))
            assert {h.chunk_id: h.score for h in left} == pytest.approx(
                {h.chunk_id: h.score for h in right}, abs=1e-4
            )


# --- the folder of the engine in this process ---------------------------------------------


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


WRITER = """
import sys
from pathlib import Path
sys.path[:0] = [sys.argv[2]]
from test_qdrant import DIMENSION, QdrantEdgeIndex, chunk_id, entry
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


# --- the client of a server ---------------------------------------------------------------


def test_one_client_holds_several_generations() -> None:
    from qdrant_client import QdrantClient

    client = QdrantClient(":memory:")
    first = QdrantServerIndex(client, "first", DIMENSION)
    first.upsert([entry(1)])
    again = QdrantServerIndex(client, "first", DIMENSION)
    second = QdrantServerIndex(client, "second", DIMENSION)
    assert (again.count(), second.count()) == (1, 0)
    with pytest.raises(ConfigurationError, match="16 dimensions"):
        QdrantServerIndex(client, "first", 8)
    first.drop()
    assert not client.collection_exists("first")
    client.close()


@contextmanager
def broken_server(status: int) -> Generator[tuple[str, list[str]]]:
    """An address that answers everything with `status`, and the paths it was asked for."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


ANSWERS = [
    (503, StoreUnavailableError, qdrant_requests.ATTEMPTS),
    (429, StoreUnavailableError, qdrant_requests.ATTEMPTS),
    (401, ConfigurationError, 1),
    (404, NotFoundError, 1),
    (422, InvalidInputError, 1),
]


@pytest.mark.parametrize(("status", "error", "attempts"), ANSWERS)
def test_only_passing_trouble_is_tried_again(
    status: int, error: type[Exception], attempts: int
) -> None:
    with broken_server(status) as (url, asked):
        with pytest.raises(error), QdrantServerIndex.open(url, "generation", DIMENSION):
            pass
        assert len(asked) == attempts


def test_settings_without_a_server_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="ALEXANDRIA_QDRANT_URL"):
        open_server_index(Settings(home=tmp_path, qdrant_url=None), "generation", DIMENSION)
    with broken_server(401) as (url, _):
        settings = Settings(home=tmp_path, qdrant_url=url)
        opening = open_server_index(settings, "generation", DIMENSION)
        with pytest.raises(ConfigurationError, match="API key"), opening:
            pass


def test_a_server_that_is_away_is_unavailable() -> None:
    with broken_server(503) as (url, _):
        pass  # its port is free again
    opening = QdrantServerIndex.open(url, "generation", DIMENSION)
    with pytest.raises(StoreUnavailableError, match="did not answer"), opening:
        pass


def test_importing_the_adapters_imports_no_driver() -> None:
    code = (
        "import sys, alexandria.adapters.qdrant.edge, alexandria.adapters.qdrant.server;"
        "print([m for m in ('qdrant_client', 'qdrant_edge', 'httpx', 'tenacity', 'filelock')"
        " if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
