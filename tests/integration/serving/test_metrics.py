"""What /metrics counts, and that its labels stay few."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from threading import Event, Thread
from typing import Any

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from alexandria.adapters.postgres import Database
from alexandria.workflows.operating.health import PartHealth, PartName, unopened_library
from alexandria.workflows.operating.status import count_documents
from alexandria.workflows.workspace import Workspace
from serving.telemetry.metrics import Metrics, MetricsMiddleware

Samples = dict[tuple[str, ...], float]


def samples(metrics: Metrics, name: str) -> Samples:
    """Values by the values of the labels, in the order of the labels' names."""
    return {
        tuple(value for _, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(generate_latest(metrics.registry).decode())
        for sample in family.samples
        if sample.name == name
    }


async def ignore(*_: Any) -> Any:
    return None


def serve(
    metrics: Metrics,
    *,
    method: str = "GET",
    path: str = "/x",
    status: int | None = 200,
    reports: Callable[[Any, int, float], None] | None = None,
) -> None:
    """One request through the middleware; without a status it raises before it answers."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if status is None:
            raise RuntimeError("no luck")
        await send({"type": "http.response.start", "status": status, "headers": []})

    scope: dict[str, Any] = {"type": "http", "method": method, "path": path, "headers": []}
    _run(MetricsMiddleware(app, metrics, reports)(scope, ignore, ignore))


def test_a_request_is_counted_timed_and_reported_once() -> None:
    metrics = Metrics()
    reported: list[tuple[str, int]] = []
    for _ in range(3):
        serve(
            metrics,
            status=201,
            reports=lambda scope, status, _: reported.append((scope["path"], status)),
        )
    assert samples(metrics, "http_requests_total") == {("GET", "unmatched", "201"): 3}
    assert samples(metrics, "http_request_duration_seconds_count") == {("GET", "unmatched"): 3}
    assert samples(metrics, "http_requests_in_progress") == {(): 0}
    assert reported == [("/x", 201)] * 3


def test_a_request_that_breaks_counts_as_500_and_is_reported() -> None:
    metrics = Metrics()
    reported: list[int] = []
    with pytest.raises(RuntimeError):
        serve(metrics, status=None, reports=lambda _, status, __: reported.append(status))
    assert samples(metrics, "http_requests_total") == {("GET", "unmatched", "500"): 1}
    assert samples(metrics, "http_requests_in_progress") == {(): 0}
    assert reported == [500]


def test_what_clients_send_becomes_no_label() -> None:
    metrics = Metrics()
    for number in range(50):
        serve(metrics, method=f"VERB{number}", path=f"/{number}")
    assert samples(metrics, "http_requests_total") == {("other", "unmatched", "200"): 50}


def test_refusals_show_from_the_start() -> None:
    """An alert asks by how much they rose, and needs a value from before."""
    metrics = Metrics()
    reasons = {("rate_limit",), ("overload",), ("unauthenticated",), ("forbidden",)}
    assert samples(metrics, "requests_refused_total") == dict.fromkeys(reasons, 0)
    metrics.refuse("forbidden")
    assert samples(metrics, "requests_refused_total")["forbidden",] == 1


def test_the_pool_shows_what_is_idle_in_use_and_waited_for(workspace: Workspace) -> None:
    metrics = Metrics()
    assert not samples(metrics, "db_pool_connections")
    with Database(workspace.database.address, connections=1) as database:
        metrics.watch_pool(database.pool)
        metrics.watch_pool(database.pool)
        assert samples(metrics, "db_pool_connections_max") == {(): 1}
        database.value("ping")
        assert samples(metrics, "db_pool_connections") == states(idle=1)
        asked = Event()

        def wait_for_one() -> None:
            asked.set()
            database.value("ping")

        with database.transaction():
            assert samples(metrics, "db_pool_connections") == states(in_use=1)
            waiting = Thread(target=wait_for_one)
            waiting.start()
            assert asked.wait(60)
            while samples(metrics, "db_pool_connections") != states(in_use=1, waiting=1):
                assert waiting.is_alive(), "it got a connection although there was none"
        waiting.join()
        assert samples(metrics, "db_pool_connections") == states(idle=1)


def states(idle: int = 0, in_use: int = 0, waiting: int = 0) -> Samples:
    return {("idle",): idle, ("in_use",): in_use, ("waiting",): waiting}


def test_caches_show_their_entries_hits_and_misses() -> None:
    @lru_cache(maxsize=2)
    def double(number: int) -> int:
        return 2 * number

    metrics = Metrics()
    metrics.watch_cache("doubles", double.cache_info)
    for number in (1, 1, 2, 3, 1):
        double(number)
    assert samples(metrics, "cache_entries") == {("doubles",): 2}
    assert samples(metrics, "cache_lookups_total") == {
        ("doubles", "hit"): 1,
        ("doubles", "miss"): 4,
    }


def test_parts_are_up_or_down_by_a_short_name() -> None:
    metrics = Metrics()
    metrics.show_parts(
        [
            PartHealth(PartName.INDEX, "down", "no answer from 10.0.0.1", is_required=True),
            PartHealth(PartName.LANGUAGE_MODEL, "degraded", "none is set", is_required=False),
            PartHealth(PartName.POSTGRES, "ok", "", is_required=True),
        ]
    )
    assert samples(metrics, "dependency_up") == {
        ("index",): 0,
        ("language_model",): 1,
        ("postgres",): 1,
    }
    metrics.show_parts([unopened_library("")])
    assert samples(metrics, "dependency_up") == {("library",): 0}


def test_documents_are_those_of_the_ledger_by_kind_of_source(library: Workspace) -> None:
    metrics = Metrics()
    for _ in range(2):
        metrics.show_documents(count_documents(library.keeping_the_door()))
    published = samples(metrics, "rag_documents_indexed")
    assert set(published) == {("folder",)}
    assert published["folder",] > 10
    assert samples(metrics, "rag_documents_pending") == {("folder",): 0}
    assert set(samples(metrics, "rag_documents_quarantined")) == {("folder",)}


def test_the_process_shows_its_memory_and_files() -> None:
    metrics = Metrics()
    for name in ("process_resident_memory_bytes", "process_open_fds", "process_max_fds"):
        assert samples(metrics, name)[()] > 0


def _run(work: Coroutine[Any, Any, None]) -> None:
    """In a thread: a loop that a library left in this one stays."""
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, work).result()
