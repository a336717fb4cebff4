"""What documents consist of, what readers lack of it, and where that is said."""

from collections.abc import Callable
from dataclasses import replace
from email.message import EmailMessage
from io import BytesIO
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from fpdf import FPDF
from PIL import Image

from alexandria.knowledge.documents import UnitKind
from alexandria.knowledge.indexing import SearchFilter
from alexandria.workflows.coverage import PLURALS, Coverage, document_coverage, source_coverage
from alexandria.workflows.operating.sources import Source
from alexandria.workflows.operating.status import list_slowest, read_status
from alexandria.workflows.reading.answering import Answered, answer, stream_answer
from alexandria.workflows.reading.documents import (
    DocumentDetail,
    find_documents,
    list_documents,
    read_document,
    read_text,
)
from alexandria.workflows.reports import StageReport
from alexandria.workflows.workspace import Workspace
from pipelines.instance import run_job

Sync = Callable[..., dict[str, StageReport]]
Write = Callable[[Path, str | bytes], Path]
INSPECTOR = "What did the inspector find of the wiring?"
KEEPER = "Who kept the lighthouse on Gannet Head?"


@pytest.fixture
def workspace(workspace: Workspace) -> Workspace:
    """A library without text recognition: what is a picture stays unread."""
    settings = workspace.settings.model_copy(update={"ocr_engine": "off"})
    return replace(workspace, settings=settings)


def _pages(*kinds: str) -> bytes:
    """A PDF whose pages hold text, nothing, or a picture without words."""
    picture = BytesIO()
    Image.new("RGB", (200, 100), (120, 120, 120)).save(picture, "PNG")
    document = FPDF()
    document.set_font("helvetica", size=12)
    for kind in kinds:
        document.add_page()
        if kind == "text":
            document.multi_cell(0, 8, "The inspector found the wiring of the lantern room sound.")
        if kind == "picture":
            document.image(picture, x=10, y=10, w=180, h=240)
    return bytes(document.output())


def _mail() -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@a.example", "b@b.example", "Spare parts"
    message.set_content("The spare parts are listed in the file below.\n")
    message.add_attachment("Two wicks and a mantle.\n", filename="list.txt")
    message.add_attachment(b"\x00\x17nothing" * 50, "application", "zip", filename="rest.docx")
    return message.as_bytes()


def _answer(workspace: Workspace, question: str) -> Answered:
    return answer(workspace, question, SearchFilter(tenant_id=workspace.settings.tenant_id))


def _detail(workspace: Workspace, path: str) -> DocumentDetail:
    (found,) = [item for item in list_documents(workspace) if item.path == path]
    return read_document(workspace, found.document_id)


def _change(workspace: Workspace, statement: str) -> None:
    with psycopg.connect(workspace.database.address) as connection:
        connection.execute(statement)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("coverage", "summary"),
    [
        (Coverage(found=210, kinds={"page": 210}, missing={"page": 3}), "3 of 210 pages"),
        (Coverage(found=1, kinds={"text": 1}, missing={"text": 1}), "1 of 1 part"),
        (Coverage(found=2000, kinds={"sheet": 2000}, missing={"sheet": 1000}), "1,000 of 2,000"),
        (
            Coverage(found=5, kinds={"slide": 3, "image": 2}, missing={"slide": 1, "image": 2}),
            "1 of 3 slides and 2 of 2 images",
        ),
        (Coverage(found=4, kinds={"page": 4}, quarantined={"empty_page": 1}), ""),
    ],
)
def test_what_is_missing_is_said_in_the_words_of_the_format(
    coverage: Coverage, summary: str
) -> None:
    assert coverage.summary.startswith(summary)
    assert bool(coverage.summary) == bool(summary)


def test_every_kind_of_unit_has_a_plural() -> None:
    assert set(PLURALS) == set(UnitKind)


def test_an_answer_from_a_document_with_missing_pages_says_so(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write
) -> None:
    write(shelf / "inspection.pdf", _pages("text", "empty", "picture"))
    sync(workspace, source)
    answered = _answer(workspace, INSPECTOR)
    title = answered.citations[0].title
    assert answered.citations[0].path == "inspection.pdf"
    assert answered.warnings == [f"1 of 3 pages of “{title}” could not be read."]
    coverage = answered.citations[0].coverage
    assert coverage is not None
    assert (coverage.found, coverage.indexed, coverage.pending) == (3, 1, 0)
    assert coverage.quarantined == {"empty_page": 1, "no_text_layer": 1}
    assert coverage.missing == {"page": 1}
    where = SearchFilter(tenant_id=workspace.settings.tenant_id)
    *_, last = stream_answer(workspace, INSPECTOR, where)
    assert isinstance(last.data, Answered)
    assert last.data.warnings == answered.warnings


def test_a_blank_page_is_counted_and_warns_nobody(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write
) -> None:
    write(shelf / "inspection.pdf", _pages("text", "empty"))
    sync(workspace, source)
    answered = _answer(workspace, INSPECTOR)
    assert answered.citations[0].path == "inspection.pdf"
    assert (answered.warnings, answered.citations[0].coverage) == ([], None)
    assert _detail(workspace, "inspection.pdf").coverage.quarantined == {"empty_page": 1}


@pytest.mark.parametrize(("confidence", "warns"), [(0.62, True), (0.93, False)])
def test_a_quote_that_was_hard_to_recognize_is_marked(
    workspace: Workspace, source: Source, sync: Sync, confidence: float, warns: bool
) -> None:
    sync(workspace, source)
    _change(
        workspace,
        "UPDATE knowledge.parses SET blocks = (SELECT jsonb_agg(jsonb_set(block, '{6}', "
        f"'{confidence}')) FROM jsonb_array_elements(blocks) AS block); "
        f"UPDATE knowledge.units SET confidence = {confidence} WHERE end_offset > 0",
    )
    answered = _answer(workspace, KEEPER)
    assert answered.citations[0].confidence == pytest.approx(confidence)
    assert bool(answered.warnings) == warns
    assert all("recognized with 62% confidence" in text for text in answered.warnings)
    assert answered.citations[0].warnings == answered.warnings[:1]
    assert _detail(workspace, "lighthouse.txt").coverage.recognized == 1


def test_without_missing_parts_an_answer_carries_no_warning(
    workspace: Workspace, source: Source, sync: Sync
) -> None:
    sync(workspace, source)
    answered = _answer(workspace, KEEPER)
    assert answered.citations
    assert answered.warnings == []
    assert all(item.coverage is None for item in answered.citations)
    assert all(item.confidence is None for item in answered.citations)


def test_what_was_read_is_pending_until_it_is_published(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write
) -> None:
    write(shelf / "inspection.pdf", _pages("text", "picture"))
    sync(workspace, source, until="publications")
    before = source_coverage(workspace)[source.source_id]
    assert (before.found, before.indexed, before.pending) == (5, 0, 4)
    sync(workspace, source)
    after = source_coverage(workspace)[source.source_id]
    assert (after.found, after.indexed, after.pending) == (5, 4, 0)
    assert after.quarantined_count == 1
    assert after.share == pytest.approx(0.8)
    write(shelf / "garden.txt", "The walled garden grows nothing but leeks now.\n")
    sync(workspace, source, until="publications")
    between = source_coverage(workspace)[source.source_id]
    assert (between.found, between.indexed, between.pending) == (5, 3, 1)
    garden = _detail(workspace, "garden.txt")
    assert (garden.coverage.indexed, garden.coverage.pending) == (1, 0)


def test_readers_see_the_coverage_of_what_they_read_and_why_the_newest_version_is_not_there(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write
) -> None:
    sync(workspace, source)
    write(shelf / "garden.txt", "")
    sync(workspace, source)
    detail = _detail(workspace, "garden.txt")
    assert detail.problem is not None
    assert detail.problem.code == "empty_file"
    assert (detail.coverage.found, detail.coverage.indexed) == (1, 1)
    text = read_text(workspace, detail.document.document_id)
    assert detail.units == text.units
    assert "quinces" in text.text
    assert source_coverage(workspace)[source.source_id].found == 2


def test_status_counts_units_reasons_and_notes_of_a_source(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write
) -> None:
    write(shelf / "inspection.pdf", _pages("text", "picture", "picture"))
    write(shelf / "empty.txt", "")
    write(shelf / "page.md", "<!doctype html><title>Tide</title><p>The tide turns at noon.</p>")
    sync(workspace, source)
    status = read_status(workspace)
    (standing,) = status.sources
    assert (standing.units_found, standing.units_indexed, standing.units_quarantined) == (7, 5, 2)
    assert standing.coverage.notes["extension_mismatch"] == 1
    reasons = {item.code: (item.documents, item.units) for item in status.reasons}
    assert reasons == {"no_text_layer": (0, 2), "empty_file": (1, 0)}
    assert all(item.advice for item in status.reasons)
    slowest = list_slowest(workspace, source.source_id, limit=3)
    assert len(slowest) == 3
    assert slowest == sorted(slowest, key=lambda item: -item.elapsed_seconds)


def test_a_document_shows_its_notes(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write
) -> None:
    write(shelf / "page.md", "<!doctype html><title>Tide</title><p>The tide turns at noon.</p>")
    sync(workspace, source)
    (note,) = _detail(workspace, "page.md").notes
    assert (note.code, note.unit) == ("extension_mismatch", None)
    assert "HTML" in note.message


def test_attachments_stand_under_their_mail(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write
) -> None:
    write(shelf / "parts.eml", _mail())
    sync(workspace, source)
    mail = _detail(workspace, "parts.eml")
    states = {Path(item.path).name: item.state for item in mail.attachments}
    assert states == {"list.txt": "published", "rest.docx": "quarantined"}
    assert mail.container is None
    attached = read_document(workspace, mail.attachments[0].document_id)
    assert attached.container is not None
    assert attached.container.document_id == mail.document.document_id
    assert attached.attachments == []


def test_another_tenant_sees_nothing(workspace: Workspace, source: Source, sync: Sync) -> None:
    sync(workspace, source)
    own = SearchFilter(tenant_id=workspace.settings.tenant_id)
    ids = [item.document_id for item in find_documents(workspace, own)]
    assert ids
    foreign = document_coverage(workspace, "somebody-else", ids)
    assert list(foreign.values()) == [Coverage()] * len(ids)


def test_the_assets_show_coverage_with_reasons(
    workspace: Workspace, source: Source, shelf: Path, write: Write
) -> None:
    write(shelf / "inspection.pdf", _pages("text", "picture"))
    write(shelf / "page.md", "<!doctype html><title>Tide</title><p>The tide turns at noon.</p>")
    with dg.DagsterInstance.ephemeral() as instance:
        assert run_job(workspace, instance, "sync_source", source.name).is_success
        read = _metadata(instance, "chunking", "parsed_documents")
        published = _metadata(instance, "quality", "publications")
    counts = ("units_found", "units_indexed", "units_pending", "units_quarantined")
    assert [read[f"coverage/{name}"] for name in counts] == [6, 0, 5, 1]
    assert [published[f"coverage/{name}"] for name in counts] == [6, 5, 0, 1]
    assert "| no_text_layer | 0 | 1 |" in str(read["coverage/reasons"])
    assert "| extension_mismatch | 1 |" in str(read["coverage/notes"])
    assert "inspection.pdf" in str(read["slowest_documents"])


def _metadata(instance: dg.DagsterInstance, *key: str) -> dict[str, object]:
    event = instance.get_latest_materialization_event(dg.AssetKey(list(key)))
    assert event is not None
    assert event.asset_materialization is not None
    return {name: item.value for name, item in event.asset_materialization.metadata.items()}
