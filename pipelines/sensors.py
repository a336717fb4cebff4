"""What runs because something changed."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from alexandria.sources.folder.listing import folder_signature
from alexandria.workflows.operating.sources import Source, list_all_sources
from alexandria.workflows.operating.upload_sources import settle_upload_sources
from alexandria.workflows.workspace import Workspace
from pipelines.jobs import sync_source

POLL_SECONDS = 5


@dg.sensor(
    job=sync_source,
    minimum_interval_seconds=POLL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A run for each folder or file in which something is new, changed or gone.",
)
def folder_changed_sensor(
    context: dg.SensorEvaluationContext, workspace: dg.ResourceParam[Workspace]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Folders and files: a run for each source in which a file is new, changed or gone."""
    sources = [item for item in list_all_sources(workspace) if item.kind != "upload"]
    yield from request_changed(context, sources)


@dg.sensor(
    job=sync_source,
    minimum_interval_seconds=POLL_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="A run for what the API received: its folder is a source from its first file on.",
)
def upload_arrived_sensor(
    context: dg.SensorEvaluationContext, workspace: dg.ResourceParam[Workspace]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Uploads: a tenant's folder that the API writes to is a source from its first file on."""
    found = settle_upload_sources(workspace)
    for problem in found.problems:
        context.log.error(problem)
    yield from request_changed(context, found.live, former=found.former)


def request_changed(
    context: dg.SensorEvaluationContext, sources: Sequence[Source], *, former: Sequence[str] = ()
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """A run for each source whose listing differs from the one in the cursor.

    For one of `former`, which is taken out, once an hour for as long as it is named.
    Without a run key: a folder that is again as it once was has changed all the same.
    """
    seen: dict[str, str] = json.loads(context.cursor or "{}")
    now = {item.name: folder_signature(Path(item.location)) for item in sources}
    now |= dict.fromkeys(former, f"taken out, {datetime.now(UTC):%Y-%m-%d %H}h")
    changed = [name for name, signature in now.items() if seen.get(name) != signature]
    context.update_cursor(json.dumps(now))
    if not changed:
        yield dg.SkipReason(f"None of {len(now)} sources has changed.")
        return
    context.instance.add_dynamic_partitions("source", changed)
    for name in changed:
        yield dg.RunRequest(partition_key=name)
