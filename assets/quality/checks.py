"""What must hold of the whole library once something was published."""

import dagster as dg

from alexandria.workflows.verification import verify
from alexandria.workflows.workspace import Workspace


@dg.asset_check(asset=["quality", "publications"])
def stores_match_the_ledger(workspace: dg.ResourceParam[Workspace]) -> dg.AssetCheckResult:
    """Every store re-counted: what the ledger publishes is there, and nothing else."""
    counts = verify(workspace)
    wrong = [count for count in counts if not count.is_equal]
    words = "; ".join(
        f"{count.store}: {count.what}: expected {count.expected}, found {count.found}"
        for count in wrong
    )
    return dg.AssetCheckResult(
        passed=not wrong,
        description=words or f"All {len(counts)} counts agree.",
        metadata={f"{count.store}: {count.what}": count.found for count in counts},
    )
