"""A plant trip on the real service: every alarm stored, what came first told to the millisecond, the list complete."""

from __future__ import annotations

import asyncio

import pytest

from factoryops.client.port import LiveLink
from factoryops.contracts import http, live
from factoryops.domain.alarms import AlarmState
from factoryops.domain.time import to_us
from factoryops.observability.heartbeat import read_heartbeats
from factoryops.simulator.trip import ALARMS, QUANTITIES, STEP_US, order_of_alarms
from tests.support.installation import Installation
from tests.support.waiting import until, wait_until

pytestmark = pytest.mark.timeout(120)


async def test_five_hundred_alarms_of_one_second_are_all_there_in_the_order_in_which_they_came(
    installation: Installation,
) -> None:
    await asyncio.to_thread(_prepare, installation)
    plant = await installation.log_in("works")
    link = await plant.open_live()
    hearing = asyncio.create_task(_hear_of_all(link))
    begun = await asyncio.to_thread(installation.command, "simulate", "--trip", "begin")
    assert begun.returncode == 0, begun.stderr

    async def is_recorded() -> bool:
        listed = (await plant.alarm_list()).alarms
        return sum(one.is_recorded for one in listed) == ALARMS

    await until(is_recorded, timeout_s=30, every_s=0.2, what="all alarms to be recorded")
    async with asyncio.timeout(10):
        assert len(await hearing) == ALARMS
    alarms = (await plant.alarm_list()).alarms
    ordered = sorted(alarms, key=lambda one: (to_us(one.raised_at) if one.raised_at else 0, one.order))
    assert [(one.device_key, one.rule_name) for one in ordered] == order_of_alarms()
    moments = [to_us(one.raised_at) for one in ordered if one.raised_at]
    assert moments == [moments[0] + number * STEP_US for number in range(ALARMS)]
    whole = (await plant.floods())[0]
    assert (whole.is_flood, whole.count) == (True, ALARMS)

    ended = await asyncio.to_thread(installation.command, "simulate", "--trip", "end")
    assert ended.returncode == 0, ended.stderr

    async def is_over() -> bool:
        return {one.state for one in (await plant.alarm_list()).alarms} == {AlarmState.RETURNED_UNACKNOWLEDGED}

    await until(is_over, timeout_s=30, every_s=0.2, what="all alarms to return")
    await link.close()
    await plant.close()


async def _hear_of_all(link: LiveLink) -> set[str]:
    """The alarms that a client hears of over one connection, which no flood may cost it."""
    heard: set[str] = set()
    async for message in link:
        if isinstance(message, live.AlarmChanged):
            heard.add(http.Alarm.model_validate_json(message.alarm).id)
        if len(heard) == ALARMS:
            break
    return heard


def _prepare(made: Installation) -> None:
    """The service runs, and its engine has the rules of the trip in force."""
    made.add_factory("works")
    made.start()
    for added in (len(QUANTITIES), 0):
        said = made.command("simulate", "--trip", "prepare")
        assert (said.returncode, f"{added} rules were added" in said.stdout) == (0, True), said.stderr
    wait_until(lambda: _rules_in_force(made) >= len(QUANTITIES), timeout_s=30, what="the rules to be in force")


def _rules_in_force(made: Installation) -> int:
    beat = read_heartbeats(made.data.heartbeats).get("engine")
    found = 0 if beat is None else beat.figures.get("rules", 0)
    return found if isinstance(found, int) else 0
