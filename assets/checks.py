"""From a check of the domain to a Dagster asset check that blocks what follows."""

import dagster as dg

from alexandria.workflows.operating.sources import list_all_sources, read_source
from alexandria.workflows.quality.checks import Check, record_check
from alexandria.workflows.workspace import Workspace

PARTITION_TAG = "dagster/partition"


def blocking_check(asset: list[str], name: str, check: Check) -> dg.AssetChecksDefinition:
    """An asset check of that name; when it fails, nothing downstream of the asset runs."""

    @dg.asset_check(asset=asset, name=name, blocking=True, description=check.__doc__)
    def definition(
        context: dg.AssetCheckExecutionContext, workspace: dg.ResourceParam[Workspace]
    ) -> dg.AssetCheckResult:
        return run_check(context, workspace, name, check)

    return definition


def run_check(
    context: dg.AssetCheckExecutionContext, workspace: Workspace, name: str, check: Check
) -> dg.AssetCheckResult:
    """Check the source of the run; without one, every source, and report the first failure."""
    partition = context.run.tags.get(PARTITION_TAG)
    sources = [read_source(workspace, partition)] if partition else list_all_sources(workspace)
    outcomes = []
    for source in sources:
        outcome = check(workspace, source)
        record_check(workspace, source, name, outcome)
        outcomes.append(outcome)
    failed = [outcome for outcome in outcomes if not outcome.is_passed]
    shown = (failed or outcomes)[-1] if outcomes else None
    return dg.AssetCheckResult(
        passed=not failed,
        description=shown.description if shown else "There is no source yet.",
        metadata=dict(shown.details) if shown else {},
    )
