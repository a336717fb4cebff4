"""Bring a Postgres database to the newest schema, with Alembic, forward only."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib.resources import files

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from alexandria.errors import ConfigurationError, StoreUnavailableError

HEAD = "0005"
"""The newest revision; a test holds it to the migrations folder."""

API_ACCOUNT = "alexandria_api"
"""The account of the API; it owns nothing."""

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


def check_migrated(address: str) -> None:
    """Refuse to serve from an older schema, with an account that may not change it.

    Raises:
        StoreUnavailableError: The server did not answer, or the schema is not the newest.
    """
    with _connect(address) as connection:
        if _revision(connection) != HEAD:
            raise StoreUnavailableError(
                "The database has another schema than this version needs; let `alexandria "
                "migrate` or deploy/migrate.sh run, then this goes on by itself."
            )


def serving_address(owner: str) -> str:
    """The owner's database for the API: as the API's own account where that needs no password.

    On the embedded server, which answers on a private socket, it signs in as that account. On
    any other it signs in as the owner and gives up the owner's rights from the first moment.
    """
    parts = conninfo_to_dict(owner)
    if str(parts.get("host") or "").startswith("/"):
        return address_of({**parts, "user": API_ACCOUNT}, str(parts.get("dbname") or ""))
    return make_conninfo(owner, options=f"-c role={API_ACCOUNT}")


def set_api_password(owner: str, serving: str) -> None:
    """Give the API's account the password in its address.

    The server is sent a verifier that was computed here, so that its log never holds it.

    Args:
        owner: Address of the database as its owner.
        serving: Address of the database as the API's account.

    Raises:
        StoreUnavailableError: The server did not answer.
        ConfigurationError: The address names another account, or no password.
    """
    parts = conninfo_to_dict(serving)
    password = str(parts.get("password") or "")
    if parts.get("user") != API_ACCOUNT or not password:
        raise ConfigurationError(
            f"ALEXANDRIA_SERVING_DATABASE_URL must name the account {API_ACCOUNT} and its password."
        )
    with _connect(owner) as connection:
        verifier = connection.pgconn.encrypt_password(
            password.encode(), API_ACCOUNT.encode(), b"scram-sha-256"
        )
        connection.execute(
            sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(
                sql.Identifier(API_ACCOUNT), sql.Literal(verifier.decode())
            )
        )


@contextmanager
def _connect(address: str) -> Generator[psycopg.Connection[tuple[object, ...]]]:
    try:
        with psycopg.connect(address, autocommit=True, connect_timeout=10) as connection:
            yield connection
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
