"""What many ask for at once and is costly to find: found once, and kept for a moment."""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from threading import Lock
from typing import Generic, TypeVar

KEPT_SECONDS = 1.0

_LOG = logging.getLogger(__name__)
_Found = TypeVar("_Found")


class Kept(Generic[_Found]):
    """A finding, made at most once at a time and once in `KEPT_SECONDS`."""

    def __init__(self, find: Callable[[], _Found], threads: Executor) -> None:
        """Find it with `find`, in one of `threads`, when it is first asked for."""
        self._find = find
        self._threads = threads
        self._finding: Future[_Found] | None = None
        self._ended = 0.0
        self._lock = Lock()
        self.last: _Found | None = None
        """The newest finding, however old; None before the first."""

    def ask(self) -> Future[_Found]:
        """What is being found, or was a moment ago; a failure is kept like a success."""
        with self._lock:
            if self._finding is None or self._is_old(self._finding):
                self._finding = self._threads.submit(self._find_now)
                self._finding.add_done_callback(_log_failure)
            return self._finding

    def _is_old(self, finding: Future[_Found]) -> bool:
        return finding.done() and time.monotonic() - self._ended >= KEPT_SECONDS

    def _find_now(self) -> _Found:
        try:
            self.last = self._find()
        finally:
            self._ended = time.monotonic()
        return self.last


def _log_failure(finding: Future[_Found]) -> None:
    """Whoever asked may not wait for it, as metrics do not."""
    if not finding.cancelled() and (error := finding.exception()):
        _LOG.warning("What is asked for often could not be found: %s", error)
