"""The job of the graph itself: the same stages and checks, run and recorded by Dagster."""

from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from alexandria.workflows.operating.sources import Source
from alexandria.workflows.operating.status import read_status
from alexandria.workflows.quality.labelled_questions import load_questions
from alexandria.workflows.reports import StageReport
from alexandria.workflows.workspace import Workspace
from pipelines.instance import run_job

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
