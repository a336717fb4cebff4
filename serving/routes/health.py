"""Whether the service runs, is ready, and how it does."""

import asyncio

from anyio.to_thread import run_sync
from fastapi import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from alexandria.workflows.operating.health import unopened_library
from alexandria.workflows.reading.candidates import sentences_kept
from serving.admission.families import Family
from serving.admission.identity import public
from serving.dependencies import LibraryOfApp, MetricsOfApp
from serving.library import Library
from serving.schemas.health import Liveness, Part, Readiness, State
from serving.telemetry.metrics import Metrics

router = Family(prefix="/health", tags=["health"], dependencies=[public()])
metrics_router = Family(prefix="/metrics", tags=["health"], dependencies=[public()])


@router.get(
    "/live",
    summary="Whether the process answers",
    operation_id="check_liveness",
)
async def check_liveness() -> Liveness:
    """Always ok: a process that hangs does not answer at all."""
    return Liveness()


@router.get(
    "/ready",
    summary="Whether questions can be answered now",
    operation_id="check_readiness",
    responses={503: {"model": Readiness, "description": "A required part is down."}},
)
async def check_readiness(library: LibraryOfApp, response: Response) -> Readiness:
    """The state of every part, a second old at most; 503 only if a required one is down."""
    parts = await _parts(library)
    status = _overall(parts)
    if status == "down":
        response.status_code = 503
        response.headers["Retry-After"] = "2"
    return Readiness(status=status, parts=parts)


@metrics_router.get(
    "",
    summary="Counters for Prometheus",
    operation_id="read_metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"example": "http_requests_in_progress 1.0"}}}},
)
async def read_metrics(library: LibraryOfApp, metrics: MetricsOfApp) -> Response:
    """Requests, questions and documents, in Prometheus' text format.

    Parts and documents are looked at anew for the next answer: this route never waits for a
    store, and so works when one is down.
    """
    _show(library, metrics)
    shown = await run_sync(generate_latest, metrics.registry, limiter=library.watchers)
    return Response(shown, media_type=CONTENT_TYPE_LATEST)


def _show(library: Library, metrics: Metrics) -> None:
    """Show what was found last, and begin to find it again."""
    if not library.is_warm:
        metrics.show_parts([unopened_library(library.progress)])
        return
    metrics.watch_pool(library.workspace.database.pool)
    metrics.watch_cache("sentences", sentences_kept)
    for found in (library.parts, library.documents):
        found.ask()
    if library.parts.last is not None:
        metrics.show_parts(library.parts.last)
    if library.documents.last is not None:
        metrics.show_documents(library.documents.last)


async def _parts(library: Library) -> list[Part]:
    """While the library opens or warms, asking its parts would only wait for it."""
    if library.is_warm:
        # Shielded: one client that leaves must not end what others wait for.
        found = await asyncio.shield(asyncio.wrap_future(library.parts.ask()))
    else:
        found = [unopened_library(library.progress)]
    return [Part.model_validate(item) for item in found]


def _overall(parts: list[Part]) -> State:
    """A part that is optional may be degraded: the default has no language model."""
    if any(part.state == "down" and part.is_required for part in parts):
        return "down"
    is_whole = all(
        part.state == "ok" or (part.state == "degraded" and not part.is_required) for part in parts
    )
    return "ok" if is_whole else "degraded"
