"""Which files the conventions are about, and their syntax trees."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("alexandria", "assets", "pipelines", "serving")
MIGRATIONS = ROOT / "alexandria" / "adapters" / "migrations"


@cache
def tracked_files() -> tuple[Path, ...]:
    """Every file that is in the repository or would be added to it."""
    command = ["git", "-c", "safe.directory=*", "ls-files", "-co", "--exclude-standard", "-z"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this checkout is not a git repository")
    names = sorted(set(listed.stdout.decode().split("\0")) - {""})
    return tuple(path for path in (ROOT / name for name in names) if path.is_file())


@cache
def modules() -> tuple[Path, ...]:
    """Every Python module of the four packages."""
    return tuple(path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py")))


def module_names() -> Iterator[str]:
    """Dotted names of the modules that Python imports; Alembic loads the migrations itself."""
    for path in modules():
        if not path.is_relative_to(MIGRATIONS):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def shown(path: Path) -> str:
    """The path as a reader of the repository writes it."""
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method of a module, nested ones included."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def strings(path: Path) -> Iterator[str]:
    """Every string constant of a module."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
