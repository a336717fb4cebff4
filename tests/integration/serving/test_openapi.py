import json
from collections.abc import Iterator
from typing import Any

import pytest

from alexandria.settings import Settings
from serving.app import create_app
from serving.schemas import (
    analytics,
    documents,
    filters,
    health,
    identity,
    images,
    problems,
    query,
)
from serving.schemas.base import RequestBody, ResponseBody

MODULES = (analytics, documents, filters, health, identity, images, problems, query)
CONTRACT = """\
DELETE /api/v2/admin/settings/{key}
DELETE /api/v2/documents/{document_id}
DELETE /auth/api-keys/{api_key_id}
DELETE /auth/sessions/{session_id}
GET /.well-known/jwks.json
GET /api/profile
GET /api/v1/analytics/costs
GET /api/v1/analytics/events
GET /api/v1/analytics/latency
GET /api/v1/analytics/queries
GET /api/v2/admin/analytics
GET /api/v2/admin/audit-logs
GET /api/v2/admin/settings
GET /api/v2/admin/users
GET /api/v2/auth/authorize
GET /api/v2/auth/callback
GET /api/v2/auth/providers
GET /api/v2/documents/{document_id}
GET /api/v2/documents/{document_id}/text
GET /api/v2/images/{image_id}
GET /api/v2/images/{image_id}/original
GET /api/v2/images/{image_id}/thumbnail
GET /auth/api-keys
GET /auth/me
GET /auth/sessions
GET /health/live
GET /health/ready
GET /metrics
PATCH /api/profile
PATCH /api/v2/admin/users/{user_id}
PATCH /auth/me
POST /api/v2/auth/login
POST /api/v2/auth/logout
POST /api/v2/auth/refresh
POST /api/v2/documents/search
POST /api/v2/documents/upload
POST /api/v2/images/search
POST /api/v2/images/upload
POST /api/v2/query
POST /api/v2/query/stream
POST /auth/api-keys
POST /auth/login
POST /auth/logout
POST /auth/refresh
POST /auth/register
PUT /api/v2/admin/settings/{key}
PUT /auth/me/password"""


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The OpenAPI document, as a client reads it."""
    app = create_app(Settings(home=tmp_path_factory.mktemp("home")))
    return json.loads(json.dumps(app.openapi()))


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_every_route_of_the_contract_is_there(document: dict[str, Any]) -> None:
    assert {name for name, _ in _operations(document)} == set(CONTRACT.split("\n"))


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    known_tags = {tag["name"] for tag in document["tags"]}
    identifiers = [operation["operationId"] for _, operation in _operations(document)]
    assert len(set(identifiers)) == len(identifiers)
    for name, operation in _operations(document):
        assert operation["summary"], name
        assert operation["description"], name
        assert set(operation["tags"]) <= known_tags, name


def test_every_error_is_a_problem(document: dict[str, Any]) -> None:
    for name, operation in _operations(document):
        for status, response in operation["responses"].items():
            is_readiness = name == "GET /health/ready"
            if status >= "400" and not is_readiness:
                shared = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
                assert list(shared["content"]) == ["application/problem+json"], (name, status)
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_who_may_ask_is_said_of_every_operation(document: dict[str, Any]) -> None:
    schemes = document["components"]["securitySchemes"]
    assert schemes["password"]["flows"]["password"]["tokenUrl"] == "/auth/login"
    for name, operation in _operations(document):
        if operation["security"]:
            assert operation["security"] == [{scheme: []} for scheme in schemes], name
            assert "401" in operation["responses"], name
        else:
            assert "403" not in operation["responses"] or name == "POST /auth/register", name
    public = {name for name, operation in _operations(document) if not operation["security"]}
    assert {"POST /auth/login", "GET /health/live"} <= public
    assert not any(name.split()[1].startswith("/api/v2/admin") for name in public)


def test_answers_that_say_when_or_how_to_come_back_say_so(document: dict[str, Any]) -> None:
    answers = document["components"]["responses"]
    assert "WWW-Authenticate" in answers["Unauthenticated"]["headers"]
    for name in ("TooMany", "Unavailable", "StorageFull"):
        assert answers[name]["headers"]["Retry-After"]["required"], name


def _models() -> list[type[RequestBody | ResponseBody]]:
    items = [item for module in MODULES for item in vars(module).values()]
    return [
        item
        for item in dict.fromkeys(item for item in items if isinstance(item, type))
        if issubclass(item, RequestBody | ResponseBody)
        and item not in {RequestBody, ResponseBody, problems.FieldProblem}
    ]


@pytest.mark.parametrize("model", _models(), ids=lambda model: model.__name__)
def test_every_model_has_an_example_that_it_accepts(
    model: type[RequestBody | ResponseBody],
) -> None:
    examples = model.model_json_schema()["examples"]
    assert examples
    for example in examples:
        model.model_validate_json(json.dumps(example))
