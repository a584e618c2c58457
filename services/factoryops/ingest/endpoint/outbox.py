"""What waits to be sent to a client that listens: bounded, because a slow reader must cost nobody else anything."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

MOST_MESSAGES: Final = 1_000
MOST_BYTES: Final = 1 << 20


class Outbox:
    """Messages in the order in which they came; those that do not fit are dropped and counted.

    Attributes:
        dropped: how many were dropped.
    """

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._is_paused = False
        self.dropped = 0

    def offer(self, packet: bytes) -> bool:
        """Send a packet, now or later; False when it had to be dropped."""
        if not self._is_paused:
            self._write(packet)
            return True
        if len(self._waiting) >= MOST_MESSAGES or self._waiting_bytes + len(packet) > MOST_BYTES:
            self.dropped += 1
            return False
        self._waiting.append(packet)
        self._waiting_bytes += len(packet)
        return True

    def pause(self) -> None:
        """The network takes no more for now."""
        self._is_paused = True

    def resume(self) -> None:
        """The network takes some again."""
        self._is_paused = False
        while self._waiting and not self._is_paused:
            packet = self._waiting.popleft()
            self._waiting_bytes -= len(packet)
            self._write(packet)
