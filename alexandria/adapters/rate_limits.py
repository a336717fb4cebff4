"""Limits on how often something may happen, held across processes by one row in Postgres.

A window begins with its first hit and is counted by one row. A process takes hits out of it
in batches of a twentieth of the limit and serves them from memory, so most hits cost no round
trip and all processes together never exceed the limit while Postgres answers. What a process
has taken and not used by the end of the window nobody gets: at most a batch less one hit for
each process. A limit below 40 goes hit by hit and leaves nothing.

The rows are unlogged: after a crash of the server every window begins anew.
"""

import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b

import anyio
from anyio.to_thread import run_sync

from alexandria.adapters.postgres import Database
from alexandria.errors import StoreUnavailableError

BATCHES = 20
"""A batch is the limit divided by this."""

REMOVAL_SECONDS = 60.0
"""How often a process removes the rows of windows that have ended."""

_LARGEST_LIMIT = 10**9
"""More than any process serves in a window, and no column overflows."""

_THREADS = 4
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a limit says to one hit.

    Attributes:
        is_allowed: Whether it may go on.
        remaining: Hits left in the window, as this process last saw it.
        retry_after: Seconds until the window ends, at least 1.
    """

    is_allowed: bool
    remaining: int
    retry_after: int


@dataclass(slots=True)
class _Lease:
    """What a process holds of one window: hits to spend, or the knowledge that it is spent."""

    left: int = 0
    elsewhere: int = 0
    ends_at: float = -math.inf
    renewing: anyio.Lock = field(default_factory=anyio.Lock)

    def spend(self, moment: float) -> Decision | None:
        """Decide from memory; None where only the row can tell."""
        if moment >= self.ends_at or (self.left == 0 and self.elsewhere > 0):
            return None
        return self.decide(moment)

    def decide(self, moment: float) -> Decision:
        """Spend a hit if there is one."""
        retry_after = max(1, math.ceil(self.ends_at - moment))
        if self.left == 0:
            return Decision(is_allowed=False, remaining=0, retry_after=retry_after)
        self.left -= 1
        return Decision(
            is_allowed=True, remaining=self.left + self.elsewhere, retry_after=retry_after
        )


@dataclass(frozen=True, slots=True)
class _Window:
    """A key's row after hits were taken out of it."""

    hits: int
    seconds_left: float


@dataclass(frozen=True, slots=True)
class _Limit:
    """A key and how many hits its window has."""

    name: tuple[str, str]
    amount: int
    window_seconds: int
    is_strict: bool

    @property
    def batch(self) -> int:
        """Hits that a process takes at once."""
        return 1 if self.is_strict else max(1, self.amount // BATCHES)


class RateLimiter:
    """The limits of one process; used from its event loop only."""

    def __init__(
        self,
        database: Callable[[], Database],
        *,
        keys: int = 10_000,
        patience_seconds: float = 2.0,
        retry_seconds: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Hold limits in a database.

        Args:
            database: Gives it, or raises StoreUnavailableError while it is not open.
            keys: How many of them are kept in memory; what was longest unused goes, and with
                it the hits it had left.
            patience_seconds: Longest wait for the database, unless a limit is strict.
            retry_seconds: Rest after the database did not answer.
            clock: Seconds that only go forward.
        """
        self._database = database
        self._keys = keys
        self._patience = patience_seconds
        self._rest = retry_seconds
        self._clock = clock
        self._leases: OrderedDict[tuple[str, str], _Lease] = OrderedDict()
        self._threads = anyio.CapacityLimiter(_THREADS)
        self._alone_until = -math.inf
        self._failed_at = -math.inf
        self._is_alone = False
        self._removes_at = clock() + REMOVAL_SECONDS

    async def hit(
        self, kind: str, key: str, limit: int, window_seconds: int, *, is_strict: bool = False
    ) -> Decision:
        """Count one hit and say whether it may go on.

        Without Postgres a limit holds for this process alone, in a window of its own.

        Args:
            kind: What is limited; keys of two kinds have nothing to do with each other.
            key: Who is limited. Stored as a hash.
            limit: Hits in a window.
            window_seconds: Its length.
            is_strict: Count each hit in Postgres, and fail rather than go on without.

        Raises:
            StoreUnavailableError: The limit is strict and Postgres did not answer.
        """
        wanted = _Limit((kind, key), min(limit, _LARGEST_LIMIT), window_seconds, is_strict)
        lease = self._lease(wanted.name)
        began_at = self._clock()
        if decision := lease.spend(self._clock()):
            return decision
        async with lease.renewing:
            if decision := lease.spend(self._clock()):
                return decision
            await self._renew(lease, wanted, began_at)
            return lease.decide(self._clock())

    def give_back(self, kind: str, key: str) -> None:
        """Take back a hit that turned out to be another's."""
        lease = self._leases.get((kind, key))
        if lease is not None and self._clock() < lease.ends_at:
            lease.left += 1

    def _lease(self, name: tuple[str, str]) -> _Lease:
        lease = self._leases.get(name)
        if lease is not None:
            self._leases.move_to_end(name)
            return lease
        if len(self._leases) >= self._keys:
            self._leases.popitem(last=False)
        lease = self._leases[name] = _Lease()
        return lease

    async def _renew(self, lease: _Lease, wanted: _Limit, began_at: float) -> None:
        asked_at = self._clock()
        if asked_at < self._alone_until and not wanted.is_strict:
            self._fill_alone(lease, wanted)
            return
        patience = math.inf if wanted.is_strict else self._patience
        take = partial(self._take, wanted, began_at)
        try:
            with anyio.fail_after(patience):
                window = await run_sync(take, abandon_on_cancel=True, limiter=self._threads)
        except (StoreUnavailableError, TimeoutError) as error:
            if isinstance(error, StoreUnavailableError):
                self._failed_at = self._clock()
            if wanted.is_strict:
                raise
            self._go_alone()
            self._fill_alone(lease, wanted)
            return
        self._return()
        before = window.hits - wanted.batch
        lease.left = max(0, min(wanted.batch, wanted.amount - before))
        lease.elsewhere = max(0, wanted.amount - window.hits)
        lease.ends_at = asked_at + window.seconds_left

    def _take(self, wanted: _Limit, began_at: float) -> _Window:
        if wanted.is_strict and self._failed_at > began_at:
            raise StoreUnavailableError  # it waited in line for what just failed
        database = self._database()
        window = database.fetch_one(
            _Window,
            "take_hits",
            key=_stored_key(*wanted.name),
            amount=wanted.batch,
            limit=wanted.amount,
            window_seconds=wanted.window_seconds,
        )
        assert window is not None
        if self._clock() >= self._removes_at:
            self._removes_at = self._clock() + REMOVAL_SECONDS
            with suppress(StoreUnavailableError):
                database.execute("remove_ended_windows")
        return window

    def _fill_alone(self, lease: _Lease, wanted: _Limit) -> None:
        lease.left, lease.elsewhere = wanted.amount, 0
        lease.ends_at = self._clock() + wanted.window_seconds

    def _go_alone(self) -> None:
        self._alone_until = self._clock() + self._rest
        if not self._is_alone:
            self._is_alone = True
            _LOG.warning(
                "The database did not answer; until it does, limits on requests hold for each "
                "process alone."
            )

    def _return(self) -> None:
        if self._is_alone:
            self._is_alone = False
            _LOG.info("The database answers; limits hold across processes again.")


def _stored_key(kind: str, key: str) -> str:
    """Short, and without the address or name that is limited."""
    return f"{kind}/{blake2b(key.encode('utf-8', 'surrogatepass'), digest_size=16).hexdigest()}"
