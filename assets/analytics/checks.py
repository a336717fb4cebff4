"""What must hold of the exported ledger and of the published marts.

dbt's own tests are checks of the models; these two look at the files.
"""

import dagster as dg

from alexandria.workflows.stages.analytics import (
    LEDGER_TABLES,
    MARTS,
    count_built,
    count_exported,
    count_published,
)
from alexandria.workflows.workspace import Workspace


@dg.asset_check(asset=["analytics", "ledger_exports"], blocking=True)
def every_table_is_exported(workspace: dg.ResourceParam[Workspace]) -> dg.AssetCheckResult:
    """Every table of the ledger is there as a file that opens; until then no mart is built."""
    counts = count_exported(workspace)
    missing = ", ".join(table for table in LEDGER_TABLES if table not in counts)
    return dg.AssetCheckResult(
        passed=not missing,
        description=f"Missing: {missing}" if missing else f"All {len(counts)} tables are there.",
        metadata=dict(counts),
    )


@dg.asset_check(asset=["analytics", "marts"])
def every_row_is_published(workspace: dg.ResourceParam[Workspace]) -> dg.AssetCheckResult:
    """Every mart's file holds as many rows as its table in DuckDB."""
    built, published = count_built(workspace), count_published(workspace)
    wrong = "; ".join(
        f"{mart}: {built[f'marts.{mart}']} built, {published.get(mart, 'none')} published"
        for mart in MARTS
        if built[f"marts.{mart}"] != published.get(mart)
    )
    return dg.AssetCheckResult(
        passed=not wrong,
        description=wrong or f"All {len(published)} marts are published whole.",
        metadata=dict(published),
    )
