"""What runs by the clock."""

from collections.abc import Iterator

import dagster as dg

from alexandria.workflows.operating.sources import list_all_sources
from alexandria.workflows.workspace import Workspace
from pipelines.jobs import analytics, sync_source

analytics_daily_schedule = dg.ScheduleDefinition(
    name="analytics_daily_schedule",
    job=analytics,
    cron_schedule="0 2 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Marts for the analysts, every night at 02:00 UTC.",
)


@dg.schedule(
    job=sync_source,
    cron_schedule="0 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every source, every hour: what a sensor missed is found here.",
)
def sync_source_hourly_schedule(
    context: dg.ScheduleEvaluationContext, workspace: dg.ResourceParam[Workspace]
) -> Iterator[dg.RunRequest]:
    """Every source, every hour: what a sensor missed is found here."""
    hour = context.scheduled_execution_time.isoformat()
    names = [source.name for source in list_all_sources(workspace)]
    context.instance.add_dynamic_partitions("source", names)
    for name in names:
        yield dg.RunRequest(run_key=f"{name} {hour}", partition_key=name)
