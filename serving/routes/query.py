"""Questions, answered whole or as a stream."""

from collections.abc import Iterator
from uuid import uuid4

from fastapi import Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from alexandria.errors import AlexandriaError
from alexandria.identity.permissions import Permission
from alexandria.workflows.reading.answering import Answered, AnswerEvent, Citation, answer
from serving.admission.families import Family
from serving.admission.identity import requires
from serving.dependencies import ActingWorkspace, MetricsOfApp, Question, StreamedAnswer
from serving.errors import describe_error, request_id_of
from serving.schemas.base import ResponseBody
from serving.schemas.documents import Passage
from serving.schemas.query import (
    PassagesEvent,
    QueryRequest,
    QueryResponse,
    ResponseMetadata,
    Source,
    TextEvent,
)
from serving.telemetry.reporting import report_answer

router = Family(prefix="/api/v2/query", tags=["query"])

DEGRADED_SECONDS = 30
"""After which asking again may bring a better answer than a degraded one."""

_STREAM_EXAMPLE = (
    'event: passages\ndata: {"passages": []}\n\n'
    'event: text\ndata: {"text": "The handle is behind the door. [1]"}\n\n'
    'event: citation\ndata: {"number": 1, "quote": "The handle is behind the door."}\n\n'
    'event: done\ndata: {"answer": "The handle is behind the door. [1]"}\n\n'
)


@router.post(
    "",
    summary="Ask the library",
    operation_id="ask",
    dependencies=[requires(Permission.QUERY)],
)
def ask(
    request: Request, asked: Question, workspace: ActingWorkspace, metrics: MetricsOfApp
) -> QueryResponse:
    """Answer a question from the library, with the quotes the answer stands on.

    `metadata.is_answered` is false when the library holds nothing that answers. The
    `conversation_id` comes back as it was sent, or is a fresh one; no history is stored yet.
    """
    query = asked.query
    with metrics.query() as watch:
        answered = answer(workspace, query.question, asked.where, limit=query.config.top_k)
        watch.finish(is_answered=answered.is_answered)
    report_answer(request, answered, "whole")
    return _to_response(answered, query)


@router.post(
    "/stream",
    summary="Ask the library, answered as it is written",
    operation_id="ask_stream",
    response_class=EventSourceResponse,
    dependencies=[requires(Permission.QUERY)],
    responses={200: {"content": {"text/event-stream": {"example": _STREAM_EXAMPLE}}}},
)
def ask_stream(
    request: Request, asked: Question, answering: StreamedAnswer
) -> Iterator[ServerSentEvent]:
    """Answer a question as server-sent events.

    `passages` comes first, then `text` (pieces that join to the answer) and `citation` (a
    source, as in the whole answer) in any order, then `done` (the whole answer, with the body
    of `POST /api/v2/query`) or `error` (a problem body). Work stops when the client leaves.
    """
    try:
        for event in answering.events:
            if isinstance(event.data, Answered):
                answering.watch.finish(is_answered=event.data.is_answered)
                report_answer(request, event.data, "stream")
            yield _to_event(event, asked.query)
    except AlexandriaError as error:
        answering.watch.fail()
        problem = describe_error(
            error, instance=request.url.path, request_id=request_id_of(request)
        )
        yield ServerSentEvent(event="error", data=problem)


def _to_metadata(answered: Answered) -> ResponseMetadata:
    metadata = ResponseMetadata.model_validate(answered)
    if not answered.fallback_used:
        return metadata
    degraded = {
        "status": "degraded",
        "message": " ".join(answered.notes),
        "retry_after": DEGRADED_SECONDS,
    }
    return metadata.model_copy(update=degraded)


def _to_response(answered: Answered, query: QueryRequest) -> QueryResponse:
    return QueryResponse(
        answer=answered.text,
        sources=[Source.model_validate(item) for item in answered.citations],
        warnings=answered.warnings,
        images=[],
        suggested_diagrams=[],
        metadata=_to_metadata(answered),
        conversation_id=query.conversation_id or uuid4().hex,
    )


def _to_event(event: AnswerEvent, query: QueryRequest) -> ServerSentEvent:
    return ServerSentEvent(event=event.kind, data=_event_body(event, query))


def _event_body(event: AnswerEvent, query: QueryRequest) -> ResponseBody:
    match event.data:
        case str() as text:
            return TextEvent(text=text)
        case Citation() as citation:
            return Source.model_validate(citation)
        case Answered() as answered:
            return _to_response(answered, query)
        case passages:
            return PassagesEvent(passages=[Passage.model_validate(item) for item in passages])
