from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alexandria.errors import EmptyFileError, FileTooLargeError
from serving.uploads import LONGEST_NAME_BYTES, keep_upload, safe_name

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
    with TemporaryDirectory() as folder:
        kept = [keep_upload(BytesIO(item), name, Path(folder), 1000) for item in contents]
        found = {file.name: file.read_bytes() for file in Path(folder).iterdir()}
    assert [found[item.path] for item in kept] == contents
    assert sorted(found.values()) == sorted(set(contents))
    assert sum(item.is_new for item in kept) == len(found)


def test_what_is_refused_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(EmptyFileError):
        keep_upload(BytesIO(b""), "a.txt", tmp_path, 10)
    with pytest.raises(FileTooLargeError):
        keep_upload(BytesIO(b"x" * 11), "a.txt", tmp_path, 10)
    assert list(tmp_path.iterdir()) == []
    assert keep_upload(BytesIO(b"x" * 10), "a.txt", tmp_path, 10).size_bytes == 10
