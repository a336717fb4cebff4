"""The library a running API serves: opened in the background, then its model warmed.

The process answers `/health/live` at once and refuses everything else with 503 until the
stores are open; it is ready when the first question would be as quick as the second.
"""

import logging
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field

from alexandria.errors import AlexandriaError, StoreUnavailableError, TransientError
from alexandria.settings import Settings
from alexandria.workflows.workspace import Workspace, open_workspace

RETRY_SECONDS = 2.0
_LOG = logging.getLogger(__name__)


@dataclass
class Library:
    """A workspace that opens by itself.

    Attributes:
        settings: What to open.
        given: A workspace that is open already; its owner closes it.
        progress: What it is doing, or why it cannot go on and what to do.
    """

    settings: Settings
    given: Workspace | None = None
    progress: str = "The library is being opened; try again in a moment."
    _opened: Workspace | None = None
    _is_warm: threading.Event = field(default_factory=threading.Event)
    _is_closing: threading.Event = field(default_factory=threading.Event)
    _closers: ExitStack = field(default_factory=ExitStack)
    _thread: threading.Thread | None = None

    @property
    def workspace(self) -> Workspace:
        """The open workspace.

        Raises:
            StoreUnavailableError: It is not open yet.
        """
        if self._opened is None:
            raise StoreUnavailableError(self.progress)
        return self._opened

    @property
    def is_warm(self) -> bool:
        """Whether the model has run once."""
        return self._is_warm.is_set()

    def start(self) -> None:
        """Begin to open and warm; returns at once."""
        self._thread = threading.Thread(target=self._run, name="library", daemon=True)
        self._thread.start()

    def wait_until_warm(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds; returns whether it is warm."""
        return self._is_warm.wait(timeout)

    def close(self) -> None:
        """Stop opening and warming, and close what was opened here."""
        self._is_closing.set()
        if self._thread is not None:
            self._thread.join()
        self._opened = None
        self._closers.close()

    def _run(self) -> None:
        while not self._is_closing.is_set():
            try:
                self._opened = self.given or self._closers.enter_context(
                    open_workspace(self.settings)
                )
                break
            except AlexandriaError as error:
                _LOG.warning("The library could not be opened: %s", error.message)
                self.progress = error.message
                if not isinstance(error, TransientError):
                    return
                self._is_closing.wait(RETRY_SECONDS)
        if not self._is_closing.is_set():
            self._warm()

    def _warm(self) -> None:
        self.progress = "The library is open; its model is loading."
        try:
            self.workspace.embedder.embed(["warm up"])
        except AlexandriaError as error:
            _LOG.warning("The model could not be warmed: %s", error.message)
            self.progress = error.message
        else:
            self._is_warm.set()
