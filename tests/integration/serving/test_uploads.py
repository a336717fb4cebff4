import hashlib
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alexandria.errors import (
    ConflictError,
    EmptyFileError,
    FileTooLargeError,
    StoreUnavailableError,
)
from serving.uploads import LONGEST_NAME_BYTES, KeptUpload, keep_upload, safe_name

ID = "4f0c5b1e-8a53-5c55-9d4f-6a1f1c0f2a11"

names = st.one_of(st.none(), st.text(), st.text(alphabet="./\\~$ab\x00:…é😀", max_size=300))


@given(names)
def test_a_safe_name_is_one_plain_file_name(name: str | None) -> None:
    safe = safe_name(name)
    assert safe
    assert Path(safe).name == safe
    assert "\\" not in safe
    assert not safe.startswith((".", "~", "$", " "))
    assert len(safe.encode()) <= LONGEST_NAME_BYTES
    assert safe_name(safe) == safe


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Résumé.pdf", "Résumé.pdf"),
        ("a/b/c.txt", "c.txt"),
        ("..\\..\\c.txt", "c.txt"),
        (".hidden.txt", "hidden.txt"),
        ("..", "upload"),
        ("", "upload"),
        (None, "upload"),
        ("x" * 300 + ".epub", "x" * 175 + ".epub"),
        ("what?.md", "what_.md"),
    ],
)
def test_a_name_stays_as_it_is_where_it_can(name: str | None, safe: str) -> None:
    assert safe_name(name) == safe


@given(name=names, contents=st.lists(st.binary(min_size=1, max_size=50), min_size=1, max_size=5))
def test_every_content_is_kept_once_and_none_is_lost(
    name: str | None, contents: list[bytes]
) -> None:
    told: list[KeptUpload] = []
    with TemporaryDirectory() as folder:
        kept = [
            keep_upload(BytesIO(item), name, Path(folder), 1000, told.append) for item in contents
        ]
        found = {file.name: file.read_bytes() for file in Path(folder).iterdir()}
    assert [found[item.path] for item in kept] == contents
    assert sorted(found.values()) == sorted(set(contents))
    assert sum(item.is_new for item in kept) == len(found)
    assert [(item.path, item.content_hash) for item in told] == [
        (item.path, item.content_hash) for item in kept
    ]


def test_what_is_refused_leaves_nothing(tmp_path: Path) -> None:
    told: list[KeptUpload] = []
    with pytest.raises(EmptyFileError):
        keep_upload(BytesIO(b""), "a.txt", tmp_path, 10, told.append)
    with pytest.raises(FileTooLargeError):
        keep_upload(BytesIO(b"x" * 11), "a.txt", tmp_path, 10, told.append)
    assert list(tmp_path.iterdir()) == []
    assert keep_upload(BytesIO(b"x" * 10), "a.txt", tmp_path, 10, told.append).size_bytes == 10


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("private", "private-file"),
        ("Private", "Private-file"),
        ("private.txt", "private.txt"),
        (".private", "private-file"),
        (ID, f"{ID}-file"),
        (ID.upper(), f"{ID.upper()}-file"),
        (f"{ID}.zip", f"{ID}-file.zip"),
        (f"a {ID}.zip", f"a {ID}.zip"),
    ],
)
def test_no_name_is_that_of_a_folder_among_uploads(name: str, safe: str) -> None:
    assert safe_name(name) == safe == safe_name(safe)


def test_a_file_where_a_folder_is_to_be_is_a_conflict(tmp_path: Path) -> None:
    told: list[KeptUpload] = []
    (tmp_path / "private").write_bytes(b"in the way")
    for folder in (tmp_path / "private", tmp_path / "private" / ID):
        with pytest.raises(ConflictError, match="in the way"):
            keep_upload(BytesIO(b"a"), "a.txt", folder, 10, told.append)
    assert [file.name for file in tmp_path.iterdir()] == ["private"]
    assert told == []


def test_a_folder_under_the_same_name_is_not_written_into(tmp_path: Path) -> None:
    told: list[KeptUpload] = []
    (tmp_path / "notes.txt").mkdir()
    kept = keep_upload(BytesIO(b"a"), "notes.txt", tmp_path, 10, told.append)
    assert kept.path != "notes.txt"
    assert (tmp_path / kept.path).read_bytes() == b"a"
    assert list((tmp_path / "notes.txt").iterdir()) == []


def test_every_name_in_use_is_a_conflict(tmp_path: Path) -> None:
    told: list[KeptUpload] = []
    digest = hashlib.sha256(b"a").hexdigest()
    for name in ("a.txt", f"a-{digest[:8]}.txt", f"a-{digest}.txt"):
        (tmp_path / name).write_bytes(b"other")
    with pytest.raises(ConflictError):
        keep_upload(BytesIO(b"a"), "a.txt", tmp_path, 10, told.append)
    assert told == []


def test_a_file_that_cannot_be_written_down_gets_no_name(tmp_path: Path) -> None:
    def fail(kept: KeptUpload) -> None:
        assert list(tmp_path.glob(kept.path)) == []
        raise StoreUnavailableError

    with pytest.raises(StoreUnavailableError):
        keep_upload(BytesIO(b"a"), "a.txt", tmp_path, 10, fail)
    assert list(tmp_path.iterdir()) == []
