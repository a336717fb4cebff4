"""Upload folders as sources: one for each tenant, and the one that earlier versions knew."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import dagster as dg
import pytest

from alexandria.errors import ConflictError, InvalidInputError
from alexandria.settings import Settings
from alexandria.workflows.operating.sources import (
    Source,
    add_source,
    list_all_sources,
    list_sources,
)
from alexandria.workflows.operating.upload_sources import settle_upload_sources
from alexandria.workflows.reading.documents import delete_document, list_documents
from alexandria.workflows.reports import StageReport
from alexandria.workflows.workspace import Workspace
from pipelines.instance import run_job
from pipelines.sensors import request_changed, upload_arrived_sensor

Sync = Callable[..., dict[str, StageReport]]
Write = Callable[[Path, str | bytes], Path]
PICTURED = "4f0c5b1e-8a53-5c55-9d4f-6a1f1c0f2a11"


def paths_below(folder: Path) -> set[str]:
    return {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}


def asked(workspace: Workspace, instance: dg.DagsterInstance) -> list[str]:
    """Names of the sources that the sensor asks a run for when it first looks."""
    context = dg.build_sensor_context(instance=instance)
    outcome = cast(
        Iterator[dg.RunRequest | dg.SkipReason], upload_arrived_sensor(context, workspace=workspace)
    )
    return [str(one.partition_key) for one in outcome if isinstance(one, dg.RunRequest)]


@pytest.fixture
def earlier(workspace: Workspace, write: Write, sync: Sync) -> Source:
    """A library of an earlier version: one source for the whole upload folder."""
    root = workspace.settings.uploads
    write(root / "lamp.txt", "The lamp burns oil.\n")
    write(root / "gone.txt", "Nobody reads of this oil.\n")
    write(root / PICTURED / "plan.txt", "The plan of the oil cellar.\n")
    source = add_source(workspace, root, name="uploads", kind="upload")
    sync(workspace, source)
    by_path = {one.path: one.document_id for one in list_documents(workspace)}
    delete_document(workspace, by_path["gone.txt"])
    return source


def test_a_library_of_an_earlier_version_keeps_its_uploads(
    workspace: Workspace, earlier: Source, write: Write, sync: Sync
) -> None:
    root = workspace.settings.uploads
    write(root / "default/private/ann/diary.txt", "My oil is hidden.\n")
    write(root / ".access.toml", '[[rules]]\nfiles = ["lamp.txt"]\nreaders = ["group:board"]\n')
    with dg.DagsterInstance.ephemeral() as instance:
        names = asked(workspace, instance)
        former = next(name for name in names if name != "uploads")
        assert set(names) == {"uploads", former}
        for name in names:
            assert run_job(workspace, instance, "sync_source", name).is_success
        assert asked(workspace, instance) == ["uploads"], "what is settled is not run again"
    (source,) = list_sources(workspace)
    assert (source.name, source.location) == ("uploads", str(workspace.uploads))
    documents = {one.path: one.source_id for one in list_documents(workspace)}
    assert set(documents) == {"lamp.txt", f"{PICTURED}/plan.txt", "private/ann/diary.txt"}
    assert set(documents.values()) == {source.source_id}
    readers = dict(workspace.database.pairs("listed_readers", source_id=source.source_id))
    assert readers["private/ann/diary.txt"] == ["user:ann"]
    assert readers["lamp.txt"] == ["group:board"]
    assert paths_below(root) == {
        *("default/.access.toml", "default/lamp.txt", "default/gone.txt"),
        *(f"default/{PICTURED}/plan.txt", "default/private/ann/diary.txt"),
    }


def test_a_moved_upload_replaces_none_of_the_same_name(
    workspace: Workspace, earlier: Source, write: Write
) -> None:
    root = workspace.settings.uploads
    write(workspace.uploads / "lamp.txt", "Another lamp.\n")
    write(workspace.uploads / "gone.txt", "Nobody reads of this oil.\n")
    settle_upload_sources(workspace)
    texts = [file.read_text() for file in workspace.uploads.iterdir() if file.is_file()]
    assert sorted(texts) == [
        "Another lamp.\n",
        "Nobody reads of this oil.\n",
        "The lamp burns oil.\n",
    ]
    assert [item.name for item in root.iterdir()] == ["default"]
    before = paths_below(root)
    settle_upload_sources(workspace)
    assert paths_below(root) == before


def test_a_former_source_is_asked_for_until_its_documents_are_gone(
    workspace: Workspace, earlier: Source, sync: Sync
) -> None:
    first = settle_upload_sources(workspace)
    again = settle_upload_sources(workspace)
    assert first.former == again.former
    (former,) = first.former
    assert former not in {source.name for source in list_all_sources(workspace)}
    sync(workspace, workspace.database.fetch_one(Source, "read_source", name=former))
    assert settle_upload_sources(workspace).former == []


def test_every_tenants_folder_is_a_source_and_one_that_fails_stops_no_other(
    workspace: Workspace, write: Write
) -> None:
    root = workspace.settings.uploads
    for tenant in ("acme", "default", "zoo"):
        write(root / tenant / "a.txt", "A lamp.\n")
    for odd in ("Ac me", "acme-", "b\udcff"):
        write(root / odd / "a.txt", "A lamp.\n")
    found = settle_upload_sources(workspace)
    assert {source.tenant_id: source.name for source in found.live} == {
        "acme": "uploads-acme",
        "default": "uploads",
        "zoo": "uploads-zoo",
    }
    assert len(found.problems) == 3


def test_a_folder_that_had_the_name_before_gives_it_up(
    workspace: Workspace, tmp_path: Path, write: Write
) -> None:
    folder = write(tmp_path / "shelf/a.txt", "A lamp.\n").parent
    kept = add_source(workspace, folder)
    workspace.database.execute("rename_source", source_id=kept.source_id, name="uploads")
    write(workspace.uploads / "b.txt", "Another lamp.\n")
    found = settle_upload_sources(workspace)
    assert [source.name for source in found.live] == ["uploads"]
    assert found.problems == []
    by_kind = {source.kind: source for source in list_sources(workspace)}
    assert by_kind["folder"].source_id == kept.source_id
    assert by_kind["folder"].name == "shelf"


def test_an_upload_folder_that_is_not_there_changes_nothing(
    workspace: Workspace, earlier: Source
) -> None:
    root = workspace.settings.uploads
    root.rename(root.with_name("unmounted"))
    found = settle_upload_sources(workspace)
    assert (found.live, found.former, found.problems) == ([], [], [])
    assert [source.source_id for source in list_sources(workspace)] == [earlier.source_id]


@pytest.mark.parametrize("place", [".", "default", "default/private", "default/a.txt", ".."])
def test_no_other_source_may_lie_where_uploads_do(
    workspace: Workspace, write: Write, place: str
) -> None:
    write(workspace.uploads / "private/ann/diary.txt", "Mine.\n")
    write(workspace.uploads / "a.txt", "A lamp.\n")
    with pytest.raises(InvalidInputError, match="upload"):
        add_source(workspace, workspace.settings.uploads / place)
    assert list_sources(workspace) == []


def test_a_folder_above_uploads_that_a_hidden_folder_holds_is_a_source(
    settings: Settings, workspace: Workspace, tmp_path: Path, write: Write
) -> None:
    hidden = tmp_path / "docs/.alexandria/uploads"
    write(hidden / "default/a.txt", "A lamp.\n")
    workspace.settings = settings.model_copy(update={"upload_folder": hidden})
    assert add_source(workspace, tmp_path / "docs").name == "docs"


@pytest.mark.parametrize("name", ["uploads", "Uploads", "uploads-acme", "uploads acme"])
def test_names_of_upload_sources_are_taken_for_no_other(
    workspace: Workspace, tmp_path: Path, write: Write, name: str
) -> None:
    folder = write(tmp_path / "uploads/a.txt", "A lamp.\n").parent
    with pytest.raises(InvalidInputError, match="uploads"):
        add_source(workspace, folder, name=name)
    assert add_source(workspace, folder).name == "folder-uploads"


def test_a_name_in_use_is_a_conflict(workspace: Workspace, tmp_path: Path, write: Write) -> None:
    add_source(workspace, write(tmp_path / "a/a.txt", "A lamp.\n").parent)
    with pytest.raises(ConflictError):
        add_source(workspace, write(tmp_path / "b/a.txt", "A lamp.\n").parent, name="a")


def test_the_sensor_asks_once_for_what_changed(workspace: Workspace, write: Write) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert asked(workspace, instance) == []
        write(workspace.uploads / "a.txt", "A lamp.\n")
        assert asked(workspace, instance) == ["uploads"]
        context = dg.build_sensor_context(instance=instance)
        live = settle_upload_sources(workspace).live

        def changed() -> list[str]:
            outcome = request_changed(context, live, former=["before"])
            return [str(one.partition_key) for one in outcome if isinstance(one, dg.RunRequest)]

        assert changed() == ["uploads", "before"]
        assert set(json.loads(context.cursor or "")) == {"uploads", "before"}
        write(workspace.uploads / "b.txt", "Another lamp.\n")
        assert "uploads" in changed()
        assert "uploads" not in changed()
