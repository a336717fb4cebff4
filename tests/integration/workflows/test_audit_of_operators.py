"""What operators and the pipeline change is in the audit log; what changes nothing is not."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from alexandria.workflows.identity.audit import AuditEvent, AuditWindow, list_events
from alexandria.workflows.operating.generations import (
    ensure_target,
    live_generation,
    retire_generation,
    switch_generation,
)
from alexandria.workflows.operating.migrating import bring_up_to_date
from alexandria.workflows.operating.sources import add_source, remove_source
from alexandria.workflows.reports import StageReport
from alexandria.workflows.workspace import Workspace

Sync = Callable[..., dict[str, StageReport]]
Write = Callable[[Path, str | bytes], Path]


def _events(workspace: Workspace, kind: str) -> list[AuditEvent]:
    """Of one kind, the oldest first; each is the operator's."""
    found = list_events(workspace, AuditWindow(), limit=1000)[0]
    assert {event.actor for event in found} <= {"operator"}
    return [event for event in reversed(found) if event.resource_type == kind]


def test_a_source_that_is_added_changed_and_removed(workspace: Workspace, tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    source = add_source(workspace, shelf, name="shelf")
    add_source(workspace, shelf)
    add_source(workspace, shelf, name="shelf", readers=["everyone"])
    add_source(workspace, shelf, readers=["group:keepers"], tags=["old"])
    remove_source(workspace, "shelf")
    remove_source(workspace, "shelf")
    add_source(workspace, shelf)
    added, changed, removed, again = _events(workspace, "source")
    assert {one.resource_id for one in (added, changed, removed, again)} == {source.source_id}
    assert (added.action, added.details["readers"]) == ("source.added", ["everyone"])
    assert (changed.action, changed.details) == (
        "source.changed",
        {"changed": ["tags", "readers"], "readers": ["group:keepers"]},
    )
    assert (removed.action, again.action) == ("source.removed", "source.added")


def test_a_source_is_in_the_log_of_its_tenant(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    add_source(workspace, tmp_path / "theirs", tenant_id="acme")
    assert _events(workspace, "source") == []
    asked: dict[str, Any] = dict.fromkeys(("of_user", "action", "first", "last"))
    [row] = workspace.database.records("list_audit_events", tenant_id="acme", limit=9, **asked)
    assert (row["action"], row["actor"]) == ("source.added", "operator")


def test_a_sync_tells_once_how_many_documents_have_other_readers(
    workspace: Workspace, tmp_path: Path, sync: Sync, write: Write
) -> None:
    for number in range(3):
        write(tmp_path / f"shelf/{number}.txt", f"The lamp {number} is lit at dusk.\n")
    source = add_source(workspace, tmp_path / "shelf")
    sync(workspace, source, until="parsed_documents")
    sync(workspace, source, until="parsed_documents")
    assert [event.action for event in _events(workspace, "source")] == ["source.added"]
    source = add_source(workspace, tmp_path / "shelf", readers=["group:keepers"])
    sync(workspace, source, until="parsed_documents")
    sync(workspace, source, until="parsed_documents")
    last = _events(workspace, "source")[-1]
    assert [event.action for event in _events(workspace, "source")][1:] == [
        "source.changed",
        "access.changed",
    ]
    assert (last.details, last.resource_id) == ({"documents": 3}, source.source_id)


def test_generations_that_are_added_switched_and_retired(workspace: Workspace) -> None:
    first = ensure_target(workspace)
    ensure_target(workspace)
    chunking = {"chunking": {"library": {"kind": "recursive"}}}
    changed = replace(workspace, settings=workspace.settings.model_copy(update=chunking))
    second = ensure_target(changed)
    assert second.generation_id != first.generation_id
    switch_generation(workspace, second.generation_id)
    retire_generation(workspace, first.generation_id)
    live = live_generation(workspace)
    assert live is not None
    assert live.generation_id == second.generation_id
    told = [(event.action, event.resource_id) for event in _events(workspace, "generation")]
    assert told == [
        ("index.added", first.generation_id),
        ("index.added", second.generation_id),
        ("index.switched", second.generation_id),
        ("index.retired", first.generation_id),
    ]


def test_a_repair_that_found_something_to_do(
    library: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    from pipelines.cli.main import app

    home, address = library.settings.home, library.settings.database_url
    monkeypatch.setenv("ALEXANDRIA_HOME", str(home))
    monkeypatch.setenv("ALEXANDRIA_DATABASE_URL", str(address))
    shutil.rmtree(library.settings.qdrant_folder)
    for _ in range(2):
        assert CliRunner().invoke(app, ["verify", "--repair"]).exit_code == 0
    [event] = _events(library, "library")
    assert event.action == "stores.repaired"
    assert event.details["files"] == 0
    assert isinstance(event.details["points"], int)
    assert event.details["points"] > 0


def test_the_password_of_the_api_is_told_of_and_not_told(workspace: Workspace) -> None:
    from psycopg.conninfo import conninfo_to_dict

    from alexandria.adapters.schema import API_ACCOUNT, address_of

    database = str(conninfo_to_dict(workspace.database.address)["dbname"])
    parts = {"user": API_ACCOUNT, "password": "moss-and-lanterns", "host": "localhost"}
    serving = SecretStr(address_of(parts, database))
    named = workspace.settings.model_copy(update={"serving_database_url": serving})
    assert not bring_up_to_date(workspace.settings).is_password_set
    assert _events(workspace, "account") == []
    assert bring_up_to_date(named).is_password_set
    [event] = _events(workspace, "account")
    assert event.action == "api_account.password_set"
    assert "moss" not in str(event)
