"""The roll-up of alarms by place, as the API shows it."""

from __future__ import annotations

from collections.abc import Iterable

from factoryops.contracts import http
from factoryops.domain.alarm_groups import AlarmGroup, Placed, grouped
from factoryops.domain.alarms import PUT_ASIDE, AlarmState


def places_of(alarms: Iterable[http.Alarm]) -> http.AlarmPlaces:
    """The places of the alarms that are neither normal nor put aside."""
    return http.AlarmPlaces(places=[_place(group) for group in grouped(_placed(one) for one in alarms if _counts(one))])


def _counts(alarm: http.Alarm) -> bool:
    return alarm.state is not AlarmState.NORMAL and alarm.state not in PUT_ASIDE


def _placed(alarm: http.Alarm) -> Placed:
    raised_s = alarm.raised_at.timestamp() if alarm.raised_at else 0.0
    path = (alarm.area, alarm.line, alarm.device_name)
    return Placed(alarm.id, path, alarm.priority, alarm.state, (raised_s, alarm.order))


def _place(group: AlarmGroup) -> http.AlarmPlace:
    return http.AlarmPlace(
        path=list(group.path), priority=group.priority, count=group.count, unacknowledged=group.unacknowledged,
        first_alarm_id=group.first,
    )  # fmt: skip
