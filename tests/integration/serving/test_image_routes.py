"""Pictures over HTTP: sent in, found, looked at; and what is refused."""

import base64
import io
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image, ImageDraw
from tiled_picture import tiled_tiff

from alexandria.adapters.workers import Limits, Workers
from alexandria.settings import Settings
from alexandria.workflows.operating.sources import add_source
from alexandria.workflows.reading.images import check_picture
from alexandria.workflows.reports import StageReport
from alexandria.workflows.workspace import Workspace
from serving.app import create_app

Sync = Callable[..., dict[str, StageReport]]
Write = Callable[[Path, str | bytes], Path]
UPLOAD = "/api/v2/images/upload"
SEARCH = "/api/v2/images/search"
NOBODY = "00000000-0000-0000-0000-000000000000"


SignIn = Callable[..., dict[str, str]]


def drawn(seed: int, kind: str = "PNG", size: tuple[int, int] = (160, 120)) -> bytes:
    """A picture of coloured boxes; another seed is another picture."""
    chance = random.Random(seed)
    picture = Image.new("RGB", (160, 120), "white")
    pen = ImageDraw.Draw(picture)
    for _ in range(7):
        left, top = chance.randrange(120), chance.randrange(80)
        box = (left, top, left + chance.randrange(20, 80), top + chance.randrange(20, 60))
        pen.rectangle(box, fill=tuple(chance.randrange(256) for _ in range(3)))
    buffer = io.BytesIO()
    picture.resize(size).save(buffer, kind)
    return buffer.getvalue()


def sent(content: bytes, name: str = "a.png", kind: str = "image/png") -> dict[str, Any]:
    return {"files": {"file": (name, content, kind)}}


@pytest.fixture
def beds(workspace: Workspace, tmp_path: Path, write: Write, sync: Sync) -> None:
    """A page with two pictures, published."""
    images = [
        f"<h2>Bed {seed}</h2><p>Row {seed} is sown with beans.</p><img alt='Plan {seed}' src="
        f"'data:image/png;base64,{base64.b64encode(drawn(seed)).decode()}'>"
        for seed in (1, 2)
    ]
    page = f"<!doctype html><title>Beds</title><h1>Beds</h1><p>All.</p>{''.join(images)}"
    write(tmp_path / "garden/beds.html", page)
    sync(workspace, add_source(workspace, tmp_path / "garden"))


@pytest.fixture
def client(
    workspace: Workspace, beds: None, serve: Callable[..., Any], sign_in: SignIn
) -> Iterator[httpx.Client]:
    """A client of a server over the page, signed in."""
    with serve(create_app(workspace=workspace)) as opened:
        opened.headers.update(sign_in(workspace))
        yield opened


def test_a_picture_is_found_and_looked_at(client: httpx.Client) -> None:
    asked = sent(drawn(2, "JPEG", (90, 66)), "x.jpg", "image/jpeg")
    found = client.post(SEARCH, data={"top_k": 1}, **asked).json()["results"]
    (best,) = found
    assert (best["title"], best["label"], best["description"]) == ("Beds", "Bed 2", "Plan 2")
    assert best["score"] > 0.9
    assert len(client.post(SEARCH, **asked).json()["results"]) == 2
    same = {name: value for name, value in best.items() if name != "score"}
    assert client.get(f"/api/v2/images/{best['image_id']}").json() == same
    thumbnail = client.get(best["thumbnail_url"])
    assert thumbnail.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(thumbnail.content)).size == (160, 120)
    original = client.get(best["original_url"])
    assert original.content == drawn(2)
    assert original.headers["content-type"] == "image/png"
    assert original.headers["content-disposition"].startswith("attachment;")
    for response in (thumbnail, original):
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in response.headers["content-security-policy"]


def test_a_document_shows_its_pictures_in_order(client: httpx.Client) -> None:
    (document,) = client.post("/api/v2/documents/search", json={}).json()["documents"]
    detail = client.get(f"/api/v2/documents/{document['document_id']}").json()
    assert [(item["label"], item["width"]) for item in detail["images"]] == [
        ("Bed 1", 160),
        ("Bed 2", 160),
    ]
    assert all(client.get(item["thumbnail_url"]).status_code == 200 for item in detail["images"])


def test_an_uploaded_picture_is_shown_with_its_document_once_it_is_read(
    client: httpx.Client, workspace: Workspace, sync: Sync, write: Write
) -> None:
    from PIL import ImageFont

    (document,) = client.post("/api/v2/documents/search", json={}).json()["documents"]
    sign = Image.new("RGB", (640, 200), "white")
    words = "The gate opens at dawn"
    ImageDraw.Draw(sign).text((20, 60), words, "black", ImageFont.load_default(48))
    buffer = io.BytesIO()
    sign.save(buffer, "PNG")
    form = {"document_id": document["document_id"]}
    response = client.post(UPLOAD, data=form, **sent(buffer.getvalue(), "gate.png"))
    assert response.status_code == 202
    kept = response.json()
    assert kept["path"] == f"{document['document_id']}/gate.png"
    assert client.get(kept["image_url"]).status_code == 404
    path = workspace.uploads / kept["path"]
    write(path, path.read_bytes())
    sync(workspace, add_source(workspace, workspace.uploads, name="uploads", kind="upload"))
    known = client.get(f"/api/v2/documents/{kept['document_id']}").json()["document"]
    assert known["path"] == kept["path"]
    image = client.get(kept["image_url"]).json()
    assert image["document_id"] == kept["document_id"]
    assert "dawn" in image["text"]
    detail = client.get(f"/api/v2/documents/{document['document_id']}").json()
    assert [item["image_id"] for item in detail["images"]][2:] == [kept["image_id"]]
    best = client.post(SEARCH, **sent(buffer.getvalue())).json()["results"][0]
    assert best["image_id"] == kept["image_id"]


@pytest.mark.parametrize("route", [UPLOAD, SEARCH])
@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"%PDF-1.7 text", "application/pdf", 415, "unsupported_format"),
        (b"<svg/>", "image/svg+xml", 415, "unsupported_format"),
        (b"<html>", "text/html", 415, "unsupported_format"),
        (b"<html>", "image/png", 422, "corrupt_file"),
        (drawn(1)[:300], "image/png", 422, "corrupt_file"),
        (drawn(1)[:300], "application/octet-stream", 422, "corrupt_file"),
        (b"", "image/png", 422, "empty_file"),
    ],
)
def test_what_is_no_picture_is_refused_and_leaves_nothing(
    empty_api: httpx.Client,
    settings: Settings,
    route: str,
    content: bytes,
    kind: str,
    status: int,
    code: str,
) -> None:
    response = empty_api.post(route, **sent(content, "a.png", kind))
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == code
    assert not settings.uploads.exists()


def test_pages_in_one_file_are_a_document(empty_api: httpx.Client, settings: Settings) -> None:
    pages = [Image.open(io.BytesIO(drawn(seed))) for seed in (1, 2)]
    buffer = io.BytesIO()
    pages[0].save(buffer, "TIFF", save_all=True, append_images=pages[1:])
    response = empty_api.post(UPLOAD, **sent(buffer.getvalue(), "a.tif", "image/tiff"))
    assert response.status_code == 415
    assert not settings.uploads.exists()
    one = drawn(1, "TIFF")
    assert empty_api.post(UPLOAD, **sent(one, "a.tif", "image/tiff")).status_code == 202


def chained_tiff(pages: int, sized: int | None = None) -> bytes:
    """One small picture over and over, the first `sized` of them with a width and a height."""
    buffer = io.BytesIO()
    Image.new("L", (64, 64), "white").save(buffer, "TIFF")
    content = bytearray(buffer.getvalue())
    first = int.from_bytes(content[4:8], "little")
    count = int.from_bytes(content[first : first + 2], "little")
    end = first + 2 + 12 * count
    entries = [bytes(content[start : start + 12]) for start in range(first + 2, end, 12)]
    unsized = [one for one in entries if one[:2] not in (b"\x00\x01", b"\x01\x01")]
    content += bytes(len(content) % 2)
    content[end : end + 4] = (len(content) if pages > 1 else 0).to_bytes(4, "little")
    for page in range(1, pages):
        kept = entries if sized is None or page < sized else unsized
        directory = len(kept).to_bytes(2, "little") + b"".join(kept)
        after = len(content) + len(directory) + 4 if page < pages - 1 else 0
        content += directory + after.to_bytes(4, "little")
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (chained_tiff(1), 202, None),
        (chained_tiff(2, sized=1), 422, "corrupt_file"),
        (chained_tiff(3, sized=2), 415, "unsupported_format"),
        (chained_tiff(40_000), 415, "unsupported_format"),
    ],
)
def test_of_the_pages_of_a_tiff_no_more_than_two_are_looked_at(
    empty_api: httpx.Client, content: bytes, status: int, code: str | None
) -> None:
    response = empty_api.post(UPLOAD, **sent(content, "a.tif", "image/tiff"))
    assert (response.status_code, response.json().get("code")) == (status, code)


@pytest.mark.parametrize("route", [UPLOAD, SEARCH])
def test_a_form_holds_one_file_and_little_else(
    empty_api: httpx.Client, settings: Settings, route: str
) -> None:
    forms: list[dict[str, Any]] = [
        {"files": [("file", ("a.png", drawn(seed), "image/png")) for seed in (1, 2)]},
        {"data": {"top_k": "x" * (65 << 10)}, **sent(drawn(1))},
        {"data": {f"field{number}": "x" for number in range(51)}, **sent(drawn(1))},
    ]
    for form in forms:
        response = empty_api.post(route, **form)
        assert response.status_code == 400
        assert response.headers["content-type"] == "application/problem+json"
    assert not settings.uploads.exists()


def test_a_picture_over_32_mib_is_refused(empty_api: httpx.Client, settings: Settings) -> None:
    most = drawn(1)
    most += bytes((32 << 20) - len(most))
    assert empty_api.post(UPLOAD, **sent(most)).status_code == 202
    assert empty_api.post(UPLOAD, **sent(most + b"\0")).status_code == 413


def test_a_picture_over_the_limits_is_refused(
    workspace: Workspace, serve_warm: Callable[..., Any], sign_in: SignIn
) -> None:
    workspace.settings = workspace.settings.model_copy(update={"max_file_bytes": 1000})
    wide = io.BytesIO()
    Image.new("1", (100_000, 1_000)).save(wide, "PNG")
    with serve_warm(workspace) as client:
        client.headers.update(sign_in(workspace))
        for route, content in (
            (UPLOAD, drawn(1) + bytes(1000)),
            (SEARCH, wide.getvalue()),
            (SEARCH, bytes(33 << 20)),
        ):
            response = client.post(route, **sent(content))
            assert response.status_code == 413
            assert response.headers["content-type"] == "application/problem+json"


def blank(size: tuple[int, int], kind: str, **options: Any) -> bytes:
    """A picture that is small as a file, whatever it unpacks to."""
    buffer = io.BytesIO()
    Image.new("L", size).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("route", [UPLOAD, SEARCH])
@pytest.mark.parametrize(
    ("kind", "make"),
    [
        ("png", lambda: blank((20_000, 20_000), "PNG")),
        ("png", lambda: blank((1, 70_000), "PNG")),
        ("webp", lambda: blank((6_000, 6_000), "WEBP")),
        ("tiff", lambda: tiled_tiff(20_000)),
    ],
    ids=["huge", "endless", "costly", "of one huge tile"],
)
def test_a_picture_that_unpacks_to_much_is_refused_before_it_does(
    empty_api: httpx.Client, settings: Settings, route: str, kind: str, make: Callable[[], bytes]
) -> None:
    response = empty_api.post(route, **sent(make(), f"a.{kind}", f"image/{kind}"))
    assert (response.status_code, response.json()["code"]) == (413, "file_too_large")
    assert not settings.uploads.exists()


def test_a_large_picture_is_looked_at_without_copies_of_it() -> None:
    """What all private memory may hold here is little more than the picture's own pixels."""
    with Workers(1, Limits(400 << 20, 60)) as workers:
        (done,) = workers.run(
            check_picture, [blank((7_000, 7_000), "TIFF", compression="packbits")]
        )
    assert done.error is None


def test_an_upload_names_a_document_that_is_there(
    empty_api: httpx.Client, settings: Settings
) -> None:
    for name in ("none", NOBODY, "../.."):
        response = empty_api.post(UPLOAD, data={"document_id": name}, **sent(drawn(1)))
        assert response.status_code == 404
    assert not settings.uploads.exists()
    for count in ("0", "101", "x"):
        assert empty_api.post(SEARCH, data={"top_k": count}, **sent(drawn(1))).status_code == 422


def test_an_unknown_picture_is_not_found(empty_api: httpx.Client) -> None:
    assert empty_api.post(SEARCH, **sent(drawn(1))).json() == {"results": []}
    for name in ("none", f"{NOBODY}.0123456789abcdef", "a%00b.c"):
        for suffix in ("", "/thumbnail", "/original"):
            response = empty_api.get(f"/api/v2/images/{name}{suffix}")
            assert response.status_code == 404
            assert response.json()["code"] == "not_found"
