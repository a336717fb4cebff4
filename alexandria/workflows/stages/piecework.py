"""What worker processes do: read a file, cut a document, weigh words.

Each is a function of a module that takes one picklable task and returns a picklable result.
A worker reads blobs and keeps new ones; the ledger is written by the process that asked.
"""

import time
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alexandria.adapters.blobs import BlobStore
from alexandria.adapters.reading_tools import ToolChoice, load_tools
from alexandria.errors import (
    ReaderCrashedError,
    ReaderMemoryError,
    ReaderTimeoutError,
    UnreadableError,
)
from alexandria.knowledge.chunking import Chunk, split, strategy_from_json
from alexandria.knowledge.documents import ParsedDocument, Problem
from alexandria.knowledge.indexing import SparseVector

if TYPE_CHECKING:
    from alexandria.adapters.identity.ciphers import ContentCipher
    from alexandria.knowledge.embedding import Embedder


@dataclass(frozen=True, slots=True)
class Reading:
    """A file to read: where its bytes are kept, what it is called, and what helps to read it."""

    blob_url: str
    cipher: "ContentCipher | None"
    content_hash: str
    name: str
    size_bytes: int
    tools: ToolChoice


@dataclass(frozen=True, slots=True)
class KeptImage:
    """An image of a document whose bytes and thumbnail are blobs now; fields as in `Image`."""

    unit: int
    content_hash: str
    thumbnail_hash: str
    media_type: str
    width: int
    height: int
    text: str
    confidence: float | None
    description: str


@dataclass(frozen=True, slots=True)
class KeptAttachment:
    """A file inside a file whose bytes are a blob now."""

    name: str
    content_hash: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What reading gave: a document (its images and attachments beside it) or a problem."""

    document: ParsedDocument | None
    problem: Problem | None
    images: tuple[KeptImage, ...] = ()
    attachments: tuple[KeptAttachment, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Cutting:
    """A document to cut, how, and whose tokens count."""

    number: int
    document: ParsedDocument
    strategy: dict[str, Any]
    model_folder: Path
    model_name: str


@dataclass(frozen=True, slots=True)
class Weighing:
    """Texts to weigh: each with the id of its chunk and its language."""

    number: int
    texts: list[tuple[str, str, str]]


def problem_of(error: Exception | None) -> Problem:
    """The end of a worker as a problem of the document it worked on.

    Raises:
        Exception: The error itself, when it says nothing about the document.
    """
    match error:
        case TimeoutError():
            cause: UnreadableError = ReaderTimeoutError()
        case MemoryError():
            cause = ReaderMemoryError()
        case ChildProcessError():
            cause = ReaderCrashedError(f"The reader broke down on this file. {error}")
        case None:
            raise AssertionError("a task ends with a result or an error")
        case _:
            raise error
    return Problem(cause.code, cause.message, cause.advice)


def seconds_for(size: float, limit: float) -> float:
    """The limit of time for a file or text of some megabytes; `limit` is that of one."""
    return limit * (0.5 + 0.5 * max(1.0, size))


def problem_columns(problem: Problem | None) -> dict[str, str | None]:
    """A problem as the ledger keeps it."""
    return {
        "problem_code": problem.code if problem else None,
        "problem_reason": problem.reason if problem else None,
        "problem_advice": problem.advice if problem else None,
    }


def read_file(task: Reading) -> Outcome:
    """The document in a kept file, or why there is none."""
    from alexandria.knowledge.parsing import parse_document

    started = time.perf_counter()
    blobs = _blobs(task.blob_url, task.cipher)
    try:
        document = parse_document(blobs.read(task.content_hash), task.name, load_tools(task.tools))
    except UnreadableError as error:
        problem = Problem(error.code, error.message, error.advice)
        return Outcome(None, problem, seconds=time.perf_counter() - started)
    images = tuple(
        KeptImage(
            image.unit,
            blobs.put(BytesIO(image.content)),
            blobs.put(BytesIO(image.thumbnail)),
            image.media_type,
            image.width,
            image.height,
            image.text,
            image.confidence,
            image.description,
        )
        for image in document.images
    )
    attachments = tuple(
        KeptAttachment(one.name, blobs.put(BytesIO(one.content)), len(one.content))
        for one in document.attachments
    )
    document = replace(document, images=(), attachments=())
    return Outcome(document, None, images, attachments, time.perf_counter() - started)


def cut_document(task: Cutting) -> list[Chunk]:
    """The chunks of a document."""
    embedder = _embedder(task.model_folder, task.model_name)
    return split(task.document, strategy_from_json(task.strategy), embedder.token_spans)


def weigh_texts(task: Weighing) -> dict[str, SparseVector]:
    """The BM25 weights of each text by its chunk."""
    from alexandria.knowledge.terms import entry_weights

    return {chunk_id: entry_weights(text, language) for chunk_id, text, language in task.texts}


@cache
def _blobs(address: str, cipher: "ContentCipher | None") -> BlobStore:
    return BlobStore(address, cipher)


@cache
def _embedder(folder: Path, name: str) -> "Embedder":
    from alexandria.adapters.text_embedding.openvino import load_embedder

    return load_embedder(folder, name)
