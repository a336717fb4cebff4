"""Documents as the API shows them."""

from datetime import datetime
from typing import Any

from pydantic import Field

from serving.schemas.base import Count, IdText, Name, RequestBody, ResponseBody, with_example
from serving.schemas.filters import DocumentFilters
from serving.schemas.images import IMAGE_EXAMPLE, Image

_DOCUMENT: dict[str, Any] = {
    "document_id": "5b0a1a52-6a5e-5c0b-8f0e-0a3d5c1b2e4f",
    "version_id": "9e4d7b11-2f0c-5a57-a3b1-6c8e0d2f4a6b",
    "source_id": "1c2d3e4f-5a6b-5c7d-8e9f-0a1b2c3d4e5f",
    "source_name": "library",
    "source_kind": "folder",
    "path": "manuals/lamp-and-lens-manual.pdf",
    "title": "Lamp and Lens Manual",
    "author": "The Lighthouse Service",
    "language": "en",
    "media_type": "application/pdf",
    "tags": ["manuals"],
    "state": "published",
    "modified_at": "2024-03-16T10:00:00Z",
    "published_at": "2024-03-16T10:05:00Z",
    "units_found": 12,
    "units_indexed": 11,
    "units_quarantined": 1,
    "chunk_count": 40,
}
_UNIT: dict[str, Any] = {
    "ordinal": 2,
    "kind": "page",
    "label": "Page 3",
    "anchor": "page=3",
    "start": 2210,
    "end": 4105,
    "language": "en",
    "confidence": 0.94,
    "problem_code": None,
    "problem_reason": None,
    "problem_advice": None,
}
COVERAGE_EXAMPLE: dict[str, Any] = {
    "found": 12,
    "indexed": 11,
    "pending": 0,
    "quarantined": {"no_text_layer": 1},
    "kinds": {"page": 12},
    "missing": {"page": 1},
    "summary": "1 of 12 pages",
    "recognized": 2,
    "images": 4,
    "images_with_text": 2,
    "notes": {"low_confidence": 1},
}
_NOTE: dict[str, Any] = {
    "code": "low_confidence",
    "message": "Page 7: text was recognized with 71% confidence.",
    "unit": 6,
}
_ATTACHED: dict[str, Any] = {
    "document_id": "0d7f3c52-1e2a-5b3c-9d4e-5f6a7b8c9d0e",
    "path": "mail/spare-parts.eml/list.csv",
    "title": "Spare parts",
    "state": "published",
}
_COPY: dict[str, Any] = {
    "document_id": "3f2e1d0c-9b8a-5c7d-8e6f-1a2b3c4d5e6f",
    "title": "Lamp and Lens Manual",
    "path": "exports/lamp-and-lens-manual.txt",
    "source_name": "library",
    "similarity": 0.97,
    "is_best": False,
}
PASSAGE_EXAMPLE: dict[str, Any] = {
    "chunk_id": "7a6b5c4d-3e2f-5a1b-9c8d-7e6f5a4b3c2d",
    "document_id": _DOCUMENT["document_id"],
    "version_id": _DOCUMENT["version_id"],
    "title": "Lamp and Lens Manual",
    "author": "The Lighthouse Service",
    "language": "en",
    "source_name": "library",
    "source_kind": "folder",
    "tags": ["manuals"],
    "path": "manuals/lamp-and-lens-manual.pdf",
    "label": "Page 3",
    "anchor": "page=3",
    "section_path": ["Turning the lens", "By hand"],
    "start": 2310,
    "end": 2620,
    "text": "The handle is behind the door.",
    "score": 0.91,
    "dense_score": 0.74,
    "sparse_score": 11.2,
    "modified_at": "2024-03-16T10:00:00Z",
    "also_as": [_COPY],
}


_FOUND = _DOCUMENT | {"score": 0.91, "passage": PASSAGE_EXAMPLE, "also_as": [_COPY]}


class OtherCopy(ResponseBody):
    """Another document with the same text: the same book in another format, a second export."""

    model_config = with_example(_COPY)

    document_id: IdText
    title: str
    path: str
    source_name: str
    similarity: float = Field(description="Of its text to that of the best copy, 0 to 1.")
    is_best: bool = Field(description="Whether searches prefer it to all its copies.")


class Passage(ResponseBody):
    """A run of a document's text that fits a query."""

    model_config = with_example(PASSAGE_EXAMPLE)

    chunk_id: IdText
    document_id: IdText
    version_id: IdText
    title: str
    author: str
    language: str
    source_name: str
    source_kind: str
    tags: list[str]
    path: str
    label: str = Field(description='What a reader calls its place: "Page 3".')
    anchor: str = Field(description='Where a viewer opens it: "page=3".')
    section_path: list[str] = Field(description="Headings it stands under, outermost first.")
    start: int = Field(description="First character in the document's text, in code points.")
    end: int = Field(description="One past the last.")
    text: str
    score: float = Field(description="0 to 1, comparable within one response only.")
    dense_score: float = Field(description="Cosine of the embeddings.")
    sparse_score: float = Field(description="BM25.")
    modified_at: datetime
    also_as: list[OtherCopy] = Field(
        description="Documents with the same text, the best first; they are not found again."
    )


class Document(ResponseBody):
    """A document of the library."""

    model_config = with_example(_DOCUMENT)

    document_id: IdText
    version_id: IdText
    source_id: IdText
    source_name: str
    source_kind: str
    path: str
    title: str
    author: str
    language: str
    media_type: str
    tags: list[str]
    state: str = Field(description="State of its newest version.")
    modified_at: datetime
    published_at: datetime | None
    units_found: int = Field(description="Pages, chapters, slides, sheets or messages found.")
    units_indexed: int = Field(description="Those that can be searched.")
    units_quarantined: int = Field(description="Those that could not be read.")
    chunk_count: int


class FoundDocument(Document):
    """A document that a search found; score and passage are null without a query."""

    model_config = with_example(_FOUND)

    score: float | None = Field(description="That of its best passage.")
    passage: Passage | None = Field(description="Its best passage.")
    also_as: list[OtherCopy] = Field(
        description="Documents with the same text, the best first; empty without a query."
    )


class DocumentSearchRequest(RequestBody):
    """What to look for."""

    model_config = with_example(
        {"query": "turning the lens by hand", "filters": {"languages": ["en"]}, "limit": 5}
    )

    query: Name | None = Field(
        default=None, description="Left out: every document that passes the filters."
    )
    filters: DocumentFilters = Field(default_factory=DocumentFilters)
    limit: Count = Field(default=10, ge=1, le=100)


class DocumentSearchResponse(ResponseBody):
    """The best documents first; by source and path without a query."""

    model_config = with_example(
        {
            "documents": [_FOUND],
            "total": 1,
            "fallback_used": False,
        }
    )

    documents: list[FoundDocument]
    total: int = Field(
        description="Without a query, how many documents pass the filters. With one, how many "
        "the best passages came from, copies counted once; further documents may fit less well."
    )
    fallback_used: bool = Field(
        description="Whether another index answered than the one that was set."
    )


class Unit(ResponseBody):
    """A page, chapter, slide, sheet or message; with a problem when it could not be read."""

    model_config = with_example(_UNIT)

    ordinal: int
    kind: str
    label: str
    anchor: str
    start: int
    end: int
    language: str
    confidence: float | None = Field(
        description="How sure recognition was of its text, 0 to 1; null for text that was text."
    )
    problem_code: str | None
    problem_reason: str | None
    problem_advice: str | None


class Coverage(ResponseBody):
    """What a document consists of and what came of that: found = indexed + pending + quarantined.

    Units are pages, chapters, slides, sheets or messages; pictures are counted beside them.
    """

    model_config = with_example(COVERAGE_EXAMPLE)

    found: int = Field(description="Units found.")
    indexed: int = Field(description="Those that can be searched.")
    pending: int = Field(description="Those that were read and are not published yet.")
    quarantined: dict[str, int] = Field(description="Those that were not read, by code.")
    kinds: dict[str, int] = Field(description="Units found, by kind.")
    missing: dict[str, int] = Field(
        description="Units whose text readers lack, by kind; a blank page lacks none."
    )
    summary: str = Field(description='What is missing: "1 of 12 pages"; empty when nothing is.')
    recognized: int = Field(description="Units whose text was recognized from pixels or sound.")
    images: int = Field(description="Pictures found.")
    images_with_text: int = Field(description="Those in which text was recognized.")
    notes: dict[str, int] = Field(description="How many notes, by code.")


class Note(ResponseBody):
    """Something its owner should know of a document that was read all the same."""

    model_config = with_example(_NOTE)

    code: str
    message: str
    unit: int | None = Field(description="Ordinal of the unit; null for the whole document.")


class DocumentProblem(ResponseBody):
    """Why the newest version of a document could not be read at all."""

    model_config = with_example(
        {
            "code": "password_protected",
            "reason": "The file is locked with a password.",
            "advice": "Save a copy without a password and re-add it.",
        }
    )

    code: str
    reason: str
    advice: str


class AttachedDocument(ResponseBody):
    """A document that lies in the file of another, such as a mail's attachment."""

    model_config = with_example(_ATTACHED)

    document_id: IdText
    path: str
    title: str
    state: str = Field(description="State of its newest version.")


class DocumentDetailResponse(ResponseBody):
    """One document, its units and those most like it."""

    model_config = with_example(
        {
            "document": _DOCUMENT,
            "coverage": COVERAGE_EXAMPLE,
            "problem": None,
            "units": [_UNIT],
            "notes": [_NOTE],
            "container": None,
            "attachments": [_ATTACHED],
            "copies": [_COPY],
            "images": [IMAGE_EXAMPLE],
            "related_documents": [],
        }
    )

    document: Document
    coverage: Coverage = Field(description="Of the published version.")
    problem: DocumentProblem | None = Field(
        description="Why its newest version could not be read; null when it could."
    )
    units: list[Unit]
    notes: list[Note]
    container: AttachedDocument | None = Field(
        description="The document in whose file it lies, such as a mail."
    )
    attachments: list[AttachedDocument] = Field(description="Documents that lie in its file.")
    copies: list[OtherCopy] = Field(description="Documents with the same text, the best first.")
    images: list[Image] = Field(description="Its pictures in reading order, each once.")
    related_documents: list[Document]


class DocumentTextResponse(ResponseBody):
    """The text that citations point into; their offsets count its code points."""

    model_config = with_example(
        {
            "document_id": _DOCUMENT["document_id"],
            "version_id": _DOCUMENT["version_id"],
            "title": "Lamp and Lens Manual",
            "author": "The Lighthouse Service",
            "language": "en",
            "text": "The handle is behind the door.",
            "units": [_UNIT],
        }
    )

    document_id: IdText
    version_id: IdText
    title: str
    author: str
    language: str
    text: str
    units: list[Unit]


class UploadResponse(ResponseBody):
    """A file that was taken in; it is searchable once its source's next run ends."""

    model_config = with_example(
        {
            "document_id": _DOCUMENT["document_id"],
            "source_name": "uploads",
            "path": "lamp-and-lens-manual.pdf",
            "size_bytes": 184320,
            "content_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "is_new": True,
        }
    )

    document_id: IdText = Field(description="The document it will be, read or in quarantine.")
    source_name: str = Field(description="The source it will appear in.")
    path: str = Field(
        description="The path it will have in that source; `selected_files` takes it."
    )
    size_bytes: int
    content_hash: str = Field(description="SHA-256 of the bytes.")
    is_new: bool = Field(description="False if the same bytes were there under that name.")
