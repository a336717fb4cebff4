"""Nobody is let in by accident: row-level security, the roles of the API, declared routes."""

from collections.abc import Callable, Iterator
from inspect import signature
from typing import Any

import psycopg
import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from psycopg.conninfo import conninfo_to_dict
from starlette.routing import Mount, Route

from alexandria.adapters.postgres import Database
from alexandria.adapters.schema import address_of
from alexandria.identity.permissions import Permission
from alexandria.settings import Settings
from serving.admission.families import declared_access, routes_of
from serving.app import create_app
from serving.dependencies import get_library
from serving.library import Library

Rows = list[tuple[Any, ...]]
Ask = Callable[[str], Rows]

HOLD_NOBODYS_ROWS = {
    "knowledge.index_generations": "settings of an index and how many entries it has",
    "knowledge.term_statistics": "how many entries have a term, over all tenants, by its number",
    "identity.rate_limits": "counters, which the reader may not see at all",
}
"""Tables without row-level security, and what they hold instead of somebody's rows."""

CLOSED_TO_READERS = {
    "identity.audit_head",
    "identity.rate_limits",
    "identity.refresh_tokens",
    "identity.sign_in_failures",
    "identity.signing_keys",
    "knowledge.index_removals",
}

SECRET_COLUMNS = {("users", "password_hash"), ("api_keys", "key_hash")}

RUN_AS_THEIR_OWNER = {
    "identity.chain_audit_event": "an event gets its number and hash whoever writes it",
    "knowledge.count_documents": "metrics count documents of all tenants and see nothing else",
}
"""Functions with the rights of the tables' owner, and why."""

PUBLIC = {
    "read_docs",
    "read_page",
    "read_jwks",
    "check_liveness",
    "check_readiness",
    "read_metrics",
    "register",
    "login",
    "refresh",
    "list_providers",
    "authorize",
    "come_back",
    "login_with_provider",
    "refresh_v2",
}
"""Operations for everybody: most come before anybody is known."""

OURS = "namespace.nspname IN ('knowledge', 'insights', 'identity')"
JOINED = "FROM pg_class AS class JOIN pg_namespace AS namespace ON namespace.oid = relnamespace"


@pytest.fixture(scope="module")
def ask(postgres_server: str, template_database: str) -> Iterator[Ask]:
    """Rows of a query to a database with the newest schema."""
    parts = conninfo_to_dict(postgres_server)
    with psycopg.connect(address_of(parts, template_database), autocommit=True) as connection:
        yield lambda query: connection.execute(query).fetchall()  # type: ignore[arg-type]


def test_every_table_has_row_level_security_and_a_policy_or_is_closed(ask: Ask) -> None:
    rows = ask(
        f"""SELECT namespace.nspname || '.' || relname, relrowsecurity,
                EXISTS (SELECT FROM pg_policy WHERE polrelid = class.oid
                    AND 'alexandria_reader'::regrole = ANY(polroles)),
                has_any_column_privilege('alexandria_reader', class.oid,
                    'SELECT, INSERT, UPDATE, REFERENCES')
                OR has_table_privilege('alexandria_reader', class.oid, 'DELETE')
            {JOINED} WHERE {OURS} AND relkind IN ('r', 'p') AND NOT relispartition"""
    )
    open_tables = {name for name, is_secured, _, _ in rows if not is_secured}
    assert open_tables == set(HOLD_NOBODYS_ROWS), (
        "Give the table a policy for alexandria_reader as migration 0004 does, in the "
        "migration that makes it; if it holds nobody's rows, say in HOLD_NOBODYS_ROWS what it is."
    )
    unruled = {name for name, is_secured, ruled, _ in rows if is_secured and not ruled}
    assert unruled <= CLOSED_TO_READERS, (
        "Write the policy that says which rows a reader sees, or close the table: "
        f"{sorted(unruled - CLOSED_TO_READERS)}"
    )
    readable = {name for name, _, _, may in rows if may}
    assert not readable & CLOSED_TO_READERS, (
        f"Revoke from alexandria_reader: {sorted(readable & CLOSED_TO_READERS)}"
    )


def test_new_tables_begin_closed_and_there_are_no_views_around_policies(ask: Ask) -> None:
    assert ask("SELECT defaclrole::regrole, defaclobjtype FROM pg_default_acl") == [], (
        "Grant on each table by name: with default privileges a new one is open from the start."
    )
    views = ask(f"SELECT relname {JOINED} WHERE {OURS} AND relkind IN ('v', 'm')")
    assert views == [], "A view reads with the rights of its owner, whom policies do not hold."


def test_no_policy_lets_the_reader_past_the_tenant_unasked(ask: Ask) -> None:
    """A condition that is always true is as good as none."""
    rows = ask(
        """SELECT polrelid::regclass::text, polname, pg_get_expr(polqual, polrelid),
                pg_get_expr(polwithcheck, polrelid)
            FROM pg_policy WHERE 'alexandria_reader'::regrole = ANY(polroles)
                OR 0 = ANY(polroles)"""
    )
    loose = [
        f"{table}.{name}"
        for table, name, sees, writes in rows
        if "true" in (sees, writes)
        or not any("current_" in one or "own." in one for one in (sees, writes) if one)
    ]
    assert rows
    assert not loose, f"Tie these to the session's tenant, or to a row that is: {loose}"


def test_the_account_of_the_api_may_do_nothing_by_itself(ask: Ask) -> None:
    [account] = ask(
        """SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication, rolinherit
            FROM pg_roles WHERE rolname = 'alexandria_api'"""
    )
    assert not any(account), "ALTER ROLE alexandria_api NOSUPERUSER NOBYPASSRLS NOINHERIT …"
    owned = ask(
        "SELECT relname FROM pg_class WHERE relowner IN ('alexandria_api'::regrole, "
        "'alexandria_reader'::regrole, 'alexandria_doorkeeper'::regrole)"
    )
    assert owned == [], "Policies do not hold for owners: let the operator own it."
    joined = ask(
        "SELECT roleid::regrole::text, admin_option FROM pg_auth_members "
        "WHERE member = 'alexandria_api'::regrole ORDER BY 1"
    )
    assert joined == [("alexandria_doorkeeper", False), ("alexandria_reader", False)]
    granted = ask(
        f"""SELECT namespace.nspname || '.' || relname, privilege_type
            {JOINED}, aclexplode(relacl) WHERE grantee = 'alexandria_api'::regrole"""
    )
    assert granted == [("public.alembic_version", "SELECT")], (
        "Grant to alexandria_reader or alexandria_doorkeeper; the account itself has no rights."
    )
    assert ask(f"SELECT relname {JOINED}, aclexplode(relacl) WHERE {OURS} AND grantee = 0") == [], (
        "Revoke from PUBLIC."
    )


@pytest.mark.parametrize("role", ["alexandria_reader", "alexandria_doorkeeper"])
def test_the_roles_bypass_nothing_and_sign_in_nowhere(ask: Ask, role: str) -> None:
    [kind] = ask(
        f"""SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin
            FROM pg_roles WHERE rolname = '{role}'"""
    )
    assert not any(kind)
    assert ask(f"SELECT 1 FROM pg_auth_members WHERE member = '{role}'::regrole") == []
    strong = ask(
        f"""SELECT relname, privilege_type {JOINED}, aclexplode(relacl)
            WHERE {OURS} AND grantee = '{role}'::regrole
                AND privilege_type IN ('TRUNCATE', 'TRIGGER', 'REFERENCES', 'MAINTAIN')"""
    )
    assert strong == [], f"Revoke from {role}; none of these asks a policy: {strong}"


def test_readers_cannot_read_what_proves_who_somebody_is(ask: Ask) -> None:
    for table, column in sorted(SECRET_COLUMNS):
        asked = f"has_column_privilege('alexandria_reader', 'identity.{table}', '{column}', "
        assert ask(f"SELECT {asked}'SELECT')") == [(False,)], (
            f"Grant SELECT on the other columns of identity.{table} by name."
        )
    hashes = ask(
        f"""SELECT relname, attname {JOINED} JOIN pg_attribute ON attrelid = class.oid
            WHERE {OURS} AND attname ~ 'hash|secret|private|token' AND attname !~ 'token_count'
                AND attnum > 0 AND namespace.nspname = 'identity'
                AND has_column_privilege('alexandria_reader', class.oid, attname, 'SELECT')"""
    )
    assert hashes == [("audit_events", "hash")], "Leave it out of what alexandria_reader may read."


def test_functions_with_their_owners_rights_are_few_and_look_nowhere_else(ask: Ask) -> None:
    rows = ask(
        f"""SELECT namespace.nspname || '.' || proname,
                coalesce(array_to_string(proconfig, ','), '')
            FROM pg_proc JOIN pg_namespace AS namespace ON namespace.oid = pronamespace
            WHERE prosecdef AND {OURS} ORDER BY 1"""
    )
    assert {name for name, _ in rows} == set(RUN_AS_THEIR_OWNER), (
        "A function with its owner's rights passes every policy: do without, or say why here."
    )
    for name, config in rows:
        assert config == "search_path=pg_catalog, pg_temp", f"SET search_path of {name}."


def _routes() -> dict[str, APIRoute]:
    """Every route of the app by method and path, those outside the document as well."""
    found: list[APIRoute] = []
    for route in iter_route_contexts([*routes_of(create_app(Settings()))]):
        original = route.original_route
        if isinstance(original, APIRoute):
            found.append(original)
        else:
            assert isinstance(original, Mount | Route), "What is it? Nobody checks who may use it."
    return {f"{min(one.methods or {''})} {one.path}": one for one in found}


def test_every_route_declares_one_access() -> None:
    routes = _routes()
    assert len(routes) > 40
    known = {*Permission, "signed in", "in person", "public"}
    lacking = [name for name, route in routes.items() if declared_access(route) not in known]
    assert not lacking, (
        "Declare `requires(Permission.…)`, `signed_in()` or `public()` once among the route's or "
        f"its router's dependencies: {lacking}"
    )


def test_only_listed_operations_are_public() -> None:
    found = {
        route.operation_id or route.name
        for route in _routes().values()
        if declared_access(route) == "public"
    }
    assert found == PUBLIC, "Ask for a permission, or list the operation as PUBLIC here."


def test_no_route_takes_the_library_itself() -> None:
    """What a handler is given acts for whoever asks; the library itself acts for nobody."""
    wrong = [
        name
        for name, route in _routes().items()
        if route.endpoint.__module__ != "serving.routes.health" and _takes_everything(route)
    ]
    assert not wrong, f"Take `ActingWorkspace`, or the doorkeeper: {wrong}"


def _takes_everything(route: Any) -> bool:
    given = {one.call for one in route.dependant.dependencies}
    annotated = {one.annotation for one in signature(route.endpoint).parameters.values()}
    return get_library in given or bool(annotated & {Library, Database})
