"""Telling those who want to know that something changed, without Qt."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

Unsubscribe = Callable[[], None]

PAUSE_S: Final = 0.2
"""How long a burst is gathered."""


class Event(Generic[T]):
    """Something that happens; whoever subscribed is called in the order of subscribing."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[T], object]] = []

    def subscribe(self, listener: Callable[[T], object]) -> Unsubscribe:
        """Call `listener` from now on; returns what ends it (calling it twice does no harm)."""
        entry = listener
        self._listeners.append(entry)

        def end() -> None:
            self._listeners = [one for one in self._listeners if one is not entry]

        return end

    def emit(self, news: T) -> None:
        """Tell everyone."""
        for listener in tuple(self._listeners):
            listener(news)

    def __len__(self) -> int:
        return len(self._listeners)


class GatheredEvent(Event[None]):
    """Something that comes in bursts: the first is told at once, all that follow within a pause together at its end.

    Whoever draws from it draws five times a second at most, however many alarms a plant trip brings.
    """

    def __init__(self) -> None:
        super().__init__()
        self._told_at_s = float("-inf")
        self._waits = False

    def emit(self, news: None = None) -> None:
        """Tell everyone, now or soon; at once where no event loop runs."""
        del news
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            super().emit(None)
            return
        if self._waits:
            return
        due_s = self._told_at_s + PAUSE_S
        if loop.time() >= due_s:
            self._tell(loop)
        else:
            self._waits = True
            loop.call_at(due_s, self._tell, loop)

    def _tell(self, loop: asyncio.AbstractEventLoop) -> None:
        self._waits, self._told_at_s = False, loop.time()
        super().emit(None)
