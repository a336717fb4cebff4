from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from alexandria.settings import Settings
from alexandria.workflows.operating.sources import add_source
from alexandria.workflows.reports import StageReport
from alexandria.workflows.workspace import Workspace
from serving.app import create_app

Serve = Callable[[FastAPI], AbstractContextManager[httpx.Client]]
SignIn = Callable[..., dict[str, str]]
Sync = Callable[..., dict[str, StageReport]]
Write = Callable[[Path, str | bytes], Path]
SEARCH = "/api/v2/documents/search"
UPLOAD = "/api/v2/documents/upload"
UNKNOWN = "4f0c5b1e-8a53-5c55-9d4f-6a1f1c0f2a11"


def test_search_finds_the_document_with_its_best_passage(api: httpx.Client) -> None:
    found = api.post(SEARCH, json={"query": "the lead box under the foundation stone"}).json()
    best = found["documents"][0]
    assert "augusta" in best["path"]
    assert best["score"] == pytest.approx(best["passage"]["score"])
    assert best["passage"]["document_id"] == best["document_id"]
    scores = [document["score"] for document in found["documents"]]
    assert scores == sorted(scores, reverse=True)


def test_without_a_query_every_document_is_listed(api: httpx.Client) -> None:
    found = api.post(SEARCH, json={"limit": 100}).json()
    assert found["total"] == len(found["documents"]) > 10
    assert all(item["score"] is None and item["passage"] is None for item in found["documents"])
    assert all(item["state"] == "published" for item in found["documents"])
    few = api.post(SEARCH, json={"limit": 2}).json()
    assert len(few["documents"]) == 2
    assert few["total"] == found["total"]


def test_filters_narrow_and_never_widen(api: httpx.Client) -> None:
    everything = api.post(SEARCH, json={"limit": 100}).json()["documents"]
    english = api.post(SEARCH, json={"filters": {"languages": ["en"]}, "limit": 100}).json()
    assert {item["language"] for item in english["documents"]} == {"en"}
    assert 0 < english["total"] < len(everything)
    for filters in (
        {"source_types": ["a-kind-nothing-has"]},
        {"languages": ["eo"]},
        {"date_range": {"from": "1800-01-01", "to": "1850-01-01"}},
    ):
        assert api.post(SEARCH, json={"filters": filters}).json() == {
            "documents": [],
            "total": 0,
            "fallback_used": False,
        }


def test_a_document_is_known_by_id_path_and_title(api: httpx.Client) -> None:
    document = api.post(SEARCH, json={"query": "salt clock"}).json()["documents"][0]
    for name in (document["document_id"], document["path"], document["title"]):
        found = api.post(SEARCH, json={"filters": {"selected_files": [name]}}).json()
        assert [item["path"] for item in found["documents"]] == [document["path"]]


def test_a_document_shows_its_units_and_relations(api: httpx.Client) -> None:
    document = api.post(SEARCH, json={"query": "salt clock"}).json()["documents"][0]
    detail = api.get(f"/api/v2/documents/{document['document_id']}").json()
    assert detail["document"]["title"] == document["title"]
    assert len(detail["units"]) == document["units_found"]
    assert detail["images"] == []
    related = [item["document_id"] for item in detail["related_documents"]]
    assert related
    assert document["document_id"] not in related


def test_a_document_shows_what_was_found_in_it_and_what_came_of_that(api: httpx.Client) -> None:
    document = api.post(SEARCH, json={"query": "lamp and lens manual"}).json()["documents"][0]
    detail = api.get(f"/api/v2/documents/{document['document_id']}").json()
    coverage = detail["coverage"]
    assert coverage["found"] == document["units_found"] == sum(coverage["kinds"].values())
    assert coverage["indexed"] == document["units_indexed"]
    assert sum(coverage["quarantined"].values()) == document["units_quarantined"]
    assert (detail["problem"], detail["container"], detail["attachments"]) == (None, None, [])


def test_a_text_holds_its_units(api: httpx.Client) -> None:
    for document in api.post(SEARCH, json={"limit": 100}).json()["documents"]:
        text = api.get(f"/api/v2/documents/{document['document_id']}/text").json()
        ends = [(unit["start"], unit["end"]) for unit in text["units"]]
        assert ends
        assert all(0 <= start <= end <= len(text["text"]) for start, end in ends)


def test_an_unknown_document_is_not_found(empty_api: httpx.Client) -> None:
    for identifier in ("none", "00000000-0000-0000-0000-000000000000", "a%00b"):
        for suffix in ("", "/text"):
            response = empty_api.get(f"/api/v2/documents/{identifier}{suffix}")
            assert response.status_code == 404
            assert response.json()["code"] == "not_found"


def test_an_unknown_version_is_not_found(api: httpx.Client) -> None:
    document = api.post(SEARCH, json={"limit": 1}).json()["documents"][0]["document_id"]
    for version in ("none", "00000000-0000-0000-0000-000000000000"):
        address = f"/api/v2/documents/{document}/text"
        assert api.get(address, params={"version_id": version}).status_code == 404


def test_an_upload_lands_whole_in_the_upload_folder(
    empty_api: httpx.Client, settings: Settings
) -> None:
    content = b"The lamp was lit at dusk.\n" * 100_000
    response = empty_api.post(UPLOAD, files={"file": ("log book.txt", content)})
    assert response.status_code == 202
    kept = response.json()
    assert kept["path"] == "log book.txt"
    assert kept["size_bytes"] == len(content)
    assert kept["is_new"]
    assert (settings.uploads / settings.tenant_id / kept["path"]).read_bytes() == content


def test_an_upload_that_cannot_be_read_says_why_under_its_id(
    workspace: Workspace,
    serve_warm: Callable[..., Any],
    sign_in: SignIn,
    sync: Sync,
    write: Write,
    eventually: Callable[[Callable[[], Any]], Any],
) -> None:
    with serve_warm(workspace) as client:
        client.headers.update(sign_in(workspace))
        for form in ({}, {"is_private": "true"}):
            file = {"file": ("scan.pdf", b"%PDF-1.7 and no more")}
            kept = client.post(UPLOAD, files=file, data=form).json()
            path = workspace.uploads / kept["path"]
            write(path, path.read_bytes())
            sync(workspace, add_source(workspace, workspace.uploads, name="uploads", kind="upload"))
            address = f"/api/v2/documents/{kept['document_id']}"
            eventually(lambda address=address: client.get(address).is_success)
            detail = client.get(address).json()
            assert detail["document"]["path"] == kept["path"]
            assert detail["problem"]["code"] == "corrupt_file"


@pytest.mark.parametrize(
    "name", ["../../escape.txt", "/etc/escape.txt", "..\\escape.txt", "C:\\escape.txt", "..", "."]
)
def test_an_upload_cannot_leave_the_folder(
    empty_api: httpx.Client, settings: Settings, name: str
) -> None:
    response = empty_api.post(UPLOAD, files={"file": (name, b"text")})
    assert response.status_code == 202
    assert [file.name for file in (settings.uploads / settings.tenant_id).iterdir()] == [
        response.json()["path"]
    ]
    assert "/" not in response.json()["path"]


def test_an_upload_never_replaces_another(empty_api: httpx.Client, settings: Settings) -> None:
    first = empty_api.post(UPLOAD, files={"file": ("log.txt", b"one")}).json()
    again = empty_api.post(UPLOAD, files={"file": ("log.txt", b"one")}).json()
    other = empty_api.post(UPLOAD, files={"file": ("log.txt", b"two")}).json()
    assert again == first | {"is_new": False}
    assert other["path"] != first["path"]
    kept = {
        file.name: file.read_bytes() for file in (settings.uploads / settings.tenant_id).iterdir()
    }
    assert kept == {first["path"]: b"one", other["path"]: b"two"}


@pytest.mark.parametrize("size", [1001, 500_000])
@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_file_over_the_limit_is_refused_and_leaves_nothing(
    workspace: Workspace, serve: Serve, sign_in: SignIn, size: int, is_chunked: bool
) -> None:
    limited = workspace.settings.model_copy(update={"max_file_bytes": 1000})
    app = create_app(workspace=replace(workspace, settings=limited))
    request = httpx.Request(
        "POST", "http://localhost", files={"file": ("large.txt", BytesIO(b"x" * size))}
    )
    body = request.read()
    headers = {"Content-Type": request.headers["Content-Type"]}
    with serve(app) as client:
        client.headers.update(sign_in(workspace))
        response = client.post(
            UPLOAD, content=iter([body]) if is_chunked else body, headers=headers
        )
    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"
    assert not list(limited.uploads.rglob("*.txt"))


def test_an_empty_upload_is_refused(empty_api: httpx.Client, settings: Settings) -> None:
    response = empty_api.post(UPLOAD, files={"file": ("nothing.txt", b"")})
    assert response.status_code == 422
    assert response.json()["code"] == "empty_file"
    assert list((settings.uploads / settings.tenant_id).iterdir()) == []


def test_the_upload_folder_is_made_when_it_is_needed(
    empty_api: httpx.Client, settings: Settings
) -> None:
    assert not Path(settings.uploads).exists()
    assert empty_api.post(UPLOAD, files={"file": ("a.txt", b"a")}).status_code == 202


def test_a_form_holds_one_file_and_little_else(empty_api: httpx.Client, settings: Settings) -> None:
    files = [("file", (f"{number}.txt", b"text")) for number in range(2)]
    forms: list[dict[str, Any]] = [
        {"files": files},
        {"files": files[:1], "data": {"is_private": "x" * (65 << 10)}},
        {"files": files[:1], "data": {f"field{number}": "x" for number in range(51)}},
    ]
    for form in forms:
        assert empty_api.post(UPLOAD, **form).status_code == 400
    assert not settings.uploads.exists()
    unknown = {f"field{number}": "x" for number in range(20)}  # as any JSON body may have
    assert empty_api.post(UPLOAD, files=files[:1], data=unknown).status_code == 202


@pytest.mark.parametrize("name", ["private", f"{UNKNOWN}", f"{UNKNOWN}.zip"])
def test_no_upload_takes_the_place_of_a_folder(
    empty_api: httpx.Client, settings: Settings, name: str
) -> None:
    kept = empty_api.post(UPLOAD, files={"file": (name, b"text")}).json()
    assert kept["path"].startswith(f"{Path(name).stem}-file")
    private: dict[str, Any] = {
        "data": {"is_private": "true"},
        "files": {"file": ("a.txt", b"text")},
    }
    assert empty_api.post(UPLOAD, **private).status_code == 202


def test_a_file_that_is_in_the_way_is_a_conflict(
    empty_api: httpx.Client, settings: Settings
) -> None:
    folder = settings.uploads / settings.tenant_id
    folder.mkdir(parents=True)
    (folder / "private").write_bytes(b"in the way")
    form: dict[str, Any] = {"data": {"is_private": "true"}, "files": {"file": ("a.txt", b"text")}}
    response = empty_api.post(UPLOAD, **form)
    assert (response.status_code, response.json()["code"]) == (409, "conflict")
    assert [item.name for item in folder.iterdir()] == ["private"]
