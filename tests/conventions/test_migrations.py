"""The database's schema: one line of migrations, forward only, safe to run again."""

import ast
import re
from pathlib import Path

import psycopg
import pytest
from house_files import MIGRATIONS, functions, tree
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from alexandria.adapters.schema import HEAD, address_of, ensure_database, migrate

VERSIONS = tuple(sorted((MIGRATIONS / "versions").glob("*.py")))
WITHOUT_PRIMARY_KEY = {
    "knowledge.publications": "history: a document is published, withdrawn and published again; "
    "a partial unique index allows one row that is not withdrawn",
}
"""Tables whose rows need no identity, and why."""


def _assigned(path: Path, name: str) -> object:
    for node in tree(path).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.literal_eval(node.value)
    return None


def test_files_are_numbered_without_gaps_and_say_what_they_do() -> None:
    for number, path in enumerate(VERSIONS, start=1):
        assert re.fullmatch(rf"{number:04d}_[a-z]+_[a-z_]+\.py", path.name), (
            f"Name it {number:04d}_<verb>_<object>.py: {path.name}"
        )
        assert ast.get_docstring(tree(path)), f"{path.name}: say in its docstring what it changes."


def test_each_migration_follows_the_one_before() -> None:
    revisions = [_assigned(path, "revision") for path in VERSIONS]
    parents = [_assigned(path, "down_revision") for path in VERSIONS]
    assert revisions == [path.name[:4] for path in VERSIONS]
    assert parents == [None, *revisions[:-1]]


def test_head_is_the_newest_file() -> None:
    assert VERSIONS[-1].name[:4] == HEAD, "Raise HEAD in alexandria/adapters/schema.py."


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_migrations_go_forward_only(path: Path) -> None:
    assert {node.name for node in functions(path)} == {"upgrade"}, (
        "Write the next migration instead of a way back; going back is restoring a backup."
    )


@pytest.fixture(scope="module")
def fresh_database(postgres_server: str) -> str:
    """A database without any schema, brought to the newest one here."""
    address = ensure_database(postgres_server, "conventions")
    assert migrate(address) is True
    return address


def test_a_second_run_does_nothing(fresh_database: str) -> None:
    before = _catalogue(fresh_database)
    assert migrate(fresh_database) is False
    assert _catalogue(fresh_database) == before


def test_several_processes_may_start_at_once(postgres_server: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    address = ensure_database(postgres_server, "conventions_race")
    with ThreadPoolExecutor(3) as threads:
        migrated = list(threads.map(migrate, [address] * 3))
    assert any(migrated)
    with psycopg.connect(address) as connection:
        rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    assert rows == [(HEAD,)]


def test_every_table_has_a_primary_key(fresh_database: str) -> None:
    found = {
        table
        for table, (kind, _, keyed) in _catalogue(fresh_database).items()
        if kind in "rp" and not keyed
    }
    assert found == set(WITHOUT_PRIMARY_KEY), (
        "Give the table a primary key, or its reason in WITHOUT_PRIMARY_KEY."
    )


def test_columns_are_named_by_the_house_rules(fresh_database: str) -> None:
    wrong = [
        f"{table}.{column} {kind}"
        for table, (_, columns, _) in _catalogue(fresh_database).items()
        for column, kind in columns
        if (kind == "boolean") != column.startswith(("is_", "has_"))
        or (kind == "timestamp with time zone")
        != (column.endswith("_at") or column in {"valid_from", "valid_to"})
        or kind == "timestamp without time zone"
    ]
    assert not wrong, f"is_/has_ is boolean, _at is timestamptz, and the other way round: {wrong}"


def test_an_address_survives_being_taken_apart(postgres_server: str) -> None:
    parts = conninfo_to_dict(postgres_server)
    with psycopg.connect(address_of(parts, str(parts["dbname"]))) as connection:
        assert connection.execute(sql.SQL("SELECT 1")).fetchone() == (1,)


def _catalogue(address: str) -> dict[str, tuple[str, tuple[tuple[str, str], ...], bool]]:
    """Kind, columns with types, and whether there is a primary key, of each of our tables."""
    query = """
        SELECT namespace.nspname || '.' || class.relname, class.relkind::text,
            array_agg(ARRAY[attribute.attname, format_type(attribute.atttypid, NULL)]
                      ORDER BY attribute.attnum),
            EXISTS (SELECT FROM pg_constraint
                    WHERE conrelid = class.oid AND contype = 'p')
        FROM pg_class AS class
        JOIN pg_namespace AS namespace ON namespace.oid = class.relnamespace
        JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid
        WHERE namespace.nspname IN ('knowledge', 'insights') AND class.relkind IN ('r', 'p', 'v')
            AND attribute.attnum > 0 AND NOT attribute.attisdropped
        GROUP BY namespace.nspname, class.relname, class.relkind, class.oid
        ORDER BY 1"""
    with psycopg.connect(address) as connection:
        rows = connection.execute(query).fetchall()
    return {
        table: (kind, tuple((name, form) for name, form in columns), keyed)
        for table, kind, columns, keyed in rows
    }
