"""Worker processes with limits on memory, processor time and wall time.

A task that breaks down, hangs or wants too much costs itself: its worker is replaced and
the other tasks go on. Workers are forked from a server process that was started clean, so
they share no threads, connections or locks with this process, and they end when it does.
"""

import multiprocessing
import os
import re
import resource
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast

if TYPE_CHECKING:
    from pebble import ProcessPool

Task = TypeVar("Task")
Result = TypeVar("Result")

_TASKS_OF_A_WORKER = 1000
"""A worker is replaced after these, so that what a library leaks does not add up."""

_OUT_OF_MEMORY = re.compile(rb"memory allocation of \d+ bytes failed|bad_alloc|[Oo]ut of memory")
"""What libraries say when memory is refused to them and they give up instead of telling so."""

_LAST_WORDS = 4_096


@dataclass(frozen=True, slots=True)
class Limits:
    """What one task may use.

    Attributes:
        memory_bytes: Private memory of the worker; beyond it allocation fails.
        seconds: Wall time and processor time.
    """

    memory_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Done(Generic[Task, Result]):
    """A task and what came of it: a result, or the error that ended it.

    Besides what the function raises, `error` may be `TimeoutError` (the time was up),
    `MemoryError` (the memory was) or `ChildProcessError` (the worker died of something else).
    """

    task: Task
    result: Result | None
    error: Exception | None
    seconds: float


class Workers:
    """Some processes that do tasks; started when first used. Close it, or use it as a context.

    Args:
        count: How many; None for one on each core.
        limits: Of a task, unless it is given its own seconds.
        preload: A module that is imported once, in the server: every worker is a fork of it and
            has it already. The first workers of a process decide.
    """

    def __init__(self, count: int | None, limits: Limits, preload: str = "__main__") -> None:
        self._count = count or os.cpu_count() or 1
        self._limits = limits
        self._preload = preload
        self._pool: ProcessPool | None = None
        self._last_words: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def prepare(self) -> None:
        """Start the server that workers are forked from; it loads while this process goes on."""
        from multiprocessing import forkserver

        self._context()
        forkserver.ensure_running()

    def close(self) -> None:
        """Stop the workers at once; a task under way is lost."""
        if self._pool is not None:
            self._pool.stop()
            self._pool.join()
            self._pool = None
        if self._last_words is not None:
            self._last_words.cleanup()
            self._last_words = None

    def run(
        self,
        function: Callable[[Task], Result],
        tasks: Iterable[Task],
        seconds: Callable[[Task], float] | None = None,
    ) -> Generator[Done[Task, Result]]:
        """Do the tasks; yields each when it is done, in no particular order.

        Args:
            function: A function of a module, called with one task in a worker.
            tasks: Taken a few at a time, so that no more lie in memory.
            seconds: The limit of a single task, where it is not that of all.
        """
        running: dict[Future[Result], tuple[Task, float]] = {}
        pending = iter(tasks)
        try:
            while True:
                self._fill(running, function, pending, seconds)
                if not running:
                    return
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    task, started = running.pop(future)
                    yield self._done(task, future, time.perf_counter() - started)
        finally:
            for future in running:
                future.cancel()

    def _fill(
        self,
        running: dict[Future[Result], tuple[Task, float]],
        function: Callable[[Task], Result],
        pending: Iterator[Task],
        seconds: Callable[[Task], float] | None,
    ) -> None:
        """Keep one task waiting for each worker, so that none is ever idle."""
        while len(running) < 2 * self._count:
            try:
                task = next(pending)
            except StopIteration:
                return
            limit = seconds(task) if seconds else self._limits.seconds
            work: Any = self._started().schedule(
                _within_limits, args=(function, task, limit), timeout=limit
            )
            running[work] = (task, time.perf_counter())

    def _started(self) -> "ProcessPool":
        if self._pool is None:
            from pebble import ProcessPool

            self._last_words = tempfile.TemporaryDirectory(prefix="alexandria-workers-")
            self._pool = ProcessPool(
                max_workers=self._count,
                max_tasks=_TASKS_OF_A_WORKER,
                initializer=_begin,
                initargs=(self._limits.memory_bytes, self._last_words.name),
                context=self._context(),
            )
        return self._pool

    def _done(self, task: Task, future: "Future[Result]", seconds: float) -> Done[Task, Result]:
        from pebble import ProcessExpired

        error = future.exception()
        if error is None:
            return Done(task, future.result(), None, seconds)
        if isinstance(error, ProcessExpired):
            if _OUT_OF_MEMORY.search(self._words_of(error.pid)):
                error = MemoryError()
            else:
                error = ChildProcessError(f"The worker died with exit code {error.exitcode}.")
        if not isinstance(error, Exception):
            raise error
        return Done(task, None, error, seconds)

    def _words_of(self, pid: int | None) -> bytes:
        """The beginning of what a worker that died had to say in its last task."""
        if self._last_words is None or pid is None:
            return b""
        with suppress(FileNotFoundError), Path(self._last_words.name, str(pid)).open("rb") as words:
            return words.read(_LAST_WORDS)
        return b""

    def _context(self) -> BaseContext:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["__main__", self._preload])
        return context


def result_of(done: Done[Task, Result]) -> Result:
    """What the function returned.

    Raises:
        Exception: What ended the task instead.
    """
    if done.error is not None:
        raise done.error
    return cast("Result", done.result)


def _begin(memory_bytes: int, folder: str) -> None:
    """What a worker does first. What libraries write to its stderr is for no reader's eyes."""
    _limit_memory(memory_bytes)
    words = os.open(Path(folder, str(os.getpid())), os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    os.dup2(words, 2)
    os.close(words)


def _limit_memory(memory_bytes: int) -> None:
    """Applies to all private memory of the process, mapped or allocated."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, hard))


def _within_limits(function: Callable[[Task], Result], task: Task, seconds: float) -> Result:
    """The processor's limit kills even what the watching process cannot see, after it died."""
    os.ftruncate(2, 0)
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = used.ru_utime + used.ru_stime
    cores = os.cpu_count() or 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(spent + cores * seconds) + 1, hard))
    return function(task)
