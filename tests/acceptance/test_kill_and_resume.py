"""A run killed at any moment is continued by the next, which ends where no kill would have.

The killed run is a process of its own that sends itself SIGKILL: nothing is flushed, no
handler runs. It works in small batches, so that it dies between two of them.
"""

import signal
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from copies import clone_database, cloned_database, copy_home
from forked import Forked, Parent, forking

from alexandria.knowledge.embedding import Embedder
from alexandria.knowledge.indexing import SearchFilter
from alexandria.settings import Settings
from alexandria.workflows.operating.generations import fed_generations
from alexandria.workflows.operating.sources import add_source, read_source
from alexandria.workflows.quality.verification import verify
from alexandria.workflows.reading.documents import list_documents
from alexandria.workflows.reading.searching import search
from alexandria.workflows.reports import StageReport
from alexandria.workflows.workspace import Workspace, open_workspace

Sync = Callable[..., dict[str, StageReport]]
Snapshot = Callable[[Workspace], dict[str, list[str]]]
Write = Callable[[Path, str], Path]
Doom = Callable[..., Forked]
"""Begin a run that dies at this stage, when this is told of it, this many times."""

IMPORTED = (
    "alexandria.workflows.stages.embedding",
    "alexandria.workflows.stages.ingestion",
    "alexandria.workflows.stages.parsing",
    "alexandria.workflows.stages.publishing",
    "alexandria.workflows.workspace",
    "alexandria.adapters.qdrant",
    "alexandria.adapters.schema",
    "chardet",
    "dlt",
    "great_expectations",
)
"""What a run imports at once, and what it imports when it comes to use it."""

DOOMED = """
import os, signal, sys
from pathlib import Path
from alexandria.settings import Settings
from alexandria.workflows.stages import chunking, embedding, ingestion, parsing, publishing
from alexandria.workflows.operating.generations import fed_generations
from alexandria.workflows.operating.sources import read_source
from alexandria.workflows.workspace import open_workspace

home, address, stage, event, count = sys.argv[1:]
embedding.EMBEDDING_BATCH = embedding.STAGING_BATCH = 6


class Executioner:
    left = int(count)

    def expect(self, at, total):
        self.count_down(at, "expect")

    def advance(self, at, amount=1):
        self.count_down(at, "advance")

    def count_down(self, at, seen):
        if (at, seen) == (stage, event):
            self.left -= 1
            if not self.left:
                os.kill(os.getpid(), signal.SIGKILL)


with open_workspace(Settings(home=Path(home), database_url=address), Executioner()) as workspace:
    source = read_source(workspace, "shelf")
    look, keep = ingestion.sync_source_files, ingestion.register_versions
    for work in (look, keep, parsing.parse_documents):
        work(workspace, source)
    for work in (
        chunking.chunk_documents,
        embedding.embed_chunks,
        embedding.stage_postgres,
        embedding.stage_qdrant,
        publishing.publish_versions,
    ):
        for generation in fed_generations(workspace):
            work(workspace, source, generation)
"""

MOMENTS = [
    ("source_files", "expect", 1),
    ("document_versions", "advance", 1),
    ("parsed_documents", "advance", 1),
    ("chunks", "advance", 1),
    ("chunk_embeddings", "advance", 1),
    ("postgres_index", "advance", 1),
    ("qdrant_index", "expect", 1),
    ("qdrant_index", "advance", 1),
    ("publications", "expect", 1),
    ("publications", "advance", 1),
]
"""Stage, what it tells its progress, and which time: each part is recorded when it is told."""

QUESTIONS = ("Who kept the lighthouse?", "When does the ferry leave?", "What grows in the garden?")


@dataclass(frozen=True)
class Shelf:
    """A published library, and its folder as it was changed afterwards."""

    database: str
    home: Path
    folder: Path


@dataclass(frozen=True)
class Outcome:
    """Everything a run leaves behind."""

    ledger: dict[str, list[str]]
    points: set[str]
    blobs: set[str]
    found: list[list[tuple[str, str]]]


@pytest.fixture(scope="module")
def changed_shelf(
    postgres_server: str,
    template_database: str,
    embedders: dict[str, Embedder],
    tmp_path_factory: pytest.TempPathFactory,
    sync: Sync,
    write: Write,
) -> Shelf:
    """Four documents published; then one edited, one renamed, one deleted and two added."""
    place = tmp_path_factory.mktemp("kill")
    folder, name = place / "shelf", f"template_{uuid4().hex}"
    write(folder / "lighthouse.txt", "Hester Lowe kept the lighthouse for thirty years.\n")
    write(folder / "garden.txt", "In the garden grow quinces and one old pear tree.\n")
    write(folder / "bakery.md", "# Bakery\n\nThe bakery opens at five in the morning.\n")
    write(folder / "log.txt", "\n\n".join(_entry(day) for day in range(1, 20)))
    address = clone_database(postgres_server, template_database, name)
    with open_workspace(Settings(home=place / "home", database_url=address)) as opened:
        workspace = replace(opened, _embedders=embedders)
        sync(workspace, add_source(workspace, folder))
    (folder / "bakery.md").unlink()
    (folder / "garden.txt").rename(folder / "orchard.txt")
    write(folder / "lighthouse.txt", "Ida Lowe kept the lighthouse after her mother.\n")
    write(folder / "log.txt", "\n\n".join(_entry(day) for day in range(8, 40)))
    write(folder / "ferry.txt", "The ferry leaves at nine from the stone pier.\n")
    write(folder / "ferry-copy.txt", "The ferry leaves at nine from the stone pier.\n")
    write(folder / "empty.txt", "")
    return Shelf(name, place / "home", folder)


@pytest.fixture(scope="module")
def undisturbed(
    changed_shelf: Shelf,
    postgres_server: str,
    embedders: dict[str, Embedder],
    tmp_path_factory: pytest.TempPathFactory,
    sync: Sync,
    snapshot: Snapshot,
) -> Outcome:
    """What a run that nobody kills leaves behind."""
    home = tmp_path_factory.mktemp("undisturbed") / "home"
    with _copy(changed_shelf, home, postgres_server, embedders) as workspace:
        sync(workspace, read_source(workspace, "shelf"))
        return _outcome(workspace, snapshot)


@pytest.fixture
def copy(
    changed_shelf: Shelf, postgres_server: str, embedders: dict[str, Embedder], tmp_path: Path
) -> Iterator[Workspace]:
    """The library before the run, for this test alone."""
    with _copy(changed_shelf, tmp_path / "home", postgres_server, embedders) as workspace:
        yield workspace


def _differences(one: Outcome, other: Outcome) -> dict[str, set[str]]:
    """Rows of either ledger that the other lacks, by table."""
    tables = one.ledger.keys() | other.ledger.keys()
    found = {
        table: set(one.ledger.get(table, ())) ^ set(other.ledger.get(table, ())) for table in tables
    }
    return {table: rows for table, rows in found.items() if rows}


def _assert_same_end(outcome: Outcome, undisturbed: Outcome) -> None:
    assert not _differences(outcome, undisturbed)
    assert outcome == undisturbed


@pytest.fixture(scope="module")
def parent() -> Iterator[Parent]:
    """What doomed runs are forked from: they import nothing of their own."""
    with forking(*IMPORTED) as process:
        yield process


@pytest.fixture
def doom(parent: Parent, copy: Workspace, tmp_path: Path) -> Doom:
    """Begin a run that ends when told so."""
    where = (copy.settings.home, copy.database.address)
    return lambda *moment: parent.start(["-c", DOOMED, *where, *moment], tmp_path / "doomed.log")


@pytest.mark.parametrize(("stage", "event", "count"), MOMENTS)
def test_a_run_killed_at_any_stage_is_continued_to_the_same_end(
    copy: Workspace,
    undisturbed: Outcome,
    doom: Doom,
    tmp_path: Path,
    sync: Sync,
    snapshot: Snapshot,
    stage: str,
    event: str,
    count: int,
) -> None:
    ended = doom(stage, event, count).wait(120)
    assert ended == -signal.SIGKILL, (tmp_path / "doomed.log").read_text()
    sync(copy, read_source(copy, "shelf"))
    _assert_same_end(_outcome(copy, snapshot), undisturbed)


def test_a_run_killed_again_and_again_still_ends_where_it_should(
    copy: Workspace,
    undisturbed: Outcome,
    doom: Doom,
    tmp_path: Path,
    sync: Sync,
    snapshot: Snapshot,
) -> None:
    for stage, event in (("parsed_documents", "advance"), ("chunk_embeddings", "advance")) * 2:
        ended = doom(stage, event, 2).wait(120)
        assert ended in (0, -signal.SIGKILL), (tmp_path / "doomed.log").read_text()
    sync(copy, read_source(copy, "shelf"))
    _assert_same_end(_outcome(copy, snapshot), undisturbed)


def test_a_listing_whose_run_was_killed_does_not_bring_back_what_is_gone_since(
    copy: Workspace, changed_shelf: Shelf, doom: Doom, sync: Sync, write: Write
) -> None:
    """The doomed run has seen the file and waits for the ledger when it is killed."""
    late = write(changed_shelf.folder / "late.txt", "The late post comes by bicycle.\n")
    with psycopg.connect(copy.database.address) as connection:
        connection.execute("LOCK TABLE knowledge.source_files IN EXCLUSIVE MODE")
        doomed = doom("", "", 1)
        _wait_until_it_waits(copy.database.address)
        doomed.kill()
        doomed.wait(120)
    late.unlink()
    sync(copy, read_source(copy, "shelf"))
    paths = {item.path for item in list_documents(copy)}
    assert paths == {path.name for path in changed_shelf.folder.iterdir()}
    with psycopg.connect(copy.database.address) as connection:
        rows = connection.execute("SELECT path FROM knowledge.source_files").fetchall()
    assert {str(row[0]) for row in rows} == paths


@contextmanager
def _copy(
    shelf: Shelf, home: Path, server: str, embedders: dict[str, Embedder]
) -> Generator[Workspace]:
    with (
        cloned_database(server, shelf.database) as address,
        open_workspace(Settings(home=copy_home(shelf.home, home), database_url=address)) as opened,
    ):
        yield replace(opened, _embedders=embedders)


def _outcome(workspace: Workspace, snapshot: Snapshot) -> Outcome:
    assert [count for count in verify(workspace) if not count.is_equal] == []
    points: set[str] = set()
    for generation in fed_generations(workspace):
        with workspace.qdrant_index(generation) as index:
            points |= index.chunk_ids()
    found = [search(workspace, question, SearchFilter()) for question in QUESTIONS]
    return Outcome(
        ledger=snapshot(workspace),
        points=points,
        blobs=workspace.blobs.hashes(),
        found=[[(hit.path, hit.text) for hit in hits] for hits in found],
    )


def _wait_until_it_waits(address: str) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        for _ in range(1200):
            row = connection.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted"
                " AND relation = 'knowledge.source_files'::regclass"
            ).fetchone()
            if row and row[0]:
                return
            time.sleep(0.05)
    pytest.fail("the run never came to write its listing")


def _entry(day: int) -> str:
    """A day of the log: a heading and enough words for a chunk of its own."""
    words = ("wind", "rain", "oil", "wick", "glass", "brass", "paint", "gull") * 9
    return f"# Day {day}\n\n" + " ".join(f"{word} {day * 7 + n}" for n, word in enumerate(words))
