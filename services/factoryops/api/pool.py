"""The threads that wait for the database and the history, so that the event loop never does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from factoryops.domain.errors import UnavailableError

P = ParamSpec("P")
T = TypeVar("T")

_CLOSE_S: Final = 0.5


class WorkPool:
    """A bounded pool of threads with a bounded queue before it.

    Args:
        threads: how many calls run at once.
        most_waiting: how many more may wait; beyond it callers are told to come back.
        timeout_s: how long a caller waits; the call itself cannot be stopped, its answer is dropped.
    """

    def __init__(self, *, threads: int = 8, most_waiting: int = 256, timeout_s: float = 10.0) -> None:
        self._executor = ThreadPoolExecutor(threads, thread_name_prefix="api")
        self._room = threads + most_waiting
        self._busy = 0
        self._timeout_s = timeout_s
        self._idle = asyncio.Event()
        self._idle.set()

    async def run(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """The result of a blocking call.

        Raises:
            UnavailableError: too many wait already, or it took too long.
        """
        if self._busy >= self._room:
            raise UnavailableError("The service is busy; try again in a moment.", retry_after_s=1)
        self._busy += 1
        self._idle.clear()
        future = asyncio.wrap_future(self._executor.submit(call, *args, **kwargs))
        future.add_done_callback(self._left)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.shield(future)
        except TimeoutError as error:
            raise UnavailableError("The answer took too long; ask for less, or try again.") from error

    def _left(self, future: asyncio.Future[T]) -> None:
        self._busy -= 1
        if not self._busy:
            self._idle.set()
        if not future.cancelled():
            future.exception()  # read, so that an answer nobody waits for any more is no warning

    async def close(self) -> None:
        """End the threads: calls that wait are dropped, those that run get half a second."""
        self._executor.shutdown(wait=False, cancel_futures=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self._idle.wait()
