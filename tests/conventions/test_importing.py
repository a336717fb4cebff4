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
"""The one module that does something when imported: it reads dbt's manifest for Dagster."""

WATCHED_IMPORT = """
import importlib, json, os, sys

root, names, seen = sys.argv[1], sys.argv[2].split(","), []
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
ACTIONS = ("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.system",
           "os.mkdir", "os.remove", "os.rename", "os.rmdir", "shutil.copyfile", "shutil.rmtree")

def watch(event, arguments):
    if event in ACTIONS:
        seen.append(f"{event} {arguments[:2]}")
    elif event == "open" and isinstance(arguments[0], str):
        path = os.path.abspath(arguments[0])
        ours = path.startswith(root + os.sep) and "site-packages" not in path
        if (arguments[2] or 0) & WRITES and path != os.devnull:
            seen.append(f"writes {path}")
        elif ours and not path.endswith((".py", ".pyc", ".pth")):
            seen.append(f"reads {path}")

kind = type(os.environ)
read = kind.__getitem__

def read_variable(environment, name):
    if str(name).startswith("ALEXANDRIA_"):
        seen.append(f"reads the variable {name}")
    return read(environment, name)

kind.__getitem__ = read_variable
import pydantic_settings
build = pydantic_settings.BaseSettings.__init__

def build_settings(self, *values, **named):
    if type(self).__module__.startswith("alexandria"):
        seen.append("builds Settings")
    build(self, *values, **named)

pydantic_settings.BaseSettings.__init__ = build_settings
sys.addaudithook(watch)
for name in names:
    importlib.import_module(name)
sys.stdout.write(json.dumps({"seen": seen, "modules": sorted(sys.modules)}))
"""


def _import_watched(names: list[str], folder: Path) -> tuple[list[str], set[str]]:
    """What importing did, and which top-level packages it brought."""
    done = subprocess.run(
        [sys.executable, "-B", "-c", WATCHED_IMPORT, str(ROOT), ",".join(names)],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answer = json.loads(done.stdout)
    return answer["seen"], {name.split(".")[0] for name in answer["modules"]}


def _names(*packages: str) -> list[str]:
    return [name for name in module_names() if name.split(".")[0] in packages]


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
            [name for name in _names("assets", "pipelines") if name != CODE_LOCATION],
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


def test_a_command_that_only_prints_help_leaves_no_trace(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipelines.cli.main", "--help"]
    subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, check=True)
    assert not list(tmp_path.iterdir())
