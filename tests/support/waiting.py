"""Waiting for a condition instead of sleeping."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable


def wait_until(condition: Callable[[], object], *, timeout_s: float = 10.0, what: str = "the condition") -> None:
    """Return as soon as `condition()` is true; fail when it is not within `timeout_s`."""
    pause = threading.Event()
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {timeout_s} s")
        pause.wait(0.01)


_ASKING_EVERY_S = 0.1


async def until(
    condition: Callable[[], object | Awaitable[object]],
    *,
    timeout_s: float = 10.0,
    what: str = "the condition",
    every_s: float = 0.01,
) -> None:
    """The same on an event loop; `condition` may be a coroutine function, which asks somebody who counts how often."""
    deadline = time.monotonic() + timeout_s
    while True:
        answer = condition()
        if isinstance(answer, Awaitable):
            answer, every_s = await answer, max(every_s, _ASKING_EVERY_S)
        if answer:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {timeout_s} s")
        await asyncio.sleep(every_s)
