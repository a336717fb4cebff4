"""The job of the graph itself: the same stages and checks, run and recorded by Dagster."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import dagster as dg
import psycopg
import pytest

from alexandria.adapters.schema import ensure_database
from alexandria.errors import StoreUnavailableError
from alexandria.workflows.operating.sources import Source
from alexandria.workflows.operating.status import read_status
from alexandria.workflows.quality.labelled_questions import load_questions
from alexandria.workflows.reports import StageReport
from alexandria.workflows.workspace import Workspace
from pipelines.instance import open_instance, run_job

Sync = Callable[..., dict[str, StageReport]]
Write = Callable[[Path, str], Path]
Found = Callable[..., list[tuple[str, str]]]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A Dagster instance that lives in memory."""
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def test_the_job_publishes_what_the_stages_do_and_a_second_run_finds_nothing_to_do(
    workspace: Workspace, source: Source, instance: dg.DagsterInstance, found: Found
) -> None:
    first = run_job(workspace, instance, "sync_source", source.name)
    second = run_job(workspace, instance, "sync_source", source.name)
    assert (first.is_success, first.reasons) == (True, [])
    assert first.rows_written > 0
    assert (second.is_success, second.rows_written) == (True, 0)
    assert found("Who kept the lighthouse?")[0][0] == "lighthouse.txt"


def test_a_failed_check_stops_the_job_and_both_the_job_and_status_say_why(
    workspace: Workspace,
    source: Source,
    shelf: Path,
    instance: dg.DagsterInstance,
    sync: Sync,
    write: Write,
    found: Found,
) -> None:
    labels = shelf.with_name("questions.csv")
    labels.write_text("question,document\nWho kept the lighthouse?,lighthouse.txt\n")
    load_questions(workspace, source, labels)
    sync(workspace, source)
    before = found("Who kept the lighthouse?")
    write(shelf / "decoy.txt", "Who kept the lighthouse? Who kept the lighthouse, who kept it?\n")
    refused = run_job(workspace, instance, "sync_source", source.name)
    assert not refused.is_success
    assert [reason.split(":")[0] for reason in refused.reasons] == ["retrieval_score_holds"]
    (failed,) = read_status(workspace).failed_checks
    assert f"{failed.name}: {failed.description}" == refused.reasons[0]
    assert found("Who kept the lighthouse?") == before
    (shelf / "decoy.txt").unlink()
    assert run_job(workspace, instance, "sync_source", source.name).is_success


def test_a_source_whose_folder_is_gone_fails_with_a_plain_reason(
    workspace: Workspace, source: Source, shelf: Path, instance: dg.DagsterInstance
) -> None:
    shelf.rename(shelf.with_name("elsewhere"))
    outcome = run_job(workspace, instance, "sync_source", source.name)
    assert not outcome.is_success
    assert len(outcome.reasons) == 1
    assert "is not there. Mount it again" in outcome.reasons[0]
    assert "Traceback" not in outcome.reasons[0]


@dataclass
class Outage:
    """Ends every connection to a database when the stage begins."""

    address: str
    database: str
    stage: str

    def expect(self, stage: str, total: int) -> None:
        """A stage begins."""
        if stage == self.stage:
            with psycopg.connect(self.address) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                    (self.database,),
                )

    def advance(self, stage: str, amount: int = 1) -> None:
        """A part of it is done."""


def test_a_run_that_loses_its_record_says_so_and_the_next_goes_on(
    workspace: Workspace, source: Source, found: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    address, name = workspace.database.address, f"dagster_{uuid4().hex}"
    settings = workspace.settings.model_copy(
        update={"dagster_database_url": ensure_database(address, name)}
    )
    cut_off = replace(workspace, settings=settings, progress=Outage(address, name, "chunks"))
    with (
        open_instance(settings) as instance,
        pytest.raises(StoreUnavailableError, match="Run the command again"),
    ):
        run_job(cut_off, instance, "sync_source", source.name)
    assert found("Who kept the lighthouse?") == []
    with open_instance(settings) as instance:
        outcome = run_job(workspace, instance, "sync_source", source.name)
        run = instance.get_run_by_id(outcome.run_id)
    assert outcome.is_success
    assert run is not None
    assert run.status is dg.DagsterRunStatus.SUCCESS
    assert found("Who kept the lighthouse?")[0][0] == "lighthouse.txt"
