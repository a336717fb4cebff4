"""The parts of the OpenAPI document that the framework cannot know.

Who may ask follows from what a route declares, and so do the errors that come before a route
begins: no token, no permission, too much, not valid. Only what is left a route names by `problems`.
"""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from serving.admission.families import Families, declared_access
from serving.admission.limits import UNLIMITED
from serving.errors import PROBLEM_MEDIA_TYPE
from serving.schemas.problems import Problem

TAGS: list[dict[str, Any]] = [
    {"name": "auth", "description": "Accounts, tokens, sessions and API keys."},
    {"name": "query", "description": "Questions, answered from the library with quotes."},
    {"name": "documents", "description": "Find, read and add documents."},
    {"name": "images", "description": "Add pictures, find those like one, look at them."},
    {"name": "admin", "description": "Accounts, settings, audit log and use of a library."},
    {"name": "analytics", "description": "Figures of how the library is used, by the day."},
    {"name": "health", "description": "Whether the service runs, is ready, and how it does."},
]

Responses = dict[int | str, dict[str, Any]]


def problems(*statuses: int) -> Responses:
    """Error responses that a route gives itself."""
    return {status: {"model": Problem, "description": _ERRORS[status][1]} for status in statuses}


_ERRORS = {
    400: ("BadRequest", "The body could not be read."),
    401: ("Unauthenticated", "The token is missing, wrong or no longer good."),
    403: ("Forbidden", "Whoever asks may not do that."),
    404: ("NotFound", "There is no such thing."),
    408: ("TooSlow", "The body did not arrive in time."),
    409: ("Conflict", "It exists already, or another change got there first."),
    413: ("TooLarge", "The body is too large."),
    415: ("UnsupportedFormat", "It is not of a type that is taken."),
    422: ("Invalid", "It does not have the form asked for, or names what is not there."),
    429: ("TooMany", "Too many requests; Retry-After says when to try again."),
    500: ("InternalError", "Something went wrong on our side."),
    503: ("Unavailable", "Not available just now; Retry-After says when to try again."),
    507: ("StorageFull", "There is no room left where files are kept."),
}
"""What an error is called in the document, and what it says."""

_SECONDS = {
    "description": "Seconds after which to try again.",
    "required": True,
    "schema": {"type": "integer", "minimum": 1},
}
_CHALLENGE = {
    "description": "How to sign in (RFC 6750).",
    "required": True,
    "schema": {"type": "string"},
}
_REQUEST_ID = {
    "description": "Names the request: as the client did, or by a fresh id.",
    "required": True,
    "schema": {"type": "string", "pattern": r"^[A-Za-z0-9._-]{1,128}$"},
}
_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": _CHALLENGE},
    **{status: {"Retry-After": _SECONDS} for status in (429, 503, 507)},
}

_SCHEMES: dict[str, Any] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token from signing in, or an API key.",
    },
    "password": {
        "type": "oauth2",
        "flows": {"password": {"tokenUrl": "/auth/login", "scopes": {}}},
        "description": "Sign in with an email address or username and its password.",
    },
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
        routes=app.state.families.routes,
        tags=TAGS,
    )
    access = _access(app.state.families)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _say_who_may(operation, access[method, path])
            _say_what_may_come(path, operation, access[method, path])
    components = document["components"]
    for name in _FRAMEWORKS:
        components["schemas"].pop(name, None)
    components["securitySchemes"] = _SCHEMES
    components["headers"] = {"X-Request-ID": _REQUEST_ID}
    components["responses"] = {name: _response(status) for status, (name, _) in _ERRORS.items()}
    return document


def _access(families: Families) -> dict[tuple[str, str], str]:
    """What each route declares, by method and path."""
    return {
        (method.lower(), route.path): declared_access(route) or ""
        for route in families.routes
        if route.include_in_schema
        for method in route.methods or ()
    }


def _say_who_may(operation: dict[str, Any], access: str) -> None:
    if access == "public":
        operation["security"] = []
        return
    operation["security"] = [{scheme: []} for scheme in _SCHEMES]
    if access == "in person":
        operation["description"] += "\n\nAn API key cannot do it; it needs a session."
    elif access != "signed in":
        operation["description"] += f"\n\nIt needs the permission `{access}`."


def _say_what_may_come(path: str, operation: dict[str, Any], access: str) -> None:
    """Name every error that may come; those that are problem details by reference."""
    responses = operation["responses"]
    for status in _before_the_route(path, operation, access):
        responses.setdefault(str(status), _PROBLEM)
    for status, response in list(responses.items()):
        if _is_problem(response):
            responses[status] = {"$ref": f"#/components/responses/{_ERRORS[int(status)][0]}"}
        else:
            response["headers"] = _headers(int(status)) | response.get("headers", {})
    operation["responses"] = dict(sorted(responses.items()))


def _before_the_route(path: str, operation: dict[str, Any], access: str) -> Iterator[int]:
    """Errors that come of who asks, how often, and what the request is made of."""
    parameters = operation.get("parameters", [])
    if access != "public":
        yield 401
    if access not in ("public", "signed in"):
        yield 403
    if any(parameter["in"] == "path" for parameter in parameters):
        yield 404
    if "requestBody" in operation:
        yield from (400, 408, 413, 422)
    if parameters:
        yield 422
    if not path.startswith(UNLIMITED):
        yield from (429, 500, 503)


_FRAMEWORKS = ("HTTPValidationError", "ValidationError")
"""Schemas of the framework's own answer to what is not valid."""

_PROBLEM: dict[str, Any] = {
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
}


def _is_problem(response: dict[str, Any]) -> bool:
    """Whether the framework put our error body there, or its own, which is never sent."""
    kinds = response.get("content", {}).values()
    schemas = {kind.get("schema", {}).get("$ref", "").rpartition("/")[2] for kind in kinds}
    return bool(schemas & {"Problem", *_FRAMEWORKS})


def _response(status: int) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": _ERRORS[status][1],
        "headers": _headers(status),
        "content": {PROBLEM_MEDIA_TYPE: {"schema": schema}},
    }


def _headers(status: int) -> dict[str, Any]:
    named = {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}}
    return named | _HEADERS.get(status, {})
