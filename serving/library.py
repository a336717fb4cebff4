"""The library a running API serves: opened in the background, then its model warmed.

The process answers `/health/live` at once and refuses everything else with 503 until the
stores are open; it is ready when the first question would be as quick as the second.
"""

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from threading import Event

from anyio import CapacityLimiter

from alexandria.adapters.postgres import Database
from alexandria.errors import AlexandriaError, StoreUnavailableError, TransientError
from alexandria.identity.principals import Origin, nobody
from alexandria.settings import Settings
from alexandria.workflows.operating.health import PartHealth, check_health
from alexandria.workflows.operating.status import KindCount, count_documents
from alexandria.workflows.reading.searching import search
from alexandria.workflows.workspace import Workspace, open_serving_workspace, served
from serving.kept import Kept

RETRY_SECONDS = 2.0
WATCHERS = 2
"""Threads that only look after the library, and those that show how it does: free however many
requests wait, and the ones never wait for the others."""

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
        self._watching = ThreadPoolExecutor(max_workers=WATCHERS, thread_name_prefix="watching")
        self.watchers = CapacityLimiter(WATCHERS)
        self.parts: Kept[list[PartHealth]] = Kept(self._check_parts, self._watching)
        self.documents: Kept[list[KindCount]] = Kept(self._count_documents, self._watching)

    @property
    def progress(self) -> str:
        """What it is doing, or why it cannot go on and what to do."""
        return self._progress

    @property
    def workspace(self) -> Workspace:
        """The open workspace, which may do nothing until it acts for somebody.

        Raises:
            StoreUnavailableError: It is not open yet.
        """
        if self._opened is None:
            raise StoreUnavailableError(self._progress)
        return self._opened

    def door(self) -> Database:
        """The database with nothing to be seen in it but accounts and counts.

        Raises:
            StoreUnavailableError: The library is not open yet.
        """
        return self.workspace.keeping_the_door().database

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
        self._watching.shutdown(cancel_futures=True)
        self._opened = None
        self._closers.close()

    def _run(self) -> None:
        while not self._is_closing.is_set():
            try:
                if self._opened is None:
                    self._opened = self._closers.enter_context(self._opening())
                self._warm()
            except TransientError as error:
                self._progress = _own_words(error)
                _LOG.warning("The library is not ready yet: %s", error.message)
                self._is_closing.wait(RETRY_SECONDS)
            else:
                return

    def _opening(self) -> AbstractContextManager[Workspace]:
        return served(self._given) if self._given else open_serving_workspace(self.settings)

    def _warm(self) -> None:
        self._progress = "The library is open; its model is loading."
        self.workspace.embedder.embed(["warm up"])
        principal = nobody(self.settings.tenant_id)
        workspace = self.workspace.acting_for(principal, Origin())
        search(workspace, "warm up", workspace.everything, limit=1)
        self._is_warm.set()

    def _report(self, work: Future[None]) -> None:
        """Say why the work ended early: to clients if it is ours to say, in full to the log."""
        error = work.exception()
        if isinstance(error, AlexandriaError):
            self._progress = _own_words(error)
        elif error is not None:
            self._progress = "The library cannot be opened; its log says why."
        if error is not None:
            _LOG.error("The library is not ready: %s", self._progress, exc_info=error)

    def _check_parts(self) -> list[PartHealth]:
        return check_health(self.workspace.keeping_the_door())

    def _count_documents(self) -> list[KindCount]:
        return count_documents(self.workspace.keeping_the_door())


def _own_words(error: AlexandriaError) -> str:
    """What every error of its class says: nothing of addresses and folders, unlike its message."""
    return (type(error).__doc__ or "").split("\n")[0]
