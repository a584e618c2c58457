from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest

from factoryops.client.fake import ACCOUNTS, FakePlant
from factoryops.contracts import live
from factoryops.domain.errors import FactoryOpsError, NotAllowedError, NotLoggedInError, UnavailableError
from factoryops.domain.identity import Permission
from factoryops.domain.time import now_us
from factoryops_app.models.alarms import answers_to
from factoryops_app.models.connection import LinkStatus, retry_pause_s
from factoryops_app.models.session import Session
from tests.support.waiting import until


@contextlib.asynccontextmanager
async def running(plant: FakePlant, user: str = "operator") -> AsyncIterator[Session]:
    session = Session(plant)
    await session.login("riverside", user, ACCOUNTS[user][0])
    task = asyncio.create_task(session.run())
    try:
        yield session
    finally:
        while not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=0.1)
        await plant.close()


async def test_a_session_knows_plant_values_alarms_and_runs_once_connected() -> None:
    async with running(FakePlant(tick_s=0.02)) as session:
        await until(lambda: session.connection.is_connected)
        assert len(session.plant.devices) == 4
        assert all(session.samples.reading(one.parameter.series_id) for one in session.plant.parameters)
        assert len(session.alarms.active) == 4
        assert session.runs.is_known


async def test_a_lost_link_is_noticed_and_recovered_and_everybody_is_told() -> None:
    plant = FakePlant(tick_s=0.02)
    async with running(plant) as session:
        seen: list[LinkStatus] = []
        resynced: list[None] = []
        session.on.connection.subscribe(lambda connection: seen.append(connection.status))
        end = session.on.resynced.subscribe(resynced.append)
        await until(lambda: session.connection.is_connected)
        plant.cut_link()
        started_s = time.monotonic()
        await until(lambda: session.connection.is_lost)
        assert time.monotonic() - started_s < 3.0
        plant.restore_link()
        await until(lambda: session.connection.is_connected)
        assert seen[0] is LinkStatus.CONNECTED
        assert seen[-1] is LinkStatus.CONNECTED
        assert LinkStatus.LOST in seen
        assert len(resynced) == 2
        end()


async def test_silence_of_three_beats_counts_as_a_lost_link() -> None:
    plant = _SilentPlant()
    async with running(plant) as session:
        await until(lambda: session.connection.is_connected)
        plant.is_silent = True
        silent_s = time.monotonic()
        await until(lambda: session.connection.is_lost, timeout_s=5.0)
        assert time.monotonic() - silent_s < 3.0


async def test_an_ended_session_is_told_once_and_not_tried_again() -> None:
    plant = FakePlant(tick_s=0.02)
    async with running(plant) as session:
        told: list[str] = []
        session.on.ended.subscribe(told.append)
        await until(lambda: session.connection.is_connected)
        plant.end_sessions()
        await until(lambda: told)
        assert "log in again" in told[0]


async def test_alarms_that_came_while_the_link_was_lost_are_there_after_it() -> None:
    plant = FakePlant(tick_s=0.02)
    async with running(plant) as session:
        await until(lambda: session.connection.is_connected)
        rule = next(one for one in session.plant.rules if one.content.name == "Vibration high")
        plant.cut_link()
        await until(lambda: session.connection.is_lost)
        alarm = plant.raise_alarm(rule.id, "pump-1", 5.0)
        plant.restore_link()
        await until(lambda: session.connection.is_connected)
        assert alarm.id in [one.id for one in session.alarms.unanswered()]


async def test_the_last_hour_is_filled_in_without_doubling_what_came_live() -> None:
    async with running(FakePlant(tick_s=0.02)) as session:
        await until(lambda: session.connection.is_connected)
        series = session.plant.parameters[0].parameter.series_id

        def is_filled() -> bool:
            view = session.samples.view(series)
            return view is not None and len(view) > 100

        await until(is_filled)
        view = session.samples.view(series)
        assert view is not None
        assert bool(np.all(np.diff(view.time_us) > 0))


async def test_a_locked_session_permits_looking_only() -> None:
    async with running(FakePlant(tick_s=0.02), "admin") as session:
        await until(lambda: session.connection.is_connected)
        session.is_locked = True
        assert session.may(Permission.VIEW)
        assert not session.may(Permission.EDIT_RULES)
        with pytest.raises(NotAllowedError):
            await session.acknowledge(answers_to(session.alarms.unanswered()))


async def test_of_portions_that_fail_half_way_it_is_said_how_many_are_done() -> None:
    async with running(FakePlant(tick_s=0.02), "admin") as session:
        await until(lambda: session.connection.is_connected)
        alarm = session.alarms.unanswered()[0]
        unknown = alarm.model_copy(update={"id": "0" * 32})
        told: list[str] = []
        with pytest.raises(FactoryOpsError, match=r"Only 1 of 2 are done: .*There is no such alarm"):
            await session.acknowledge([*answers_to([alarm]), *answers_to([unknown])], told.append)
        assert told == ["1 of 2 are done …"]
        held = session.alarms.get(alarm.id)
        assert held is not None
        assert held not in session.alarms.unanswered()


async def test_a_flood_at_the_service_is_shown_and_so_is_its_end() -> None:
    now = [now_us()]
    plant = FakePlant(tick_s=0.02, clock=lambda: now[0])
    async with running(plant, "admin") as session:
        await until(lambda: session.connection.is_connected)
        for rule in session.plant.rules:
            for _ in range(4):
                alarm = plant.raise_alarm(rule.id, session.plant.devices[0].key, 99.0)
                plant.clear_alarm(alarm.id)
        await until(lambda: session.alarms.flood.is_flood, what="the flood")
        now[0] += 601_000_000
        await until(lambda: not session.alarms.flood.is_flood, what="its end")


async def test_a_wrong_password_leaves_nobody_logged_in() -> None:
    session = Session(FakePlant())
    with pytest.raises(NotLoggedInError):
        await session.login("riverside", "operator", "wrong")
    assert session.info is None


async def test_logging_out_of_a_service_that_is_away_forgets_everything_anyway() -> None:
    plant = FakePlant()
    session = Session(plant)
    await session.login("riverside", "operator", ACCOUNTS["operator"][0])
    plant.fail_next(UnavailableError("away"))
    await session.logout()
    assert session.info is None


def test_retries_wait_longer_and_longer_but_never_long() -> None:
    assert [retry_pause_s(attempt) for attempt in range(6)] == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]


class _SilentPlant(FakePlant):
    """A plant whose link can fall silent without ending, as behind a pulled cable."""

    is_silent = False

    def __init__(self) -> None:
        super().__init__(tick_s=0.02)

    async def open_live(self) -> _SilentLink:
        return _SilentLink(await super().open_live(), self)


class _SilentLink:
    def __init__(self, link: object, plant: _SilentPlant) -> None:
        self._link = link
        self._plant = plant

    async def subscribe(self, request: live.Subscribe) -> None:
        await self._link.subscribe(request)  # type: ignore[attr-defined]  # the imagined link

    async def __aiter__(self) -> AsyncIterator[live.ServiceMessage]:
        async for message in self._link:  # type: ignore[attr-defined]  # as above
            if self._plant.is_silent:
                await asyncio.Event().wait()
            yield message

    async def close(self) -> None:
        await self._link.close()  # type: ignore[attr-defined]  # as above
