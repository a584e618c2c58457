"""The simulated plant through the real service: a back-test says afterwards what the engine said while it ran."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from factoryops.client.http import HttpPlant
from factoryops.contracts import http
from factoryops.domain.alarms import AlarmEventKind, Priority
from factoryops.domain.conditions.limits import PlainLimit
from factoryops.domain.conditions.tree import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Count,
    Deviation,
    Frozen,
    Held,
    NoData,
    Parameter,
)
from factoryops.domain.rule import RuleDefinition
from factoryops.domain.time import US_PER_S, from_us, now_us, to_us
from factoryops.observability.heartbeat import read_heartbeats
from factoryops.simulator.connection import MqttTarget
from factoryops.simulator.plant import Plant
from factoryops.simulator.publisher import SimulatorConfig, SimulatorService
from tests.support.installation import Installation
from tests.support.waiting import until

pytestmark = pytest.mark.timeout(240)

_PACE = 5.0
_MESSAGES = 200
_BEGUN = timedelta(seconds=1)
"""After a device's first sample the engine differs for as long as the delays of the rules here (decision 0036)."""
_SILENT = NoData(0.45)
"""Which slower machines are between any two of their messages."""
Told = tuple[str, str, datetime, float | None, bool]
"""An event: its device, kind, moment, value, and whether operators were told."""


def _middle(parameter: str) -> float:
    """The value that the press passes again and again in the next minute, and has not among its own."""
    times_us = now_us() + np.arange(60, dtype=np.int64) * US_PER_S
    return float(np.median(Plant().signals("press-1", times_us)[parameter])) + 1e-6


def _rules() -> list[RuleDefinition]:
    limits = {one: PlainLimit(one, Comparison.ABOVE, _middle(one)).condition for one in ("vibration", "motor_current")}
    restless = Deviation(Parameter("vibration"), 0.0, 4.0)
    low_current = PlainLimit("motor_current", Comparison.BELOW, _middle("motor_current")).condition
    conditions: dict[str, Condition] = {
        "limit": limits["vibration"],
        "both": AllOf((*limits.values(),)),
        "either, held": AnyOf((Held(restless, 0.5), limits["motor_current"])),
        "counted": Count(limits["vibration"], 2, 5.0),
        "frozen": Frozen(Parameter("oil_temperature"), 1.0),
        "silent": _SILENT,
    }
    made = [RuleDefinition(name, condition, Priority.LOW, off_delay_s=0.25) for name, condition in conditions.items()]
    kept_quiet: dict[str, tuple[Condition, Condition]] = {
        "limit, suppressed": (limits["vibration"], low_current),
        "silent, suppressed": (_SILENT, _SILENT),
    }
    quiet = [
        RuleDefinition(name, condition, Priority.LOW, suppress_while=suppressing)
        for name, (condition, suppressing) in kept_quiet.items()
    ]
    return [*made, *quiet, RuleDefinition("delayed", restless, Priority.LOW, on_delay_s=0.3)]


async def test_what_the_engine_said_of_the_simulated_plant_a_back_test_says_again(
    installation: Installation, tmp_path: Path
) -> None:
    installation.add_factory("works")
    secret = installation.add_credential("works", "simulator")
    installation.start()
    client = await installation.log_in("works")
    rules = _rules()
    for rule in rules:
        await client.create_rule(http.RuleContent.of(rule))
    await until(lambda: _engine(installation)["rules"] == len(rules), what="the rules in force")
    target = MqttTarget("127.0.0.1", installation.endpoint_port, "works", "simulator", secret)
    start, end_us = await _simulate(client, target, tmp_path)
    await until(lambda: _is_recorded(installation, end_us), timeout_s=30, what="everything before the end")
    names = {device.name: device.key for device in await client.devices()}
    live = await _live(client, start, from_us(end_us), names)
    for rule in rules:
        found = await _tried(client, rule, start, from_us(end_us))
        assert sorted(map(_order, found)) == sorted(map(_order, live.get(rule.name, []))), rule.name
    assert len(live["silent"]) > 20, "hardly anything happened: the test would prove nothing"
    assert not any(told for _, kind, _, _, told in live["silent, suppressed"] if kind == AlarmEventKind.RAISED)
    await client.close()


async def _simulate(client: HttpPlant, target: MqttTarget, folder: Path) -> tuple[datetime, int]:
    """Let the plant publish; answers from when on all its devices had begun, and when it ended."""
    stop = asyncio.Event()
    plant = SimulatorService(SimulatorConfig(target, folder / "faults.json", pace=_PACE))
    task = asyncio.create_task(plant.run(stop))
    await until(lambda: _is_complete(client), timeout_s=60, what="every machine's first message")
    start = from_us(now_us()) + _BEGUN
    await until(lambda: now_us() > to_us(start), what="the beginning of what is compared")
    most = plant.acknowledged + _MESSAGES
    await until(lambda: plant.acknowledged >= most, timeout_s=60, what="messages of the plant")
    stop.set()
    await task
    return start, now_us()


async def _is_complete(client: HttpPlant) -> bool:
    return {device.key for device in await client.devices()} == {*Plant().machines}


def _engine(installation: Installation) -> dict[str, int]:
    return read_heartbeats(installation.data.heartbeats)["engine"].figures


def _is_recorded(installation: Installation, end_us: int) -> bool:
    engine = _engine(installation)
    return engine["watermark_us"] > end_us and engine["pending_transitions"] == 0


async def _live(client: HttpPlant, start: datetime, end: datetime, names: dict[str, str]) -> dict[str, list[Told]]:
    """What was recorded, by rule."""
    found: dict[str, list[Told]] = {}
    before: str | None = None
    while True:
        page = await client.alarm_events(before=before, start=start, end=end)
        for one in page.events:
            told = (names[one.device_name], one.kind.value, one.at, one.value, one.is_annunciation)
            found.setdefault(one.rule_name, []).append(told)
        before = page.next_before
        if before is None:
            return found


async def _tried(client: HttpPlant, rule: RuleDefinition, start: datetime, end: datetime) -> list[Told]:
    run = await client.start_back_test(http.BackTestRequest(rule=http.RuleContent.of(rule), start=start, end=end))
    await until(lambda: _is_over(client, run.id), timeout_s=30, every_s=0.1, what="the back-test")
    done = await client.back_test(run.id)
    assert done.outcome is not None, done.run.message
    return [(one.device_key, one.kind.value, one.at, one.value, one.is_told) for one in done.outcome.events]


async def _is_over(client: HttpPlant, run_id: str) -> bool:
    return (await client.back_test(run_id)).run.finished_at is not None


def _order(event: Told) -> tuple[str, datetime, str, str, bool]:
    device, kind, at, value, told = event
    is_of_a_sample = kind in (AlarmEventKind.RAISED, AlarmEventKind.CLEARED)
    return device, at, kind, repr(value) if is_of_a_sample else "", told
