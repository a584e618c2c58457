"""Alarms as the widgets show them."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict

from factoryops.contracts import http
from factoryops.domain.alarms import AlarmState, Priority
from factoryops.domain.time import to_us
from factoryops_app.models.alarms import AlarmStore
from factoryops_app.models.plant import PlantStore
from factoryops_resources.words import say
from factoryops_widgets.alarm_badge import AlarmMark
from factoryops_widgets.alarm_banner import AlarmCount, BannerLine
from factoryops_widgets.alarm_table import AlarmLine


def alarm_line(alarm: http.Alarm, plant: PlantStore) -> AlarmLine:
    """A row of the alarm table."""
    measured = plant.of_series(alarm.series_id)
    return AlarmLine(
        id=alarm.id,
        annunciation=alarm.annunciation,
        priority=alarm.priority,
        state=alarm.state,
        raised_at=alarm.raised_at,
        cleared_at=alarm.cleared_at,
        device=alarm.device_name or alarm.device_key,
        area=alarm.area,
        message=_message(alarm),
        value=alarm.value,
        unit=alarm.unit,
        decimals=measured.parameter.decimals if measured is not None else 2,
        response=alarm.response,
        acknowledged_by=alarm.acknowledged_by,
        acknowledged_at=alarm.acknowledged_at,
        comment=alarm.comment,
        is_recorded=alarm.is_recorded,
        underlying=alarm.underlying,
        order=alarm.order,
        **_put_aside(alarm),
    )


class _Aside(TypedDict, total=False):
    since: datetime | None
    until: datetime | None
    by: str
    reason: str


def _put_aside(alarm: http.Alarm) -> _Aside:
    """How it was put aside, in its strongest way."""
    if alarm.out_of_service is not None:
        taken = alarm.out_of_service
        return {"since": taken.since, "until": taken.until, "by": taken.by, "reason": taken.reason}
    if alarm.state is AlarmState.SUPPRESSED:
        return {"since": alarm.suppressed_at, "reason": say("By the rule's own condition")}
    if alarm.shelved is not None:
        kept = alarm.shelved
        ends = say("until it returns to normal, at the latest then") if kept.is_one_shot else ""
        reason = " · ".join(part for part in (kept.reason, ends) if part)
        return {"since": kept.since, "until": kept.until, "by": kept.by, "reason": reason}
    return {}


def banner_line(alarm: http.Alarm) -> BannerLine:
    """A line of the banner."""
    raised_us = to_us(alarm.raised_at) if alarm.raised_at is not None else None
    mark = AlarmMark(alarm.priority, alarm.state)
    return BannerLine(alarm.id, mark, raised_us, alarm.device_name or alarm.device_key, _message(alarm))


def banner_counts(alarms: AlarmStore) -> dict[Priority, AlarmCount]:
    """Counts by priority."""
    return {
        priority: AlarmCount(tally.unacknowledged, tally.acknowledged) for priority, tally in alarms.tallies().items()
    }


def _message(alarm: http.Alarm) -> str:
    return f"{alarm.rule_name}: {alarm.message}" if alarm.message else alarm.rule_name
