"""Near duplicates: linked in the ledger, shown once to readers, and never across tenants."""

import html
import random
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from alexandria.knowledge.embedding import Embedder
from alexandria.knowledge.indexing import SearchFilter
from alexandria.workflows.operating.generations import live_generation
from alexandria.workflows.operating.sources import Source, add_source
from alexandria.workflows.quality.labelled_questions import load_questions, measure_retrieval
from alexandria.workflows.quality.near_duplicates import check_copies, link_copies
from alexandria.workflows.reading.answering import answer
from alexandria.workflows.reading.documents import (
    delete_document,
    list_documents,
    read_document,
)
from alexandria.workflows.reading.searching import search, search_documents
from alexandria.workflows.reports import StageReport
from alexandria.workflows.workspace import Workspace, open_workspace

Sync = Callable[..., dict[str, StageReport]]
Write = Callable[[Path, str], Path]
Links = Callable[[], dict[str, str]]
"""Path of each copy, with the path of the best one."""

KEEPER = (
    "Hester Lowe kept the lighthouse on Gannet Head for thirty years.",
    "She lit the lamp at dusk and wound the clockwork every four hours.",
    "In the winter of the great storm she rowed out alone and brought nine sailors ashore.",
    "The owners of the vessel sent her a silver watch, which she wore only on Sundays.",
    "Her brother Tom painted the tower white each spring and complained about the gulls.",
    "When the oil ran short she burned fish fat, and the light turned yellow as butter.",
    "Visitors wrote their names into a ledger that hung beside the stove.",
    "After her death the board put an automatic lamp into the lantern room.",
)
QUESTION = "Who burned fish fat when the oil ran short?"
_FILLERS = ("rope", "tar", "sail", "anchor", "barrel", "compass", "lantern", "tide", "reef")


def story(lines: tuple[str, ...] = KEEPER, seed: int = 0) -> list[str]:
    """Paragraphs of some six hundred words around the lines."""
    chooser = random.Random(seed)
    return [
        f"{line} " + " ".join(chooser.choice(_FILLERS) for _ in range(60)).capitalize() + "."
        for line in lines
    ]


def page(paragraphs: list[str], title: str = "The Keeper") -> str:
    body = "".join(f"<p>{html.escape(text)}</p>" for text in paragraphs)
    return f"<html><head><title>{title}</title></head><body><h1>{title}</h1>{body}</body></html>"


def plain(paragraphs: list[str], width: int = 60) -> str:
    return "The Keeper\n\n" + "\n\n".join(textwrap.fill(text, width) for text in paragraphs)


@pytest.fixture
def shelf(tmp_path: Path, write: Write) -> Path:
    """One story as HTML and as text, and two other stories."""
    shelf = tmp_path / "shelf"
    write(shelf / "keeper.html", page(story()))
    write(shelf / "keeper.txt", plain(story()))
    others = ("The baker sold rye bread.", "A quince tree grew there.", "The mill wheel turned.")
    write(shelf / "bakery.txt", plain(story(others, seed=1)))
    write(shelf / "chapter.txt", plain(story()[:3]))
    return shelf


@pytest.fixture
def links(workspace: Workspace) -> Links:
    def read() -> dict[str, str]:
        with psycopg.connect(workspace.database.address) as connection:
            return dict(
                connection.execute(
                    "SELECT copy.path, best.path FROM knowledge.near_duplicates AS link "
                    "JOIN knowledge.documents AS copy USING (document_id) "
                    "JOIN knowledge.documents AS best "
                    "ON best.document_id = link.best_document_id"
                ).fetchall()
            )

    return read


@pytest.fixture
def where(workspace: Workspace) -> SearchFilter:
    return SearchFilter(tenant_id=workspace.settings.tenant_id)


def _id(workspace: Workspace, path: str) -> str:
    return next(item.document_id for item in list_documents(workspace) if item.path == path)


def test_the_same_story_in_two_formats_is_linked_once_and_its_chapter_is_not(
    workspace: Workspace,
    source: Source,
    sync: Sync,
    links: Links,
    snapshot: Callable[[Workspace], dict[str, list[str]]],
) -> None:
    report = sync(workspace, source)["near_duplicates"]
    assert links() == {"keeper.txt": "keeper.html"}
    assert report.details["texts_signed"] == 4
    assert check_copies(workspace, source).is_passed
    before = snapshot(workspace)
    assert link_copies(workspace, source).row_count == 0
    assert snapshot(workspace) == before


def test_a_link_goes_when_an_edit_makes_another_text_and_comes_back_with_the_old_one(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write, links: Links
) -> None:
    sync(workspace, source)
    write(shelf / "keeper.txt", plain(story(("A cook.", "A cat."), seed=7)))
    sync(workspace, source)
    assert links() == {}
    write(shelf / "keeper.txt", plain(story()))
    sync(workspace, source)
    assert links() == {"keeper.txt": "keeper.html"}


def test_the_next_best_copy_leads_once_the_best_is_deleted(
    workspace: Workspace,
    source: Source,
    shelf: Path,
    sync: Sync,
    write: Write,
    links: Links,
    where: SearchFilter,
) -> None:
    write(shelf / "keeper.md", plain(story(), width=200))
    sync(workspace, source)
    assert links() == {"keeper.txt": "keeper.html", "keeper.md": "keeper.html"}
    delete_document(workspace, _id(workspace, "keeper.html"))
    sync(workspace, source)
    assert links() == {"keeper.txt": "keeper.md"}
    first, *_ = search(workspace, QUESTION, where)
    assert first.path == "keeper.md"


def test_drafts_that_drift_apart_are_not_all_one_work(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write, links: Links
) -> None:
    paragraphs = story(KEEPER * 2)
    for number in range(12):
        paragraphs[number] = paragraphs[number].replace("rope", "cord")
        write(shelf / f"draft-{number:02}.md", plain(paragraphs))
    sync(workspace, source)
    drafts = {copy: best for copy, best in links().items() if copy.startswith("draft")}
    assert drafts
    assert len(set(drafts.values())) > 1
    assert check_copies(workspace, source).is_passed


def test_readers_are_shown_the_best_copy_and_told_of_the_others(
    workspace: Workspace, source: Source, sync: Sync, where: SearchFilter
) -> None:
    sync(workspace, source)
    passages = search(workspace, QUESTION, where)
    scores = [item.score for item in passages]
    assert scores == sorted(scores, reverse=True)
    assert passages[0].path == "keeper.html"
    assert [(copy.path, copy.is_best) for copy in passages[0].also_as] == [("keeper.txt", False)]
    assert passages[0].also_as[0].similarity > 0.9
    assert {"keeper.html", "bakery.txt"} <= {item.path for item in passages}
    assert "keeper.txt" not in {item.path for item in passages}

    found = search_documents(workspace, QUESTION, where)
    named = {item.document.path: [copy.path for copy in item.also_as] for item in found.documents}
    assert named == {"keeper.html": ["keeper.txt"], "chapter.txt": [], "bakery.txt": []}
    assert found.total == 3

    answered = answer(workspace, QUESTION, where)
    quotes = [citation.quote for citation in answered.citations]
    assert answered.is_answered
    assert len(set(quotes)) == len(quotes)
    assert "keeper.txt" not in {citation.path for citation in answered.citations}

    detail = read_document(workspace, _id(workspace, "keeper.txt"))
    assert [(copy.path, copy.is_best) for copy in detail.copies] == [("keeper.html", True)]
    assert "keeper.html" not in {item.path for item in detail.related}
    assert read_document(workspace, _id(workspace, "bakery.txt")).copies == []

    only = replace(where, document_ids=(_id(workspace, "keeper.txt"),))
    passages = search(workspace, QUESTION, only)
    assert {item.path for item in passages} == {"keeper.txt"}
    assert [(copy.path, copy.is_best) for copy in passages[0].also_as] == [("keeper.html", True)]
    (document,) = search_documents(workspace, QUESTION, only).documents
    assert document.document.path == "keeper.txt"


def test_what_only_a_lesser_copy_says_is_still_found(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write, links: Links,
    where: SearchFilter,
) -> None:  # fmt: skip
    secret = "The treasure of the wreck lies under the third step of the cellar."
    paragraphs = [*story(KEEPER * 4), secret]
    write(shelf / "keeper.html", page(paragraphs[:-1]))
    write(shelf / "keeper.txt", plain(paragraphs))
    sync(workspace, source)
    assert links() == {"keeper.txt": "keeper.html"}
    first, *_ = search(workspace, "Where does the treasure of the wreck lie?", where)
    assert "third step" in first.text
    assert first.path == "keeper.txt"


def test_many_copies_leave_room_for_as_many_results_as_asked(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write,
    where: SearchFilter,
) -> None:  # fmt: skip
    for number in range(130):
        write(shelf / f"copies/{number}.txt", plain(story()) + "\n" * number)
    sync(workspace, source)
    passages = search(workspace, QUESTION, where, limit=5)
    assert len({item.text for item in passages}) == len(passages) == 5
    found = search_documents(workspace, QUESTION, where, limit=3)
    paths = sorted(item.document.path for item in found.documents)
    assert paths == ["bakery.txt", "chapter.txt", "keeper.html"]


def test_a_labelled_question_is_answered_by_any_copy(
    workspace: Workspace, source: Source, sync: Sync, tmp_path: Path
) -> None:
    file = tmp_path / "questions.csv"
    file.write_text(f"question,document\n{QUESTION},keeper.txt\n", encoding="utf-8")
    load_questions(workspace, source, file)
    sync(workspace, source)
    live = live_generation(workspace)
    assert live is not None
    score = measure_retrieval(workspace, source, live)
    assert score is not None
    assert score.mrr_at_10 == 1.0


@pytest.fixture
def other(workspace: Workspace, embedders: dict[str, Embedder]) -> Iterator[Workspace]:
    """The same library as another tenant opens it."""
    with open_workspace(workspace.settings.model_copy(update={"tenant_id": "other"})) as opened:
        yield replace(opened, _embedders=embedders)


def test_copies_are_found_across_sources_and_never_across_tenants(
    workspace: Workspace,
    other: Workspace,
    source: Source,
    tmp_path: Path,
    sync: Sync,
    write: Write,
    links: Links,
) -> None:
    sync(workspace, source)
    write(tmp_path / "more/again.md", plain(story(), width=80))
    write(tmp_path / "theirs/theirs.html", page(story()))
    theirs = add_source(other, tmp_path / "theirs")
    sync(other, theirs)
    assert links() == {"keeper.txt": "keeper.html"}
    sync(workspace, add_source(workspace, tmp_path / "more"))
    assert links() == {"keeper.txt": "keeper.html", "again.md": "keeper.html"}
    found = search(other, QUESTION, SearchFilter(tenant_id="other"))
    assert {item.path for item in found} == {"theirs.html"}
    assert not any(item.also_as for item in found)


def test_a_broken_link_does_not_pass_the_check(
    workspace: Workspace, source: Source, sync: Sync
) -> None:
    sync(workspace, source)
    with psycopg.connect(workspace.database.address, autocommit=True) as connection:
        connection.execute(
            "UPDATE knowledge.documents SET deleted_at = now() WHERE path = 'keeper.html'"
        )
    outcome = check_copies(workspace, source)
    assert not outcome.is_passed
    assert "keeper.txt" in outcome.description
