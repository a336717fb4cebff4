"""The parts of the OpenAPI document that the framework cannot know."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from serving.errors import PROBLEM_MEDIA_TYPE
from serving.schemas.problems import Problem

TAGS: list[dict[str, Any]] = [
    {"name": "query", "description": "Questions, answered from the library with quotes."},
    {"name": "documents", "description": "Find, read and add documents."},
    {"name": "images", "description": "Add pictures, find those like one, look at them."},
    {"name": "health", "description": "Whether the service runs, is ready, and how it does."},
]

Responses = dict[int | str, dict[str, Any]]


def problems(*statuses: int) -> Responses:
    """Error responses of a route, beside those that every route may give."""
    return {
        status: {"model": Problem, "description": _DESCRIPTIONS[status]}
        for status in sorted({*statuses, 500, 503})
    }


_DESCRIPTIONS = {
    404: "There is no such thing.",
    413: "The body is too large.",
    415: "It is not of a type that is taken.",
    422: "The request does not have the form asked for, or names what is not there.",
    500: "Something went wrong on our side.",
    503: "Not available just now; Retry-After says when to try again.",
}


def install_openapi(app: FastAPI) -> None:
    """Make the app's document say that errors are problem details."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = document


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        tags=TAGS,
    )
    for path in document["paths"].values():
        for operation in path.values():
            for response in operation["responses"].values():
                _retype(response.get("content", {}))
    return document


def _retype(content: dict[str, Any]) -> None:
    """Give a response that holds a problem its media type."""
    for media_type, described in list(content.items()):
        if described.get("schema", {}).get("$ref", "").endswith("/Problem"):
            content[PROBLEM_MEDIA_TYPE] = content.pop(media_type)
