"""Schemathesis over the whole OpenAPI document, all checks on, in every role and in none.

Without `REQUESTS_EXAMPLES` this is a small run: a made-up case of each operation, and the edges
of every value (the coverage phase) as an administrator only, who gets furthest with them.
docs/operations.md says how to run all of it.
"""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from alexandria.workflows.workspace import Workspace

HOOKS = Path(__file__).parent / "requests"
SEED = os.environ.get("REQUESTS_SEED", "4")
FEW = "1"


@pytest.mark.parametrize("who", ["nobody", "viewer", "user", "admin"])
def test_every_request_is_answered_as_documented(
    anonymous: httpx.Client, library: Workspace, tmp_path: Path, who: str
) -> None:
    examples = os.environ.get("REQUESTS_EXAMPLES", FEW)
    is_whole = who == "admin" or "REQUESTS_EXAMPLES" in os.environ
    command = [
        *(sys.executable, "-m", "schemathesis.cli"),
        *("--config-file", str(HOOKS / "schemathesis.toml")),
        *("run", f"{anonymous.base_url}/openapi.json"),
        *("--checks", "all", "--seed", SEED, "--max-examples", examples, "--no-color"),
        *([] if is_whole else ["--phases", "examples,fuzzing,stateful"]),
    ]
    told = subprocess.run(
        command,
        cwd=tmp_path,
        env=os.environ | _environment(library, who),
        capture_output=True,
        text=True,
        check=False,
    )
    sys.stdout.write(told.stdout)
    assert told.returncode == 0, told.stdout + told.stderr


def _environment(library: Workspace, who: str) -> dict[str, str]:
    """What the hooks sign in with."""
    return {
        "ALEXANDRIA_HOME": str(library.settings.home),
        "ALEXANDRIA_DATABASE_URL": library.database.address,
        "PYTHONPATH": str(HOOKS),
        "REQUESTS_AS": who,
    }
