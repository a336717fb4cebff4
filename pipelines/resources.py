"""What the assets are given: one open workspace for each run."""

from collections.abc import Iterator

import dagster as dg

from alexandria.settings import Settings
from alexandria.workflows.workspace import Workspace, open_workspace


@dg.resource(description="The library's ledger, blobs, model and indexes, from the settings.")
def workspace(_context: dg.InitResourceContext) -> Iterator[Workspace]:
    """Open the workspace that the environment describes; close it when the run ends."""
    with open_workspace(Settings()) as opened:
        yield opened
