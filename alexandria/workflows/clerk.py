"""Writing beside working: a second thread records a batch while the next one is computed.

Laws: jobs are done in the order they were handed over, one at a time, and the owner is one
job ahead at most, so a killed step loses what it would lose without a clerk and one batch
more. A job that fails raises where the next is handed over, or where the clerk leaves.
Jobs run in transactions of their own: never hand one over inside a transaction.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self


class Clerk:
    """Does jobs in a thread of its own; use as a context manager around the work."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="clerk")
        self._last: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._thread.shutdown()
        if error is None:
            self._settle()

    def hand(self, job: Callable[[], None]) -> None:
        """Wait until the last job is done, then have this one done.

        Raises:
            Exception: Whatever the last job raised; this one is then not begun.
        """
        self._settle()
        self._last = self._thread.submit(job)

    def _settle(self) -> None:
        if self._last is not None:
            self._last.result()
