"""Files in Microsoft's compound container: which program wrote one, told by its streams."""

import io

_STREAMS = (
    ("__properties_version1.0", "application/vnd.ms-outlook"),
    ("EncryptedPackage", "application/x-ole-storage"),
    ("WordDocument", "application/msword"),
    ("Workbook", "application/vnd.ms-excel"),
    ("Book", "application/vnd.ms-excel"),
    ("PowerPoint Document", "application/vnd.ms-powerpoint"),
    ("PP97_DUALSTORAGE", "application/vnd.ms-powerpoint"),
    ("VisioDocument", "application/vnd.visio"),
)
UNKNOWN_COMPOUND = "application/x-ole-storage"


def detect_compound(content: bytes) -> str:
    """The media type of a compound file; `UNKNOWN_COMPOUND` for others and damaged ones."""
    from olefile import OleFileIO

    try:
        with OleFileIO(io.BytesIO(content)) as container:
            names = {path[0].lower() for path in container.listdir()}
    except (OSError, ValueError, IndexError, TypeError, AttributeError, RecursionError):
        return UNKNOWN_COMPOUND
    return next((kind for name, kind in _STREAMS if name.lower() in names), UNKNOWN_COMPOUND)
