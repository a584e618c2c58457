"""The client's background work: every task is held, its failure is told, and none outlives the window."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Final

from factoryops.domain.errors import FactoryOpsError
from factoryops_resources.words import say

logger = logging.getLogger(__name__)

_CANCEL_AGAIN_S: Final = 0.25

OnError = Callable[[FactoryOpsError], object]


class Tasks:
    """Starts coroutines and holds them.

    Args:
        on_error: told of failures that the starter did not ask for.
    """

    def __init__(self, on_error: OnError) -> None:
        self._on_error = on_error
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[object, object, object], on_error: OnError | None = None) -> asyncio.Task[None]:
        """Run `work`; a FactoryOpsError goes to `on_error`."""
        task = asyncio.get_running_loop().create_task(self._watched(work, on_error or self._on_error))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        task.add_done_callback(lambda _: work.close())
        return task

    async def stop(self) -> None:
        """Cancel everything and wait until it is gone."""
        running = {task for task in self._running if task is not asyncio.current_task()}
        while running:
            for task in running:
                task.cancel()
            # Some library code drops a cancellation that comes at the same moment as its result; then once more.
            _, running = await asyncio.wait(running, timeout=_CANCEL_AGAIN_S)

    @property
    def count(self) -> int:
        """How many are running."""
        return len(self._running)

    async def _watched(self, work: Coroutine[object, object, object], on_error: OnError) -> None:
        try:
            await work
        except FactoryOpsError as error:
            on_error(error)
        except TimeoutError:
            on_error(FactoryOpsError(say("The service does not answer; try again.")))
        except Exception as error:
            logger.exception("a task of the client failed")
            on_error(FactoryOpsError(say("Something in this program failed ({kind}); it goes on without it.",
                                         kind=type(error).__name__)))  # fmt: skip
