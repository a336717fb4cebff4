"""How modules are named, opened, sized and what they never do. The messages say the fix."""

import ast
import statistics
from collections import Counter
from pathlib import Path

import pytest
from house_files import PACKAGES, ROOT, functions, modules, shown, tracked_files, tree

DRAWERS = {"utils", "util", "helpers", "helper", "common", "misc", "core", "lib", "tools", "stuff"}
"""Names that say nothing, so anything ends up in them."""

MODULES_PER_FOLDER = 12
LINES_PER_MODULE = 400
LINES_PER_FUNCTION = 50
MEDIAN_FUNCTION_LINES = 10

BROAD_HANDLERS = {
    "alexandria/adapters/qdrant/folder.py": "the Qdrant engine's exceptions have no class of "
    "their own to name; all others are raised again as they are",
    "alexandria/knowledge/parsing/reading.py": "readers' libraries raise what they like on "
    "damaged input; here all of it becomes CorruptFileError, and MemoryError passes",
}
"""Modules that may catch everything, once, and why."""

ENVIRONMENT = {
    "alexandria/adapters/great_expectations.py": "switches its usage reports off",
    "alexandria/adapters/litellm.py": "tells litellm not to download its price list",
}
"""Modules outside `pipelines/` that may touch `os.environ`, and why."""


FOLDERS = {".ci", *PACKAGES, "bench", "dbt", "deploy", "docs", "sample", "tests"}
"""At the top of the repository; whatever else lies there came by accident."""


def test_the_repository_holds_the_folders_of_the_house_and_no_other() -> None:
    inside = [path.relative_to(ROOT).parts for path in tracked_files()]
    found = {parts[0] for parts in inside if len(parts) > 1}
    assert found == FOLDERS, f"Move or remove {sorted(found ^ FOLDERS)}, or name it here."


@pytest.mark.parametrize("path", modules(), ids=shown)
def test_a_module_says_what_it_is_for(path: Path) -> None:
    opening = (ast.get_docstring(tree(path)) or "").split("\n")[0]
    assert len(opening.split()) >= 3, (
        f"{shown(path)}: open it with a docstring that says what belongs in it."
    )
    assert opening.endswith((".", ":", "?")), (
        f"{shown(path)}: make the first line of its docstring a sentence: {opening!r}"
    )


def test_no_module_is_a_drawer() -> None:
    found = [
        shown(path) for path in modules() if path.stem in DRAWERS or path.parent.name in DRAWERS
    ]
    assert not found, f"Name these after what they are about, not after being useful: {found}"


def test_no_folder_is_crowded() -> None:
    counts = Counter(path.parent for path in modules() if path.stem != "__init__")
    crowded = {shown(path): n for path, n in counts.items() if n > MODULES_PER_FOLDER}
    assert not crowded, (
        f"More than {MODULES_PER_FOLDER} modules in {crowded}: split the folder by family."
    )


def test_no_module_is_long() -> None:
    lengths = {shown(path): len(path.read_text(encoding="utf-8").split("\n")) for path in modules()}
    long = {name: lines for name, lines in lengths.items() if lines > LINES_PER_MODULE}
    assert not long, (
        f"Split these where their subject splits; {LINES_PER_MODULE} lines at most: {long}"
    )


def test_functions_are_short() -> None:
    lengths = {
        f"{shown(path)}:{node.lineno} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in modules()
        for node in functions(path)
    }
    long = {name: lines for name, lines in lengths.items() if lines > LINES_PER_FUNCTION}
    assert not long, f"Take a named step out; {LINES_PER_FUNCTION} lines at most: {long}"
    assert statistics.median(lengths.values()) <= MEDIAN_FUNCTION_LINES


def _catches_everything(node: ast.AST) -> bool:
    if not isinstance(node, ast.ExceptHandler):
        return False
    caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    names = {item.id for item in caught if isinstance(item, ast.Name)}
    return node.type is None or bool(names & {"Exception", "BaseException"})


def test_nothing_catches_everything() -> None:
    counts = Counter(
        shown(path)
        for path in modules()
        for node in ast.walk(tree(path))
        if _catches_everything(node)
    )
    assert dict(counts) == dict.fromkeys(BROAD_HANDLERS, 1), (
        "Catch the errors that are meant, or list the module in BROAD_HANDLERS with its reason."
    )


def _touches_environment(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and node.attr in {"environ", "getenv", "putenv"}
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    ) or (
        isinstance(node, ast.ImportFrom)
        and node.module == "os"
        and "environ" in {item.name for item in node.names}
    )


def test_the_environment_is_read_where_a_process_begins() -> None:
    found = {
        shown(path)
        for path in modules()
        if not shown(path).startswith("pipelines/")
        and any(_touches_environment(node) for node in ast.walk(tree(path)))
    }
    assert found == set(ENVIRONMENT), (
        "Take a value from Settings instead of os.environ, or give the reason in ENVIRONMENT."
    )


def test_nothing_prints() -> None:
    found = [
        f"{shown(path)}:{node.lineno}"
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "print"
    ]
    assert not found, f"Commands print through pipelines.cli.console; others use logging: {found}"


def test_no_folder_named_dbt_holds_python() -> None:
    found = [shown(path) for path in (ROOT / "dbt").rglob("*.py")]
    assert not found, f"Any .py below dbt/ hides dbt-core's own package from Python; move {found}."


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {path.parent for path in modules()} - {ROOT / name for name in PACKAGES}
    bare = [
        shown(folder)
        for folder in folders
        if "migrations" not in folder.parts and not (folder / "__init__.py").exists()
    ]
    assert not bare, f"Add an __init__.py with a charter to {bare}."
