"""No room left for files: a clear answer, no half of a file, and all well once there is room."""

import hashlib
import resource
import subprocess
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest

from alexandria.adapters.blobs import BlobStore
from alexandria.errors import StorageFullError
from alexandria.knowledge.embedding import Embedder
from alexandria.workflows.operating.sources import add_source
from alexandria.workflows.reading.documents import list_documents
from alexandria.workflows.workspace import open_workspace

pytestmark = pytest.mark.xdist_group("faults")

Serve = Callable[..., AbstractContextManager[Any]]
SignIn = Callable[[Any], AbstractContextManager[httpx.Client]]
Eventually = Callable[[Callable[[], Any]], Any]
Sync = Callable[..., object]
Write = Callable[[Path, str | bytes], Path]

QUESTION = {"question": "Who kept the lighthouse on Gannet Head?"}
UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
KIB = 1024


class SmallDisk:
    """A file system of its own with little room."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make_room(self, size: str) -> None:
        """Change how much it holds."""
        subprocess.run(
            ["mount", "-o", f"remount,size={size}", str(self.folder)],
            check=True,
            capture_output=True,
        )

    def files(self) -> list[str]:
        """Every file on it, hidden ones too."""
        return sorted(item.name for item in self.folder.rglob("*") if item.is_file())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """A disk of 256 KiB, where this account may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    try:
        subprocess.run(mounting, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this account may not mount a file system; a limit on files stands in")
    yield SmallDisk(folder)
    subprocess.run(["umount", str(folder)], check=True)


def test_uploads_to_a_full_disk_are_refused_whole_and_taken_once_there_is_room(
    home: Any, serve: Serve, signed_in: SignIn, eventually: Eventually, small_disk: SmallDisk
) -> None:
    with serve(home, upload_folder=small_disk.folder) as api:
        eventually(api.is_ready)
        with signed_in(api) as client:
            _check_refused(client, KIB * KIB // 2)
            assert small_disk.files() == []
            assert _upload(client, KIB).status_code == 202
            assert "Hester Lowe" in client.post("/api/v2/query", json=QUESTION).json()["answer"]
            small_disk.make_room("8m")
            assert _upload(client, KIB * KIB // 2).status_code == 202
    assert len(small_disk.files()) == 2


@pytest.mark.parametrize("size", [900 * KIB, 3 * KIB * KIB])
def test_a_limit_on_files_is_no_room_wherever_it_is_met(
    home: Any, serve: Serve, signed_in: SignIn, eventually: Eventually, size: int
) -> None:
    """The smaller body waits in memory and the larger on disk before it is kept."""
    with serve(home) as api:
        eventually(api.is_ready)
        with signed_in(api) as client:
            resource.prlimit(
                api.process.pid, resource.RLIMIT_FSIZE, (600 * KIB, resource.RLIM_INFINITY)
            )
            _check_refused(client, size)
            assert [item for item in home.uploads.rglob("*") if item.is_file()] == []
            assert "Hester Lowe" in client.post("/api/v2/query", json=QUESTION).json()["answer"]
            resource.prlimit(api.process.pid, resource.RLIMIT_FSIZE, UNLIMITED)
            answer = _upload(client, size)
            assert answer.status_code == 202
    assert (home.uploads / answer.json()["path"]).stat().st_size == size


def test_a_run_that_finds_no_room_for_originals_goes_on_when_there_is(
    home: Any,
    small_disk: SmallDisk,
    embedders: dict[str, Embedder],
    tmp_path: Path,
    sync: Sync,
    write: Write,
) -> None:
    text = "The ferry leaves at nine from the stone pier.\n"
    write(tmp_path / "post" / "ferry.txt", text + " " * KIB * KIB)
    settings = home.settings.model_copy(update={"blob_url": str(small_disk.folder / "blobs")})
    with open_workspace(settings) as opened:
        workspace = replace(opened, _embedders=embedders)
        source = add_source(workspace, tmp_path / "post")
        with pytest.raises(StorageFullError):
            sync(workspace, source)
        assert small_disk.files() == []
        small_disk.make_room("64m")
        sync(workspace, source)
        paths = {item.path for item in list_documents(workspace)}
    assert "ferry.txt" in paths
    assert hashlib.sha256((text + " " * KIB * KIB).encode()).hexdigest() in small_disk.files()


def test_a_blob_that_finds_no_room_leaves_nothing(tmp_path: Path) -> None:
    store, content = BlobStore(str(tmp_path / "blobs")), b"x" * KIB * KIB
    with _limit_on_files(600 * KIB), pytest.raises(StorageFullError):
        store.put(BytesIO(content))
    assert [item for item in tmp_path.rglob("*") if item.is_file()] == []
    assert store.read(store.put(BytesIO(content))) == content


@contextmanager
def _limit_on_files(size: int) -> Generator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def _upload(client: httpx.Client, size: int) -> httpx.Response:
    file = {"file": (f"{size}.txt", b"salt " * (size // 5) + b"x" * (size % 5))}
    return client.post("/api/v2/documents/upload", files=file)


def _check_refused(client: httpx.Client, size: int) -> None:
    answer = _upload(client, size)
    assert answer.status_code == 507
    problem = answer.json()
    assert problem["code"] == "storage_full"
    assert problem["retry_after"] == int(answer.headers["retry-after"]) > 0
