"""Pictures from a document to what readers find: described once, shown while published."""

import base64
import io
import json
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from alexandria.errors import CorruptFileError, IntegrityError, NotFoundError
from alexandria.knowledge.embedding import Embedder
from alexandria.workflows.operating.sources import Source, add_source
from alexandria.workflows.reading.documents import delete_document, list_documents
from alexandria.workflows.reading.images import (
    SimilarImage,
    document_images,
    read_image,
    search_images,
)
from alexandria.workflows.reports import StageReport
from alexandria.workflows.stages.images import describe_images
from alexandria.workflows.workspace import Workspace, open_workspace

Sync = Callable[..., dict[str, StageReport]]
Write = Callable[[Path, str | bytes], Path]


def drawn(seed: int) -> Image.Image:
    """A picture of coloured boxes; another seed is another picture."""
    chance = random.Random(seed)
    picture = Image.new("RGB", (120, 90), "white")
    pen = ImageDraw.Draw(picture)
    for _ in range(7):
        left, top = chance.randrange(90), chance.randrange(60)
        box = (left, top, left + chance.randrange(15, 60), top + chance.randrange(15, 50))
        pen.rectangle(box, fill=tuple(chance.randrange(256) for _ in range(3)))
    return picture


def saved(picture: Image.Image, kind: str = "PNG", **how: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **how)
    return buffer.getvalue()


def page(*seeds: int, title: str = "Beds") -> str:
    """A page with a chapter for each picture."""
    chapters = "".join(
        f"<h2>Bed {seed}</h2><p>The bed of row {seed} is sown.</p><img alt='Plan {seed}' "
        f"src='data:image/png;base64,{base64.b64encode(saved(drawn(seed))).decode()}'>"
        for seed in seeds
    )
    return f"<!doctype html><title>{title}</title><h1>{title}</h1><p>All beds.</p>{chapters}"


@pytest.fixture
def workspace(workspace: Workspace) -> Workspace:
    """A library without text recognition: what a picture shows is not asked for here."""
    settings = workspace.settings.model_copy(update={"ocr_engine": "off"})
    return replace(workspace, settings=settings)


@pytest.fixture
def garden(workspace: Workspace, tmp_path: Path, write: Write, sync: Sync) -> Source:
    """Two pages with pictures, one of which is in both, published."""
    write(tmp_path / "garden/north.html", page(1, 2, title="North"))
    write(tmp_path / "garden/south.html", page(2, 3, title="South"))
    source = add_source(workspace, tmp_path / "garden")
    sync(workspace, source)
    return source


def found(workspace: Workspace, seed: int) -> list[tuple[str, str]]:
    """Document and description of what is the same picture as that of a seed."""
    hits = search_images(workspace, saved(drawn(seed), "JPEG", quality=80), limit=100)
    return [(hit.title, hit.description) for hit in hits if hit.score > 0.9]


def test_a_picture_is_found_again_scaled_and_saved_otherwise(
    workspace: Workspace, garden: Source
) -> None:
    asked = saved(drawn(1).resize((61, 44)), "JPEG", quality=40)
    hits = search_images(workspace, asked, limit=3)
    best = hits[0]
    assert (best.title, best.label, best.description) == ("North", "Bed 1", "Plan 1")
    assert (best.width, best.height, best.media_type) == (120, 90, "image/png")
    assert len(hits) == 3
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    assert best.score > 0.9 > hits[1].score
    stored = read_image(workspace, best.image_id)
    assert workspace.blobs.read(stored.content_hash) == saved(drawn(1))
    assert Image.open(io.BytesIO(workspace.blobs.read(stored.thumbnail_hash))).format == "PNG"


def test_a_picture_in_two_documents_is_found_in_both_and_described_once(
    workspace: Workspace, garden: Source
) -> None:
    assert sorted(found(workspace, 2)) == [("North", "Plan 2"), ("South", "Plan 2")]
    north, south = list_documents(workspace)
    labels = [
        [item.label for item in document_images(workspace, one.document_id)]
        for one in (north, south)
    ]
    assert labels == [["Bed 1", "Bed 2"], ["Bed 2", "Bed 3"]]
    assert described(workspace) == 3


def described(workspace: Workspace) -> int:
    import psycopg

    with psycopg.connect(workspace.database.address) as connection:
        row = connection.execute("SELECT count(*) FROM knowledge.image_embeddings").fetchone()
    return int(row[0]) if row else -1


def test_describing_again_changes_nothing(
    workspace: Workspace, garden: Source, snapshot: Callable[[Workspace], dict[str, list[str]]]
) -> None:
    before = snapshot(workspace)
    assert describe_images(workspace, garden).row_count == 0
    assert snapshot(workspace) == before
    workspace.database.statement(
        "DELETE FROM knowledge.image_embeddings WHERE content_hash = "
        "(SELECT min(content_hash) FROM knowledge.image_embeddings)"
    )
    assert describe_images(workspace, garden).row_count == 1
    assert snapshot(workspace) == before


class _Corners:
    """Another model of another size: the colours of two corners."""

    model_id = "corners-1"
    dimension = 6

    def describe(self, pictures: Sequence[bytes]) -> NDArray[np.float32]:
        rows: list[NDArray[np.float32]] = []
        for content in pictures:
            colours = np.asarray(Image.open(io.BytesIO(content)).resize((2, 1)), np.float32)
            rows.append(colours.ravel() / np.float32(np.linalg.norm(colours)))
        return np.stack(rows)


def test_another_model_finds_what_it_has_described(workspace: Workspace, garden: Source) -> None:
    changes = {"image_model": "corners"}
    other = replace(
        workspace,
        settings=workspace.settings.model_copy(update=changes),
        _describers={"corners": _Corners()},
    )
    assert search_images(other, saved(drawn(1))) == []
    assert describe_images(other, garden).row_count == 3
    best = search_images(other, saved(drawn(1)))[0]
    assert (best.description, round(best.score, 3)) == ("Plan 1", 1.0)
    assert search_images(workspace, saved(drawn(1)))[0].description == "Plan 1"


def test_a_replaced_picture_leaves_and_the_new_one_comes(
    workspace: Workspace, garden: Source, tmp_path: Path, write: Write, sync: Sync
) -> None:
    (old,) = [item for item in search_images(workspace, saved(drawn(1))) if item.score > 0.9]
    write(tmp_path / "garden/north.html", page(4, 2, title="North"))
    sync(workspace, garden, until="publications")
    assert found(workspace, 1) == [("North", "Plan 1")]
    assert found(workspace, 4) == []
    sync(workspace, garden)
    assert found(workspace, 1) == []
    assert found(workspace, 4) == [("North", "Plan 4")]
    with pytest.raises(NotFoundError):
        read_image(workspace, old.image_id)


def test_pictures_of_a_deleted_document_are_gone(
    workspace: Workspace, garden: Source, tmp_path: Path, sync: Sync
) -> None:
    (old,) = [item for item in search_images(workspace, saved(drawn(3))) if item.score > 0.9]
    north = list_documents(workspace)[0]
    (tmp_path / "garden/south.html").unlink()
    sync(workspace, garden)
    assert found(workspace, 3) == []
    assert found(workspace, 2) == [("North", "Plan 2")]
    with pytest.raises(NotFoundError):
        read_image(workspace, old.image_id)
    delete_document(workspace, north.document_id)
    assert found(workspace, 2) == []
    assert document_images(workspace, north.document_id) == []


def test_a_picture_without_a_vector_is_not_published(
    workspace: Workspace, garden: Source, tmp_path: Path, write: Write, sync: Sync
) -> None:
    def lose() -> None:
        workspace.database.statement("DELETE FROM knowledge.image_embeddings")

    write(tmp_path / "garden/west.html", page(5, title="West"))
    with pytest.raises(IntegrityError, match=r"images_have_a_vector.*west\.html, picture 1"):
        sync(workspace, garden, before={"images_have_a_vector": lose})
    sync(workspace, garden)
    assert found(workspace, 5) == [("West", "Plan 5")]


@pytest.fixture
def other(workspace: Workspace, embedders: dict[str, Embedder]) -> Iterator[Workspace]:
    """The same library as another tenant opens it."""
    changes = {"tenant_id": "other"}
    with open_workspace(workspace.settings.model_copy(update=changes)) as opened:
        yield replace(opened, _embedders=embedders)


def test_a_tenant_sees_its_own_pictures_only(
    workspace: Workspace, other: Workspace, garden: Source, tmp_path: Path, write: Write, sync: Sync
) -> None:
    write(tmp_path / "theirs/plot.html", page(2, 9, title="Theirs"))
    sync(other, add_source(other, tmp_path / "theirs"))
    assert sorted(found(workspace, 2)) == [("North", "Plan 2"), ("South", "Plan 2")]
    assert found(other, 2) == [("Theirs", "Plan 2")]
    assert found(workspace, 9) == []
    hits: list[SimilarImage] = search_images(other, saved(drawn(9)), limit=100)
    assert {hit.title for hit in hits} == {"Theirs"}
    for hit in hits:
        assert document_images(workspace, hit.document_id) == []
        with pytest.raises(NotFoundError):
            read_image(workspace, hit.image_id)


def test_what_is_no_picture_is_refused(workspace: Workspace) -> None:
    for content in (b"", b"%PDF-1.7", saved(drawn(1))[:200], b"<svg/>"):
        with pytest.raises(CorruptFileError):
            search_images(workspace, content)
    for name in ("", "none", f"{'0' * 8}-0000-0000-0000-{'0' * 12}.{'0' * 16}", "a.b", "%' --"):
        with pytest.raises(NotFoundError):
            read_image(workspace, name)


@dataclass
class Provider:
    """A vision model: the caption it gives, or a status; `seen` are the pictures it was sent."""

    caption: str = "A plan of a\ngarden bed."
    status: int = 200
    seen: list[bytes] = field(default_factory=list[bytes])


class _Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        parts = body["messages"][-1]["content"]
        address = next(part["image_url"]["url"] for part in parts if part["type"] == "image_url")
        self.provider.seen.append(base64.b64decode(address.partition(",")[2]))
        self.send_response(self.provider.status)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        if self.provider.status != 200:
            self.wfile.write(b'{"error": {"message": "not now", "type": "error"}}')
            return
        usage = {"prompt_tokens": 90, "completion_tokens": 10, "total_tokens": 100}
        delta = {"role": "assistant", "content": self.provider.caption}
        self._send(choices=[{"index": 0, "delta": delta}])
        self._send(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
        self._send(choices=[], usage=usage)
        self.wfile.write(b"data: [DONE]\n\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name upstream)
        """Keep the terminal quiet."""

    def _send(self, **fields: Any) -> None:
        chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "test"}
        self.wfile.write(f"data: {json.dumps(chunk | fields)}\n\n".encode())


@pytest.fixture
def provider(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    """A vision model on this machine, which the library is set up with."""
    behaviour = Provider()
    handler = type("Handler", (_Handler,), {"provider": behaviour})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        monkeypatch.setenv("OPENAI_API_BASE", f"http://127.0.0.1:{server.server_port}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "key")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        changes = {"vision_model": "openai/test"}
        workspace.settings = workspace.settings.model_copy(update=changes)
        yield behaviour
        server.shutdown()
        thread.join()


def captions(workspace: Workspace) -> list[str]:
    pictures = [document_images(workspace, one.document_id) for one in list_documents(workspace)]
    return [item.caption for items in pictures for item in items]


def test_a_vision_model_writes_the_captions_once(
    workspace: Workspace, provider: Provider, garden: Source
) -> None:
    assert captions(workspace) == ["A plan of a garden bed."] * 4
    assert sorted(provider.seen) == sorted(saved(drawn(seed)) for seed in (1, 2, 3))
    again = describe_images(workspace, garden)
    assert again.row_count == 0
    assert again.details == {"captions": 0, "captions_pending": 0}
    assert len(provider.seen) == 3


def test_a_vision_model_that_does_not_answer_holds_nothing_up(
    workspace: Workspace, provider: Provider, tmp_path: Path, write: Write, sync: Sync
) -> None:
    provider.status = 503
    write(tmp_path / "garden/north.html", page(1, title="North"))
    source = add_source(workspace, tmp_path / "garden")
    reports = sync(workspace, source)
    details = reports["image_embeddings"].details
    assert details["captions_pending"] == 1
    assert "No language model provider answered" in str(details["captions_missing_because"])
    assert found(workspace, 1) == [("North", "Plan 1")]
    assert captions(workspace) == [""]
    provider.status = 200
    caught_up = describe_images(workspace, source)
    assert caught_up.details == {"captions": 1, "captions_pending": 0}
    assert caught_up.token_count == 100
    assert captions(workspace) == ["A plan of a garden bed."]
