"""A live link to the imagined plant."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Final

import numpy as np

from factoryops.client.fake_history import FakeHistory
from factoryops.client.fake_jobs import FakeJobs
from factoryops.contracts import http, live
from factoryops.domain.errors import FactoryOpsError
from factoryops.domain.samples import SampleColumns
from factoryops.domain.time import US_PER_S

_GRACE_US: Final = 2 * US_PER_S


class FakeLink:
    """Implements `factoryops.client.port.LiveLink`: beats, samples as time passes, and what it is told.

    Attributes:
        is_over: nothing more will come.
    """

    def __init__(
        self,
        history: FakeHistory,
        jobs: FakeJobs,
        clock: Callable[[], int],
        tick_s: float,
        floods: Callable[[], http.FloodList],
    ) -> None:
        self._floods = floods
        self._told_floods: list[http.PositionFlood] = []
        self._history = history
        self._jobs = jobs
        self._clock = clock
        self._tick_s = tick_s
        self._wanted = live.Subscribe()
        self._told: deque[live.ServiceMessage] = deque()
        self._wake = asyncio.Event()
        self._error: FactoryOpsError | None = None
        self._sent_us = self._beat_us = clock()
        self._runs: dict[str, http.Run] = {run.id: run for run in jobs.all()}
        self.is_over = False
        self.tell(live.Welcome(self._sent_us, self._sent_us - _GRACE_US, 1.0))

    async def subscribe(self, request: live.Subscribe) -> None:
        """Replace what is sent."""
        if self._error is not None:
            raise self._error
        self._wanted = request

    async def close(self) -> None:
        """End the link."""
        self.is_over = True
        self._wake.set()

    def tell(self, message: live.ServiceMessage) -> None:
        """Send `message` next."""
        self._told.append(message)
        self._wake.set()

    def end(self, error: FactoryOpsError) -> None:
        """Break the link."""
        self._error = error
        self.is_over = True
        self._wake.set()

    def __aiter__(self) -> AsyncIterator[live.ServiceMessage]:
        """Messages in order."""
        return self._messages()

    async def _messages(self) -> AsyncIterator[live.ServiceMessage]:
        while not self.is_over:
            for message in self._due():
                yield message
            await self._pause()
        if self._error is not None:
            raise self._error

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(self._tick_s):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()

    def _due(self) -> list[live.ServiceMessage]:
        now = self._clock()
        due = list(self._told)
        self._told.clear()
        due += self._changed_runs()
        due += self._changed_floods()
        samples = self._chosen(self._history.since(self._sent_us, now))
        self._sent_us = max(now, self._sent_us)
        if len(samples):
            due.append(live.Samples.of(samples, received_us=now, watermark_us=now - _GRACE_US, sent_us=now))
        if now - self._beat_us >= US_PER_S:
            self._beat_us = now
            due.append(live.Beat(now, now - _GRACE_US, "ok"))
        return due

    def _chosen(self, samples: SampleColumns) -> SampleColumns:
        if self._wanted.is_all or not len(samples):
            return samples
        return samples.take(np.isin(samples.series, np.array(self._wanted.series, np.int64)))

    def _changed_floods(self) -> list[live.ServiceMessage]:
        told = self._floods()
        on = [one for one in told.floods if one.is_flood]
        if on == self._told_floods:
            return []
        self._told_floods = on
        return [live.FloodsChanged(told.model_dump_json().encode())]

    def _changed_runs(self) -> list[live.ServiceMessage]:
        changed = [run for run in self._jobs.all() if self._runs.get(run.id) != run]
        self._runs.update((run.id, run) for run in changed)
        return [live.RunChanged(run.model_dump_json().encode()) for run in changed]
