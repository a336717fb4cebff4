"""What the assets are given, from the environment."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from alexandria.settings import Settings
from alexandria.workflows.workspace import Workspace, open_workspace
from pipelines.collector import collect_rarely

if TYPE_CHECKING:
    from dagster_dbt import DbtCliResource

DBT_PROJECT = Path(__file__).resolve().parents[1] / "dbt"
DBT_MANIFEST = DBT_PROJECT / "target" / "manifest.json"


@dg.resource(description="The library's ledger, blobs, model and indexes, from the settings.")
def workspace(_context: dg.InitResourceContext) -> Iterator[Workspace]:
    """Open the workspace that the environment describes; close it when the run ends."""
    collect_rarely()
    with open_workspace(Settings()) as opened:
        yield opened


def dbt() -> "DbtCliResource":
    """The dbt project of this repository; its places come with each run."""
    from dagster_dbt import DbtCliResource

    return DbtCliResource(
        project_dir=str(DBT_PROJECT),
        profiles_dir=str(DBT_PROJECT),
        dbt_executable=str(Path(sys.executable).parent / "dbt"),
    )
