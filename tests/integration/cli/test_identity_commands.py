"""People, the audit log and the schema from the command line."""

import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from alexandria.adapters.schema import HEAD
from alexandria.errors import SignInFailedError
from alexandria.settings import Settings
from alexandria.workflows.identity.accounts import check_credentials
from alexandria.workflows.identity.audit import AuditWindow, list_events
from alexandria.workflows.identity.owner import is_own_machine
from alexandria.workflows.workspace import Workspace

Cli = Callable[..., Result]
PASSWORD = "lantern harbour seventeen moss"
OTHER = "gravel teapot nineteen ferns"
EMAIL = "ines@example.org"


@pytest.fixture
def typed(cli: Cli) -> Cli:
    """Run a command with a password as a line of standard input."""
    from pipelines.cli.main import app

    def run(password: str, *arguments: str) -> Result:
        cli("users", "list")  # sets the home
        return CliRunner().invoke(app, [*arguments, "--password-stdin"], input=f"{password}\n")

    return run


def _json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def _add(typed: Cli, *options: str) -> Any:
    return _json(typed(PASSWORD, "users", "add", EMAIL, "--json", *options))


def test_somebody_who_is_added_can_sign_in(typed: Cli, cli: Cli, workspace: Workspace) -> None:
    user = _add(typed, "--role", "viewer", "--group", "keepers", "--name", "Inés Arregui")
    assert (user["role"], user["groups"], user["full_name"]) == (
        "viewer",
        ["keepers"],
        "Inés Arregui",
    )
    assert check_credentials(workspace, EMAIL, PASSWORD).user_id == user["user_id"]
    assert [one["email"] for one in _json(cli("users", "list", "--json"))] == [EMAIL]
    shown = cli("users", "list").stdout
    assert EMAIL in shown
    assert "Proved" in shown


def test_no_output_and_no_event_holds_a_password(typed: Cli, cli: Cli) -> None:
    shown = [
        typed(PASSWORD, "users", "add", EMAIL),
        typed(OTHER, "users", "password", EMAIL),
        cli("users", "list", "--json"),
        cli("audit", "list", "--json"),
    ]
    assert all(result.exit_code == 0 for result in shown)
    assert not [one for one in shown if PASSWORD in one.output or OTHER in one.output]


def test_a_weak_password_and_a_known_address_are_refused(typed: Cli) -> None:
    weak = typed("short", "users", "add", EMAIL)
    assert weak.exit_code == 1
    assert "12 characters" in weak.stderr
    _add(typed)
    again = typed(PASSWORD, "users", "add", EMAIL)
    assert again.exit_code == 1
    assert "has an account" in again.stderr


def test_without_a_terminal_the_password_must_be_given_in(cli: Cli) -> None:
    result = cli("users", "add", EMAIL)
    assert result.exit_code == 1
    assert "--password-stdin" in result.stderr


def test_an_account_is_changed_and_switched_off(typed: Cli, cli: Cli, workspace: Workspace) -> None:
    _add(typed, "--group", "keepers")
    changed = _json(cli("users", "change", EMAIL, "--role", "admin", "--group", "b", "--json"))
    assert (changed["role"], changed["groups"]) == ("admin", ["b"])
    assert _json(cli("users", "change", EMAIL, "--no-groups", "--json"))["groups"] == []
    alone = cli("users", "change", EMAIL, "--inactive")
    assert alone.exit_code == 1
    assert "last administrator" in alone.stderr
    typed(PASSWORD, "users", "add", "another@example.org", "--role", "admin")
    assert not _json(cli("users", "change", EMAIL, "--inactive", "--json"))["is_active"]
    with pytest.raises(SignInFailedError):
        check_credentials(workspace, EMAIL, PASSWORD)
    assert _json(cli("users", "change", EMAIL, "--active", "--json"))["is_active"]
    assert check_credentials(workspace, EMAIL, PASSWORD)


def test_another_password_replaces_the_one_before(typed: Cli, workspace: Workspace) -> None:
    _add(typed)
    assert typed(OTHER, "users", "password", EMAIL).exit_code == 0
    assert check_credentials(workspace, EMAIL, OTHER)
    with pytest.raises(SignInFailedError):
        check_credentials(workspace, EMAIL, PASSWORD)


def test_tenants_are_kept_apart(typed: Cli, cli: Cli) -> None:
    assert _add(typed, "--tenant", "archive")["tenant_id"] == "archive"
    assert _json(cli("users", "list", "--json")) == []
    strange = cli("users", "change", EMAIL, "--role", "admin")
    assert strange.exit_code == 1
    assert "No account of the library default" in strange.stderr
    found = _json(cli("users", "list", "--tenant", "archive", "--json"))
    assert [one["email"] for one in found] == [EMAIL]
    assert cli("users", "list", "--tenant", "Not Valid").exit_code == 2


def test_every_change_is_in_the_audit_log_as_the_operators(
    typed: Cli, cli: Cli, workspace: Workspace
) -> None:
    _add(typed)
    cli("users", "change", EMAIL, "--role", "viewer")
    typed(OTHER, "users", "password", EMAIL)
    cli("keys", "rotate")
    events, _ = list_events(workspace, AuditWindow())
    assert {event.actor for event in events} == {"operator"}
    assert [event.action for event in reversed(events)] == [
        "user.added",
        "user.changed",
        "password.changed",
        "keys.rotated",
    ]
    shown = _json(cli("audit", "list", "--action", "user.changed", "--json"))
    assert (shown["total"], len(shown["events"])) == (1, 1)
    assert _json(cli("audit", "list", "--since", "2999-01-01", "--json"))["total"] == 0
    assert _json(cli("audit", "list", "--user", EMAIL, "--json"))["total"] == 1
    assert "user.added" in cli("audit", "list").stdout


def test_an_altered_audit_log_ends_with_exit_code_1(
    typed: Cli, cli: Cli, environment: dict[str, str]
) -> None:
    _add(typed)
    assert _json(cli("audit", "verify", "--json"))["is_sound"]
    assert "as they were written" in cli("audit", "verify").stdout
    with psycopg.connect(environment["ALEXANDRIA_DATABASE_URL"]) as connection:
        connection.execute("ALTER TABLE identity.audit_events DISABLE TRIGGER ALL")
        connection.execute("UPDATE identity.audit_events SET actor = 'somebody else'")
        connection.execute("ALTER TABLE identity.audit_events ENABLE TRIGGER ALL")
    result = cli("audit", "verify")
    assert result.exit_code == 1
    assert "was altered" in result.stderr
    assert json.loads(cli("audit", "verify", "--json").stdout)["broken"] == [1]


def test_a_source_is_for_those_it_names(cli: Cli, shelf: object) -> None:
    readers = ["group:keepers", f"user:{EMAIL}"]
    options = [word for name in readers for word in ("--reader", name)]
    assert _json(cli("sources", "add", shelf, *options, "--json"))["readers"] == readers
    (source,) = _json(cli("sources", "list", "--json"))
    assert source["readers"] == readers
    wrong = cli("sources", "add", shelf, "--reader", "Inés")
    assert wrong.exit_code == 1
    assert "user:EMAIL" in " ".join(wrong.stderr.split())


@pytest.fixture
def api_account(environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """The environment of a server; the account's password is taken away afterwards."""
    yield environment
    with psycopg.connect(environment["ALEXANDRIA_DATABASE_URL"]) as connection:
        connection.execute("ALTER ROLE alexandria_api PASSWORD NULL")


def test_migrating_gives_the_api_its_password(
    cli: Cli, api_account: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _json(cli("migrate", "--json")) == {
        "revision": HEAD,
        "is_changed": False,
        "is_password_set": False,
    }
    address = "postgresql://alexandria_api:s3cret-of-the-api@postgres:5432/alexandria"
    monkeypatch.setenv("ALEXANDRIA_SERVING_DATABASE_URL", address)
    for _ in range(2):
        result = cli("migrate", "--json")
        assert _json(result)["is_password_set"]
        assert "s3cret" not in result.output
    with psycopg.connect(api_account["ALEXANDRIA_DATABASE_URL"]) as connection:
        row = connection.execute(
            "SELECT rolpassword FROM pg_authid WHERE rolname = 'alexandria_api'"
        ).fetchone()
    assert row
    assert _verifies(row[0], "s3cret-of-the-api")
    assert not _verifies(row[0], "another")


def _verifies(verifier: str, password: str) -> bool:
    """Whether Postgres would let somebody in with a password, by RFC 5802."""
    kind, work, keys = verifier.split("$")
    assert kind == "SCRAM-SHA-256"
    rounds, salt = work.split(":")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), b64decode(salt), int(rounds))
    client = hmac.digest(salted, b"Client Key", "sha256")
    return keys.split(":")[0] == b64encode(hashlib.sha256(client).digest()).decode()


@pytest.mark.parametrize(
    "address",
    ["postgresql://alexandria:word@h/alexandria", "postgresql://alexandria_api@h/alexandria"],
)
def test_migrating_refuses_an_address_of_the_api_that_is_not_its_own(
    cli: Cli, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("ALEXANDRIA_SERVING_DATABASE_URL", address)
    result = cli("migrate")
    assert result.exit_code == 1
    assert "alexandria_api and its password" in " ".join(result.stderr.split())


def test_only_a_library_on_ones_own_machine_has_a_link() -> None:
    assert is_own_machine(Settings())
    assert not is_own_machine(Settings(environment="production"))
    assert not is_own_machine(Settings(database_url="postgresql://a@b/c"))
