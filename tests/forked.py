"""Python processes forked from one that has imported what they need.

A process that starts cold takes seconds to import what hundreds before it did. These have an id,
a session, an environment and an end of their own as any other: they can be killed, and end by
themselves as Python does. As a script, this is the process they are forked from.
"""

import contextlib
import gc
import importlib
import json
import multiprocessing
import os
import runpy
import select
import signal
import subprocess
import sys
import types
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import forkserver
from pathlib import Path
from typing import Any, NoReturn

_UNTOLD = "ignore:resource_tracker"
"""At the end it warns of what processes that were killed left to it, and removes that."""


class Forked:
    """A process that was forked; `subprocess.Popen` names its parts so."""

    def __init__(self, parent: "Parent", pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._parent = parent
        self._ended = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """How it ended; None if it runs."""
        if self.returncode is None and select.select([self._ended], [], [], 0)[0]:
            self.wait()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; returns its exit code, or less a signal that ended it.

        Raises:
            TimeoutExpired: It did not end in time.
        """
        if self.returncode is None:
            if not select.select([self._ended], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            self.returncode = self._parent.ask({"ended": self.pid})
            os.close(self._ended)
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, if it has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


class Parent:
    """The process that others are forked from; it forks and tells how they ended."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def start(
        self, arguments: Sequence[object], log: Path, environment: Mapping[str, str] | None = None
    ) -> Forked:
        """Run what `python` with these arguments would: `-c` or `-m`, and what is for it."""
        given = dict(os.environ if environment is None else environment)
        asked = {"arguments": [str(one) for one in arguments], "log": str(log)}
        return Forked(self, self.ask({**asked, "environment": given}))

    def ask(self, request: Mapping[str, object]) -> int:
        """Send a request; returns the number it is answered with."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@contextmanager
def forking(*modules: str) -> Generator[Parent]:
    """A process that has imported these modules; if it can read, workers have a server too."""
    with subprocess.Popen(
        [sys.executable, "-W", _UNTOLD, __file__, *modules],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # others would be lost to a fork
    ) as process:
        yield Parent(process)


_IN_WORKERS = (
    "fsspec.implementations.local",
    "markdown_it",
    "tokenizers",
)
_READING = "alexandria.workflows.stages.parsing"
"""Whoever has this needs workers, and a server that they are forked from."""
_MENDED = ("jemalloc_bg_thd",)
"""Threads that their library starts anew in a fork."""


def _serve(modules: Sequence[str]) -> None:
    """Fork and reap as asked, until nobody is there to ask."""
    sys.path[0] = str(Path.cwd())
    for module in modules:
        importlib.import_module(module)
    if _READING in sys.modules:
        start_worker_server()
    names = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
    others = [name for name in names[1:] if name not in _MENDED]
    assert not others, f"A fork would be without these threads: {others}"
    gc.freeze()  # what is here is not looked at again, so forks share its memory
    while line := sys.stdin.readline():
        request: dict[str, Any] = json.loads(line)
        if "ended" in request:
            _, status = os.waitpid(request["ended"], 0)
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = os.fork()
            if answer == 0:
                _become(**request)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


def start_worker_server() -> None:
    """Start the server that this process's workers are forked from, with what they all import.

    A library starts it when it first reads. Its workers last for a test, and each would import
    again what it reads and cuts with.
    """
    multiprocessing.get_context("forkserver").set_forkserver_preload(
        ["__main__", "alexandria.workflows.stages.preloaded", *_IN_WORKERS]
    )
    forkserver.ensure_running()


def _become(arguments: list[str], log: str, environment: dict[str, str]) -> NoReturn:
    """Be a Python process of one's own from here to its end."""
    os.setsid()
    for number, (name, flags) in enumerate(
        [(os.devnull, os.O_RDONLY), *[(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)] * 2]
    ):
        opened = os.open(name, flags, 0o644)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(environment)
    server: Any = forkserver._forkserver  # type: ignore[reportPrivateUsage]
    if server._forkserver_pid is not None:  # it runs, but is no child of this process
        places: tuple[Any, ...] = (forkserver, server)
        for place in places:
            place.ensure_running = lambda: None
    kind, what, *rest = arguments
    sys.argv = [kind, *rest]
    if kind == "-c":
        main = types.ModuleType("__main__")
        sys.modules["__main__"] = main
        exec(compile(what, "<string>", "exec"), vars(main))
    else:
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    raise SystemExit(0)


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):
        _serve(sys.argv[1:])
