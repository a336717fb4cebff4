"""Copies of one work, and which of them a reader is shown first."""

from dataclasses import dataclass
from datetime import datetime

_OOXML = "application/vnd.openxmlformats-officedocument"
_ODF = "application/vnd.oasis.opendocument"
_RICHEST = (
    ("application/epub+zip",),
    ("text/html",),
    (f"{_OOXML}.wordprocessingml.document", f"{_ODF}.text", "application/rtf"),
    (f"{_OOXML}.presentationml.presentation", f"{_ODF}.presentation"),
    ("text/markdown",),
    (f"{_OOXML}.spreadsheetml.sheet", f"{_ODF}.spreadsheet"),
    ("application/pdf",),
    ("text/csv",),
)
"""Formats by how much structure they carry; then come all others, and plain text at last."""

_RICHNESS = {media_type: place for place, family in enumerate(_RICHEST) for media_type in family}
_RICHNESS["text/plain"] = len(_RICHEST) + 1


@dataclass(frozen=True, slots=True)
class Copy:
    """One of several documents with the same text.

    Attributes:
        units_unread: Pages, chapters or slides that could not be read.
        run_count: Distinct runs of its text: how long it is.
    """

    document_id: str
    media_type: str
    units_unread: int
    run_count: int
    created_at: datetime

    @property
    def standing(self) -> tuple[int, int, int, datetime, str]:
        """What to sort by, the best first: whole, then rich in structure, long, old."""
        richness = _RICHNESS.get(self.media_type, len(_RICHEST))
        return self.units_unread, richness, -self.run_count, self.created_at, self.document_id
