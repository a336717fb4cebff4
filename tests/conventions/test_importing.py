"""Which way imports point, and that importing does nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from house_files import ROOT, module_names

HEAVY = (
    "dbt",
    "dlt",
    "great_expectations",
    "litellm",
    "nncf",
    "openvino",
    "sentence_transformers",
    "torch",
    "transformers",
    "unstructured",
)
"""Each takes seconds to import: only inside the function that needs it."""

CODE_LOCATION = "pipelines.definitions"
"""A module that does something when imported: it reads dbt's manifest for Dagster."""

PRELOADED = "alexandria.workflows.stages.preloaded"
"""The other one: only the server that workers are forked from imports it, to load for them all."""

WATCHED_IMPORT = Path(__file__).with_name("watched_import.py")


def _import_watched(
    names: list[str], folder: Path, root: Path = ROOT
) -> tuple[list[str], set[str]]:
    """What importing did, and which top-level packages it brought."""
    done = subprocess.run(
        [sys.executable, "-B", str(WATCHED_IMPORT), str(root), ",".join(names)],
        cwd=folder,
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answer = json.loads(done.stdout)
    return answer["seen"], {name.split(".")[0] for name in answer["modules"]}


def _names(*packages: str) -> list[str]:
    found = [name for name in module_names() if name.split(".")[0] in packages]
    return [name for name in found if name not in (CODE_LOCATION, PRELOADED)]


def test_import_contracts_hold() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"An import points the wrong way:\n{done.stdout[-3000:]}"


@pytest.mark.parametrize(
    ("names", "absent"),
    [
        pytest.param(
            _names("alexandria"), (*HEAVY, "dagster", "fastapi", "typer"), id="alexandria"
        ),
        pytest.param(_names("serving"), (*HEAVY, "dagster", "typer"), id="serving"),
        pytest.param(["pipelines.cli.main"], (*HEAVY, "dagster", "fastapi"), id="command"),
        pytest.param(
            _names("assets", "pipelines"),
            tuple(name for name in HEAVY if name != "dbt"),
            id="graph",
        ),
    ],
)
def test_importing_does_nothing(names: list[str], absent: tuple[str, ...], tmp_path: Path) -> None:
    seen, packages = _import_watched(names, tmp_path)
    assert not seen, "Do this in a function that is called, not while the module is imported."
    heavy = sorted(packages & set(absent))
    assert not heavy, f"Import {heavy} inside the function that needs it."
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "statement",
    [
        "open('trace', 'w').close()",
        "import os; os.mkdir('trace')",
        "import os; os.environ.get('ALEXANDRIA_HOME')",
        "import socket; socket.socket().connect_ex(('127.0.0.1', 9))",
        "import subprocess, sys; subprocess.run([sys.executable, '-c', ''])",
        "import pathlib; pathlib.Path(__file__).with_name('notes.txt').read_text()",
    ],
)
def test_the_watch_sees_what_a_module_does(statement: str, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("a file beside the module")
    (tmp_path / "planted.py").write_text(statement)
    seen, _ = _import_watched(["planted"], tmp_path, root=tmp_path)
    assert seen


def test_a_command_that_only_prints_help_leaves_no_trace(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipelines.cli.main", "--help"]
    subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, check=True)
    assert not list(tmp_path.iterdir())
