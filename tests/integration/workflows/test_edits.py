"""An edit costs what it changed, and readers see the old text or the new one, never both."""

import random
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alexandria.knowledge.indexing import SearchFilter
from alexandria.workflows.operating.sources import Source
from alexandria.workflows.quality.verification import Count
from alexandria.workflows.reading.documents import list_documents, read_text
from alexandria.workflows.reading.searching import search
from alexandria.workflows.reports import StageReport
from alexandria.workflows.workspace import Workspace

Sync = Callable[..., dict[str, StageReport]]
Write = Callable[[Path, str], Path]
Found = Callable[..., list[tuple[str, str]]]

STEPS = (
    "document_versions",
    "parsed_documents",
    "chunks",
    "chunk_embeddings",
    "postgres_index",
    "qdrant_index",
    "publications",
)
WORDS = (
    "harbour",
    "salt",
    "lantern",
    "keeper",
    "gull",
    "tide",
    "rope",
    "anchor",
    "fog",
    "bell",
    "stone",
    "mast",
)


def _book(paragraphs: int) -> list[str]:
    """Paragraphs of made-up sentences, the same ones every time."""
    chance = random.Random(7)
    return [
        " ".join(f"{' '.join(chance.choices(WORDS, k=9)).capitalize()} {number}." for _ in range(6))
        for number in range(paragraphs)
    ]


def test_one_changed_paragraph_of_a_long_text_embeds_at_most_three_texts(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write
) -> None:
    book = _book(40)
    write(shelf / "book.txt", "\n\n".join(book))
    first = sync(workspace, source)
    book[20] = "In the year of the comet the keeper counted eleven whales from the gallery."
    write(shelf / "book.txt", "\n\n".join(book))
    second = sync(workspace, source)
    assert first["chunk_embeddings"].row_count > 12
    assert 1 <= second["chunk_embeddings"].row_count <= 3


def test_until_the_new_text_is_published_the_old_one_answers_and_then_only_the_new_one(
    workspace: Workspace,
    source: Source,
    shelf: Path,
    sync: Sync,
    write: Write,
    found: Found,
) -> None:
    sync(workspace, source)
    before = found("Which trees grow in the walled garden?")
    changed = (shelf / "garden.txt").read_text().replace("one old pear tree", "two fig trees")
    write(shelf / "garden.txt", changed)
    seen: dict[str, list[tuple[str, str]]] = {}
    looks = {
        step: lambda step=step: seen.update({step: found("Which trees grow in the walled garden?")})
        for step in STEPS
    }
    sync(workspace, source, before=looks)
    after = found("Which trees grow in the walled garden?")
    assert seen == dict.fromkeys(STEPS, before)
    assert after[0] == ("garden.txt", changed.strip())
    assert all("pear" not in text for _, text in after)


def test_scores_do_not_change_while_an_edit_is_under_way(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write
) -> None:
    """The title of a published text counts in its ranking, whatever is staged beside it."""
    write(shelf / "bells.md", "# Bells of the harbour\n\nThey ring at high tide and in fog.\n")
    sync(workspace, source)
    before = _scores(workspace, "When do the bells of the harbour ring?")
    write(shelf / "bells.md", "# Horns\n\nThey sound in fog only, since the storm of 1911.\n")
    seen: list[list[tuple[str, float]]] = []
    looks = {
        step: lambda: seen.append(_scores(workspace, "When do the bells of the harbour ring?"))
        for step in ("parsed_documents", "chunks", "postgres_index")
    }
    sync(workspace, source, before=looks)
    assert seen == [before, before, before]


def test_the_old_version_is_superseded_and_stays_readable_by_its_id(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write
) -> None:
    sync(workspace, source)
    document = next(item for item in list_documents(workspace) if item.path == "garden.txt")
    old = read_text(workspace, document.document_id)
    write(shelf / "garden.txt", "The walled garden was sold to the railway.\n")
    sync(workspace, source)
    new = read_text(workspace, document.document_id)
    earlier = read_text(workspace, document.document_id, version_id=old.version_id)
    assert new.text == "The walled garden was sold to the railway."
    assert earlier == old
    assert _states(workspace)[old.version_id] == "superseded"
    assert _states(workspace)[new.version_id] == "published"


def test_an_edit_that_is_taken_back_brings_the_old_version_back(
    workspace: Workspace,
    source: Source,
    shelf: Path,
    sync: Sync,
    write: Write,
    found: Found,
    differences: Callable[[], list[Count]],
) -> None:
    sync(workspace, source)
    before = {item.path: item.version_id for item in list_documents(workspace)}
    text = (shelf / "garden.txt").read_text()
    write(shelf / "garden.txt", "The walled garden was sold to the railway.\n")
    sync(workspace, source)
    write(shelf / "garden.txt", text)
    reports = sync(workspace, source)
    documents = list_documents(workspace)
    assert reports["chunk_embeddings"].row_count == 0
    assert {item.path: item.version_id for item in documents} == before
    assert {item.state for item in documents} == {"published"}
    assert found("quinces and medlars")[0] == ("garden.txt", text.strip())
    assert differences() == []


def test_an_edit_taken_back_before_it_was_published_leaves_nothing_pending(
    workspace: Workspace, source: Source, shelf: Path, sync: Sync, write: Write
) -> None:
    sync(workspace, source)
    text = (shelf / "garden.txt").read_text()
    write(shelf / "garden.txt", "The walled garden was sold to the railway.\n")
    sync(workspace, source, until="publications")
    write(shelf / "garden.txt", text)
    sync(workspace, source)
    assert {item.state for item in list_documents(workspace)} == {"published"}
    again = sync(workspace, source)
    assert sum(report.row_count for report in again.values()) == 0


@settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a.txt", "b.txt", "c.txt"]),
            st.sampled_from([None, "Gulls nest here.", "Seals rest here.", "Terns dive here."]),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_after_any_edits_the_library_shows_exactly_what_the_folder_holds(
    workspace: Workspace,
    source: Source,
    shelf: Path,
    sync: Sync,
    write: Write,
    differences: Callable[[], list[Count]],
    edits: list[tuple[str, str | None]],
) -> None:
    for name, text in edits:
        if text is None:
            (shelf / name).unlink(missing_ok=True)
        else:
            write(shelf / name, text)
    sync(workspace, source)
    held = {path.name: path.read_text().strip() for path in shelf.iterdir()}
    texts = {
        item.path: read_text(workspace, item.document_id).text for item in list_documents(workspace)
    }
    assert {path: text for path, text in texts.items() if path.endswith(".txt")} == {
        path: text for path, text in held.items() if path.endswith(".txt")
    }
    assert differences() == []


def _scores(workspace: Workspace, question: str) -> list[tuple[str, float]]:
    where = SearchFilter(tenant_id=workspace.settings.tenant_id)
    hits = search(workspace, question, where)
    return [(hit.text, round(hit.score, 6)) for hit in hits]


def _states(workspace: Workspace) -> dict[str, str]:
    import psycopg

    with psycopg.connect(workspace.database.address) as connection:
        rows = connection.execute("SELECT version_id::text, state FROM knowledge.document_versions")
        return {str(version): str(state) for version, state in rows}
