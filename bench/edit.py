"""What changing one paragraph costs: chunks embedded again, and seconds until it is published.

The longest plain text or Markdown document of the library is edited in its middle: one
sentence is added to a paragraph, which must not move what stands after it into new chunks.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure, Goal, Reference
from bench.library import Library

EMBEDDED = Goal(3)
SENTENCE = " The heron on the weathercock was painted green that week."
SUFFIXES = frozenset({".txt", ".md"})
_BLANK_LINE = re.compile(r"\n[ \t\r]*\n")
_END = re.compile(r"\S(?=[ \t\r]*\n[ \t\r]*\n)")
_SHORTEST = 40

_CHUNKS = """
    SELECT count(*) FROM knowledge.version_chunks AS member
    JOIN knowledge.documents AS document ON document.current_version_id = member.version_id
    WHERE document.path = %s
"""


def measure(library: Library) -> Iterator[Figure]:
    """Edit, run the command, count; against the whole document and the first run."""
    first = library.first_run
    document = longest_text(library.folder)
    before = document.read_bytes()
    document.write_bytes(edited(before))
    run = library.ingest()
    path = document.relative_to(library.folder).as_posix()
    with library.connected() as connection:
        row = connection.execute(_CHUNKS, (path,)).fetchone()
    chunks = Reference(float(row[0]) if row else 0.0, "the document")
    embedded = run.rows("embedding/chunk_embeddings")
    yield Figure("edit: chunks embedded", embedded, "chunks", chunks, EMBEDDED)
    published = max(stage.finished for stage in run.stages) - run.started
    yield Figure("edit: until published", published, "s", Reference(first.seconds, "first run"))


def longest_text(folder: Path) -> Path:
    """The largest plain text or Markdown file.

    Raises:
        ValueError: The folder has none.
    """
    found = [path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES]
    if not found:
        raise ValueError(f"No .txt or .md file in {folder}: there is nothing to edit.")
    return max(found, key=lambda path: path.stat().st_size)


def edited(content: bytes) -> bytes:
    """The content with a sentence at the end of the paragraph nearest to its middle.

    Bytes that are not UTF-8 stay as they are.
    """
    text = content.decode("utf-8", "surrogateescape")
    middle = len(text) // 2
    found = (found.end() for found in _END.finditer(text))
    ends = [end for end in found if _is_paragraph(text, end)]
    place = min(ends, key=lambda end: abs(end - middle), default=len(text))
    return (text[:place] + SENTENCE + text[place:]).encode("utf-8", "surrogateescape")


def _is_paragraph(text: str, end: int) -> bool:
    """Whether what ends there is longer than a heading."""
    return end > _SHORTEST and _BLANK_LINE.search(text, end - _SHORTEST, end) is None
