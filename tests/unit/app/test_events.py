"""Events that come in bursts."""

from __future__ import annotations

import asyncio

from factoryops_app.models.events import GatheredEvent
from tests.support.waiting import until


def test_the_first_of_a_burst_is_told_at_once_and_the_others_together() -> None:
    async def work() -> None:
        told: list[None] = []
        event = GatheredEvent()
        event.subscribe(told.append)
        event.emit()
        assert len(told) == 1
        for _ in range(500):
            event.emit()
        assert len(told) == 1
        await until(lambda: len(told) == 2, what="the rest of the burst")
        await asyncio.sleep(0)
        assert len(told) == 2

    asyncio.run(work())


def test_without_an_event_loop_everything_is_told_at_once() -> None:
    told: list[None] = []
    event = GatheredEvent()
    event.subscribe(told.append)
    event.emit()
    event.emit()
    assert len(told) == 2
