"""Every error as one body: problem details (RFC 9457) with a stable code and the request's id.

What goes wrong inside is logged with the request's id and never shown to a client.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from alexandria import errors
from serving.admission.families import routes_of
from serving.admission.refusals import report_refusal
from serving.schemas.problems import FieldProblem, Problem
from serving.telemetry.metrics import route_template

PROBLEM_MEDIA_TYPE = "application/problem+json"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Kind:
    """How a class of errors looks. Its message is shown only if it is about the request."""

    status: int
    title: str
    is_shown: bool = True
    retry_after: int | None = None


_KINDS: Mapping[type[errors.AlexandriaError], _Kind] = {
    errors.UnauthenticatedError: _Kind(401, "Not signed in"),
    errors.ForbiddenError: _Kind(403, "Not allowed"),
    errors.NotFoundError: _Kind(404, "Not found"),
    errors.ConflictError: _Kind(409, "Conflict"),
    errors.FileTooLargeError: _Kind(413, "File too large"),
    errors.UnsupportedFormatError: _Kind(415, "Unsupported format"),
    errors.UnreadableError: _Kind(422, "The file cannot be read"),
    errors.InvalidInputError: _Kind(422, "Invalid input"),
    errors.RateLimitedError: _Kind(429, "Too many requests"),
    errors.StorageFullError: _Kind(507, "No room left", retry_after=60),
    errors.GatewayUnavailableError: _Kind(503, "No language model answers", retry_after=30),
    errors.IndexLockedError: _Kind(503, "The index is in use", retry_after=10),
    errors.TransientError: _Kind(503, "Not available just now", retry_after=5),
    errors.AlexandriaError: _Kind(500, "Internal error", is_shown=False),
}
"""Asked along an error's classes, nearest first."""

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="alexandria"'}

_STATUS_CODES: Mapping[int, tuple[str, str]] = {
    400: ("bad_request", "The request could not be read; check its body, headers and host."),
    404: ("not_found", "There is nothing at this address; /docs lists what there is."),
    405: ("method_not_allowed", "This address does not take that method; see the Allow header."),
    408: ("body_too_slow", "The rest of the request did not arrive in time; send it again."),
    413: ("body_too_large", "The request is larger than the limit; send less."),
}


def install_error_handlers(app: FastAPI) -> None:
    """Answer every error of the app with a problem body."""
    app.add_exception_handler(errors.AlexandriaError, _on_alexandria_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_unexpected_error)


def describe_error(error: errors.AlexandriaError, *, instance: str, request_id: str) -> Problem:
    """The problem body of one of our own errors."""
    kind = _kind_of(error)
    if not kind.is_shown:
        return _internal_problem(instance, request_id)
    wait = error.retry_after if isinstance(error, errors.RateLimitedError) else kind.retry_after
    return _problem(
        instance,
        request_id,
        kind.status,
        error.code,
        error.message,
        title=kind.title,
        retry_after=wait,
    )


def request_id_of(request: Request) -> str:
    """The id that the middleware gave the request."""
    return str(getattr(request.state, "request_id", ""))


def _kind_of(error: errors.AlexandriaError) -> _Kind:
    return next(_KINDS[parent] for parent in type(error).__mro__ if parent in _KINDS)


async def _on_alexandria_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.AlexandriaError)
    kind = _kind_of(error)
    request_id = request_id_of(request)
    if not kind.is_shown:
        _LOG.error("Request %s failed.", request_id, exc_info=error)
    await report_refusal(request, error)
    problem = describe_error(error, instance=request.url.path, request_id=request_id)
    headers = dict(_CHALLENGE) if kind.status == HTTPStatus.UNAUTHORIZED else {}
    if problem.retry_after:
        headers["Retry-After"] = str(problem.retry_after)
    return _respond(problem, headers)


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    fields = _field_problems(error.errors())
    detail = "; ".join(f"{item.field}: {item.message}" for item in fields)
    return _respond(
        _problem(
            request.url.path,
            request_id_of(request),
            422,
            "invalid_request",
            f"The request does not have the form asked for. {detail}.",
            title="Invalid request",
            fields=fields,
        )
    )


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if errors.StorageFullError.explains(error.__cause__):  # a body is kept on disk while it arrives
        return await _on_alexandria_error(request, errors.StorageFullError())
    phrase = HTTPStatus(error.status_code).phrase
    code, detail = _STATUS_CODES.get(
        error.status_code, (phrase.lower().replace(" ", "_"), error.detail)
    )
    problem = _problem(
        request.url.path, request_id_of(request), error.status_code, code, detail, title=phrase
    )
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = _methods_at(request)
    return _respond(problem, headers)


def _methods_at(request: Request) -> str:
    """Every method that the address takes; the framework knows one route's only."""
    path = route_template(request.scope)
    here = [one for one in routes_of(request.app) if getattr(one, "path", None) == path]
    methods = {method for one in here for method in getattr(one, "methods", None) or ()}
    return ", ".join(sorted(methods or {"GET", "HEAD"}))  # the page and its files


async def _on_unexpected_error(request: Request, _error: Exception) -> Response:
    """The server logs the error itself, with its trace; here only the id is tied to it."""
    request_id = request_id_of(request)
    _LOG.error("Request %s failed.", request_id)
    # This answer passes no middleware any more, and the server drops its connection.
    headers = {"X-Request-ID": request_id, "Connection": "close"}
    return _respond(_internal_problem(request.url.path, request_id), headers)


def _internal_problem(instance: str, request_id: str) -> Problem:
    return _problem(
        instance,
        request_id,
        500,
        "internal_error",
        "Something went wrong on our side. Tell the operator the request_id of this answer.",
        title="Internal error",
    )


def _problem(
    instance: str,
    request_id: str,
    status: int,
    code: str,
    detail: str,
    *,
    title: str,
    fields: Sequence[FieldProblem] = (),
    retry_after: int | None = None,
) -> Problem:
    return Problem(
        type=f"urn:alexandria:problem:{code}",
        title=title,
        status=status,
        detail=detail,
        message=detail,
        instance=instance,
        code=code,
        timestamp=datetime.now(UTC),
        request_id=request_id,
        errors=list(fields),
        fallback_used=False,
        retry_after=retry_after,
    )


def _field_problems(found: Sequence[Any]) -> list[FieldProblem]:
    problems = (
        FieldProblem(
            field=".".join(str(part) for part in item["loc"]),
            message=str(item["msg"]).removeprefix("Value error, "),
        )
        for item in found
    )
    return list(dict.fromkeys(problems))


def _respond(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        problem.model_dump_json(),
        status_code=problem.status,
        media_type=PROBLEM_MEDIA_TYPE,
        headers=dict(headers or {}) | {"Cache-Control": "no-store"},
    )
