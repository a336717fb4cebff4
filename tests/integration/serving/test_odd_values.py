"""Text and numbers that no honest client sends: never an error of ours, wherever they stand."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

ODD_TEXTS = {
    "NUL": "a\x00b",
    "half a character": "abc\ud800def",
    "the other half": "\udc00",
    "no character": "\ufffe\uffff",
    "right to left": "\u202egnp.exe\u2066",
    "accents": "e" + "\u0301" * 300,
    "outside the first plane": "\U0010ffff\U0001f469\u200d\U0001f469",
    "white space": " \t\r\n\u0085\u2028\u3000",
    "an expression": "'; SELECT pg_sleep(9); -- ${7*7} {{7*7}} %s %(tenant_id)s \\ ../..",
}
ODD_NUMBERS = [
    "-0",
    "-1",
    "2147483648",
    "9223372036854775808",
    "1" + "0" * 400,
    "1" * 5000,
    "1e400",
    "-0.0",
    "1e-400",
    "NaN",
    "Infinity",
]
EDGES = ["0001-01-01", "9999-12-31", "0000-00-00", "-0001-01-01", "10000-01-01", "2023-02-29"]
MOMENTS = [
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "2016-12-31T23:59:60Z",
    "2026-01-31T12:00:00",
    "2026-01-31T12:00:00.123456789123Z",
]


@pytest.fixture
def document(api: httpx.Client) -> dict[str, Any]:
    """The OpenAPI document."""
    return api.get("/openapi.json").json()


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def _bodies(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The schema of an operation's JSON body, if it has one."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content:
        yield document["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]


def _send(api: httpx.Client, method: str, path: str, **sent: Any) -> None:
    response = api.request(method, path, follow_redirects=False, **sent)
    assert response.status_code < 500, (method, path, sent, response.text)
    if response.status_code >= 400:
        assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("odd", ODD_TEXTS.values(), ids=ODD_TEXTS.keys())
def test_odd_text_breaks_nothing(api: httpx.Client, document: dict[str, Any], odd: str) -> None:
    escaped = quote(odd.encode("utf-8", "surrogatepass"), safe="")
    for method, path, operation in _operations(document):
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "query":
                plain = path.replace("{", "").replace("}", "")
                _send(api, method, f"{plain}?{parameter['name']}={escaped}")
            else:
                _send(api, method, path.replace(f"{{{parameter['name']}}}", escaped))
        for body in _bodies(document, operation):
            plain = path.replace("{", "").replace("}", "")
            for name in body["properties"]:
                for value in (odd, [odd], {odd: odd}, {name: [odd]}):
                    content = json.dumps(body["examples"][0] | {name: value})
                    _send(api, method, plain, content=content)


def test_odd_numbers_and_days_break_nothing(api: httpx.Client, document: dict[str, Any]) -> None:
    for method, path, operation in _operations(document):
        plain = path.replace("{", "").replace("}", "")
        for parameter in operation.get("parameters", []):
            for odd in (*ODD_NUMBERS, *EDGES):
                _send(api, method, f"{plain}?{parameter['name']}={odd}")
        for body in _bodies(document, operation):
            for name in body["properties"]:
                for odd in ODD_NUMBERS:
                    others = {k: v for k, v in body["examples"][0].items() if k != name}
                    start = json.dumps(others)[:-1] + (", " if others else "")
                    _send(api, method, plain, content=f'{start}"{name}": {odd}}}')


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_key_ends_at_the_edge_of_time_or_is_refused(api: httpx.Client, moment: str) -> None:
    body = {"name": "edge", "permissions": ["query"], "expires_at": moment}
    response = api.post("/auth/api-keys", json=body)
    assert response.status_code in {201, 422}, response.text
    assert api.get("/auth/api-keys").status_code == 200


def test_days_at_the_edge_of_time_are_taken(api: httpx.Client) -> None:
    for path in ("/api/v2/admin/audit-logs", "/api/v2/admin/analytics"):
        for first, last in (("0001-01-01", "0001-01-02"), ("9999-12-29", "9999-12-30")):
            response = api.get(path, params={"from": first, "to": last})
            assert response.status_code == 200, response.text
    assert api.get("/api/v2/admin/audit-logs", params={"to": "9999-12-31"}).status_code == 200
    for first, last in (("0001-01-01", "9999-12-31"), ("9999-12-31", "9999-12-31")):
        body = {"filters": {"date_range": {"from": first, "to": last}}}
        assert api.post("/api/v2/documents/search", json=body).status_code == 200


@pytest.mark.parametrize("opening", ["[", '{"filters":', '{"question":['])
def test_a_deep_body_is_refused(api: httpx.Client, opening: str) -> None:
    for path in ("/api/v2/query", "/api/v2/documents/search", "/auth/register"):
        _send(api, "POST", path, content=opening * 15_000)
        _send(api, "POST", path, content="[" * 20_000 + "]" * 20_000)


def test_bytes_that_are_no_text_are_refused(api: httpx.Client, document: dict[str, Any]) -> None:
    for method, path, operation in _operations(document):
        for _ in _bodies(document, operation):
            plain = path.replace("{", "").replace("}", "")
            for content in (b"\xff\xfe", b'"\xed\xa0\x80"', b'{"\x00": 1}', b"\x00", b""):
                response = api.request(method, plain, content=content)
                assert response.status_code in {400, 401, 404, 422, 429}, (path, response.text)
