"""Files inside files become documents of their own, and leave with what held them."""

import io
import zipfile
from base64 import b64encode
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest
from PIL import Image

from alexandria.knowledge.indexing import SearchFilter
from alexandria.workflows.operating.sources import Source, add_source, remove_source
from alexandria.workflows.operating.status import read_status
from alexandria.workflows.quality.verification import verify
from alexandria.workflows.reading.documents import delete_document, list_documents
from alexandria.workflows.reading.searching import search
from alexandria.workflows.reports import StageReport
from alexandria.workflows.stages.ingestion import record_quarantine, register_contained_files
from alexandria.workflows.stages.parsing import restore_blobs
from alexandria.workflows.workspace import Workspace

Sync = Callable[..., dict[str, StageReport]]
Write = Callable[[Path, str | bytes], Path]

RYE = "The rye bread rests for nineteen hours before it meets the oven.\n"
SALT = "Salt from the northern pans is sieved twice and dried on slate.\n"


def letter(subject: str, *files: tuple[str, bytes]) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "ann@example.org", "bo@b.org", subject
    message.set_content(f"Dear Bo, here is what I promised about {subject}.")
    for name, content in files:
        message.add_attachment(content, "application", "octet-stream", filename=name)
    return message.as_bytes()


def archive(*files: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, content in files:
            target.writestr(name, content)
    return buffer.getvalue()


def paths(workspace: Workspace, state: str = "published") -> set[str]:
    return {one.path for one in list_documents(workspace) if one.state == state}


def hits(workspace: Workspace, question: str) -> list[str]:
    """Paths of the passages found, best first."""
    titles = {one.document_id: one.path for one in list_documents(workspace)}
    where = SearchFilter(tenant_id=workspace.settings.tenant_id)
    return [titles[one.document_id] for one in search(workspace, question, where)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "shelf"


@pytest.fixture
def source(workspace: Workspace, folder: Path, write: Write) -> Source:
    write(folder / "post" / "bread.eml", letter("bread", ("rye.txt", RYE.encode())))
    return add_source(workspace, folder, name="shelf")


def test_an_attachment_is_a_document_beside_its_mail(
    workspace: Workspace, source: Source, sync: Sync
) -> None:
    sync(workspace, source)
    assert paths(workspace) == {"post/bread.eml", "post/bread.eml/rye.txt"}
    assert hits(workspace, "How long does the rye bread rest?")[0] == "post/bread.eml/rye.txt"
    assert all(count.is_equal for count in verify(workspace))


def test_a_second_run_finds_nothing_to_do(
    workspace: Workspace, source: Source, sync: Sync, snapshot: Callable[..., object]
) -> None:
    sync(workspace, source)
    before = snapshot(workspace)
    again = sync(workspace, source)
    assert sum(report.row_count for report in again.values()) == 0
    assert snapshot(workspace) == before


def test_an_attachment_that_cannot_be_read_is_quarantined_alone(
    workspace: Workspace, folder: Path, write: Write, sync: Sync
) -> None:
    write(folder / "a.eml", letter("both", ("rye.txt", RYE.encode()), ("torn.pdf", b"%PDF-1.7\n%")))
    source = add_source(workspace, folder, name="shelf")
    sync(workspace, source)
    assert paths(workspace) == {"a.eml", "a.eml/rye.txt"}
    assert paths(workspace, "quarantined") == {"a.eml/torn.pdf"}


def test_a_changed_mail_changes_what_hangs_on_it(
    workspace: Workspace, source: Source, folder: Path, write: Write, sync: Sync
) -> None:
    sync(workspace, source)
    write(folder / "post" / "bread.eml", letter("bread", ("salt.txt", SALT.encode())))
    sync(workspace, source)
    assert paths(workspace) == {"post/bread.eml", "post/bread.eml/salt.txt"}
    assert hits(workspace, "How often is salt sieved?")[0] == "post/bread.eml/salt.txt"
    assert all(count.is_equal for count in verify(workspace))


def test_a_deleted_mail_takes_its_attachments_along(
    workspace: Workspace, source: Source, folder: Path, sync: Sync
) -> None:
    sync(workspace, source)
    (folder / "post" / "bread.eml").unlink()
    sync(workspace, source)
    assert paths(workspace) == set()
    assert not hits(workspace, "rye bread")
    assert all(count.is_equal for count in verify(workspace))


def test_a_renamed_mail_keeps_the_documents_it_carries(
    workspace: Workspace, source: Source, folder: Path, sync: Sync
) -> None:
    sync(workspace, source)
    before = {one.document_id for one in list_documents(workspace)}
    (folder / "post" / "bread.eml").rename(folder / "loaf.eml")
    sync(workspace, source)
    assert paths(workspace) == {"loaf.eml", "loaf.eml/rye.txt"}
    assert {one.document_id for one in list_documents(workspace)} == before


def test_an_edited_mail_keeps_the_attachment_that_stayed(
    workspace: Workspace, source: Source, folder: Path, write: Write, sync: Sync
) -> None:
    sync(workspace, source)
    before = {one.path: one.document_id for one in list_documents(workspace)}
    write(folder / "post" / "bread.eml", letter("crust", ("rye.txt", RYE.encode())))
    reports = sync(workspace, source)
    after = {one.path: one.document_id for one in list_documents(workspace)}
    assert after == before
    assert reports["parsed_documents"].row_count == 1


def test_a_person_deletes_a_mail_with_all_that_is_in_it(
    workspace: Workspace, source: Source, sync: Sync
) -> None:
    sync(workspace, source)
    (mail,) = [one for one in list_documents(workspace) if one.path == "post/bread.eml"]
    delete_document(workspace, mail.document_id)
    sync(workspace, source)
    assert paths(workspace) == set()
    assert not hits(workspace, "rye bread")


def test_files_deep_inside_files_are_read_to_a_limit_and_told_beyond(
    workspace: Workspace, folder: Path, write: Write, sync: Sync
) -> None:
    inner = archive(("deep.txt", RYE.encode()))
    for depth in range(4):
        inner = archive((f"box{depth}.zip", inner), (f"note{depth}.txt", SALT.encode()))
    write(folder / "outer.zip", inner)
    source = add_source(workspace, folder, name="shelf")
    sync(workspace, source)
    assert "outer.zip/note3.txt" in paths(workspace)
    assert "outer.zip/box3.zip/box2.zip/note1.txt" in paths(workspace)
    assert paths(workspace, "quarantined") == {
        "outer.zip/box3.zip/box2.zip/box1.zip/box0.zip",
        "outer.zip/box3.zip/box2.zip/box1.zip/note0.txt",
    }


def test_a_removed_source_leaves_nothing_of_what_its_files_held(
    workspace: Workspace, source: Source, sync: Sync
) -> None:
    sync(workspace, source)
    remove_source(workspace, "shelf")
    sync(workspace, source)
    assert not hits(workspace, "rye bread")
    assert not workspace.database.column("known_files", source_id=source.source_id)


def test_what_was_inside_is_had_again_when_the_blob_store_lost_it(
    workspace: Workspace, folder: Path, write: Write, sync: Sync
) -> None:
    picture = io.BytesIO()
    Image.radial_gradient("L").save(picture, "PNG")
    page = (
        f'<p>A gull.</p><img src="data:image/png;base64,{b64encode(picture.getvalue()).decode()}">'
    )
    inner = archive(("gull.html", page.encode()), ("rye.txt", RYE.encode()))
    write(folder / "a.eml", letter("boxes", ("box.zip", inner)))
    source = add_source(workspace, folder, name="shelf")
    sync(workspace, source)
    kept = workspace.blobs.hashes()
    assert len(kept) == 6
    for content_hash in kept:
        workspace.blobs.delete(content_hash)
    assert not all(count.is_equal for count in verify(workspace))
    restore_blobs(workspace, source)
    assert workspace.blobs.hashes() == kept
    assert all(count.is_equal for count in verify(workspace))


def test_of_files_that_multiply_so_many_are_taken_and_the_rest_is_counted(
    workspace: Workspace, source: Source, folder: Path, write: Write, sync: Sync
) -> None:
    leaves = [(f"{at}.txt", f"Leaf {at}.".encode()) for at in range(4)]
    twigs = archive(*((f"twig-{at}.zip", archive(*leaves)) for at in range(3)))
    write(folder / "tree.zip", archive(("one.zip", twigs), ("two.zip", twigs), ("z.txt", b"Root.")))
    sync(workspace, source)
    inside = {path for path in paths(workspace) if path.startswith("tree.zip/")}
    assert len(inside) == 3 + 6 + 24

    for most, left_out in ((9, 24), (20, 13), (33, 0), (1, 5), (40, 0)):
        register_contained_files(workspace, source, most=most)
        listed = {one.path for one in list_documents(workspace)}
        assert len(listed & inside) == min(most, 33)
        marked = {path for path in listed if "*" in path}
        wanted = {f"tree.zip/* {left_out} files left out"} if left_out else set[str]()
        assert marked == wanted
        assert {"post/bread.eml", "post/bread.eml/rye.txt"} <= listed

    register_contained_files(workspace, source, most=9)
    record_quarantine(workspace, source)
    entry = next(one for one in read_status(workspace).quarantine if "*" in one.path)
    assert entry.code == "archive_limit"
    assert entry.reason == "More than 9 files lie inside the file; 24 of them were left out."
