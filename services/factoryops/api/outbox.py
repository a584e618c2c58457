"""What waits for one live client: bounded, so that a slow client costs the service next to nothing (P14)."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final

_STUCK_S: Final = 5.0


class Outbox:
    """Frames in order, none of which is ever dropped singly.

    When it is full, or the client has taken nothing for five seconds, the client is given up as a whole and starts
    again with a full picture.

    Attributes:
        end_code: why the connection is to be closed; None while it goes on.
        sent: frames handed to the network.
    """

    def __init__(self, *, most_frames: int, most_bytes: int, clock: Callable[[], float]) -> None:
        self._most_frames = most_frames
        self._most_bytes = most_bytes
        self._clock = clock
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        self._news = asyncio.Event()
        self._ended = asyncio.Event()
        self._sending_since: float | None = None
        self.end_code: int | None = None
        self.sent = 0

    def put(self, frame: bytes) -> bool:
        """Add a frame; False when the client cannot take it and must be closed."""
        if self.end_code is not None:
            return True
        self._frames.append(frame)
        self._bytes += len(frame)
        self._news.set()
        return len(self._frames) <= self._most_frames and self._bytes <= self._most_bytes

    def is_stuck(self) -> bool:
        """Whether the network has not taken a frame for five seconds."""
        return self._sending_since is not None and self._clock() - self._sending_since > _STUCK_S

    def end(self, code: int) -> None:
        """Give the client up; what waits goes."""
        if self.end_code is None:
            self.end_code = code
            self._frames.clear()
            self._bytes = 0
            self._news.set()
            self._ended.set()

    async def pump(self, send: Callable[[bytes], Awaitable[None]]) -> None:
        """Send what comes, until the end."""
        while self.end_code is None:
            await self._news.wait()
            self._news.clear()
            while self._frames:
                frame = self._frames.popleft()
                self._bytes -= len(frame)
                self._sending_since = self._clock()
                await send(frame)
                self._sending_since = None
                self.sent += 1

    async def ended(self) -> None:
        """Return once the client was given up."""
        await self._ended.wait()
