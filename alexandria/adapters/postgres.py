"""Postgres through psycopg: a pool, and the named queries of `alexandria/adapters/sql`.

A query is called by its name, with keyword arguments for its parameters, and returns
instances of the row class it is asked for. Nothing outside this package writes SQL.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from types import TracebackType
from typing import Any, LiteralString, Self, TypeVar, cast

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg.rows import class_row, dict_row, tuple_row
from psycopg_pool import ConnectionPool, PoolTimeout

from alexandria.errors import StoreUnavailableError

Row = TypeVar("Row")
_HEADER = "-- name: "


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


class Database:
    """Connections to one Postgres database.

    Calls inside `with database.transaction():` share its connection and are committed or
    rolled back together; any other call is a transaction of its own.
    """

    def __init__(self, address: str, *, connections: int = 4) -> None:
        self.address = address
        self._pool = ConnectionPool(
            address, min_size=0, max_size=connections, open=False, configure=_configure, timeout=15
        )
        self._current: ContextVar[psycopg.Connection[Any] | None] = ContextVar(
            "current", default=None
        )

    def __enter__(self) -> Self:
        self._pool.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.close()

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
            cursor.executemany(named_queries()[query], rows)
            return cursor.rowcount

    def statement(self, text: str) -> None:
        """Run a statement of our own that takes no parameters, such as building an index."""
        with self._connection() as connection:
            connection.execute(cast(LiteralString, text))

    @contextmanager
    def lock(self, name: str) -> Generator[None]:
        """Hold a lock that one process at a time can have; others wait. Ends with the process."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute("SELECT pg_advisory_lock(hashtext(%s))", (name,))
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
            cursor.execute(_sql(query, parameters), parameters)
            yield cursor

    @contextmanager
    def _connection(self) -> Generator[psycopg.Connection[Any]]:
        current = self._current.get()
        if current is not None:
            yield current
            return
        try:
            with self._pool.connection() as connection:
                yield connection
        except (PoolTimeout, psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise StoreUnavailableError(f"{StoreUnavailableError().message} ({error})") from error


def _sql(query: str, parameters: Mapping[str, object]) -> LiteralString:
    """A type's dimension cannot be a parameter in SQL, so that one number is written in."""
    text = named_queries()[query]
    if "{dimension}" in text:
        return text.replace(
            "{dimension}", cast(LiteralString, str(int(str(parameters["dimension"]))))
        )
    return text


def _configure(connection: psycopg.Connection[Any]) -> None:
    from pgvector.psycopg import register_vector

    register_vector(connection)
    connection.execute("SET plan_cache_mode = force_custom_plan")
    connection.execute("SET hnsw.iterative_scan = strict_order")
    connection.execute("SET hnsw.ef_search = 200")
    connection.commit()
