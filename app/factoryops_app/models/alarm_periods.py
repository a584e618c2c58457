"""When alarms were active, put together from their events: the strip under a chart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from factoryops.contracts import http
from factoryops.domain.alarms import AlarmEventKind, Priority
from factoryops.domain.identity import alarm_id
from factoryops.domain.time import to_us
from factoryops_app.models.plant import Measured, PlantStore


@dataclass(frozen=True, slots=True)
class Period:
    """When an alarm was active; `end_us` is None while it still is."""

    alarm_id: str
    start_us: int
    end_us: int | None
    priority: Priority
    label: str


def watched_by(plant: PlantStore, pens: Iterable[Measured], factory_id: str) -> frozenset[str]:
    """The ids of all alarms that the pens' parameters can raise."""
    return frozenset(alarm_id(factory_id, rule.id, one.device.key) for one in pens for rule in plant.rules_about(one))


def periods(
    events: Sequence[http.AlarmEvent], alarms: Iterable[http.Alarm], wanted: frozenset[str], start_us: int
) -> list[Period]:
    """Periods of the wanted alarms, from `start_us` on.

    Args:
        events: newest first, as the service answers.
        alarms: those that are not normal now; they reach back before the first event.
        wanted: alarm ids.
        start_us: an alarm that cleared without an event of its beginning began before this.
    """
    found: list[Period] = []
    open_since: dict[str, http.AlarmEvent] = {}
    for event in reversed(events):
        if event.alarm_id not in wanted:
            continue
        if event.kind is AlarmEventKind.RAISED:
            open_since[event.alarm_id] = event
        elif event.kind is AlarmEventKind.CLEARED:
            raised = open_since.pop(event.alarm_id, None)
            found.append(_period(event, to_us(raised.at) if raised else start_us, to_us(event.at)))
    found += _still_active(alarms, wanted, open_since, start_us)
    return sorted(found, key=lambda period: (period.start_us, period.priority))


def _still_active(
    alarms: Iterable[http.Alarm], wanted: frozenset[str], opened: Mapping[str, http.AlarmEvent], start_us: int
) -> Iterable[Period]:
    for alarm in alarms:
        if alarm.id in wanted and alarm.cleared_at is None and alarm.raised_at is not None:
            event = opened.get(alarm.id)
            began_us = to_us(event.at if event else alarm.raised_at)
            yield Period(alarm.id, max(began_us, start_us), None, alarm.priority, alarm.rule_name)


def _period(event: http.AlarmEvent, start_us: int, end_us: int) -> Period:
    label = f"{event.rule_name}, {event.device_name}"
    return Period(event.alarm_id, start_us, end_us, event.priority, label)
