"""The same bytes in two tenants under different names: neither ever sees the other's name."""

import gzip
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

import psycopg
import pytest
from PIL import Image

from alexandria.knowledge.embedding import Embedder
from alexandria.knowledge.indexing import SearchFilter
from alexandria.workflows.operating.sources import Source, add_source
from alexandria.workflows.operating.status import read_status
from alexandria.workflows.reading.documents import list_documents, read_document, read_text
from alexandria.workflows.reading.images import document_images
from alexandria.workflows.reading.searching import search, search_documents
from alexandria.workflows.reports import StageReport
from alexandria.workflows.workspace import Workspace, open_workspace

Sync = Callable[..., dict[str, StageReport]]
Write = Callable[[Path, str | bytes], Path]

LETTER = "The quinces are to be picked before the first frost.\n"
OURS, THEIRS = "merger_with-osprey", "hidden_gannet-debts"


def _photograph() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (120, 90), (40, 90, 160)).save(buffer, "PNG")
    return buffer.getvalue()


def _shelf(folder: Path, write: Write, name: str) -> Path:
    write(folder / f"{name}.txt", LETTER)
    write(folder / f"{name}-photo.png", _photograph())
    write(folder / f"{name}-packed.txt.gz", gzip.compress(b"Pears keep in sand.\n", mtime=0))
    return folder


@pytest.fixture
def other(workspace: Workspace, embedders: dict[str, Embedder]) -> Iterator[Workspace]:
    """The same library as another tenant opens it."""
    changes = {"tenant_id": "other"}
    with open_workspace(workspace.settings.model_copy(update=changes)) as opened:
        yield replace(opened, _embedders=embedders)


@pytest.fixture
def both(
    workspace: Workspace, other: Workspace, tmp_path: Path, sync: Sync, write: Write
) -> tuple[Source, Source]:
    """A source of each tenant with the same bytes, the first one read first."""
    first = add_source(workspace, _shelf(tmp_path / "ours", write, OURS))
    second = add_source(other, _shelf(tmp_path / "theirs", write, THEIRS))
    sync(workspace, first)
    sync(other, second)
    return first, second


def _seen(workspace: Workspace) -> str:
    """Everything that reading shows a tenant."""
    where = SearchFilter(tenant_id=workspace.settings.tenant_id)
    questions = ("When are the quinces picked?", "osprey merger photo", "gannet debts packed")
    hits = [hit for question in questions for hit in search(workspace, question, where, limit=50)]
    found = [search_documents(workspace, question, where) for question in (*questions, "")]
    documents = list_documents(workspace)
    details = [read_document(workspace, item.document_id) for item in documents]
    texts = [read_text(workspace, item.document_id) for item in documents]
    images = [document_images(workspace, item.document_id) for item in documents]
    shown = [*hits, *found, *documents, *details, *texts, read_status(workspace)]
    return json.dumps([asdict(one) for one in shown], default=str) + repr(images)


def _names_in(text: str) -> set[str]:
    """Which of the two secrets a text holds."""
    return {word for word in ("osprey", "gannet") if word in text.casefold()}


def test_neither_tenant_sees_the_name_the_other_gave_the_same_bytes(
    workspace: Workspace, other: Workspace, both: tuple[Source, Source]
) -> None:
    assert _names_in(_seen(workspace)) == {"osprey"}
    assert _names_in(_seen(other)) == {"gannet"}


def test_a_shared_parse_holds_no_name_of_a_file(
    workspace: Workspace, both: tuple[Source, Source]
) -> None:
    with psycopg.connect(workspace.database.address) as connection:
        for table in ("parses", "units", "images", "attachments"):
            rows = connection.execute(
                f"SELECT to_jsonb(row)::text FROM knowledge.{table} AS row"  # type: ignore[arg-type]
            ).fetchall()
            assert rows
            assert _names_in(str(rows)) == set()


def test_each_tenant_finds_a_wordless_picture_by_its_own_name(
    workspace: Workspace, other: Workspace, both: tuple[Source, Source]
) -> None:
    for tenant, name, question in (
        (workspace, "Merger with osprey photo", "osprey photo"),
        (other, "Hidden gannet debts photo", "gannet photo"),
    ):
        where = SearchFilter(tenant_id=tenant.settings.tenant_id)
        hit = search(tenant, question, where, limit=1)[0]
        assert (hit.title, hit.text, hit.label) == (name, name, "Image")
        text = read_text(tenant, hit.document_id)
        assert text.text[hit.start : hit.end] == name
        assert [(unit.start, unit.end) for unit in text.units] == [(0, len(name))]


def test_a_packed_file_has_its_own_place_for_a_name(
    workspace: Workspace, other: Workspace, both: tuple[Source, Source]
) -> None:
    for tenant, name in ((workspace, OURS), (other, THEIRS)):
        paths = {item.path: item.title for item in list_documents(tenant)}
        inner = f"{name}-packed.txt.gz/{name}-packed.txt"
        assert paths[inner] == f"{name[0].upper()}{name[1:]} packed".replace("_", " ").replace(
            "-", " "
        )
