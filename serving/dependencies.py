"""What routes are given."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from alexandria.knowledge.indexing import SearchFilter
from alexandria.workflows.reading.answering import AnswerEvent, stream_answer
from alexandria.workflows.workspace import Workspace
from serving.admission.identity import CurrentPrincipal, RequestOrigin
from serving.filtering import resolve_filter
from serving.library import Library
from serving.schemas.query import QueryRequest
from serving.telemetry.metrics import Metrics, QueryWatch


async def get_library(request: Request) -> Library:
    """The library of the app, open or not."""
    return request.app.state.library


async def get_metrics(request: Request) -> Metrics:
    """The counters of the app."""
    return request.app.state.metrics


LibraryOfApp = Annotated[Library, Depends(get_library)]
MetricsOfApp = Annotated[Metrics, Depends(get_metrics)]


async def get_workspace(
    library: LibraryOfApp, principal: CurrentPrincipal, origin: RequestOrigin
) -> Workspace:
    """The library as whoever asks may see it.

    Raises:
        StoreUnavailableError: It is not open yet.
    """
    return library.workspace.acting_for(principal, origin)


ActingWorkspace = Annotated[Workspace, Depends(get_workspace)]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and what it may be answered from."""

    query: QueryRequest
    where: SearchFilter


def get_asked(query: QueryRequest, workspace: ActingWorkspace) -> Asked:
    """The question with its filters resolved, before an answer begins.

    Raises:
        InvalidInputError: It names a source or a document that is not there.
    """
    return Asked(query, resolve_filter(workspace, query.filters, query.selected_files))


Question = Annotated[Asked, Depends(get_asked)]


@dataclass(frozen=True, slots=True)
class Answering:
    """An answer on its way."""

    events: Iterator[AnswerEvent]
    watch: QueryWatch


def get_answering(
    asked: Question, workspace: ActingWorkspace, metrics: MetricsOfApp
) -> Generator[Answering]:
    """The events of an answer. Their making ends with the request, whoever ended it.

    A streaming route that its client leaves is not told so; what a dependency opened is closed.
    """
    with metrics.query() as watch:
        events = stream_answer(
            workspace, asked.query.question, asked.where, limit=asked.query.config.top_k
        )
        try:
            yield Answering(events, watch)
        finally:
            if isinstance(events, Generator):
                events.close()


StreamedAnswer = Annotated[Answering, Depends(get_answering)]
