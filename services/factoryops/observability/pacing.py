"""Waiting for a stop without missing it."""

from __future__ import annotations

import asyncio


async def is_set_within(event: asyncio.Event, seconds: float) -> bool:
    """Wait until `event` is set, at most `seconds`; answers whether it is.

    Not `asyncio.wait_for`: on Python 3.11 that drops a cancellation which arrives together with the event.
    """
    try:
        async with asyncio.timeout(max(seconds, 0.0)):
            await event.wait()
    except TimeoutError:
        return False
    return True
