"""The command line in this process, on a library of the test's own."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from alexandria.adapters.schema import ensure_database

Cli = Callable[..., Result]
"""Run `alexandria` with these arguments, on the home of the test."""


@pytest.fixture
def environment(postgres_server: str, database_address: str) -> Iterator[dict[str, str]]:
    """Variables that point commands at the test's databases; what they set is undone."""
    before = dict(os.environ)
    given = {
        "ALEXANDRIA_DATABASE_URL": database_address,
        "ALEXANDRIA_DAGSTER_DATABASE_URL": ensure_database(postgres_server, "dagster"),
        "COLUMNS": "200",
    }
    os.environ.update(given)
    yield given
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def cli(environment: dict[str, str], tmp_path: Path) -> Cli:
    """Run a command as a person would; the home is the test's own unless one is named."""
    from pipelines.cli.main import app

    def run(*arguments: object) -> Result:
        os.environ["ALEXANDRIA_HOME"] = str(tmp_path / "home")
        return CliRunner().invoke(app, [str(item) for item in arguments])

    return run


@pytest.fixture
def shelf(tmp_path: Path, write: Callable[[Path, str], Path]) -> Path:
    """A folder with two documents and an empty file."""
    write(tmp_path / "shelf/lighthouse.txt", "Hester Lowe kept the lighthouse for thirty years.\n")
    write(tmp_path / "shelf/bakery.md", "# The bakery\n\nThe bakery opens at five.\n")
    write(tmp_path / "shelf/empty.txt", "")
    return tmp_path / "shelf"
