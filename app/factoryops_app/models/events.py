"""Telling those who want to know that something changed, without Qt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

Unsubscribe = Callable[[], None]


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
