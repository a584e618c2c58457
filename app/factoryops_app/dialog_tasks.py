"""What a dialog has begun and is to end with it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

from factoryops_app.tasks import OnError, Tasks


class DialogTasks:
    """Starts coroutines for a dialog; those still running when it closes are cancelled, for its widgets are gone."""

    def __init__(self, tasks: Tasks, on_error: OnError) -> None:
        self._tasks = tasks
        self._on_error = on_error
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[object, object, object]) -> None:
        """Run `work`."""
        task = self._tasks.start(work, self._on_error)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def end(self) -> None:
        """Cancel what runs, apart from who is asking."""
        for task in self._running - {asyncio.current_task()}:
            task.cancel()
