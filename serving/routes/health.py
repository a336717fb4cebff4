"""Whether the service runs, is ready, and how it does."""

from contextlib import suppress

from fastapi import APIRouter, BackgroundTasks, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from alexandria.errors import AlexandriaError
from alexandria.workflows.operating.health import check_health
from alexandria.workflows.operating.status import list_source_status
from serving.dependencies import LibraryOfApp, MetricsOfApp
from serving.library import Library
from serving.metrics import Metrics
from serving.schemas.health import Liveness, Part, Readiness, State

router = APIRouter(tags=["health"])


@router.get("/health/live", summary="Whether the process answers", operation_id="check_liveness")
def check_liveness() -> Liveness:
    """Always ok: a process that hangs does not answer at all."""
    return Liveness()


@router.get(
    "/health/ready",
    summary="Whether questions can be answered now",
    operation_id="check_readiness",
    responses={503: {"model": Readiness, "description": "A required part is down."}},
)
def check_readiness(library: LibraryOfApp, response: Response) -> Readiness:
    """The state of every part; 503 only if a required one is down."""
    parts = _parts(library)
    status = _overall(parts)
    if status == "down":
        response.status_code = 503
        response.headers["Retry-After"] = "2"
    return Readiness(status=status, parts=parts)


@router.get(
    "/metrics",
    summary="Counters for Prometheus",
    operation_id="read_metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"example": "http_requests_in_progress 1.0"}}}},
)
def read_metrics(
    library: LibraryOfApp, metrics: MetricsOfApp, afterwards: BackgroundTasks
) -> Response:
    """Requests, questions and documents, in Prometheus' text format.

    Documents are counted after each answer, for the next one: this route never waits for a
    store, and so works when one is down.
    """
    afterwards.add_task(_count_documents, library, metrics)
    return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)


def _count_documents(library: Library, metrics: Metrics) -> None:
    with suppress(AlexandriaError):
        metrics.show_documents(list_source_status(library.workspace))


def _parts(library: Library) -> list[Part]:
    """While the library opens or warms, asking its parts would only wait for it."""
    if not library.is_warm:
        return [Part(name="library", state="down", detail=library.progress, is_required=True)]
    return [Part.model_validate(item) for item in check_health(library.workspace)]


def _overall(parts: list[Part]) -> State:
    """A part that is optional may be degraded: the default has no language model."""
    if any(part.state == "down" and part.is_required for part in parts):
        return "down"
    is_whole = all(
        part.state == "ok" or (part.state == "degraded" and not part.is_required) for part in parts
    )
    return "ok" if is_whole else "degraded"
