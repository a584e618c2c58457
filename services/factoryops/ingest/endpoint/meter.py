"""How much a device, or a factory, may send: token buckets that are looked at once per read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

BURST_S: Final = 2.0
"""What may be sent at once after a quiet time, in seconds of the rate."""


class Bucket:
    """A token bucket. It lets a read through whole and goes into debt for it; the debt is waited out.

    Attributes:
        rate: tokens per second.
    """

    __slots__ = ("_at_s", "_level", "rate")

    def __init__(self, rate: float, moment_s: float) -> None:
        self.rate = rate
        self._level = rate * BURST_S
        self._at_s = moment_s

    def spend(self, amount: float, moment_s: float) -> float:
        """Take tokens out; returns for how many seconds nothing more should be taken."""
        level = min(self._level + (moment_s - self._at_s) * self.rate, self.rate * BURST_S) - amount
        self._level, self._at_s = level, moment_s
        return 0.0 if level >= 0 else -level / self.rate


class Meter:
    """Bounds the messages and bytes per second of one connection, and its share in what its factory may send.

    Args:
        messages_per_s: 0 for no bound.
        bytes_per_s: 0 for no bound.
        factory: shared by every connection of a factory; None for no bound.
    """

    def __init__(
        self, messages_per_s: float, bytes_per_s: float, factory: Bucket | None, clock: Callable[[], float]
    ) -> None:
        moment_s = clock()
        self._messages = Bucket(messages_per_s, moment_s) if messages_per_s else None
        self._bytes = Bucket(bytes_per_s, moment_s) if bytes_per_s else None
        self._factory = factory

    def spend(self, messages: int, size_bytes: int, moment_s: float) -> float:
        """Count what was read; returns for how many seconds nothing more should be read."""
        wait_s = self._messages.spend(messages, moment_s) if self._messages else 0.0
        if self._bytes is not None:
            wait_s = max(wait_s, self._bytes.spend(size_bytes, moment_s))
        if self._factory is not None:
            wait_s = max(wait_s, self._factory.spend(messages, moment_s))
        return wait_s
