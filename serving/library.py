"""The library a running API serves: opened in the background, then its model warmed.

The process answers `/health/live` at once and refuses everything else with 503 until the
stores are open; it is ready when the first question would be as quick as the second.
"""

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from threading import Event

from alexandria.errors import AlexandriaError, StoreUnavailableError, TransientError
from alexandria.knowledge.indexing import SearchFilter
from alexandria.settings import Settings
from alexandria.workflows.reading.searching import search
from alexandria.workflows.workspace import Workspace, open_workspace

RETRY_SECONDS = 2.0
_LOG = logging.getLogger(__name__)


class Library:
    """A workspace that opens by itself."""

    def __init__(self, settings: Settings, given: Workspace | None = None) -> None:
        """Serve what `settings` name, or a workspace that is open and that its owner closes."""
        self.settings = settings
        self._given = given
        self._opened: Workspace | None = None
        self._progress = "The library is being opened; try again in a moment."
        self._is_warm = Event()
        self._is_closing = Event()
        self._closers = ExitStack()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="library")

    @property
    def progress(self) -> str:
        """What it is doing, or why it cannot go on and what to do."""
        return self._progress

    @property
    def workspace(self) -> Workspace:
        """The open workspace.

        Raises:
            StoreUnavailableError: It is not open yet.
        """
        if self._opened is None:
            raise StoreUnavailableError(self._progress)
        return self._opened

    @property
    def is_warm(self) -> bool:
        """Whether the model has run once."""
        return self._is_warm.is_set()

    def start(self) -> None:
        """Begin to open and warm; returns at once."""
        self._worker.submit(self._run).add_done_callback(self._report)

    def wait_until_warm(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds; returns whether it is warm."""
        return self._is_warm.wait(timeout)

    def close(self) -> None:
        """Stop opening and warming, and close what was opened here."""
        self._is_closing.set()
        self._worker.shutdown()
        self._opened = None
        self._closers.close()

    def _run(self) -> None:
        while self._opened is None and not self._is_closing.is_set():
            try:
                self._opened = self._given or self._closers.enter_context(
                    open_workspace(self.settings)
                )
            except TransientError as error:
                self._progress = error.message
                _LOG.warning("The library could not be opened: %s", error.message)
                self._is_closing.wait(RETRY_SECONDS)
        if not self._is_closing.is_set():
            self._warm()

    def _warm(self) -> None:
        self._progress = "The library is open; its model is loading."
        self.workspace.embedder.embed(["warm up"])
        where = SearchFilter(tenant_id=self.settings.tenant_id)
        search(self.workspace, "warm up", where, limit=1)
        self._is_warm.set()

    def _report(self, work: Future[None]) -> None:
        """Say why the work ended early: to clients if it is ours to say, in full to the log."""
        error = work.exception()
        if isinstance(error, AlexandriaError):
            self._progress = error.message
        elif error is not None:
            self._progress = "The library cannot be opened; its log says why."
        if error is not None:
            _LOG.error("The library is not ready: %s", self._progress, exc_info=error)
