"""From a local wall-clock schedule to slots in UTC: one per local date, whatever daylight saving does.

A wall-clock time that does not exist on a date (spring) means the moment it would have been had the clock not been
moved; one that exists twice (autumn) means the first of the two. PEP 495 calls both fold=0.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from factoryops.domain.calendar import zone_of
from factoryops.domain.errors import InvalidInputError

_LOCAL_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DailyRule:
    """Every day at a time of the plant's own clock."""

    at: time
    zone: ZoneInfo

    @classmethod
    def of(cls, local_time: str, timezone: str) -> DailyRule:
        """The rule of "HH:MM" in an IANA zone; raises InvalidInputError."""
        match = _LOCAL_TIME.fullmatch(local_time)
        if match is None:
            raise InvalidInputError(f"'{local_time}' is not a time of day; write it as HH:MM.")
        return cls(time(int(match[1]), int(match[2])), zone_of(timezone))

    def local_date(self, moment: datetime) -> date:
        """The date on the plant's wall at `moment`."""
        return moment.astimezone(self.zone).date()

    def slot_on(self, day: date) -> datetime | None:
        """The slot of a local date, in UTC; None when the zone skipped the whole date."""
        if not _exists(day, self.zone):
            return None
        return datetime.combine(day, self.at, self.zone).astimezone(UTC)

    def slots(self, after: datetime, through: datetime) -> Iterator[datetime]:
        """All slots in (after, through], ascending."""
        day = self.local_date(after) - _DAY
        last = self.local_date(through) + _DAY
        while day <= last:
            slot = self.slot_on(day)
            if slot is not None and after < slot <= through:
                yield slot
            day += _DAY

    def next_after(self, moment: datetime) -> datetime:
        """The first slot after `moment`."""
        return next(self.slots(moment, moment + 4 * _DAY))


def local_day(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The span [start, end) of a local date in UTC: 23, 24 or 25 hours; adjoining days leave no hole."""
    start = datetime.combine(day, time(), zone).astimezone(UTC)
    return start, datetime.combine(day + _DAY, time(), zone).astimezone(UTC)


def span_of_daily(slot: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """What a daily report made at `slot` covers: the local day before."""
    return local_day(slot.astimezone(zone).date() - _DAY, zone)


def _exists(day: date, zone: ZoneInfo) -> bool:
    """Whether the zone had that date at all: Samoa, for one, had no 30 December 2011."""
    noon = datetime.combine(day, time(12), zone)
    return noon.astimezone(UTC).astimezone(zone).date() == day
