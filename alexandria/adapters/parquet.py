"""Parquet files that analysts read: written from Postgres and from DuckDB, seen only whole.

Every call writes its files in a hidden folder beside their places and moves them there
when all are done, so that a reader never meets half a file and a failed call changes
nothing. Memory is bounded by one batch of rows, whatever the size of a table. Timestamps
carry their zone, UTC.
"""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

from alexandria.adapters.postgres import named_queries
from alexandria.errors import IntegrityError, NotFoundError, StoreUnavailableError

_BATCH_ROWS = 20_000
_COMPRESSION = "zstd"


def export_queries(address: str, queries: Mapping[str, str], folder: Path) -> dict[str, int]:
    """Write the rows of named queries, all seen at one moment, to `<folder>/<file>.parquet`.

    Column types come from Postgres, so that a file without rows is typed like any other.

    Args:
        address: Connection address of the database.
        queries: Named query without parameters, by the name of its file.
        folder: Where the files go; made if absent.

    Returns:
        Rows written, by file.

    Raises:
        StoreUnavailableError: Postgres did not answer.
        IntegrityError: A column has a type with no Arrow counterpart here.
    """
    try:
        with psycopg.connect(address) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            return _replace_files(
                folder, queries, lambda name, file: _export_query(connection, queries[name], file)
            )
    except psycopg.OperationalError as error:
        raise StoreUnavailableError(f"{StoreUnavailableError().message} ({error})") from error


def publish_tables(database: Path, tables: Mapping[str, str], folder: Path) -> dict[str, int]:
    """Copy tables of a DuckDB file to `<folder>/<file>.parquet`, sorted by all columns.

    Args:
        database: The DuckDB file; opened read-only and closed again.
        tables: `<schema>.<table>`, by the name of its file.
        folder: Where the files go; made if absent.

    Returns:
        Rows written, by file.

    Raises:
        NotFoundError: The file or one of the tables is not there.
        StoreUnavailableError: Another process holds the file open for writing.
    """
    with _open_duckdb(database) as connection:
        return _replace_files(
            folder, tables, lambda name, file: _copy_table(connection, tables[name], file)
        )


def count_tables(database: Path, tables: Iterable[str]) -> dict[str, int]:
    """Rows of tables or views `<schema>.<table>` of a DuckDB file.

    Raises:
        NotFoundError: The file or one of the tables is not there.
        StoreUnavailableError: Another process holds the file open for writing.
    """
    with _open_duckdb(database) as connection:
        return {table: len(connection.table(table)) for table in tables}


def count_rows(folder: Path, names: Iterable[str]) -> dict[str, int]:
    """Rows of `<folder>/<name>.parquet` as each file's own footer tells; absent files left out."""
    import pyarrow.parquet as pq

    files = {name: folder / f"{name}.parquet" for name in names}
    return {name: pq.read_metadata(file).num_rows for name, file in files.items() if file.exists()}


def preview_rows(file: Path, rows: int = 5) -> str:
    """The first rows of a Parquet file as a Markdown table."""
    import polars as pl

    style = pl.Config(
        tbl_formatting="MARKDOWN",
        tbl_hide_column_data_types=True,
        tbl_hide_dataframe_shape=True,
        tbl_cols=-1,
        tbl_width_chars=10_000,
        fmt_str_lengths=60,
    )
    with style:
        return str(pl.scan_parquet(file).head(rows).collect())


def _replace_files(
    folder: Path, names: Iterable[str], write: Callable[[str, Path], int]
) -> dict[str, int]:
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".writing-", dir=folder) as scratch:
        files = {name: Path(scratch) / f"{name}.parquet" for name in names}
        counts = {name: write(name, file) for name, file in files.items()}
        for file in files.values():
            file.replace(folder / file.name)
    return counts


@contextmanager
def _open_duckdb(file: Path) -> Generator[Any]:
    import duckdb

    if not file.exists():
        raise NotFoundError(f"There is no {file}; run the analytics job, which builds it.")
    try:
        with duckdb.connect(str(file), read_only=True) as connection:
            yield connection
    except duckdb.CatalogException as error:
        raise NotFoundError(f"{file} is out of date; run the analytics job. ({error})") from error
    except duckdb.IOException as error:
        raise StoreUnavailableError(
            f"{file} is in use; close what has it open and try again. ({error})"
        ) from error


def _export_query(connection: psycopg.Connection[Any], query: str, file: Path) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with connection.cursor("export") as cursor:
        cursor.execute(named_queries()[query], binary=True)
        schema = _arrow_schema(cursor.description or ())
        count = 0
        with pq.ParquetWriter(file, schema, compression=_COMPRESSION) as writer:
            while rows := cursor.fetchmany(_BATCH_ROWS):
                columns = zip(zip(*rows, strict=True), schema.types, strict=True)
                arrays = [pa.array(values, type=kind) for values, kind in columns]
                writer.write_batch(pa.record_batch(arrays, schema=schema))
                count += len(rows)
    return count


def _arrow_schema(columns: Sequence[psycopg.Column]) -> Any:
    import pyarrow as pa

    types = {
        "bool": pa.bool_(),
        "float8": pa.float64(),
        "int4": pa.int32(),
        "int8": pa.int64(),
        "text": pa.string(),
        "timestamptz": pa.timestamp("us", tz="UTC"),
    }
    unknown = [
        f"{column.name} ({column.type_display})"
        for column in columns
        if column.type_display not in types
    ]
    if unknown:
        raise IntegrityError(f"No Arrow type for {', '.join(unknown)}; cast it in the query.")
    return pa.schema([(column.name, types[column.type_display]) for column in columns])


def _copy_table(connection: Any, table: str, file: Path) -> int:
    connection.table(table).order("ALL").write_parquet(str(file), compression=_COMPRESSION)
    return count_rows(file.parent, [file.stem])[file.stem]
