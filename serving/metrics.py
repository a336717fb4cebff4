"""What Prometheus reads. Labels are route templates and fixed words, never what a client sent.

Durations are in seconds. Every app has a registry of its own.
"""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alexandria.workflows.operating.status import SourceStatus

TECHNIQUE = "hybrid"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The counters of one app."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "http_requests_total",
            "Requests answered.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.durations = Histogram(
            "http_request_duration_seconds",
            "From the request's first byte to the answer's last.",
            ["method", "route"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.in_progress = Gauge(
            "http_requests_in_progress", "Requests being answered.", registry=self.registry
        )
        self.queries = Counter(
            "rag_queries_total",
            "Questions, by how they ended: answered, unanswered, failed or abandoned.",
            ["rag_technique", "status"],
            registry=self.registry,
        )
        self.query_durations = Histogram(
            "rag_query_duration_seconds",
            "From question to whole answer.",
            ["rag_technique"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.documents = Gauge(
            "rag_documents_indexed",
            "Documents that can be found.",
            ["source_type"],
            registry=self.registry,
        )

    def query(self) -> "QueryWatch":
        """Count and time one question: `with metrics.query() as watch`."""
        return QueryWatch(self)

    def show_documents(self, sources: Sequence[SourceStatus]) -> None:
        """Set the number of documents from the ledger."""
        counts: dict[str, int] = {}
        for source in sources:
            counts[source.kind] = counts.get(source.kind, 0) + source.published
        self.documents.clear()
        for kind, count in counts.items():
            self.documents.labels(kind).set(count)


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


class MetricsMiddleware:
    """Count and time every request."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """An answer that never began counts as 500."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        started = time.perf_counter()

        async def send_watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with self._metrics.in_progress.track_inprogress():
            try:
                await self._app(scope, receive, send_watched)
            finally:
                method, route = _method(scope), route_template(scope)
                self._metrics.requests.labels(method, route, str(status)).inc()
                elapsed = time.perf_counter() - started
                self._metrics.durations.labels(method, route).observe(elapsed)


def route_template(scope: Scope) -> str:
    """The path as its route was declared, such as "/api/v2/documents/{document_id}"."""
    mounted = scope.get("root_path", "").removeprefix(scope.get("app_root_path", ""))
    return getattr(scope.get("route"), "path", mounted or "unmatched")


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in _METHODS else "other"
