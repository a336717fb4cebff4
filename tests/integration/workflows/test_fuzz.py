"""Damaged files through the real stages: every one ends chunked, or in quarantine with a reason."""

import importlib
import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alexandria.workflows.operating.sources import add_source
from alexandria.workflows.operating.status import read_status
from alexandria.workflows.reading.documents import list_documents
from alexandria.workflows.workspace import Workspace

TESTS = Path(__file__).resolve().parents[2]
MUTANTS = 60
Write = Callable[[Path, str | bytes], Path]


@pytest.fixture
def fuzz(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The benchmark's own module; benchmarks are not installed."""
    monkeypatch.syspath_prepend(str(TESTS.parent))  # pyright: ignore[reportUnknownMemberType]
    return importlib.import_module("bench.fuzz")


@pytest.fixture(scope="module")
def samples() -> dict[str, bytes]:
    """The samples of the parsing tests: one small file of each format."""
    folder = TESTS / "unit" / "knowledge" / "parsing"
    spec = importlib.util.spec_from_file_location("parsing_samples", folder / "conftest.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))  # pyright: ignore[reportUnknownMemberType]
        spec.loader.exec_module(module)
    return module.SAMPLES


def test_the_same_seed_gives_the_same_mutants(fuzz: Any, samples: dict[str, bytes]) -> None:
    first = dict(fuzz.make_mutants(samples, 30))
    assert first == dict(fuzz.make_mutants(samples, 30))
    assert first != dict(fuzz.make_mutants(samples, 30, seed=1))
    assert len(set(first.values())) > 20


def test_every_mutant_is_accounted_for(
    workspace: Workspace, tmp_path: Path, write: Write, samples: dict[str, bytes], fuzz: Any
) -> None:
    mutants = dict(fuzz.make_mutants(samples, MUTANTS))
    for name, content in mutants.items():
        write(tmp_path / "mutants" / name, content)
    source = add_source(workspace, tmp_path / "mutants")
    fuzz.run_stages(workspace, source)
    found = fuzz.survey(workspace, source, set(mutants))
    assert found.lost == []
    assert found.unexplained == []
    assert found.imbalance == ""
    assert found.reasons[fuzz.CRASHED] == found.reasons[fuzz.HUNG] == 0
    assert found.states["chunked"] > MUTANTS / 4
    assert found.states["quarantined"] > 0
    assert sum(found.states.values()) >= MUTANTS
    assert all(entry.reason.isprintable() for entry in read_status(workspace).quarantine)


def test_files_of_any_name_are_taken_in(workspace: Workspace, tmp_path: Path, fuzz: Any) -> None:
    names = {
        "план.txt".encode(): "план.txt",
        "計画 2.txt".encode(): "計画 2.txt",
        "e\u0301te\u0301.txt".encode(): "été.txt",
        b"\xe9t\xe9.txt": r"\xe9t\xe9.txt",
        b"two\nlines.txt": "two\nlines.txt",
        b"'; DROP TABLE files.txt": "'; DROP TABLE files.txt",
        b"x" * 250 + b".txt": "x" * 250 + ".txt",
    }
    (tmp_path / "names").mkdir()
    for number, name in enumerate(names):
        path = os.path.join(os.fsencode(tmp_path / "names"), name)  # noqa: PTH118 - no str names it
        with open(path, "w") as file:  # noqa: PTH123
            file.write(f"Bed {number} holds beans, peas and one old pear tree.")
    source = add_source(workspace, tmp_path / "names")
    fuzz.run_stages(workspace, source)
    found = {one.path: one.state for one in list_documents(workspace)}
    assert found == dict.fromkeys(names.values(), "chunked")
