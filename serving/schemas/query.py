"""Questions and answers."""

from typing import Any, Literal

from pydantic import Field

from serving.schemas.base import (
    Count,
    IdText,
    Name,
    Question,
    RequestBody,
    ResponseBody,
    Truth,
    with_example,
)
from serving.schemas.documents import COVERAGE_EXAMPLE, PASSAGE_EXAMPLE, Coverage, Passage
from serving.schemas.filters import DocumentFilters
from serving.schemas.images import Image

CONVERSATION_ID = r"^[A-Za-z0-9._-]{1,128}$"
_SOURCE: dict[str, Any] = {
    "number": 1,
    "chunk_id": PASSAGE_EXAMPLE["chunk_id"],
    "document_id": PASSAGE_EXAMPLE["document_id"],
    "version_id": PASSAGE_EXAMPLE["version_id"],
    "title": "Lamp and Lens Manual",
    "path": "manuals/lamp-and-lens-manual.pdf",
    "label": "Page 3",
    "anchor": "page=3",
    "section_path": ["Turning the lens", "By hand"],
    "quote": "The handle is behind the door.",
    "start": 2310,
    "end": 2340,
    "score": 0.91,
    "confidence": None,
    "coverage": COVERAGE_EXAMPLE,
    "warnings": ["1 of 12 pages of “Lamp and Lens Manual” could not be read."],
}
_METADATA: dict[str, Any] = {
    "is_answered": True,
    "model": "extractive",
    "technique": "hybrid",
    "generation_id": "g1f0c2a9e",
    "notes": [],
    "status": "ok",
    "message": None,
    "fallback_used": False,
    "retry_after": None,
    "elapsed_ms": 84.2,
    "token_count": 0,
    "cost_usd": 0.0,
}
_ANSWER: dict[str, Any] = {
    "answer": "The handle is behind the door. [1]",
    "sources": [_SOURCE],
    "warnings": ["1 of 12 pages of “Lamp and Lens Manual” could not be read."],
    "images": [],
    "suggested_diagrams": [],
    "metadata": _METADATA,
    "conversation_id": "0f8fad5bd9cb469fa16570867728950e",
}


class RAGConfig(RequestBody):
    """How an answer is made."""

    model_config = with_example({"technique": "hybrid", "top_k": 8})

    technique: Literal["hybrid"] = Field(
        default="hybrid", description="Embeddings and BM25 under one ranking."
    )
    top_k: Count = Field(default=8, ge=1, le=20, description="Passages the answer is made from.")


class QueryRequest(RequestBody):
    """A question to the library."""

    model_config = with_example(
        {
            "question": "Where is the handle that turns the lens by hand?",
            "filters": {"languages": ["en"]},
            "selected_files": ["manuals/lamp-and-lens-manual.pdf"],
        }
    )

    question: Question
    conversation_id: str | None = Field(
        default=None,
        pattern=CONVERSATION_ID,
        description="Comes back as it is. No history is kept yet: every question stands alone.",
    )
    config: RAGConfig = Field(default_factory=RAGConfig)
    filters: DocumentFilters = Field(default_factory=DocumentFilters)
    selected_files: list[Name] = Field(
        default_factory=list[str],
        max_length=100,
        description="Document ids, paths or titles to answer from; adds to those in `filters`.",
    )
    include_images: Truth = Field(
        default=False, description="Pictures are shown with documents, not yet with answers."
    )


class Source(ResponseBody):
    """A quote the answer stands on. `text[start:end]` of the document is the quote."""

    model_config = with_example(_SOURCE)

    number: int = Field(description="What the answer calls it: [1].")
    chunk_id: IdText
    document_id: IdText
    version_id: IdText
    title: str
    path: str
    label: str = Field(description='What a reader calls its place: "Page 3".')
    anchor: str = Field(description='Where a viewer opens it: "page=3".')
    section_path: list[str] = Field(description="Headings it stands under, outermost first.")
    quote: str
    start: int = Field(description="First character in the document's text, in code points.")
    end: int = Field(description="One past the last.")
    score: float = Field(
        description="The higher, the better it fits; comparable within one response only."
    )
    confidence: float | None = Field(
        description="How sure recognition was of the page, 0 to 1; null for text that was text."
    )
    coverage: Coverage | None = Field(
        description="Of its document, where parts of that are missing; null where all was read."
    )
    warnings: list[str] = Field(
        description="What a reader must know of it: parts of its document that are missing, a "
        "page recognized with low confidence."
    )


class DiagramSuggestion(ResponseBody):
    """A diagram that would help. None are suggested yet."""

    model_config = with_example({"kind": "flowchart", "title": "Turning the lens"})

    kind: str
    title: str


class ResponseMetadata(ResponseBody):
    """How the answer was made."""

    model_config = with_example(_METADATA)

    is_answered: bool = Field(description="False: the library holds nothing that answers.")
    model: str = Field(description='Who wrote it; "extractive" quotes word for word.')
    technique: str = Field(default="hybrid", description="How the passages were found.")
    generation_id: str | None = Field(description="The index generation that was asked.")
    notes: list[str] = Field(
        description="What was amiss in the making: a provider that broke off, an invented source."
    )
    status: Literal["ok", "degraded"] = Field(
        default="ok", description="degraded: a part was away, and a lesser way was taken."
    )
    message: str | None = Field(default=None, description="What was away; null while all is well.")
    fallback_used: bool = Field(
        description="Whether another index or model answered than the one that was set."
    )
    retry_after: int | None = Field(
        default=None, description="Seconds after which asking again may bring a better answer."
    )
    elapsed_ms: float
    token_count: int
    cost_usd: float


class QueryResponse(ResponseBody):
    """An answer with the quotes it stands on."""

    model_config = with_example(_ANSWER)

    answer: str
    sources: list[Source]
    warnings: list[str] = Field(
        description="What a reader must know of the sources: parts of a document that are "
        "missing, pages recognized with low confidence. Empty when all is well."
    )
    images: list[Image] = Field(
        description="Pictures are shown with documents, not yet with answers: always empty."
    )
    suggested_diagrams: list[DiagramSuggestion] = Field(
        description="Diagrams are not made yet: always empty."
    )
    metadata: ResponseMetadata
    conversation_id: str


class PassagesEvent(ResponseBody):
    """The passages the answer will be made from, best first."""

    model_config = with_example({"passages": [PASSAGE_EXAMPLE]})

    passages: list[Passage]


class TextEvent(ResponseBody):
    """The next piece of the answer; the pieces joined are its text."""

    model_config = with_example({"text": "The handle is "})

    text: str
