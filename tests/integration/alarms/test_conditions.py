"""Conditions of every kind in the engine role: recorded with why, and stopped with an alarm when they do harm."""

from __future__ import annotations

import pytest

from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.conditions.tree import (
    AllOf,
    Compare,
    Comparison,
    Constant,
    Expression,
    NoData,
    Parameter,
)
from factoryops.domain.rule import RuleScope
from factoryops.observability.heartbeat import read_heartbeats
from factoryops.rules.conditions import load
from tests.support.engine_site import EngineSite
from tests.support.waiting import until

START_S = 1_772_000_000


def high(parameter: str, limit: float) -> Compare:
    return Compare(Parameter(parameter), Comparison.ABOVE, Constant(limit))


async def test_a_compound_condition_is_recorded_with_the_samples_that_decided_it(plant: EngineSite) -> None:
    plant.add_condition("Both", AllOf((high("pressure", 5.0), high("flow", 2.0))))
    async with plant.running():
        plant.write([(START_S, 6.0)])
        plant.write([(START_S + 1, 3.0)], key=plant.key(parameter="flow"))
        plant.write(watermark_s=START_S + 3)
        await until(lambda: plant.events() == [(1, "raised")])
        plant.write([(START_S + 4, 1.0)])
        plant.write(watermark_s=START_S + 6)
        await until(lambda: plant.events() == [(1, "raised"), (1, "cleared")])
    alarm = plant.site.alarms()[0]
    whys = [
        plant.site.database.read(lambda tx, kind=kind: tx.alarm_whys(plant.site.scope).of(alarm.id, 1, kind))  # type: ignore[misc]  # bound per round
        for kind in (AlarmEventKind.RAISED, AlarmEventKind.CLEARED)
    ]
    assert [[leaf.state for leaf in why.leaves] for why in whys] == [["true", "true"], ["false", "true"]]
    assert [(one.parameter_key, one.value) for leaf in whys[0].leaves for one in leaf.samples] == [
        ("pressure", 6.0), ("flow", 3.0),
    ]  # fmt: skip


async def test_a_silent_device_is_an_alarm_in_plain_words(plant: EngineSite) -> None:
    plant.add_condition("Offline", NoData(60.0), scope=RuleScope(("pump-1",)))
    async with plant.running():
        plant.write([(START_S, 6.0)], watermark_s=START_S)
        plant.write(watermark_s=START_S + 70)
        await until(lambda: plant.events() == [(1, "raised")])
    (alarm,) = plant.site.alarms()
    assert (alarm.message, alarm.value) == ("No data from Pump-1 for 60 s", None)
    assert alarm.raised_at is not None
    assert alarm.raised_at.timestamp() == START_S + 60


async def test_a_rule_that_was_stopped_says_so_beside_it_and_as_an_alarm_of_its_factory(
    plant: EngineSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load, "SLOW_S", -1.0)
    rule = plant.add_condition("Slow", Compare(Expression("pressure + 1"), Comparison.ABOVE, Constant(5.0)))

    def fault() -> str | None:
        (found,) = plant.site.database.read(lambda tx: tx.rules(plant.site.scope).list())
        return found.fault

    def problems() -> set[str]:
        beats = read_heartbeats(plant.config.heartbeat_folder)
        return {problem.code for beat in beats.values() for problem in beat.problems}

    async with plant.running():
        for second in range(10):
            plant.write([(START_S + second, 6.0)], watermark_s=START_S + second)
        await until(lambda: fault() is not None)
        await until(lambda: f"rule_stopped:{rule.id}" in problems())
    assert "5 times in a row" in (fault() or "")
