"""Raises and clears of the service's own problems, as operators see them."""

from __future__ import annotations

from factoryops.alarms.system_watch import SystemProblem
from factoryops.contracts.transitions import AlarmTransition
from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.identity import alarm_id, device_id
from factoryops.domain.samples import SeriesKey, series_id
from factoryops.domain.system_alarms import SERVICE_DEVICE, system_alarm, system_parameter, system_rule_id


def system_transition(
    factory: str, problem: SystemProblem, kind: AlarmEventKind, at_us: int, place: tuple[int, int]
) -> AlarmTransition:
    """A raise or clear of a problem in one factory; `place` is its annunciation and the engine's journal row."""
    told = system_alarm(problem.code)
    parameter = system_parameter(problem.code)
    rule = system_rule_id(factory, problem.code)
    return AlarmTransition(
        factory_id=factory,
        alarm_id=alarm_id(factory, rule, SERVICE_DEVICE),
        rule_id=rule,
        rule_version=1,
        rule_name=told.name,
        device_id=device_id(factory, SERVICE_DEVICE),
        device_key=SERVICE_DEVICE,
        device_name=SERVICE_DEVICE,
        area="",
        parameter_key=parameter,
        series_id=series_id(SeriesKey(factory, SERVICE_DEVICE, parameter)),
        unit="",
        priority=int(told.priority),
        kind=kind.value,
        annunciation=place[0],
        at_us=at_us,
        value=float(kind is AlarmEventKind.RAISED),
        message=problem.message if kind is AlarmEventKind.RAISED else "The problem is over.",
        response=told.response,
        seq=place[1],
        is_recorded=True,
    )
