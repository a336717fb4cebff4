"""Small files that once did more harm than to themselves."""

import struct
import zipfile
from io import BytesIO

import pytest

from alexandria.errors import CorruptFileError, UnreadableError
from alexandria.knowledge.documents import BlockKind
from alexandria.knowledge.parsing import parse_document
from alexandria.knowledge.parsing.file_names import safe_names


def test_an_offset_beyond_every_file_is_damage() -> None:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr("mimetype", "x")
    content = bytearray(buffer.getvalue())
    entry = content.index(b"PK\x01\x02")
    extra = struct.pack("<HHQ", 1, 8, 1 << 63)
    content[entry + 42 : entry + 46] = b"\xff\xff\xff\xff"
    content[entry + 30 : entry + 32] = struct.pack("<H", len(extra))
    name_end = entry + 46 + len("mimetype")
    content[name_end:name_end] = extra
    end = content.index(b"PK\x05\x06")
    size = struct.unpack("<I", content[end + 12 : end + 16])[0] + len(extra)
    content[end + 12 : end + 16] = struct.pack("<I", size)
    with pytest.raises(UnreadableError):
        parse_document(bytes(content), "book.epub")


def test_what_detection_stumbles_over_is_damage(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(content: bytes, name: str) -> str:
        raise OverflowError(content, name)

    monkeypatch.setattr("alexandria.knowledge.parsing.reading.detect_media_type", stumble)
    with pytest.raises(CorruptFileError):
        parse_document(b"anything", "a.txt")


def test_names_are_short_in_bytes_too() -> None:
    (name,) = safe_names(["\u9ad8" * 400 + ".txt"])
    assert len(name.encode()) <= 220
    assert name.endswith(".txt")


def test_a_table_of_one_column_is_a_table() -> None:
    document = parse_document(b"employee\nAnn\nBob\nCy\n", "staff.csv")
    assert document.text.splitlines() == ["employee", "Ann", "Bob", "Cy"]
    assert {block.kind for block in document.blocks} == {BlockKind.TABLE}
