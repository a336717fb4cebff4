"""The command line in this process, on a library of the test's own."""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from copies import clone_database, cloned_database, copy_home
from typer.testing import CliRunner, Result

from alexandria.adapters.schema import ensure_database
from alexandria.knowledge.embedding import Embedder
from alexandria.settings import Settings
from alexandria.workflows.progress import Progress
from alexandria.workflows.workspace import Workspace, open_workspace

Cli = Callable[..., Result]
"""Run `alexandria` with these arguments, on the home of the test."""
Write = Callable[[Path, str], Path]


@contextmanager
def _pointed_at(database: str, postgres_server: str) -> Generator[dict[str, str]]:
    """Variables that point commands at databases; whatever they set is undone."""
    before = dict(os.environ)
    given = {
        "ALEXANDRIA_DATABASE_URL": database,
        "ALEXANDRIA_DAGSTER_DATABASE_URL": ensure_database(postgres_server, "dagster"),
        "COLUMNS": "200",
    }
    os.environ.update(given)
    try:
        yield given
    finally:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture
def environment(postgres_server: str, database_address: str) -> Iterator[dict[str, str]]:
    """Variables that point commands at the test's databases; what they set is undone."""
    with _pointed_at(database_address, postgres_server) as given:
        yield given


@pytest.fixture(scope="module")
def loaded_models(embedders: dict[str, Embedder]) -> Iterator[None]:
    """Each command opens the library anew, as in a process of its own, but for its models."""

    @contextmanager
    def opened(settings: Settings, progress: Progress | None = None) -> Generator[Workspace]:
        with open_workspace(settings, progress) as workspace:
            yield replace(workspace, _embedders=embedders)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.cli.console.open_workspace", opened)
        yield


def _run(home: Path, *arguments: object) -> Result:
    from pipelines.cli.main import app

    os.environ["ALEXANDRIA_HOME"] = str(home)
    return CliRunner().invoke(app, [str(item) for item in arguments])


@pytest.fixture
def cli(environment: dict[str, str], loaded_models: None, tmp_path: Path) -> Cli:
    """Run a command as a person would; the home is the test's own unless one is named."""
    return lambda *arguments: _run(tmp_path / "home", *arguments)


def _write_shelf(folder: Path, write: Write) -> Path:
    write(folder / "lighthouse.txt", "Hester Lowe kept the lighthouse for thirty years.\n")
    write(folder / "bakery.md", "# The bakery\n\nThe bakery opens at five.\n")
    write(folder / "empty.txt", "")
    return folder


@pytest.fixture
def shelf(tmp_path: Path, write: Write) -> Path:
    """A folder with two documents and an empty file."""
    return _write_shelf(tmp_path / "shelf", write)


@pytest.fixture(scope="module")
def town_template(
    postgres_server: str,
    template_database: str,
    loaded_models: None,
    tmp_path_factory: pytest.TempPathFactory,
    write: Write,
) -> tuple[str, Path, Path]:
    """Name of a database, a home, and the folder that `alexandria ingest` brought in there."""
    place, name = tmp_path_factory.mktemp("town"), f"template_{uuid4().hex}"
    folder = _write_shelf(place / "shelf", write)
    address = clone_database(postgres_server, template_database, name)
    with _pointed_at(address, postgres_server):
        told = _run(place / "home", "ingest", folder, "--name", "town", "--tag", "local")
    assert told.exit_code == 0, told.output
    return name, place / "home", folder


@pytest.fixture
def town(
    town_template: tuple[str, Path, Path],
    postgres_server: str,
    environment: dict[str, str],
    tmp_path: Path,
) -> Iterator[Path]:
    """The folder of the source `town`, which the test's library holds already."""
    name, home, folder = town_template
    copy_home(home, tmp_path / "home")
    with cloned_database(postgres_server, name) as address:
        os.environ["ALEXANDRIA_DATABASE_URL"] = environment["ALEXANDRIA_DATABASE_URL"] = address
        yield folder
