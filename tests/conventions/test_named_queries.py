"""The named SQL queries: each used, each found, and obvious or explained."""

import ast
import re
from pathlib import Path

import pytest
from house_files import ROOT, modules, shown, strings, tree

from alexandria.adapters.postgres import named_queries
from alexandria.workflows.stages.analytics import LEDGER_TABLES

FILES = tuple(sorted((ROOT / "alexandria" / "adapters" / "sql").glob("*.sql")))
CALLS = frozenset(
    ("fetch", "fetch_one", "records", "column", "value", "execute", "execute_many", "copy")
)
"""Methods of `Database` that take a query's name."""

OBVIOUS_LINES = 12
"""A query longer than this says its purpose in a comment."""


def _queries_in(text: str) -> dict[str, str]:
    parts = re.split(r"^-- name: ", text, flags=re.MULTILINE)[1:]
    return {part.partition("\n")[0].strip(): part.partition("\n")[2].strip() for part in parts}


def _made_names() -> set[str]:
    return {f"export_{table.replace('.', '_')}" for table in LEDGER_TABLES}


def test_no_name_is_given_twice() -> None:
    names = [name for file in FILES for name in re.findall(r"-- name: (\S+)", file.read_text())]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, f"Rename one of each: {twice}"


def test_every_query_is_used() -> None:
    mentioned = {text for path in modules() for text in strings(path)} | _made_names()
    unused = sorted(set(named_queries()) - mentioned)
    assert not unused, f"Delete these queries, or call them: {unused}"


def test_every_query_that_is_called_exists() -> None:
    known = set(named_queries())
    missing: list[str] = []
    for path in modules():
        for node in ast.walk(tree(path)):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            owner = ast.unparse(node.func.value)
            if node.func.attr not in CALLS or not owner.split(".")[-1].endswith("database"):
                continue
            place = 1 if node.func.attr in {"fetch", "fetch_one"} else 0
            name = node.args[place]
            if isinstance(name, ast.Constant) and name.value not in known:
                missing.append(f"{shown(path)}:{node.lineno} {name.value}")
    assert not missing, f"No .sql file has a query of these names: {missing}"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_query_that_is_not_obvious_says_its_purpose(file: Path) -> None:
    silent = [
        name
        for name, body in _queries_in(file.read_text(encoding="utf-8")).items()
        if body.count("\n") >= OBVIOUS_LINES and not body.startswith("--")
    ]
    assert not silent, f"Write one line below `-- name:` that says what these are for: {silent}"
