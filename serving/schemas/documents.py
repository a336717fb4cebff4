"""Documents as the API shows them."""

from datetime import datetime
from typing import Any

from pydantic import Field

from serving.schemas.base import Name, RequestBody, ResponseBody, with_example
from serving.schemas.filters import DocumentFilters

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
    "problem_code": None,
    "problem_reason": None,
    "problem_advice": None,
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
}


class Passage(ResponseBody):
    """A run of a document's text that fits a query."""

    model_config = with_example(PASSAGE_EXAMPLE)

    chunk_id: str
    document_id: str
    version_id: str
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


class Document(ResponseBody):
    """A document of the library."""

    model_config = with_example(_DOCUMENT)

    document_id: str
    version_id: str
    source_id: str
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

    model_config = with_example(_DOCUMENT | {"score": 0.91, "passage": PASSAGE_EXAMPLE})

    score: float | None = Field(description="That of its best passage.")
    passage: Passage | None = Field(description="Its best passage.")


class DocumentSearchRequest(RequestBody):
    """What to look for."""

    model_config = with_example(
        {"query": "turning the lens by hand", "filters": {"languages": ["en"]}, "limit": 5}
    )

    query: Name | None = Field(
        default=None, description="Left out: every document that passes the filters."
    )
    filters: DocumentFilters = Field(default_factory=DocumentFilters)
    limit: int = Field(default=10, ge=1, le=100)


class DocumentSearchResponse(ResponseBody):
    """The best documents first; by source and path without a query."""

    model_config = with_example(
        {
            "documents": [_DOCUMENT | {"score": 0.91, "passage": PASSAGE_EXAMPLE}],
            "total": 1,
        }
    )

    documents: list[FoundDocument]
    total: int = Field(description="How many there are in all.")


class Unit(ResponseBody):
    """A page, chapter, slide, sheet or message; with a problem when it could not be read."""

    model_config = with_example(_UNIT)

    ordinal: int
    kind: str
    label: str
    anchor: str
    start: int
    end: int
    problem_code: str | None
    problem_reason: str | None
    problem_advice: str | None


class Image(ResponseBody):
    """A picture of a document. Pictures are not read yet: no response holds one."""

    model_config = with_example({"image_id": "a1", "document_id": "b2", "caption": ""})

    image_id: str
    document_id: str
    caption: str


class DocumentDetailResponse(ResponseBody):
    """One document, its units and those most like it."""

    model_config = with_example(
        {"document": _DOCUMENT, "units": [_UNIT], "images": [], "related_documents": []}
    )

    document: Document
    units: list[Unit]
    images: list[Image] = Field(description="Pictures are not read yet: always empty.")
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

    document_id: str
    version_id: str
    title: str
    author: str
    language: str
    text: str
    units: list[Unit]


class UploadResponse(ResponseBody):
    """A file that was taken in; it is searchable once its source's next run ends."""

    model_config = with_example(
        {
            "source_name": "uploads",
            "path": "lamp-and-lens-manual.pdf",
            "size_bytes": 184320,
            "content_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "is_new": True,
        }
    )

    source_name: str = Field(description="The source it will appear in.")
    path: str = Field(
        description="The path it will have in that source; `selected_files` takes it."
    )
    size_bytes: int
    content_hash: str = Field(description="SHA-256 of the bytes.")
    is_new: bool = Field(description="False if the same bytes were there under that name.")
