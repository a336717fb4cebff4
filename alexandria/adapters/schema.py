"""Bring a Postgres database to the newest schema, with Alembic, forward only."""

from collections.abc import Mapping
from importlib.resources import files

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from alexandria.errors import StoreUnavailableError

HEAD = "0002"
"""The newest revision; a test holds it to the migrations folder."""

_LOCK = 5_120_231_117
"""Advisory lock key: of several processes that start at once, one migrates."""


def ensure_database(address: str, name: str) -> str:
    """Create database `name` on the server of `address` if absent; returns its address.

    Raises:
        StoreUnavailableError: The server did not answer.
    """
    parts = conninfo_to_dict(address)
    with _connect(address) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
        if known.fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return address_of(parts, name)


def address_of(parts: Mapping[str, object], database: str) -> str:
    """A postgresql:// address from connection parts; a socket folder becomes `?host=`."""
    from urllib.parse import quote

    user = quote(str(parts.get("user") or "postgres"), safe="")
    password = quote(str(parts.get("password") or ""), safe="")
    host = str(parts.get("host") or "")
    if host.startswith("/"):
        return f"postgresql://{user}:{password}@/{database}?host={quote(host)}"
    return f"postgresql://{user}:{password}@{host}:{parts.get('port') or 5432}/{database}"


def migrate(address: str) -> bool:
    """Apply the migrations that are missing; returns whether there were any.

    Raises:
        StoreUnavailableError: The server did not answer.
    """
    with _connect(address) as connection:
        if _revision(connection) == HEAD:
            return False
        connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        if _revision(connection) == HEAD:
            return False
        _run_alembic(address)
    return True


def _connect(address: str) -> psycopg.Connection[tuple[object, ...]]:
    try:
        return psycopg.connect(address, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        raise StoreUnavailableError(f"{StoreUnavailableError().message} ({error})") from error


def _revision(connection: psycopg.Connection[tuple[object, ...]]) -> str | None:
    table = connection.execute("SELECT to_regclass('alembic_version')::text").fetchone()
    if table is None or table[0] is None:
        return None
    row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def _run_alembic(address: str) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import create_engine

    config = Config()
    config.set_main_option(
        "script_location", str(files("alexandria.adapters").joinpath("migrations"))
    )
    engine = create_engine(address.replace("postgresql://", "postgresql+psycopg://", 1))
    try:
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    finally:
        engine.dispose()
