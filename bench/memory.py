"""What a running command uses: peak memory and processor time of its process tree.

Memory is in bytes, of the command and of the database server it uses. A process counts with
its proportional share (PSS) where the system tells it, so that the pages Postgres shares among
its backends are counted once; with its resident set where not. Processor time is what was last
seen of each process, so up to half a second of each is missed.
"""

import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

INTERVAL_SECONDS = 0.5


@dataclass
class Peaks:
    """The largest sums seen; `total` is the largest of both together at one moment.

    `processor_seconds` are those of the command and its workers, without the database server.
    """

    command: int = 0
    postgres: int = 0
    total: int = 0
    processor_seconds: float = 0.0

    def see(self, command: int, postgres: int) -> None:
        """Take one sample in."""
        self.command = max(self.command, command)
        self.postgres = max(self.postgres, postgres)
        self.total = max(self.total, command + postgres)


class MemoryWatch:
    """Samples while its block runs.

    Args:
        pid: The command.
        postgres_folder: Data folder of the home's server, which is nobody's child.
    """

    def __init__(self, pid: int, postgres_folder: Path) -> None:
        self.peaks = Peaks()
        self._pid = pid
        self._postmaster = postgres_folder / "postmaster.pid"
        self._processor: dict[psutil.Process, float] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stopped.wait(INTERVAL_SECONDS):
            server = _tree(_read_pid(self._postmaster))
            command = _tree(self._pid) - server
            self.peaks.see(sum(map(_bytes, command)), sum(map(_bytes, server)))
            for process in command:
                seen = self._processor.get(process, 0.0)
                self._processor[process] = max(seen, _seconds(process))
            self.peaks.processor_seconds = sum(self._processor.values())


def _read_pid(file: Path) -> int | None:
    """The server's process; while a new data folder is prepared, its number is negative."""
    try:
        return abs(int(file.read_text().split()[0]))
    except (OSError, ValueError, IndexError):
        return None


def _tree(pid: int | None) -> set[psutil.Process]:
    if pid is None:
        return set()
    try:
        process = psutil.Process(pid)
        return {process, *process.children(recursive=True)}
    except psutil.NoSuchProcess:
        return set()


def _seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return 0.0
    return times.user + times.system


def _bytes(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
        return int(getattr(full, "pss", full.rss))
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return 0
