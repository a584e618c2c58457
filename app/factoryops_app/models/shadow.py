"""What a rule that is only being tried has found, as the editor shows it; no screen needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from factoryops.contracts import http
from factoryops.domain.alarms import AlarmEventKind
from factoryops_resources.words import say

_SHORT: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ShadowAlarm:
    """An alarm that would have been: from raise to clear.

    Attributes:
        event_id: of the raise.
        alarm_id: which says the device, also where two devices have one name.
        cleared_at: None while it still stands.
        incident: what was going on then, of the marked incidents; "" for none.
    """

    event_id: str
    alarm_id: str
    device_name: str
    raised_at: datetime
    cleared_at: datetime | None
    value: float | None
    incident: str = ""

    @property
    def lasted_s(self) -> float | None:
        """How long it stood; None where it still does."""
        return (self.cleared_at - self.raised_at).total_seconds() if self.cleared_at is not None else None


@dataclass(frozen=True, slots=True)
class ShadowDay:
    """How often it would have alarmed on one day of the factory's calendar, and on how many devices."""

    day: date
    alarms: int
    devices: int


def shadow_alarms(events: Sequence[http.AlarmEvent]) -> list[ShadowAlarm]:
    """Raises, each with the clear that follows it, the newest first.

    Args:
        events: newest first; a clear whose raise is not among them is left out.
    """
    found: dict[str, ShadowAlarm] = {}
    standing: dict[str, str] = {}
    for event in reversed(events):
        if event.kind is AlarmEventKind.RAISED:
            found[event.id] = ShadowAlarm(event.id, event.alarm_id, event.device_name, event.at, None, event.value)
            standing[event.alarm_id] = event.id
        elif event.kind is AlarmEventKind.CLEARED and event.alarm_id in standing:
            raised = standing.pop(event.alarm_id)
            found[raised] = replace(found[raised], cleared_at=event.at)
    return [*reversed(found.values())]


def with_incidents(
    alarms: Sequence[ShadowAlarm], incidents: Sequence[http.Incident], is_on: Callable[[http.Incident, str], bool]
) -> list[ShadowAlarm]:
    """The alarms with what was going on; `is_on` says whether an incident concerns the device of that alarm."""

    def during(alarm: ShadowAlarm) -> str:
        for one in incidents:
            is_before_its_end = alarm.raised_at <= one.content.end
            is_after_its_start = alarm.cleared_at is None or alarm.cleared_at >= one.content.start
            if is_before_its_end and is_after_its_start and is_on(one, alarm.alarm_id):
                return one.content.note or say("marked")
        return ""

    return [replace(alarm, incident=during(alarm)) for alarm in alarms]


def shadow_days(alarms: Sequence[ShadowAlarm], zone: tzinfo) -> list[ShadowDay]:
    """The days on which it would have alarmed, the newest first."""
    raises = Counter(alarm.raised_at.astimezone(zone).date() for alarm in alarms)
    devices: dict[date, set[str]] = {}
    for alarm in alarms:
        devices.setdefault(alarm.raised_at.astimezone(zone).date(), set()).add(alarm.alarm_id)
    return [ShadowDay(day, raises[day], len(devices[day])) for day in sorted(raises, reverse=True)]


def shadow_sentence(alarms: Sequence[ShadowAlarm], *, are_all: bool) -> str:
    """What it has found so far, in words; where `are_all` is False, older ones can be loaded."""
    if not alarms:
        return say("It would not have alarmed yet.")
    standing = sum(alarm.cleared_at is None for alarm in alarms)
    short = sum(alarm.lasted_s is not None and alarm.lasted_s < _SHORT.total_seconds() for alarm in alarms)
    during = sum(bool(alarm.incident) for alarm in alarms)
    parts = [
        say("It would have alarmed once")
        if len(alarms) == 1
        else say("It would have alarmed {count} times", count=len(alarms)),
        say("still standing: {count}", count=standing) if standing else "",
        say("over within a minute: {count}", count=short) if short else "",
        say("during a marked incident: {count}", count=during) if during else "",
        "" if are_all else say("older ones can be loaded"),
    ]
    return f"{'; '.join(part for part in parts if part)}."
