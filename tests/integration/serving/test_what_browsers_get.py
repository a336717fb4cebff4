"""What a browser is told about an answer, and what it never gets."""

import httpx
import pytest

TYPES = {
    "/": "text/html; charset=utf-8",
    "/docs": "text/html; charset=utf-8",
    "/pages/page.css": "text/css; charset=utf-8",
    "/pages/page.js": "text/javascript; charset=utf-8",
    "/openapi.json": "application/json",
    "/auth/me": "application/json",
    "/api/v2/admin/users": "application/json",
    "/nowhere": "application/problem+json",
}


@pytest.fixture(scope="module")
def nothing() -> tuple[str, ...]:
    """Paths of what lies beside the pages, and of what attackers look for."""
    return (
        *("/pages", "/pages/", "/pages/../app.py", "/pages/..%2fapp.py", "/pages/%2e%2e/app.py"),
        *("/pages//etc/passwd", "/pages/..%5capp.py", "/pages/page.js%00.css"),
        *("/.git/HEAD", "/.git/config", "/.env", "/pyproject.toml", "/serving/app.py", "/uploads/"),
        *("/debug", "/console", "/redoc", "/server-status"),
    )


def test_every_answer_says_what_it_is(empty_api: httpx.Client) -> None:
    for path, expected in TYPES.items():
        assert empty_api.get(path).headers["content-type"] == expected, path
    plain = empty_api.get("/metrics").headers["content-type"]
    assert plain.startswith("text/plain;")
    assert "charset=utf-8" in plain


def test_files_beside_the_pages_and_folders_are_not_there(
    empty_api: httpx.Client, nothing: tuple[str, ...]
) -> None:
    for path in nothing:
        answer = empty_api.get(path, follow_redirects=True)
        assert answer.status_code == 404, path
        assert answer.json()["code"] == "not_found"


def test_nobody_traces(empty_api: httpx.Client) -> None:
    for path in ("/", "/auth/me", "/api/v2/query"):
        for method in ("TRACE", "TRACK"):
            answer = empty_api.request(method, path, headers={"X-Mine": "told-back"})
            assert answer.status_code in {400, 405}, (method, path)
            assert "told-back" not in answer.text
