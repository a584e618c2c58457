"""Why alarms of the imagined plant were raised and cleared: one sample against one limit."""

from __future__ import annotations

from factoryops.contracts import http
from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.conditions.limits import plain_limit

_TRUE = (AlarmEventKind.RAISED, AlarmEventKind.SUPPRESSED)


def why_of(alarm: http.Alarm, rule: http.Rule, event: http.AlarmEvent) -> http.AlarmWhy:
    """Why an alarm's event happened, as the engine would record it."""
    plain = plain_limit(rule.content.condition)
    sample = http.DecidingSample(
        device_key=alarm.device_key, parameter_key=alarm.parameter_key, at=event.at, value=event.value or 0.0,
        is_uncertain=False,
    )  # fmt: skip
    leaf = http.DecidingLeaf(
        path="", text=alarm.message, state="true" if event.kind in _TRUE else "false",
        value=event.value, limit=None if plain is None else plain.limit, samples=[sample],
    )  # fmt: skip
    return http.AlarmWhy(
        alarm_id=alarm.id, annunciation=event.annunciation, kind=event.kind, at=event.at, leaves=[leaf], is_whole=True
    )
