"""How a long step tells whoever watches how far it is."""

from typing import Protocol


class Progress(Protocol):
    """Told by every stage, in order: how much there is, then each part that is done."""

    def expect(self, stage: str, total: int) -> None:
        """`total` more items of work are known for `stage`."""
        ...

    def advance(self, stage: str, amount: int = 1) -> None:
        """`amount` items are done and recorded."""
        ...


class SilentProgress:
    """Nobody watches."""

    def expect(self, stage: str, total: int) -> None:
        """Ignore it."""

    def advance(self, stage: str, amount: int = 1) -> None:
        """Ignore it."""
