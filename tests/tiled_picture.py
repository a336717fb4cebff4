"""A TIFF whose one tile is larger than the picture in it: what its header says is all it has."""

import struct

_SHORT, _LONG = 3, 4
_FIELDS = (
    *((256, _LONG, 64), (257, _LONG, 64), (258, _SHORT, 8), (259, _SHORT, 8), (262, _SHORT, 1)),
    *((277, _SHORT, 1), (324, _LONG, 8), (325, _LONG, 1)),
)


def tiled_tiff(side: int) -> bytes:
    """A grey picture of 64 by 64 pixels in a tile of that side."""
    fields = sorted((*_FIELDS, (322, _LONG, side), (323, _LONG, side)))
    entries = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in fields)
    return b"II*\0" + struct.pack("<IH", 8, len(fields)) + entries + bytes(4)
