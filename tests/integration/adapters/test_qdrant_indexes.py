"""Both Qdrant indexes against a model that is nothing but numpy and dictionaries."""

import math
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qdrant_model import (
    DIMENSION,
    OPENERS,
    START,
    Index,
    assert_ranking,
    chunk_id,
    dense_scores,
    entry,
    library,
    sparse_scores,
)

from alexandria.errors import InvalidInputError
from alexandria.knowledge.indexing import IndexEntry, SearchFilter, SparseVector, VectorIndex


@pytest.fixture(params=sorted(OPENERS))
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Index]:
    with OPENERS[request.param](tmp_path) as opened:
        yield opened


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


def test_importing_the_adapters_imports_no_driver() -> None:
    code = (
        "import sys, alexandria.adapters.qdrant.edge, alexandria.adapters.qdrant.server;"
        "print([m for m in ('qdrant_client', 'qdrant_edge', 'httpx', 'tenacity', 'filelock')"
        " if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
