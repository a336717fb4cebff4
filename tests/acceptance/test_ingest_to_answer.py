"""From a folder of documents to answers that quote them: the sample library, whole."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from alexandria.knowledge.indexing import SearchFilter
from alexandria.workflows.operating.generations import live_generation
from alexandria.workflows.operating.sources import read_source
from alexandria.workflows.operating.status import read_status
from alexandria.workflows.quality.labelled_questions import measure_retrieval
from alexandria.workflows.quality.verification import verify
from alexandria.workflows.reading.answering import EXTRACTIVE, answer
from alexandria.workflows.reading.documents import list_documents, read_document, read_text
from alexandria.workflows.workspace import Workspace

SAMPLE = Path(__file__).resolve().parents[2] / "sample"
EVERYTHING = SearchFilter()


def _questions() -> Iterator[dict[str, str]]:
    with (SAMPLE / "questions.csv").open(encoding="utf-8", newline="") as stream:
        yield from csv.DictReader(stream)


def test_every_document_of_the_sample_is_published_or_listed_with_a_reason(
    library: Workspace,
) -> None:
    files = {path.relative_to(SAMPLE / "library").as_posix() for path in _files()}
    documents = list_documents(library)
    quarantined = {entry.path for entry in read_status(library).quarantine if not entry.unit}
    assert {item.path for item in documents} == files
    assert {item.path for item in documents if item.state != "published"} == quarantined
    assert all(entry.reason and entry.advice for entry in read_status(library).quarantine)
    assert [count for count in verify(library) if not count.is_equal] == []


def test_the_labelled_questions_find_their_documents(library: Workspace) -> None:
    live = live_generation(library)
    assert live is not None
    score = measure_retrieval(library, read_source(library, "sample"), live)
    assert score is not None
    assert score.recall_at_10 >= 0.95
    assert score.ndcg_at_10 >= 0.85


def test_every_citation_quotes_its_document_character_for_character(library: Workspace) -> None:
    asked = [row["question"] for row in _questions() if row["document"]][::5]
    cited = 0
    for question in asked:
        answered = answer(library, question, EVERYTHING)
        assert answered.model == EXTRACTIVE
        for item in answered.citations:
            text = read_text(library, item.document_id, version_id=item.version_id).text
            assert text[item.start : item.end] == item.quote
            assert f"[{item.number}]" in answered.text
            cited += 1
    assert cited >= len(asked) // 2


def test_an_anchor_leads_to_a_unit_of_its_document(library: Workspace) -> None:
    answered = answer(library, next(_questions())["question"], EVERYTHING)
    assert answered.citations
    for item in answered.citations:
        units = read_document(library, item.document_id).units
        held = [unit for unit in units if unit.start <= item.start and item.end <= unit.end]
        assert [unit.label for unit in held] == [item.label]


@pytest.mark.parametrize(
    "question", ["What is the boiling point of tungsten?", "Who won the 1998 football world cup?"]
)
def test_what_the_library_does_not_hold_is_not_answered(library: Workspace, question: str) -> None:
    answered = answer(library, question, EVERYTHING)
    assert not answered.is_answered
    assert answered.citations == []


def test_a_filter_by_language_or_source_is_kept(library: Workspace) -> None:
    german = answer(library, "Wie hoch ist der Leuchtturm?", SearchFilter(languages=("de",)))
    assert {passage.language for passage in german.passages} == {"de"}
    nowhere = SearchFilter(source_ids=("00000000-0000-5000-8000-000000000000",))
    assert answer(library, "How high is the lighthouse?", nowhere).passages == []


def _files() -> Iterator[Path]:
    return (path for path in (SAMPLE / "library").rglob("*") if path.is_file())
