"""Postgres through psycopg: a pool, and the named queries of `alexandria/adapters/sql`.

A query is called by its name, with keyword arguments for its parameters, and returns
instances of the row class it is asked for. Nothing outside this package writes SQL.
"""

import logging
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from types import TracebackType
from typing import Any, LiteralString, Self, TypeVar, cast

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import class_row, dict_row, tuple_row
from psycopg_pool import ConnectionPool, PoolTimeout

from alexandria.adapters.tracing import span
from alexandria.errors import StorageFullError, StoreUnavailableError

Row = TypeVar("Row")
Pool = ConnectionPool[psycopg.Connection[Any]]
_HEADER = "-- name: "
_KEPT_PLAN = "-- Plan: kept."
"""Marks a query that is planned once for a connection: planning it takes longer than running
it. Any other is planned each time, for the filters that it is given."""
_LOG = logging.getLogger(__name__)

_LINE = {"keepalives_idle": 5, "keepalives_interval": 5, "keepalives_count": 2} | {
    "tcp_user_timeout": 15_000
}
"""How soon a server whose machine is gone is given up, in seconds, and in milliseconds."""


@cache
def named_queries() -> Mapping[str, LiteralString]:
    """Every query in the package's `.sql` files, by name."""
    queries: dict[str, LiteralString] = {}
    for file in files("alexandria.adapters").joinpath("sql").iterdir():
        for part in file.read_text(encoding="utf-8").split(_HEADER)[1:]:
            name, _, body = part.partition("\n")
            if name.strip() in queries:
                raise ValueError(f"Two queries are named {name.strip()}; rename one.")
            queries[name.strip()] = cast(LiteralString, body.strip())
    return queries


@dataclass(frozen=True, slots=True)
class Acting:
    """For whom a session works.

    Attributes:
        facts: Settings of each of its transactions: the role it takes, and what row-level
            security asks for.
        parameters: What every query of the session is given besides its own parameters.
    """

    facts: Mapping[str, str]
    parameters: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a session waits before it gives up, in seconds.

    Attributes:
        connection: For a connection, be the pool exhausted or the server away.
        retrying: How long one attempt to connect is repeated, with growing pauses; the next
            query begins another.
        statement: For a statement; 0 without end.
        lock: For what another session holds; 0 without end.
    """

    connection: float = 15.0
    retrying: float = 300.0
    statement: float = 0.0
    lock: float = 0.0


class _LeftConnectionError(psycopg.OperationalError):
    """The server had left a connection before anything was asked of it."""


class Database:
    """Connections to one Postgres database.

    Calls inside `with database.transaction():` share its connection and are committed or
    rolled back together; any other call is a transaction of its own.
    """

    def __init__(
        self,
        address: str,
        *,
        connections: int = 4,
        acting: Acting | None = None,
        pool: Pool | None = None,
        patience: Patience | None = None,
    ) -> None:
        """Connect when first used.

        Args:
            address: As libpq reads it.
            connections: Most at a time.
            acting: For whom; None for the account of the address and no parameters.
            pool: Connections to share; None for some of its own.
            patience: Of its own connections; None for that of a pipeline.
        """
        self.address = address
        self.pool: Pool = pool or _pool_of(address, connections, patience or Patience())
        self._acting = acting or Acting({}, {})
        self._current: ContextVar[psycopg.Connection[Any] | None] = ContextVar(
            "current", default=None
        )

    def session(self, acting: Acting) -> "Database":
        """The same connections, each transaction opened for a principal.

        A transaction of one session is never joined by another.
        """
        return Database(self.address, acting=acting, pool=self.pool)

    def __enter__(self) -> Self:
        self.pool.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.pool.close()

    @contextmanager
    def transaction(self) -> Generator[None]:
        """One transaction around every call made inside; nested ones join the outer."""
        if self._current.get() is not None:
            yield
            return
        with self._connection() as connection:
            token = self._current.set(connection)
            try:
                yield
            finally:
                self._current.reset(token)

    def fetch(self, row: type[Row], query: str, **parameters: object) -> list[Row]:
        """All rows of a named query as instances of `row`, whose fields are its columns."""
        with self._cursor(query, parameters, class_row(row)) as cursor:
            return cursor.fetchall()

    def fetch_one(self, row: type[Row], query: str, **parameters: object) -> Row | None:
        """The first row, or None."""
        with self._cursor(query, parameters, class_row(row)) as cursor:
            return cursor.fetchone()

    def records(self, query: str, **parameters: object) -> list[dict[str, Any]]:
        """All rows as dictionaries, for tools that want tables."""
        with self._cursor(query, parameters, dict_row) as cursor:
            return cursor.fetchall()

    def column(self, query: str, **parameters: object) -> list[Any]:
        """The first column of every row."""
        with self._cursor(query, parameters, tuple_row) as cursor:
            return [row[0] for row in cursor]

    def pairs(self, query: str, **parameters: object) -> list[tuple[Any, Any]]:
        """The first two columns of every row."""
        with self._cursor(query, parameters, tuple_row) as cursor:
            return [(row[0], row[1]) for row in cursor]

    def value(self, query: str, **parameters: object) -> Any:
        """The first column of the first row, or None."""
        values = self.column(query, **parameters)
        return values[0] if values else None

    def execute(self, query: str, **parameters: object) -> int:
        """Run a statement; returns the number of rows it touched."""
        with self._cursor(query, parameters, tuple_row) as cursor:
            return cursor.rowcount

    def execute_many(self, query: str, rows: Sequence[Mapping[str, object]]) -> int:
        """Run a statement once for each row, pipelined; returns the rows touched."""
        if not rows:
            return 0
        with self._connection() as connection, connection.cursor() as cursor:
            given = [{**self._acting.parameters, **row} for row in rows]
            cursor.executemany(named_queries()[query], given)
            return cursor.rowcount

    def statement(self, text: str) -> None:
        """Run a statement of our own that takes no parameters, such as building an index."""
        with self._connection() as connection:
            connection.execute(cast(LiteralString, text))

    @contextmanager
    def lock(self, name: str) -> Generator[None]:
        """Hold a lock that one process at a time can have; others wait. Ends with the process."""
        with ExitStack() as stack:
            try:
                opening = psycopg.connect(self.address, autocommit=True)
                connection = stack.enter_context(opening)
                connection.execute("SELECT pg_advisory_lock(hashtext(%s))", (name,))
            except psycopg.OperationalError as error:
                raise self._unavailable(error) from error
            yield

    @staticmethod
    def json(value: object) -> object:
        """A parameter for a jsonb column."""
        from psycopg.types.json import Jsonb

        return Jsonb(value)

    @staticmethod
    def half_vectors(vectors: NDArray[np.float32]) -> list[object]:
        """A parameter for a halfvec[] from rows of shape (vectors, dimension)."""
        from pgvector import HalfVector

        return [HalfVector(vector) for vector in vectors]

    def copy(self, query: str, types: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Feed rows into a named `COPY … FROM STDIN (FORMAT binary)` statement.

        Args:
            query: Its name.
            types: Names of the columns' types; in binary nothing is converted on the way.
            rows: One value for each column.
        """
        with (
            self._connection() as connection,
            connection.cursor() as cursor,
            cursor.copy(named_queries()[query]) as copy,
        ):
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)

    @contextmanager
    def _cursor(self, query: str, parameters: Mapping[str, object], factory: Any) -> Generator[Any]:
        with (
            self._connection() as connection,
            connection.cursor(row_factory=factory, binary=True) as cursor,
        ):
            with span(f"sql {query}"):
                text = _sql(query, parameters)
                given = {**self._acting.parameters, **parameters}
                cursor.execute(text, given, prepare=_KEPT_PLAN in text)
            yield cursor

    @contextmanager
    def _connection(self) -> Generator[psycopg.Connection[Any]]:
        current = self._current.get()
        if current is not None:
            yield current
            return
        try:
            with ExitStack() as stack:
                yield self._enter(stack)
        except psycopg.errors.DiskFull as error:
            raise StorageFullError from error
        except (PoolTimeout, psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise self._unavailable(error) from error

    def _enter(self, stack: ExitStack) -> psycopg.Connection[Any]:
        """A connection that works; those that a server left behind when it ended are replaced."""
        try:
            return stack.enter_context(self._pooled())
        except _LeftConnectionError:
            self.pool.check()
            return stack.enter_context(self._pooled())

    @contextmanager
    def _pooled(self) -> Generator[psycopg.Connection[Any]]:
        with self.pool.connection() as connection:
            if self._acting.facts:
                facts = {"facts": self.json(self._acting.facts)}
                try:
                    connection.execute(named_queries()["act_for"], facts)
                except psycopg.OperationalError as error:
                    if connection.closed:
                        raise _LeftConnectionError from error
                    raise
            yield connection

    def _unavailable(self, error: psycopg.Error) -> StoreUnavailableError:
        """What an operator may know of the server, the log says where a principal asks."""
        if not self._acting.facts:
            return StoreUnavailableError(f"{StoreUnavailableError().message} ({error})")
        _LOG.warning("Postgres did not answer: %s: %s", type(error).__name__, error)
        return StoreUnavailableError()


def _sql(query: str, parameters: Mapping[str, object]) -> LiteralString:
    """A type's dimension cannot be a parameter in SQL, so that one number is written in."""
    text = named_queries()[query]
    if "{dimension}" in text:
        return text.replace(
            "{dimension}", cast(LiteralString, str(int(str(parameters["dimension"]))))
        )
    return text


def _pool_of(address: str, connections: int, patience: Patience) -> Pool:
    return ConnectionPool(
        address,
        kwargs={"connect_timeout": max(2, round(patience.connection)), **_LINE},
        min_size=0,
        max_size=connections,
        open=False,
        configure=partial(_configure, patience=patience),
        timeout=patience.connection,
        reconnect_timeout=patience.retrying,
    )


def _configure(connection: psycopg.Connection[Any], patience: Patience) -> None:
    from pgvector.psycopg import register_vector

    register_vector(connection)
    connection.execute("SET hnsw.iterative_scan = strict_order")
    connection.execute("SET hnsw.ef_search = 200")
    limits = {"statement_timeout": patience.statement, "lock_timeout": patience.lock}
    for name, seconds in limits.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, str(round(1000 * seconds))))
    connection.commit()
