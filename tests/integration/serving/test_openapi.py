import json
from collections.abc import Iterator
from typing import Any

import pytest

from alexandria.settings import Settings
from serving.app import create_app
from serving.schemas import documents, filters, health, images, problems, query
from serving.schemas.base import RequestBody, ResponseBody

MODULES = (documents, filters, health, images, problems, query)


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
    assert {name for name, _ in _operations(document)} == {
        "POST /api/v2/query",
        "POST /api/v2/query/stream",
        "POST /api/v2/documents/search",
        "POST /api/v2/documents/upload",
        "GET /api/v2/documents/{document_id}",
        "GET /api/v2/documents/{document_id}/text",
        "POST /api/v2/images/upload",
        "POST /api/v2/images/search",
        "GET /api/v2/images/{image_id}",
        "GET /api/v2/images/{image_id}/thumbnail",
        "GET /api/v2/images/{image_id}/original",
        "GET /health/live",
        "GET /health/ready",
        "GET /metrics",
    }


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
                assert list(response["content"]) == ["application/problem+json"], (name, status)
    assert "HTTPValidationError" not in document["components"]["schemas"]


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
