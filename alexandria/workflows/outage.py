"""What is known of an optional part that failed: leave it alone for a while, then try again.

Without this, everyone who asks while it is away would wait for it in vain.
"""

import time
from dataclasses import dataclass, field

REST_SECONDS = 10.0
"""How long a part that failed is left alone."""


@dataclass(slots=True)
class Outage:
    """Whether an optional part is left alone just now. Shared by the threads of a process.

    Attributes:
        reason: Why it failed the last time; empty while it works.
    """

    reason: str = ""
    _until: float = field(default=0.0)

    @property
    def is_on(self) -> bool:
        """Whether it failed a moment ago."""
        return time.monotonic() < self._until

    def begin(self, reason: str) -> None:
        """It failed; leave it alone."""
        self.reason = reason
        self._until = time.monotonic() + REST_SECONDS

    def end(self) -> None:
        """It worked."""
        self.reason = ""
        self._until = 0.0
