"""Writes files in Microsoft's compound container: messages of Outlook, locked workbooks."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

Tree = Mapping[str, "bytes | Tree"]
_SECTOR, _SMALL_SECTOR, _SMALL = 512, 64, 4096
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_STORAGE, _STREAM, _ROOT = 1, 2, 5


@dataclass
class _Entry:
    name: str
    kind: int
    content: bytes = b""
    child: int = _FREE
    right: int = _FREE
    start: int = _END


@dataclass
class _Writer:
    entries: list[_Entry] = field(default_factory=lambda: [_Entry("Root Entry", _ROOT)])
    sectors: list[bytes] = field(default_factory=list[bytes])
    table: list[int] = field(default_factory=list[int])
    small: list[bytes] = field(default_factory=list[bytes])
    small_table: list[int] = field(default_factory=list[int])

    def add(self, parent: int, tree: Tree) -> None:
        before = -1
        for name, content in tree.items():
            at = len(self.entries)
            is_stream = isinstance(content, bytes)
            self.entries.append(_Entry(name, _STREAM if is_stream else _STORAGE))
            if before < 0:
                self.entries[parent].child = at
            else:
                self.entries[before].right = at
            before = at
            if isinstance(content, bytes):
                self.entries[at].content = content
                self.entries[at].start = (
                    self.store(content) if len(content) >= _SMALL else self.store_small(content)
                )
            else:
                self.add(at, content)

    def store(self, content: bytes) -> int:
        return _chain(content, _SECTOR, self.sectors, self.table)

    def store_small(self, content: bytes) -> int:
        return _chain(content, _SMALL_SECTOR, self.small, self.small_table)


def _chain(content: bytes, size: int, sectors: list[bytes], table: list[int]) -> int:
    """Adds the sectors of a stream; returns the first."""
    if not content:
        return _END
    first = len(sectors)
    for at in range(0, len(content), size):
        sectors.append(content[at : at + size].ljust(size, b"\0"))
        table.append(len(sectors))
    table[-1] = _END
    return first


def build_compound(tree: Tree) -> bytes:
    """A container with these streams and storages."""
    writer = _Writer()
    writer.add(0, tree)
    root = writer.entries[0]
    root.content = b"".join(writer.small)
    root.start = writer.store(root.content)
    small_table = b"".join(struct.pack("<I", one) for one in writer.small_table)
    small_start = writer.store(small_table)
    directory = writer.store(b"".join(map(_directory_entry, writer.entries)))
    fats = 1
    while fats * 128 < len(writer.table) + fats:
        fats += 1
    assert fats <= 109
    places = [len(writer.sectors) + i for i in range(fats)]
    table = writer.table + [_FAT] * fats
    table += [_FREE] * (fats * 128 - len(table))
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIII",
        bytes.fromhex("d0cf11e0a1b11ae1"),
        *(0x3E, 3, 0xFFFE, 9, 6),
        *(0, fats, directory, 0, _SMALL, small_start, -(-len(small_table) // _SECTOR), _END, 0),
    )
    header += struct.pack("<109I", *places, *[_FREE] * (109 - fats))
    return header + b"".join(writer.sectors) + struct.pack(f"<{len(table)}I", *table)


def _directory_entry(entry: _Entry) -> bytes:
    name = entry.name.encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16s4xQQIQ",
        name,
        len(name) + 2,
        entry.kind,
        1,
        *(_FREE, entry.right, entry.child),
        bytes(16),
        *(0, 0),
        *(entry.start, len(entry.content)),
    )


TEXT, BINARY, NUMBER, TIME = 0x1F, 0x102, 0x3, 0x40


def build_message(
    properties: Mapping[int, str | bytes | int],
    recipients: list[Mapping[int, str | bytes | int]] | None = None,
    attachments: list[Tree] | None = None,
    *,
    header: int = 32,
) -> Tree:
    """The streams of a message; properties by number: text, bytes, or a whole number."""
    tree: dict[str, bytes | Tree] = dict(_properties(properties, header))
    for i, one in enumerate(recipients or []):
        tree[f"__recip_version1.0_#{i:08X}"] = _properties(one, 8)
    for i, one in enumerate(attachments or []):
        tree[f"__attach_version1.0_#{i:08X}"] = one
    return tree


def build_attachment(
    properties: Mapping[int, str | bytes | int], message: Tree | None = None
) -> Tree:
    """The streams of an attached file, or of an attached message."""
    tree: dict[str, bytes | Tree] = dict(_properties(properties, 8))
    if message is not None:
        tree["__substg1.0_3701000D"] = message
    return tree


def _properties(properties: Mapping[int, str | bytes | int], header: int) -> dict[str, bytes]:
    listed = bytes(header)
    streams: dict[str, bytes] = {}
    for number, value in properties.items():
        if isinstance(value, int):
            kind = TIME if number == 0x39 else NUMBER
            listed += struct.pack("<HHIQ", kind, number, 6, value)
            continue
        kind = TEXT if isinstance(value, str) else BINARY
        content = value.encode("utf-16-le") if isinstance(value, str) else value
        listed += struct.pack("<HHIII", kind, number, 6, len(content), 0)
        streams[f"__substg1.0_{number:04X}{kind:04X}"] = content
    return {"__properties_version1.0": listed, **streams}
