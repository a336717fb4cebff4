"""What is wrong stops before readers see it, says why, and goes on once it is put right."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from alexandria.errors import IntegrityError
from alexandria.workflows.operating.generations import Generation, live_generation
from alexandria.workflows.operating.sources import Source
from alexandria.workflows.operating.status import read_status
from alexandria.workflows.quality.labelled_questions import load_questions
from alexandria.workflows.quality.verification import Count
from alexandria.workflows.reports import StageReport
from alexandria.workflows.stages.parsing import restore_blobs
from alexandria.workflows.workspace import Workspace

Sync = Callable[..., dict[str, StageReport]]
Write = Callable[[Path, str], Path]
Found = Callable[..., list[tuple[str, str]]]
Differences = Callable[[], list[Count]]

FERRY = "The ferry leaves at nine from the stone pier.\n"
DECOYS = (
    "Who kept the lighthouse on Gannet Head? Who kept the lighthouse, who kept the head?\n",
    "Gannet Head lighthouse: who kept the lighthouse? Who, on Gannet Head, kept it?\n",
)
QUESTIONS = (
    "question,document\n"
    "Who kept the lighthouse on Gannet Head?,lighthouse.txt\n"
    "What grows in the walled garden?,garden.txt\n"
)


@pytest.fixture
def published(workspace: Workspace, source: Source, sync: Sync) -> Source:
    """The shelf, published."""
    sync(workspace, source)
    return source


def test_a_vector_of_the_wrong_length_is_not_published_until_it_is_made_again(
    workspace: Workspace, published: Source, shelf: Path, sync: Sync, write: Write, found: Found
) -> None:
    write(shelf / "ferry.txt", FERRY)
    tamper = _statement(
        workspace,
        "UPDATE knowledge.embeddings SET vector = vector + vector + vector WHERE"
        " text_hash IN (SELECT text_hash FROM knowledge.chunks WHERE body LIKE 'The ferry%')",
    )
    before = found("When does the ferry leave?")
    with pytest.raises(IntegrityError, match=r"embeddings_meet_the_suite.*norm"):
        sync(workspace, published, before={"embeddings_meet_the_suite": tamper})
    assert found("When does the ferry leave?") == before
    assert _failed(workspace) == ["embeddings_meet_the_suite"]
    _statement(workspace, "DELETE FROM knowledge.embeddings WHERE l2_norm(vector) > 2")()
    sync(workspace, published)
    assert found("When does the ferry leave?")[0][0] == "ferry.txt"
    assert _failed(workspace) == []


def test_a_missing_vector_is_not_published(
    workspace: Workspace, published: Source, shelf: Path, sync: Sync, write: Write, found: Found
) -> None:
    write(shelf / "ferry.txt", FERRY)
    lose = _statement(
        workspace,
        "DELETE FROM knowledge.embeddings WHERE text_hash IN"
        " (SELECT text_hash FROM knowledge.chunks WHERE body LIKE 'The ferry%')",
    )
    with pytest.raises(IntegrityError, match="embeddings_meet_the_suite"):
        sync(workspace, published, before={"embeddings_meet_the_suite": lose})
    assert all(path != "ferry.txt" for path, _ in found("When does the ferry leave?"))
    sync(workspace, published)
    assert found("When does the ferry leave?")[0][0] == "ferry.txt"


def test_an_entry_that_stands_in_no_version_stops_the_run(
    workspace: Workspace, published: Source, shelf: Path, sync: Sync, write: Write, found: Found
) -> None:
    write(shelf / "ferry.txt", FERRY)
    plant = _statement(
        workspace,
        "INSERT INTO knowledge.index_entries SELECT (json_populate_record(entry,"
        " json_build_object('chunk_id', gen_random_uuid()))).* FROM knowledge.index_entries"
        " AS entry WHERE is_published LIMIT 1",
    )
    with pytest.raises(IntegrityError, match="entries_have_no_orphans: 1 index entries"):
        sync(workspace, published, before={"entries_have_no_orphans": plant})
    assert all(path != "ferry.txt" for path, _ in found("When does the ferry leave?"))
    assert _failed(workspace) == ["entries_have_no_orphans"]
    _statement(
        workspace,
        "DELETE FROM knowledge.index_entries WHERE chunk_id NOT IN"
        " (SELECT chunk_id FROM knowledge.chunks)",
    )()
    sync(workspace, published)
    assert found("When does the ferry leave?")[0][0] == "ferry.txt"


def test_points_lost_behind_our_back_stop_the_run_and_the_next_one_writes_them_again(
    workspace: Workspace,
    published: Source,
    shelf: Path,
    sync: Sync,
    write: Write,
    found: Found,
    differences: Differences,
) -> None:
    write(shelf / "ferry.txt", FERRY)
    with pytest.raises(IntegrityError, match="indexes_agree: Qdrant lacks 2 chunks"):
        sync(workspace, published, before={"indexes_agree": lambda: _lose_points(workspace, 2)})
    assert all(path != "ferry.txt" for path, _ in found("When does the ferry leave?"))
    assert _failed(workspace) == ["indexes_agree"]
    sync(workspace, published)
    assert found("When does the ferry leave?")[0][0] == "ferry.txt"
    assert _failed(workspace) == []
    assert differences() == []


def test_blobs_lost_behind_our_back_are_kept_again_from_their_files(
    workspace: Workspace, published: Source, differences: Differences
) -> None:
    lost = workspace.blobs.hashes()
    for content_hash in lost:
        workspace.blobs.delete(content_hash)
    assert differences() != []
    assert restore_blobs(workspace, published) == len(lost)
    assert workspace.blobs.hashes() == lost
    assert differences() == []


def test_a_blob_that_cannot_be_had_again_stops_the_run(
    workspace: Workspace, published: Source, shelf: Path, sync: Sync, write: Write, found: Found
) -> None:
    write(shelf / "ferry.txt", FERRY)

    def lose() -> None:
        for content_hash in workspace.blobs.hashes():
            workspace.blobs.delete(content_hash)

    with pytest.raises(IntegrityError, match="blobs_are_stored: 1 contents missing"):
        sync(workspace, published, before={"blobs_are_stored": lose})
    assert _failed(workspace) == ["blobs_are_stored"]
    sync(workspace, published)
    assert found("When does the ferry leave?")[0][0] == "ferry.txt"


def test_documents_that_make_the_answers_worse_are_not_published(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write, found: Found
) -> None:
    _ask(workspace, source, shelf)
    sync(workspace, source)
    before = found("Who kept the lighthouse on Gannet Head?")
    assert before[0][0] == "lighthouse.txt"
    for _ in range(2):  # a refused score never becomes the one to hold to
        for number, text in enumerate(DECOYS):
            write(shelf / f"decoy-{number}.txt", text)
        with pytest.raises(IntegrityError, match=r"retrieval_score_holds: nDCG@10 is 0\.\d+"):
            sync(workspace, source)
        assert found("Who kept the lighthouse on Gannet Head?") == before
        assert _failed(workspace) == ["retrieval_score_holds"]
        for number in range(len(DECOYS)):
            (shelf / f"decoy-{number}.txt").unlink()
        sync(workspace, source)
        assert found("Who kept the lighthouse on Gannet Head?") == before
        assert _failed(workspace) == []


def test_a_good_score_becomes_the_one_to_hold_to(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write
) -> None:
    _ask(workspace, source, shelf)
    sync(workspace, source)
    write(shelf / "ferry.txt", FERRY)
    sync(workspace, source)
    with psycopg.connect(workspace.database.address) as connection:
        rows = connection.execute(
            "SELECT ndcg_at_10, is_published FROM knowledge.retrieval_scores"
        ).fetchall()
    assert rows == [(pytest.approx(1.0), True), (pytest.approx(1.0), True)]


def _ask(workspace: Workspace, source: Source, shelf: Path) -> None:
    labels = shelf.with_name("questions.csv")
    labels.write_text(QUESTIONS)
    assert load_questions(workspace, source, labels) == 2


def _failed(workspace: Workspace) -> list[str]:
    return [check.name for check in read_status(workspace).failed_checks]


def _live(workspace: Workspace) -> Generation:
    live = live_generation(workspace)
    assert live is not None
    return live


def _lose_points(workspace: Workspace, number: int) -> None:
    with workspace.qdrant_index(_live(workspace)) as index:
        index.delete(sorted(index.chunk_ids())[:number])


def _statement(workspace: Workspace, text: str) -> Callable[[], None]:
    return lambda: workspace.database.statement(text)
