"""Usage events on their way to the ledger: kept for a moment, written together, never waited for.

An event says who did what and when, in counts and fixed words. A request hands it over and
goes on; a thread writes what has gathered. What cannot be written is kept and tried again.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Literal, Self

from alexandria.adapters.postgres import Database
from alexandria.errors import AlexandriaError

Kind = Literal[
    "query_executed", "document_indexed", "image_processed", "diagram_generated", "user_action"
]
MOST_WAITING = 10_000
"""Events kept while they cannot be written; from there on the oldest are given up."""

_LOG = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class UsageEvent:
    """Something that somebody did.

    Attributes:
        tenant_id: Whose library.
        kind: What happened.
        user_id: Who; None for the pipeline and the command line.
        action: Which one of its kind, a fixed word such as "sign_in".
        request_id: Names the request in every log.
        elapsed_ms: How long it took, in milliseconds.
        properties: Counts and fixed words; never what somebody asked or wrote.
    """

    tenant_id: str
    kind: Kind
    user_id: str | None = None
    action: str = ""
    request_id: str = ""
    elapsed_ms: float | None = None
    properties: Mapping[str, str | int | float | bool] = field(
        default_factory=dict[str, str | int | float | bool]
    )
    occurred_at: datetime = field(default_factory=_now)


def write_events(database: Database, events: Iterable[UsageEvent]) -> None:
    """Write events at once, in one transaction.

    Raises:
        StoreUnavailableError: Postgres did not answer; nothing was written.
    """
    rows = [
        asdict(event) | {"properties": database.json(dict(event.properties))} for event in events
    ]
    with database.transaction():
        database.execute_many("add_usage_event", rows)


def record_of_source(database: Database, kind: Kind, source_id: str, number: int) -> None:
    """Record what the pipeline did for a source: an event for each of `number` things.

    Raises:
        StoreUnavailableError: Postgres did not answer.
    """
    if number:
        database.execute("add_usage_of_source", kind=kind, source_id=source_id, number=number)


class UsageEmitter:
    """Events of one process: written when enough have gathered, after a while, and at the end."""

    def __init__(self, door: Callable[[], Database], *, size: int, interval: float) -> None:
        """Write through a session that may record events of anybody.

        Args:
            door: Gives the doorkeeper's session, or an operator's; asked for each writing. While
                it raises an error of ours, events wait.
            size: Events after which they are written.
            interval: Seconds after which they are written anyway.
        """
        self._door = door
        self._size = size
        self._interval = interval
        self._waiting: deque[UsageEvent] = deque()
        self._dropped = 0
        self._lock = Lock()
        self._writing = Lock()
        self._is_due = Event()
        self._is_closing = Event()
        self._thread: Thread | None = None

    @property
    def waiting_count(self) -> int:
        """Events that are not written yet."""
        return len(self._waiting)

    def emit(self, event: UsageEvent) -> None:
        """Hand an event over; returns at once, whatever Postgres does."""
        with self._lock:
            self._waiting.append(event)
            if len(self._waiting) > MOST_WAITING:
                self._waiting.popleft()
                self._dropped += 1
            is_running = self._thread is not None and self._thread.is_alive()
            if not is_running and not self._is_closing.is_set():
                self._thread = Thread(target=self._run, name="usage-events", daemon=True)
                self._thread.start()
            if len(self._waiting) >= self._size:
                self._is_due.set()

    def flush(self) -> bool:
        """Write what waits, now; returns whether nothing is left that was there.

        What cannot be written stays, in its order.
        """
        with self._writing:
            with self._lock:
                events = list(self._waiting)
                self._waiting.clear()
                dropped, self._dropped = self._dropped, 0
            if dropped:
                _LOG.error("Usage events were given up: %s. More waited than are kept.", dropped)
            if not events:
                return True
            is_written = False
            try:
                write_events(self._door(), events)
                is_written = True
            except AlexandriaError as error:
                _LOG.warning("Usage events wait to be written: %s. %s", len(events), error.message)
            finally:
                if not is_written:
                    self._put_back(events)
            return is_written

    def close(self) -> None:
        """Write what waits and end the thread; what cannot be written now is given up, and said."""
        self._is_closing.set()
        self._is_due.set()
        if self._thread is not None:
            self._thread.join()
        if not self.flush():
            _LOG.error("Usage events were given up at the end: %s.", self.waiting_count)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self) -> None:
        while not self._is_closing.is_set():
            self._is_due.wait(self._interval)
            self._is_due.clear()
            if not self._is_closing.is_set() and not self.flush():
                self._is_closing.wait(self._interval)

    def _put_back(self, events: list[UsageEvent]) -> None:
        with self._lock:
            self._waiting.extendleft(reversed(events))
            while len(self._waiting) > MOST_WAITING:
                self._waiting.popleft()
                self._dropped += 1
