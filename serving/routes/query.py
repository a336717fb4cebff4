"""Questions, answered whole or as a stream."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import anyio
from anyio.to_thread import run_sync
from fastapi import APIRouter, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel

from alexandria.errors import AlexandriaError
from alexandria.workflows.answering import Answered, AnswerEvent, answer, stream_answer
from serving.dependencies import MetricsOfApp, OpenWorkspace, QueryFilter
from serving.errors import describe_error, request_id_of
from serving.openapi import problems
from serving.schemas.query import (
    PassagesEvent,
    QueryRequest,
    QueryResponse,
    ResponseMetadata,
    Source,
    TextEvent,
)

router = APIRouter(prefix="/api/v2/query", tags=["query"])

_STREAM_EXAMPLE = (
    'event: passages\ndata: {"passages": []}\n\n'
    'event: text\ndata: {"text": "The handle is behind the door. [1]"}\n\n'
    'event: citation\ndata: {"number": 1, "quote": "The handle is behind the door."}\n\n'
    'event: done\ndata: {"answer": "The handle is behind the door. [1]"}\n\n'
)


@router.post("", summary="Ask the library", operation_id="ask", responses=problems(413, 422))
def ask(
    query: QueryRequest, where: QueryFilter, workspace: OpenWorkspace, metrics: MetricsOfApp
) -> QueryResponse:
    """Answer a question from the library, with the quotes the answer stands on.

    `metadata.is_answered` is false when the library holds nothing that answers. The
    `conversation_id` comes back as it was sent, or is a fresh one; no history is stored yet.
    """
    with metrics.query() as outcome:
        answered = answer(workspace, query.question, where, limit=query.config.top_k)
        outcome.answered(answered.is_answered)
    return _to_response(answered, query)


@router.post(
    "/stream",
    summary="Ask the library, answered as it is written",
    operation_id="ask_stream",
    response_class=EventSourceResponse,
    responses=problems(413, 422)
    | {200: {"content": {"text/event-stream": {"example": _STREAM_EXAMPLE}}}},
)
async def ask_stream(
    request: Request,
    query: QueryRequest,
    where: QueryFilter,
    workspace: OpenWorkspace,
    metrics: MetricsOfApp,
) -> AsyncIterator[ServerSentEvent]:
    """Answer a question as server-sent events.

    `passages` comes first, then `text` (pieces that join to the answer) and `citation` (a
    source, as in the whole answer) in any order, then `done` (the whole answer, with the body
    of `POST /api/v2/query`) or `error` (a problem body). Work stops when the client leaves.
    """
    with metrics.query() as outcome:
        try:
            events = stream_answer(workspace, query.question, where, limit=query.config.top_k)
            async with _in_threads(events) as answering:
                async for event in answering:
                    if event.kind == "done":
                        outcome.answered(event.data.is_answered)
                    yield _to_event(event, query)
        except AlexandriaError as error:
            problem = describe_error(
                error, instance=request.url.path, request_id=request_id_of(request)
            )
            yield ServerSentEvent(event="error", data=problem)


@asynccontextmanager
async def _in_threads(
    events: Iterator[AnswerEvent],
) -> AsyncGenerator[AsyncIterator[AnswerEvent]]:
    """The events, each made in a worker thread; leaving early ends their making."""

    async def each() -> AsyncIterator[AnswerEvent]:
        while (event := await run_sync(next, events, None)) is not None:
            yield event

    try:
        yield each()
    finally:
        if isinstance(events, Generator):
            with anyio.CancelScope(shield=True):
                await run_sync(events.close)


def _to_response(answered: Answered, query: QueryRequest) -> QueryResponse:
    return QueryResponse(
        answer=answered.text,
        sources=[Source.model_validate(item) for item in answered.citations],
        images=[],
        suggested_diagrams=[],
        metadata=ResponseMetadata.model_validate(answered),
        conversation_id=query.conversation_id or uuid4().hex,
    )


_EVENT_BODIES: Mapping[str, Callable[[Any, QueryRequest], BaseModel]] = {
    "passages": lambda data, _query: PassagesEvent.model_validate({"passages": data}),
    "text": lambda data, _query: TextEvent(text=data),
    "citation": lambda data, _query: Source.model_validate(data),
    "done": _to_response,
}


def _to_event(event: AnswerEvent, query: QueryRequest) -> ServerSentEvent:
    if event.kind == "error":
        raise event.data
    return ServerSentEvent(event=event.kind, data=_EVENT_BODIES[event.kind](event.data, query))
