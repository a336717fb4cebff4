"""A small shelf of documents, its source, and ways to look at what readers see."""

from collections.abc import Callable
from pathlib import Path

import pytest

from alexandria.knowledge.indexing import SearchFilter
from alexandria.workflows.operating.generations import Generation, fed_generations
from alexandria.workflows.operating.sources import Source, add_source
from alexandria.workflows.quality.verification import Count, verify
from alexandria.workflows.reading.searching import search
from alexandria.workflows.workspace import Workspace

SHELF = {
    "lighthouse.txt": "Hester Lowe kept the lighthouse on Gannet Head for thirty years.\n\n"
    "She lit the lamp at dusk and wound the clockwork every four hours.\n",
    "bakery.md": "# The bakery\n\nThe bakery in Mill Lane opens at five in the morning.\n\n"
    "Its rye bread rises overnight in baskets of willow.\n",
    "garden.txt": "The walled garden grows quinces, medlars and one old pear tree.\n",
}

Found = Callable[..., list[tuple[str, str]]]
"""Path and text of what a search shows, best first."""


@pytest.fixture
def shelf(tmp_path: Path, write: Callable[[Path, str], Path]) -> Path:
    """A folder with three short documents."""
    for name, text in SHELF.items():
        write(tmp_path / "shelf" / name, text)
    return tmp_path / "shelf"


@pytest.fixture
def source(workspace: Workspace, shelf: Path) -> Source:
    """The shelf as a source, not run yet."""
    return add_source(workspace, shelf)


@pytest.fixture
def found(workspace: Workspace) -> Found:
    """Search as a reader does."""

    def ask(question: str, limit: int = 10) -> list[tuple[str, str]]:
        where = SearchFilter(tenant_id=workspace.settings.tenant_id)
        return [(hit.path, hit.text) for hit in search(workspace, question, where, limit=limit)]

    return ask


@pytest.fixture
def points(workspace: Workspace) -> Callable[[], set[str]]:
    """The ids that Qdrant holds, of every generation."""

    def read() -> set[str]:
        return set().union(*(_points(workspace, item) for item in fed_generations(workspace)))

    return read


@pytest.fixture
def differences(workspace: Workspace) -> Callable[[], list[Count]]:
    """What `verify` counts differently in two places."""
    return lambda: [count for count in verify(workspace) if not count.is_equal]


def _points(workspace: Workspace, generation: Generation) -> set[str]:
    with workspace.qdrant_index(generation) as index:
        return index.chunk_ids()
