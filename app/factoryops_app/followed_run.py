"""A job that a view started: followed until it is over, and not left running when the view turns to another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from factoryops.contracts import http
from factoryops.domain.errors import FactoryOpsError
from factoryops_app.models.runs import is_over
from factoryops_app.workplace import Workplace
from factoryops_resources.words import say
from factoryops_widgets.busy import BusyLine

_ASK_AGAIN_S: Final = 0.3

Begin = Callable[[], Awaitable[http.Run]]
Ask = Callable[[str], Awaitable[http.Run | None]]
"""How the run of that id stands; None once what came of it is shown."""


class FollowedRun:
    """One run at a time, its progress in a busy line whose button cancels it."""

    def __init__(self, place: Workplace, busy: BusyLine) -> None:
        self._place = place
        self._busy = busy
        self._run: http.Run | None = None
        self._task: asyncio.Task[None] | None = None
        self._asked = 0
        busy.cancel_requested.connect(self._cancel)

    def follow(self, words: str, begin: Begin, ask: Ask) -> None:
        """Begin a run and follow it; one that is followed already is given up."""
        self.give_up()
        self._busy.start(words, can_cancel=True)
        asked = self._asked
        self._task = self._place.tasks.start(
            self._follow(asked, begin, ask), lambda error: self._on_failure(error, asked)
        )

    def give_up(self) -> None:
        """What is followed is not wanted any more: have it cancelled unless it is over."""
        if self._run is not None:
            if self._task is not None:
                self._task.cancel()
            self._cancel()
        self._asked += 1
        self._run = self._task = None

    async def wait(self) -> None:
        """Wait until what is followed has come to something."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _follow(self, asked: int, begin: Begin, ask: Ask) -> None:
        run = await begin()
        if asked != self._asked:
            await self._place.session.client.cancel_run(run.id)
            return
        self._run = run
        while (found := await ask(run.id)) is not None:
            if is_over(found):
                self._busy.finish(found.message or say("It was cancelled."))
                break
            self._busy.set_progress(found.progress or None, found.message)
            await asyncio.sleep(_ASK_AGAIN_S)
        self._run = None

    def _cancel(self) -> None:
        if self._run is not None:
            asked = self._asked
            self._place.tasks.start(
                self._place.session.client.cancel_run(self._run.id), lambda error: self._on_failure(error, asked)
            )

    def _on_failure(self, error: FactoryOpsError, asked: int) -> None:
        """A failure of what was given up does not concern what is followed now."""
        if asked == self._asked:
            self._run = None
            self._busy.finish(str(error))
