"""Behind the routes: tables as a reader's session sees them, both indexes, forged requests."""

import asyncio
import base64
import json
from collections.abc import Iterator

import psycopg
from attacks import attacking, plain
from planted_library import QUESTION, Person, World
from psycopg import sql

from alexandria.identity.principals import Origin
from alexandria.knowledge.indexing import VectorIndex
from alexandria.workflows.identity.acting import reading
from alexandria.workflows.operating.generations import live_generation
from alexandria.workflows.workspace import served

READABLE = """
    SELECT namespace.nspname, relname, array_agg(attname::text ORDER BY attnum)
    FROM pg_class AS class JOIN pg_namespace AS namespace ON namespace.oid = relnamespace
    JOIN pg_attribute ON attrelid = class.oid AND attnum > 0 AND NOT attisdropped
    WHERE namespace.nspname IN ('knowledge', 'insights', 'identity') AND relkind IN ('r', 'p')
        AND has_column_privilege('alexandria_reader', class.oid, attname, 'SELECT')
    GROUP BY namespace.nspname, relname, relispartition
"""


def test_no_table_shows_a_session_what_its_principal_may_not_know(world: World) -> None:
    with psycopg.connect(world.workspace.database.address) as connection:
        tables = connection.execute(READABLE).fetchall()
        assert len(tables) > 25
        for person in world.people.values():
            words = {one.word for one in world.unknown_to(person.name)}
            own = {one.word for one in world.secrets if person.name in one.known_to}
            shown = {
                f"{schema}.{table}": _rows(connection, person, schema, table, columns)
                for schema, table, columns in tables
            }
            leaks = [
                (person.name, table, next(one.what for one in world.secrets if one.word == word))
                for table, text in shown.items()
                for word in words
                if word in text
            ]
            assert leaks == []
            everything = "".join(shown.values())
            assert sum(word in everything for word in own) > len(own) / 2


def _rows(
    connection: psycopg.Connection[tuple[object, ...]],
    person: Person,
    schema: str,
    table: str,
    columns: list[str],
) -> str:
    """All that a principal's session sees of a table, as one text."""
    named = sql.SQL(", ").join(sql.Identifier(one) for one in columns)
    query = sql.SQL("SELECT ROW({})::text FROM {}").format(named, sql.Identifier(schema, table))
    with connection.transaction(force_rollback=True):
        for key, value in reading(person.principal).facts.items():
            connection.execute("SELECT set_config(%s, %s, true)", (key, value))
        return "\n".join(str(row[0]).lower() for row in connection.execute(query))


def test_readers_reach_no_partition_around_the_policies_of_its_table(world: World) -> None:
    with psycopg.connect(world.workspace.database.address) as connection:
        open_ones = connection.execute(
            "SELECT relname, relnamespace::regnamespace FROM pg_class WHERE relispartition "
            "AND relkind = 'r' AND (has_table_privilege('alexandria_reader', oid, 'SELECT') "
            "OR has_any_column_privilege('alexandria_reader', oid, 'SELECT'))"
        ).fetchall()
        [parts] = connection.execute(
            "SELECT count(*) FROM pg_class WHERE relispartition AND relkind = 'r'"
        ).fetchall()
    assert parts[0] > 0
    assert open_ones == []


def test_both_indexes_give_everybody_their_own_chunks_only(world: World) -> None:
    live = live_generation(world.workspace)
    assert live is not None
    readers = _readers_of_chunks(world)
    [vector] = world.workspace.embedder.embed([QUESTION])
    for index in _indexes(world):
        for person in world.people.values():
            with served(world.workspace) as serving:
                where = serving.acting_for(person.principal, Origin()).everything
            dense = {hit.chunk_id for hit in index.search_dense(vector, where, 500)}
            terms = _terms(world)
            sparse = {hit.chunk_id for hit in index.search_sparse(terms, where, 500)}
            own = {chunk for chunk, names in readers.items() if person.name in names}
            assert dense == own
            assert sparse
            assert sparse <= own


def _indexes(world: World) -> Iterator[VectorIndex]:
    """The entries as the tables' owner reads them, and the points: filters are all there is."""
    live = live_generation(world.workspace)
    assert live is not None
    yield world.workspace.postgres_index(live)
    with world.workspace.qdrant_index(live) as index:
        yield index


def _terms(world: World) -> dict[int, float]:
    from alexandria.knowledge.terms import query_weights

    return query_weights(QUESTION, ["en"])


def _readers_of_chunks(world: World) -> dict[str, frozenset[str]]:
    """Who may read each chunk that is in the indexes, by the document it is of."""
    documents = {one.value: one.known_to for one in world.things if one.kind == "document"}
    with psycopg.connect(world.workspace.database.address) as connection:
        rows = connection.execute(
            "SELECT chunk_id::text, document_id::text FROM knowledge.index_entries"
        ).fetchall()
    return {chunk_id: documents[document_id] for chunk_id, document_id in rows}


SPOOFED: tuple[str, ...] = (
    "X-Tenant-ID",
    "X-User-ID",
    "X-Forwarded-User",
    "X-Forwarded-For",
    "X-Original-URL",
    "Forwarded",
    "X-Role",
    "Cookie",
)


def test_no_header_makes_anybody_somebody_else(world: World) -> None:
    victim = world.people["theirs-admin"]
    values = ("theirs", victim.principal.user_id, "admin", f"access_token={victim.token}")

    async def run() -> list[object]:
        async with attacking(world) as attack:
            gets = [one for one in await attack.operations() if one.method == "GET"]
            for asker in ("anonymous", "ours-viewer", "ours-admin"):
                await attack.renew(asker)
                for value in values:
                    spoofed = dict.fromkeys(SPOOFED, value)
                    await attack.send(asker, plain(gets), headers=spoofed)
            assert attack.report.requests > 200
            return [*attack.report.leaks, *attack.report.failures]

    assert asyncio.run(run()) == []


def test_no_forged_token_lets_anybody_in(world: World) -> None:
    forged = list(_forged(world.people["ours-viewer"], world.people["theirs-admin"]))

    async def run() -> list[int]:
        async with attacking(world) as attack:
            client = attack.client
            statuses: list[int] = []
            for token in forged:
                for path in ("/auth/me", "/api/v2/admin/users", "/api/v2/admin/audit-logs"):
                    answer = await client.get(path, headers={"Authorization": f"Bearer {token}"})
                    statuses.append(answer.status_code)
            return statuses

    assert set(asyncio.run(run())) == {401}


def _forged(asker: Person, victim: Person) -> Iterator[str]:
    """The asker's token saying that they are somebody else, signed by nobody who may."""
    header, claims, signature = asker.token.split(".")
    said = json.loads(_decoded(claims))
    head = json.loads(_decoded(header))
    other = {"tid": victim.tenant_id, "sub": victim.principal.user_id, "role": "admin"}
    for change in (
        {"tid": "theirs"},
        {"role": "admin"},
        {"sid": victim.principal.session_id},
        other,
    ):
        changed = _encoded(said | change)
        yield f"{header}.{changed}.{signature}"
        for algorithm in ("none", "None", "HS256"):
            yield f"{_encoded(head | {'alg': algorithm})}.{changed}."
            yield f"{_encoded(head | {'alg': algorithm})}.{changed}.{signature}"
    yield from (
        "",
        "null",
        victim.principal.session_id,
        victim.principal.user_id,
        "alx_" + "a" * 43,
    )


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _encoded(said: dict[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()
