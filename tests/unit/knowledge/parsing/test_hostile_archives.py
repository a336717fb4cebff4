"""Archives made to hurt: bombs, forged sizes, paths that lead elsewhere, links, locks."""

import copy
import gzip
import io
import random
import stat
import struct
import tarfile
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable

import pytest

from alexandria.errors import (
    ArchiveLimitError,
    CorruptFileError,
    EmptyFileError,
    PasswordProtectedError,
    UnreadableError,
    UnsupportedFormatError,
)
from alexandria.knowledge.documents import ParsedDocument
from alexandria.knowledge.parsing import archives, parse_document
from alexandria.knowledge.parsing.file_names import safe_names

MEGABYTE = 1 << 20
NOISE = random.Random(1).randbytes(3 * MEGABYTE)
"""Bytes that do not pack."""


def build_zip(*members: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content, compress_type=zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def build_tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for entry, content in members:
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def forge_sizes(content: bytes, size: int) -> bytes:
    """The archive with another unpacked size in each of its headers."""
    forged = bytearray(content)
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = forged.find(signature)
        while at >= 0:
            forged[at + offset : at + offset + 4] = struct.pack("<I", size)
            at = forged.find(signature, at + 4)
    return bytes(forged)


def set_flags(content: bytes, *names: str) -> bytes:
    """The archive with these entries marked as encrypted."""
    forged = bytearray(content)
    for name in names:
        at = forged.find(name.encode())
        while at >= 0:
            for signature, header, flags in ((b"PK\x03\x04", 30, 6), (b"PK\x01\x02", 46, 8)):
                start = at - header
                if start >= 0 and forged.startswith(signature, start):
                    forged[start + flags] |= 1
            at = forged.find(name.encode(), at + 1)
    return bytes(forged)


def repeat_directory(content: bytes, times: int) -> bytes:
    """The archive with each entry listed so many times: all share the same packed bytes."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        start = archive.start_dir
    end = content.rindex(b"PK\x05\x06")
    directory = content[start:end] * times
    count = struct.pack("<HHHH", 0, 0, *[times * content.count(b"PK\x01\x02")] * 2)
    return content[:start] + directory + b"PK\x05\x06" + count + struct.pack(
        "<IIH", len(directory), start, 0
    )  # fmt: skip


def quote_overlap(files: int, size: int) -> bytes:
    """Files that each hold the headers of the next, and all end in the same packed zeros."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed, plain = packer.compress(bytes(size)) + packer.flush(), bytes(size)
    tail, entries = b"", list[tuple[bytes, int]]()
    for number in reversed(range(files)):
        name = f"{number:04}.txt".encode()
        if tail:  # a stored block that quotes the header of the file after this one
            header = tail[: 30 + 8]
            quote = b"\0" + struct.pack("<HH", len(header), 0xFFFF ^ len(header))
            packed, plain = quote + tail, header + plain
        fields = (20, 0, 8, 0, 0, zlib.crc32(plain), len(packed), len(plain), len(name), 0)
        tail = b"PK\x03\x04" + struct.pack("<HHHHHIIIHH", *fields) + name + packed
        entries.append((struct.pack("<HHHHHHIIIHH", 20, *fields), len(tail)))
    directory = b"".join(
        b"PK\x01\x02" + fields + bytes(10) + struct.pack("<I", len(tail) - length)
        + f"{number:04}.txt".encode()
        for number, (fields, length) in zip(reversed(range(files)), entries, strict=True)
    )  # fmt: skip
    end = struct.pack("<HHHHIIH", 0, 0, files, files, len(directory), len(tail), 0)
    return tail + directory + b"PK\x05\x06" + end


def nest(content: bytes, depth: int) -> bytes:
    for level in range(depth):
        content = build_zip(*((f"{level}-{copy_of}.zip", content) for copy_of in range(16)))
    return content


def names(document: ParsedDocument) -> list[str]:
    return [one.name for one in document.attachments]


ZEROS = build_zip(("a.txt", bytes(40 * MEGABYTE)))
BOMBS: dict[str, Callable[[], bytes]] = {
    "one that packs well": lambda: ZEROS,
    "one that packs twice": lambda: build_zip(("inner.zip", ZEROS)),
    "many below the ratio's threshold": lambda: build_zip(
        *((f"{number}.txt", bytes(9 * MEGABYTE)) for number in range(5))
    ),
    "forged to look small": lambda: forge_sizes(ZEROS, 10),
    "listed many times": lambda: repeat_directory(build_zip(("a.txt", NOISE)), 300),
    "quoted headers": lambda: quote_overlap(60, 4 * MEGABYTE),
    "too many entries": lambda: repeat_directory(build_zip(("a.txt", b"a")), 20_001),
    "archives in archives": lambda: nest(build_zip(("a.txt", bytes(4 * MEGABYTE))), 2),
    "gzip": lambda: gzip.compress(bytes(40 * MEGABYTE)),
    "gzip in an archive": lambda: build_zip(("a.gz", gzip.compress(bytes(40 * MEGABYTE)))),
    "tar that packs well": lambda: gzip.compress(
        build_tar((tarfile.TarInfo("a.txt"), bytes(40 * MEGABYTE)))
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_without_unpacking_them_into_memory(name: str) -> None:
    content = BOMBS[name]()
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveLimitError) as caught:
            parse_document(content, "pile.zip")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < len(content) + 32 * MEGABYTE
    assert caught.value.advice


@pytest.mark.parametrize("extension", ["docx", "xlsx", "pptx", "odt", "epub"])
def test_an_office_file_that_unpacks_to_more_than_it_says_reaches_no_library(
    samples: dict[str, bytes], extension: str
) -> None:
    sample = next(content for name, content in samples.items() if name.endswith(extension))
    with zipfile.ZipFile(io.BytesIO(sample)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    bombed = forge_sizes(build_zip(*members, ("media/big.xml", bytes(40 * MEGABYTE))), 4000)
    with pytest.raises(ArchiveLimitError):
        parse_document(bombed, f"x.{extension}")


def test_limits_count_each_entry_and_all_together(monkeypatch: pytest.MonkeyPatch) -> None:
    content = build_zip(("a.txt", NOISE), ("b.txt", NOISE))
    assert len(parse_document(content, "x.zip").attachments) == 2
    monkeypatch.setattr(archives, "MAX_UNPACKED", 5 * MEGABYTE)
    with pytest.raises(ArchiveLimitError, match="5 MiB"):
        parse_document(content, "x.zip")
    monkeypatch.undo()
    monkeypatch.setattr(archives, "MAX_ENTRY", 2 * MEGABYTE)
    with pytest.raises(ArchiveLimitError, match="2 MiB"):
        parse_document(content, "x.zip")


def test_what_an_archive_inside_unpacks_to_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    inner = build_zip(("a.txt", NOISE))
    monkeypatch.setattr(archives, "MAX_UNPACKED", 2 * len(NOISE) - MEGABYTE)
    assert names(parse_document(inner, "x.zip")) == ["a.txt"]
    with pytest.raises(ArchiveLimitError):
        parse_document(build_zip(("inner.zip", inner)), "x.zip")


def test_a_pile_is_a_list_of_its_files_and_the_files() -> None:
    content = build_zip(
        ("2024/", b""),
        ("2024/report.txt", b"Beans."),
        ("__MACOSX/2024/._report.txt", b"x"),
        ("2024/.DS_Store", b"x"),
        ("Thumbs.db", b"x"),
        ("notes.md", b"# Notes"),
    )
    document = parse_document(content, "bean-pile.zip")
    assert document.text == "2024/report.txt\nnotes.md"
    assert document.title == ""
    assert [(one.name, one.content) for one in document.attachments] == [
        ("2024 - report.txt", b"Beans."),
        ("notes.md", b"# Notes"),
    ]
    assert [unit.anchor for unit in document.units] == ["archive=1"]
    assert document.notes == ()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("../../etc/passwd", "etc - passwd"),
        ("/etc/passwd", "etc - passwd"),
        ("C:\\Windows\\a.txt", "C_ - Windows - a.txt"),
        ("..\\..\\a.txt", "a.txt"),
        ("a/./b/../c.txt", "a - b - c.txt"),
        ("смета/план.txt", "смета - план.txt"),
        ("報告/計画.txt", "報告 - 計画.txt"),
        ("a\u202etxt.exe", "atxt.exe"),
        ("a\nb\tc.txt", "a b c.txt"),
        ("....", "file"),
        ("x" * 300 + ".txt", "x" * 200 + ".txt"),
        ("a" * 10 + "." + "b" * 300, "a" * 10 + "." + "b" * 189),
    ],
)
def test_paths_become_harmless_names(path: str, name: str) -> None:
    assert list(safe_names([path])) == [name]
    if path != "....":
        assert names(parse_document(build_zip((path, b"text")), "x.zip")) == [name]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_equal_names_are_told_apart_and_both_kept() -> None:
    content = build_zip(("a.txt", b"1"), ("a.txt", b"2"), ("A.TXT", b"3"), ("a (2).txt", b"4"))
    document = parse_document(content, "x.zip")
    assert [one.content for one in document.attachments] == [b"1", b"2", b"3", b"4"]
    assert len({name.casefold() for name in names(document)}) == 4


def test_names_in_utf8_without_the_mark_are_read() -> None:
    content = build_zip(("plan.txt", b"text")).replace(b"plan.txt", "пл.txt".encode())
    assert names(parse_document(content, "x.zip")) == ["пл.txt"]


def test_links_are_left_out_with_a_note() -> None:
    link = zipfile.ZipInfo("shadow.txt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    document = parse_document(build_zip((link, b"/etc/shadow"), ("a.txt", b"a")), "x.zip")
    assert names(document) == ["a.txt"]
    assert [(note.code, note.unit) for note in document.notes] == [("entry_skipped", 0)]
    assert "shadow.txt" in document.notes[0].message


def test_locked_entries_are_left_out_and_a_locked_archive_is_refused() -> None:
    content = build_zip(("open.txt", b"a"), ("locked.txt", b"b"))
    document = parse_document(set_flags(content, "locked.txt"), "x.zip")
    assert names(document) == ["open.txt"]
    assert "locked" in document.notes[0].message
    with pytest.raises(PasswordProtectedError):
        parse_document(set_flags(content, "open.txt", "locked.txt"), "x.zip")


def test_a_damaged_entry_costs_only_itself() -> None:
    content = bytearray(build_zip(("bad.txt", NOISE[:900]), ("good.txt", b"good")))
    content[200] ^= 0xFF
    document = parse_document(bytes(content), "x.zip")
    assert names(document) == ["good.txt"]
    assert "damaged" in document.notes[0].message
    alone = bytearray(build_zip(("bad.txt", NOISE[:900])))
    alone[200] ^= 0xFF
    with pytest.raises(CorruptFileError):
        parse_document(bytes(alone), "x.zip")


def test_a_document_inside_does_not_decide_what_the_archive_is(samples: dict[str, bytes]) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("paper.pdf", samples["paper.pdf"])
    assert names(parse_document(buffer.getvalue(), "x.zip")) == ["paper.pdf"]
    tarred = build_tar((tarfile.TarInfo("paper.pdf"), samples["paper.pdf"]))
    assert names(parse_document(tarred, "x.tar")) == ["paper.pdf"]


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("x.zip", build_zip(), EmptyFileError),
        ("x.zip", build_zip((".hidden", b"x")), EmptyFileError),
        ("x.zip", build_zip(("a.txt", NOISE[:5000]))[:4000], CorruptFileError),
        ("x.tar", build_tar((tarfile.TarInfo("a.txt"), b"x"))[:500], CorruptFileError),
        ("x.gz", gzip.compress(NOISE[:5000])[:4000], CorruptFileError),
        ("x.gz", b"\x1f\x8b\x08\x00" + bytes(20), CorruptFileError),
        ("x.7z", b"7z\xbc\xaf\x27\x1c" + bytes(range(200)), UnsupportedFormatError),
        ("x.rar", b"Rar!\x1a\x07\x01\x00" + bytes(range(200)), UnsupportedFormatError),
    ],
)
def test_archives_that_cannot_be_read_say_why(
    name: str, content: bytes, error: type[UnreadableError]
) -> None:
    with pytest.raises(error) as caught:
        parse_document(content, name)
    if error is UnsupportedFormatError:
        assert "Unpack" in caught.value.advice


def test_tar_archives_are_read_packed_or_not() -> None:
    link = tarfile.TarInfo("link.txt")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    device = tarfile.TarInfo("device")
    device.type = tarfile.CHRTYPE
    folder = tarfile.TarInfo("folder")
    folder.type = tarfile.DIRTYPE
    file = tarfile.TarInfo("folder/../../a.txt")
    content = build_tar((folder, b""), (link, b""), (device, b""), (file, b"beans"))
    for packed, name in ((content, "x.tar"), (gzip.compress(content), "x.tar.gz")):
        document = parse_document(packed, name)
        assert [(one.name, one.content) for one in document.attachments] == [
            ("folder - a.txt", b"beans")
        ]
        assert [note.message.split()[0] for note in document.notes] == ["link.txt", "device"]


@pytest.mark.parametrize("cut", [1800, 2100])
def test_a_cut_tar_keeps_what_came_before_and_says_so(cut: int) -> None:
    first, second = tarfile.TarInfo("a.txt"), tarfile.TarInfo("b.txt")
    content = build_tar((first, b"beans" * 100), (second, b"peas" * 400))
    assert len(parse_document(content, "x.tar").attachments) == 2
    document = parse_document(content[:cut], "x.tar")
    assert names(document) == ["a.txt"]
    assert "damaged" in document.notes[-1].message
    header = bytearray(content)
    header[1024 + 5] ^= 0xFF
    document = parse_document(bytes(header), "x.tar")
    assert names(document) == ["a.txt"]
    assert "The rest" in document.notes[-1].message


def test_a_file_with_holes_is_not_filled_up() -> None:
    sparse = tarfile.TarInfo("holes.txt")
    sparse.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.minor": "1",
        "GNU.sparse.size": str(1 << 40),
        "GNU.sparse.map": f"{(1 << 40) - 4},4",
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        sparse.size = 4
        archive.addfile(sparse, io.BytesIO(b"text"))
        plain = copy.copy(sparse)
        plain.name, plain.pax_headers = "a.txt", {}
        archive.addfile(plain, io.BytesIO(b"text"))
    document = parse_document(buffer.getvalue(), "x.tar")
    assert names(document) == ["a.txt"]
    assert "holes" in document.notes[0].message


def test_a_packed_file_is_handed_on_without_a_name() -> None:
    document = parse_document(gzip.compress(b"beans"), "letter.txt.gz")
    assert [(one.name, one.content) for one in document.attachments] == [("", b"beans")]
    assert "letter" not in repr(document)
