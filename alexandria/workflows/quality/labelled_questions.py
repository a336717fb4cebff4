"""Labelled questions: which document should answer what, and how well search finds it.

The gate measures a source's questions on what is staged and compares with what was last
published, so a change that makes answers worse is seen before a reader sees it.
"""

import csv
from dataclasses import asdict, dataclass
from pathlib import Path

from alexandria.errors import InvalidInputError
from alexandria.knowledge.identifiers import derive_id
from alexandria.knowledge.indexing import SearchFilter
from alexandria.knowledge.scoring import documents_of, score_rankings
from alexandria.workflows.operating.generations import Generation, fed_generations
from alexandria.workflows.operating.sources import Source
from alexandria.workflows.quality.checks import CheckOutcome
from alexandria.workflows.reading.candidates import rank_chunks
from alexandria.workflows.workspace import Workspace

COLUMNS = ("question", "document")
TOLERANCE = 0.02
"""nDCG@10 may fall by this much: one more document moves ranks without making them worse."""


@dataclass(frozen=True, slots=True)
class _Question:
    question_id: str
    question: str
    document_id: str


@dataclass(frozen=True, slots=True)
class _ChunkDocument:
    chunk_id: str
    document_id: str


@dataclass(frozen=True, slots=True)
class RetrievalScore:
    """How well a source's labelled questions find their documents; 0 to 1, higher is better."""

    question_count: int
    ndcg_at_10: float
    mrr_at_10: float
    recall_at_10: float


def load_questions(workspace: Workspace, source: Source, file: Path) -> int:
    """Replace a source's questions by those of a CSV; rows without a document are left out.

    Raises:
        InvalidInputError: The file is not there or lacks a column.
    """
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except OSError as error:
        raise InvalidInputError(f"{file} cannot be read: {error.strerror}.") from error
    if rows and not set(COLUMNS) <= set(rows[0]):
        raise InvalidInputError(f"{file} lacks a column; it needs {' and '.join(COLUMNS)}.")
    questions = [_question_row(source, row) for row in rows if row["document"]]
    with workspace.database.transaction():
        workspace.database.execute("forget_labelled_questions", source_id=source.source_id)
        workspace.database.execute_many("add_labelled_question", questions)
    return len(questions)


def check_retrieval(workspace: Workspace, source: Source) -> CheckOutcome:
    """Staged and published together answer the labelled questions as well as before."""
    outcomes = [_check(workspace, source, item) for item in fed_generations(workspace)]
    failed = [item for item in outcomes if not item.is_passed]
    return failed[0] if failed else outcomes[-1]


def measure_retrieval(
    workspace: Workspace, source: Source, generation: Generation
) -> RetrievalScore | None:
    """Ask every labelled question of the source; None when there is none to ask."""
    questions = workspace.database.fetch(
        _Question, "labelled_questions", source_id=source.source_id
    )
    if not questions:
        return None
    wanted: dict[str, dict[str, int]] = {}
    for question in questions:
        wanted.setdefault(question.question, {})[question.document_id] = 1
    ranked = {text: _documents(workspace, source, generation, text) for text in wanted}
    scores = score_rankings(ranked, wanted)
    return RetrievalScore(len(wanted), scores.ndcg_at_10, scores.mrr_at_10, scores.recall_at_10)


def _check(workspace: Workspace, source: Source, generation: Generation) -> CheckOutcome:
    identity = {"generation_id": generation.generation_id, "source_id": source.source_id}
    if not workspace.database.value("staged_entry_count", **identity):
        return CheckOutcome(True, "Nothing is staged.")
    score = measure_retrieval(workspace, source, generation)
    if score is None:
        return CheckOutcome(True, "The source has no labelled questions; nothing was measured.")
    before = workspace.database.value("last_published_score", **identity)
    workspace.database.execute("add_retrieval_score", **identity, **asdict(score))
    words = f"nDCG@10 is {score.ndcg_at_10:.3f} over {score.question_count} questions"
    words += f"; last published {before:.3f}." if before is not None else "; the first measure."
    passed = before is None or score.ndcg_at_10 >= before - TOLERANCE
    return CheckOutcome(passed, words, dict(asdict(score)))


def _documents(
    workspace: Workspace, source: Source, generation: Generation, question: str
) -> list[str]:
    where = SearchFilter(tenant_id=source.tenant_id, source_ids=(source.source_id,))
    hits = rank_chunks(workspace, generation, question, where, with_staged=True)
    rows = workspace.database.fetch(
        _ChunkDocument, "chunk_documents", chunk_ids=[hit.chunk_id for hit in hits]
    )
    document_of = {row.chunk_id: row.document_id for row in rows}
    return documents_of([hit.chunk_id for hit in hits], document_of)


def _question_row(source: Source, row: dict[str, str]) -> dict[str, str]:
    key = derive_id("question", source.source_id, row["question"], row["document"])
    return {
        "question_id": key,
        "source_id": source.source_id,
        "question": row["question"],
        "path": row["document"],
        "phrase": row.get("phrase") or "",
        "kind": row.get("kind") or "",
    }
