"""One library of two tenants, three people in each, and secrets that few of them may know."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from copies import clone_database
from planted_library import World, plant_library

from alexandria.knowledge.embedding import Embedder
from alexandria.settings import Settings
from alexandria.workflows.workspace import open_workspace

Write = Callable[[Path, str | bytes], Path]


@pytest.fixture(scope="session")
def world(
    postgres_server: str,
    template_database: str,
    embedders: dict[str, Embedder],
    tmp_path_factory: pytest.TempPathFactory,
    write: Write,
) -> Iterator[World]:
    """The library, read, published and open, with everybody's secrets."""
    name, folder = "test_isolation", tmp_path_factory.mktemp("isolation")
    settings = Settings(
        home=folder / "home",
        database_url=clone_database(postgres_server, template_database, name),
        tenant_id="ours",
        rate_limit_requests=10_000_000,
        sign_in_limit=10_000_000,
        reading_workers=1,
    )
    with open_workspace(settings) as opened:
        workspace = replace(opened, _embedders=embedders)
        yield plant_library(workspace, folder, write)
