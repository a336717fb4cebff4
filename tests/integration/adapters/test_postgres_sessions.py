"""Connections that end, wait too long or find no room: what a session makes of them."""

from collections.abc import Iterator

import psycopg
import pytest

from alexandria.adapters.postgres import Database, Patience
from alexandria.errors import StoreUnavailableError
from alexandria.identity.principals import nobody
from alexandria.workflows.identity.acting import reading

SHORT = Patience(connection=5, retrying=1, statement=2, lock=2)


@pytest.fixture
def database(database_address: str) -> Iterator[Database]:
    with Database(database_address, connections=2, patience=SHORT) as opened:
        yield opened


@pytest.fixture
def session(database: Database) -> Database:
    """A principal's."""
    return database.session(reading(nobody("default")))


def test_connections_that_the_server_ended_are_replaced_at_once(
    session: Database, database_address: str
) -> None:
    session.value("ping")
    assert session.pool.get_stats()["pool_size"] >= 1
    _end_others(database_address)
    assert session.value("ping") == 1


def test_a_connection_lost_in_a_transaction_ends_it(
    session: Database, database_address: str
) -> None:
    def ask_again() -> None:
        with session.transaction():
            session.value("ping")
            _end_others(database_address)
            session.value("ping")

    with pytest.raises(StoreUnavailableError):
        ask_again()
    assert session.value("ping") == 1


def test_a_statement_and_a_lock_are_waited_for_so_long(
    session: Database, database_address: str
) -> None:
    with pytest.raises(StoreUnavailableError):
        session.statement("SELECT pg_sleep(600)")
    with psycopg.connect(database_address) as other:
        other.execute("LOCK TABLE knowledge.documents IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(StoreUnavailableError):
            session.statement("SELECT count(*) FROM knowledge.documents")
    session.statement("SELECT count(*) FROM knowledge.documents")


def test_a_free_connection_is_waited_for_so_long(database: Database, session: Database) -> None:
    with (
        database.pool.connection(),
        database.pool.connection(),
        pytest.raises(StoreUnavailableError),
    ):
        session.value("ping")
    assert session.value("ping") == 1


def test_only_an_operator_is_told_of_the_server(
    database: Database, session: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(StoreUnavailableError) as told:
        database.statement("SELECT pg_sleep(600)")
    assert "timeout" in told.value.message
    caplog.clear()
    with pytest.raises(StoreUnavailableError) as told:
        session.statement("SELECT pg_sleep(600)")
    assert told.value.message == StoreUnavailableError().message
    assert "timeout" in caplog.text


def _end_others(address: str) -> None:
    with psycopg.connect(address, autocommit=True) as operator:
        operator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
