"""Dagster's instance inside the home, and running a job in this process."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING

from alexandria.errors import StoreUnavailableError
from alexandria.settings import Settings
from alexandria.workflows.workspace import Workspace, resolve_dagster_database, resolve_database

if TYPE_CHECKING:
    import dagster as dg

DATABASE_VARIABLE = "ALEXANDRIA_DAGSTER_DATABASE_URL"

_CONNECTION_SECONDS = 3600
"""After so long a connection is opened anew."""

_CONNECTIONS = 20
"""Beside the one that is kept."""


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """How a job on one source ended.

    Attributes:
        run_id: As the Dagster UI shows it.
        is_success: Whether every step and blocking check passed.
        rows_written: Rows that the stages wrote; 0 when nothing had changed.
        reasons: What failed, one line each; a blocking check says why it blocked.
    """

    run_id: str
    is_success: bool
    rows_written: int
    reasons: list[str] = field(default_factory=list[str])


def prepare_dagster_home(settings: Settings) -> dict[str, str]:
    """Write the instance file if need be; returns the variables Dagster processes want."""
    address, dagster_address = resolve_database(settings), resolve_dagster_database(settings)
    folder = settings.dagster_folder
    folder.mkdir(parents=True, exist_ok=True)
    template = files("pipelines").joinpath("dagster.yaml").read_text(encoding="utf-8")
    instance_file = folder / "dagster.yaml"
    if not instance_file.exists() or instance_file.read_text(encoding="utf-8") != template:
        instance_file.write_text(template, encoding="utf-8")
    return {
        "DAGSTER_HOME": str(folder),
        "ALEXANDRIA_HOME": str(settings.home.resolve()),
        "ALEXANDRIA_DATABASE_URL": address,
        DATABASE_VARIABLE: dagster_address,
        "DO_NOT_TRACK": "1",
        "OPENBLAS_NUM_THREADS": "1",  # small matrices: a second thread costs more than it saves
    }


def open_instance(settings: Settings) -> "dg.DagsterInstance":
    """The home's Dagster instance, for use as a context manager.

    It keeps its connections, as the webserver's does. Otherwise each event of a run opens one of
    its own: some 450 in a sync.
    """
    import dagster as dg

    os.environ.update(prepare_dagster_home(settings))
    instance = dg.DagsterInstance.from_config(str(settings.dagster_folder))
    instance.optimize_for_webserver(
        statement_timeout=0, pool_recycle=_CONNECTION_SECONDS, max_overflow=_CONNECTIONS
    )
    return instance


def run_job(
    workspace: Workspace, instance: "dg.DagsterInstance", job: str, partition: str
) -> JobOutcome:
    """Run a job on one source in this process, recorded as any other run.

    Raises:
        StoreUnavailableError: The record of the run could not be kept; another run goes on from
            what this one did.
    """
    from sqlalchemy.exc import DBAPIError

    try:
        return _run_job(workspace, instance, job, partition)
    except DBAPIError as error:
        raise StoreUnavailableError(
            "Dagster's database went away during the run. Run the command again; it goes on from "
            "what was done."
        ) from error


def _run_job(
    workspace: Workspace, instance: "dg.DagsterInstance", job: str, partition: str
) -> JobOutcome:
    import dagster as dg

    from pipelines.build import build_definitions

    instance.add_dynamic_partitions("source", [partition])
    definitions = build_definitions(
        {"workspace": dg.ResourceDefinition.hardcoded_resource(workspace)}, with_analytics=False
    )
    result = definitions.resolve_job_def(job).execute_in_process(
        instance=instance,
        partition_key=partition,
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    checks = [
        f"{check.asset_check_key.name}: {check.description or 'did not pass'}"
        for check in result.get_asset_check_evaluations()
        if not check.passed
    ]
    return JobOutcome(
        run_id=result.run_id,
        is_success=result.success,
        rows_written=_rows_written(result.all_events),
        reasons=checks or _failures(result.all_events),
    )


def _rows_written(events: Sequence["dg.DagsterEvent"]) -> int:
    counts = [
        event.step_materialization_data.materialization.metadata["dagster/row_count"].value
        for event in events
        if event.is_step_materialization
    ]
    return sum(int(str(count)) for count in counts)


def _failures(events: Sequence["dg.DagsterEvent"]) -> list[str]:
    errors = [event.step_failure_data.error for event in events if event.is_step_failure]
    return [_last_cause(error) for error in errors if error is not None]


def _last_cause(error: object) -> str:
    cause = getattr(error, "cause", None)
    while cause is not None and getattr(cause, "cause", None) is not None:
        cause = cause.cause
    return str(getattr(cause or error, "message", error)).strip()
