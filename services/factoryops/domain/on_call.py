"""Who is on call at a moment, whatever the factory's clock does.

A turn is handed over when the clock on the wall first shows the hour of handover: once per date, also when an hour
comes twice in autumn; and where spring leaves it out, at the same distance from midnight.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from factoryops.domain.calendar import holds_at
from factoryops.domain.notifying import Roster
from factoryops.domain.schedules import Schedule, minutes_of
from factoryops.domain.time import to_us


class Duty(NamedTuple):
    """Somebody's turn.

    Attributes:
        contact: the id of who is on call; "" for nobody.
        until: when that changes next, by turn or by a stand-in's begin or end; None for never.
    """

    contact: str
    until: datetime | None


def on_call(roster: Roster, moment: datetime, timezone: str) -> Duty:
    """Who is on call at `moment`, on the clock of the IANA zone `timezone`."""
    zone = ZoneInfo(timezone)
    standing_in = [one for one in roster.overrides if one.start <= moment < one.end]
    edges = [edge for one in roster.overrides for edge in (one.start, one.end) if edge > moment]
    if standing_in:
        return Duty(standing_in[-1].contact, min(edges))
    first = _turn_date(roster, moment, zone)
    if not roster.members or first is None or not _is_on_duty(roster, moment, timezone):
        return Duty("", min(edges, default=None))
    number = (first - roster.starts_on).days // roster.turn_days
    edges.append(_handover(roster, roster.starts_on + timedelta(days=(number + 1) * roster.turn_days), zone))
    return Duty(roster.members[number % len(roster.members)], min(edges))


def _turn_date(roster: Roster, moment: datetime, zone: ZoneInfo) -> date | None:
    """The local date on whose handover the present day of the roster began; None before its first."""
    local = moment.astimezone(zone).date()
    if moment < _handover(roster, local, zone):
        local -= timedelta(days=1)
    return local if local >= roster.starts_on else None


def _handover(roster: Roster, day: date, zone: ZoneInfo) -> datetime:
    minutes = minutes_of(roster.handover)
    return datetime.combine(day, time(minutes // 60, minutes % 60), zone).astimezone(UTC)


def _is_on_duty(roster: Roster, moment: datetime, timezone: str) -> bool:
    return not roster.duty or holds_at(Schedule(weekly=roster.duty), {}, timezone, to_us(moment))
