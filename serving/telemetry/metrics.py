"""What Prometheus reads. Labels are route templates and fixed words, never what a client sent.

Durations are in seconds. Every app has a registry of its own. No metric has a user, a tenant
or a question as a label: their number has no bound, and each would be a series for ever.
"""

import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Literal, Protocol, Self, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alexandria.adapters.tracing import continue_trace, request_span
from alexandria.workflows.operating.health import PartHealth

TECHNIQUE = "hybrid"
Refusal = Literal["rate_limit", "overload", "unauthenticated", "forbidden"]
"""Why a request was turned away before any work was done for it."""

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class CacheCounts(Protocol):
    """What a cache tells of itself, as `functools.lru_cache` does by `cache_info()`."""

    @property
    def hits(self) -> int:
        """Lookups that found something."""
        ...

    @property
    def misses(self) -> int:
        """Lookups that did not."""
        ...

    @property
    def currsize(self) -> int:
        """Entries it holds now."""
        ...


class PoolCounts(Protocol):
    """A pool of connections, as psycopg's is."""

    def get_stats(self) -> Mapping[str, int]:
        """`pool_size`, `pool_available`, `pool_max` and `requests_waiting`."""
        ...


class DocumentCounts(Protocol):
    """Documents of one kind of source, or of one source, by what became of them."""

    @property
    def kind(self) -> str:
        """The kind of source: one of few words."""
        ...

    @property
    def published(self) -> int:
        """Those that can be found."""
        ...

    @property
    def pending(self) -> int:
        """Those that wait for a run."""
        ...

    @property
    def quarantined(self) -> int:
        """Those that could not be read."""
        ...


class Metrics:
    """The counters of one app."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = self._counter(
            "http_requests_total", "Requests answered.", "method", "route", "status"
        )
        self.durations = self._histogram(
            "http_request_duration_seconds",
            "From the request's first byte to the answer's last.",
            "method",
            "route",
        )
        self.in_progress = self._gauge("http_requests_in_progress", "Requests being answered.")
        self.queries = self._counter(
            "rag_queries_total",
            "Questions, by how they ended: answered, unanswered, failed or abandoned.",
            "rag_technique",
            "status",
        )
        self.query_durations = self._histogram(
            "rag_query_duration_seconds", "From question to whole answer.", "rag_technique"
        )
        self.documents = self._gauge(
            "rag_documents_indexed", "Documents that can be found.", "source_type"
        )
        self.waiting = self._gauge(
            "rag_documents_pending", "Documents that wait for a run.", "source_type"
        )
        self.unread = self._gauge(
            "rag_documents_quarantined", "Documents that could not be read.", "source_type"
        )
        self.refused = self._counter(
            "requests_refused_total", "Requests turned away before any work.", "reason"
        )
        self.parts = self._gauge(
            "dependency_up", "1 if a part of the service answers, 0 if it does not.", "part"
        )
        self._watched = _Watched()
        self.registry.register(self._watched)
        ProcessCollector(registry=self.registry)
        _begin_at_zero(self.refused, get_args(Refusal))

    def query(self) -> "QueryWatch":
        """Count and time one question: `with metrics.query() as watch`."""
        return QueryWatch(self)

    def refuse(self, reason: Refusal) -> None:
        """Count a request that was turned away."""
        self.refused.labels(reason).inc()

    def watch_pool(self, pool: PoolCounts) -> None:
        """Show a pool of connections from here on; several are added up, each counted once."""
        if pool not in self._watched.pools:
            self._watched.pools.append(pool)

    def watch_cache(self, name: str, read: Callable[[], CacheCounts]) -> None:
        """Show a cache from here on, read whenever Prometheus asks; `name` is one of few."""
        self._watched.caches[name] = read

    def show_parts(self, parts: Sequence[PartHealth]) -> None:
        """Set which parts answer; a part that is degraded does."""
        self.parts.clear()
        for part in parts:
            label = part.name.replace(" ", "_")
            self.parts.labels(label).set(part.state != "down")

    def show_documents(self, found: Iterable[DocumentCounts]) -> None:
        """Set the numbers of documents from the ledger; those of one kind are added up."""
        for gauge in (self.documents, self.waiting, self.unread):
            gauge.clear()
        for item in found:
            self.documents.labels(item.kind).inc(item.published)
            self.waiting.labels(item.kind).inc(item.pending)
            self.unread.labels(item.kind).inc(item.quarantined)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(name, meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(name, meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, *labels: str) -> Histogram:
        return Histogram(name, meaning, labels, buckets=_BUCKETS, registry=self.registry)


class _Watched(Collector):
    """What is read only when Prometheus asks for it."""

    def __init__(self) -> None:
        self.pools: list[PoolCounts] = []
        self.caches: dict[str, Callable[[], CacheCounts]] = {}

    def collect(self) -> Iterator[Metric]:
        """The pools and the caches as they are now."""
        if self.pools:
            yield from self._collect_pools()
        entries = GaugeMetricFamily("cache_entries", "Entries of a cache.", labels=["cache"])
        lookups = CounterMetricFamily(
            "cache_lookups", "Lookups in a cache: hit or miss.", labels=["cache", "outcome"]
        )
        for name, read in self.caches.items():
            counts = read()
            entries.add_metric([name], counts.currsize)
            lookups.add_metric([name, "hit"], counts.hits)
            lookups.add_metric([name, "miss"], counts.misses)
        yield entries
        yield lookups

    def _collect_pools(self) -> Iterable[Metric]:
        stats = [pool.get_stats() for pool in self.pools]
        size, idle, limit, waiting = (
            sum(item.get(name, 0) for item in stats)
            for name in ("pool_size", "pool_available", "pool_max", "requests_waiting")
        )
        states = GaugeMetricFamily(
            "db_pool_connections",
            "Connections to Postgres: idle, in_use; waiting are requests for one.",
            labels=["state"],
        )
        for state, number in (("idle", idle), ("in_use", size - idle), ("waiting", waiting)):
            states.add_metric([state], number)
        most = GaugeMetricFamily("db_pool_connections_max", "Connections there may be at most.")
        most.add_metric([], limit)
        return states, most


class QueryWatch:
    """One question, until it is answered, fails or is abandoned by its client."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._status = "abandoned"
        self._started = 0.0

    def __enter__(self) -> Self:
        self._started = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None and issubclass(kind, Exception):
            self.fail()
        self._metrics.queries.labels(TECHNIQUE, self._status).inc()
        elapsed = time.perf_counter() - self._started
        self._metrics.query_durations.labels(TECHNIQUE).observe(elapsed)

    def finish(self, *, is_answered: bool) -> None:
        """Tell that the answer is whole."""
        self._status = "answered" if is_answered else "unanswered"

    def fail(self) -> None:
        """Tell that an error was answered."""
        self._status = "failed"


Report = Callable[[Scope, int, float], None]
"""What else wants to know of a request that ended: its scope, status and seconds."""


class MetricsMiddleware:
    """Count, time and trace every request, and report its end."""

    def __init__(self, app: ASGIApp, metrics: Metrics, report: Report | None = None) -> None:
        self._app = app
        self._metrics = metrics
        self._report = report
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An answer that never began counts as 500."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        started = time.perf_counter()

        def send_watched(message: Message) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            return send(message)

        self._metrics.in_progress.inc()
        with continue_trace(scope["headers"]), request_span("request") as watched:
            try:
                await self._app(scope, receive, send_watched)
            finally:
                elapsed = time.perf_counter() - started
                self._metrics.in_progress.dec()
                method, route = method_of(scope), route_template(scope)
                self._count(method, route, status, elapsed)
                watched.rename(f"{method} {route}")
                watched.note(
                    **{
                        "http.request.method": method,
                        "http.route": route,
                        "http.response.status_code": status,
                    }
                )
                if self._report is not None:
                    self._report(scope, status, elapsed)

    def _count(self, method: str, route: str, status: int, elapsed: float) -> None:
        """Add to the counters; their children are kept, since looking them up costs more."""
        key = (method, route, status)
        found = self._children.get(key)
        if found is None:
            found = self._children[key] = (
                self._metrics.requests.labels(method, route, str(status)),
                self._metrics.durations.labels(method, route),
            )
        found[0].inc()
        found[1].observe(elapsed)


def route_template(scope: Scope) -> str:
    """The path as its route was declared, such as "/api/v2/documents/{document_id}"."""
    mounted = scope.get("root_path", "").removeprefix(scope.get("app_root_path", ""))
    return getattr(scope.get("route"), "path", mounted or "unmatched")


def method_of(scope: Scope) -> str:
    """The method, if it is one of those there are, else "other"."""
    return scope["method"] if scope["method"] in _METHODS else "other"


def _begin_at_zero(counter: Counter, words: Iterable[str]) -> None:
    """Show every series from the start: a rate needs a value before the first increase."""
    for word in words:
        counter.labels(word)
