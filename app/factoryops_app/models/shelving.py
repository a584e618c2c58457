"""For how long alarms may be put aside: what their classes permit, and when the shift that works now ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from factoryops.contracts import http
from factoryops.domain.alarm_classes import AlarmPhilosophy
from factoryops.domain.calendar import end_of_window
from factoryops.domain.time import US_PER_S, from_us
from factoryops_app.models.typed import moment_text
from factoryops_resources.words import say


@dataclass(frozen=True, slots=True)
class ShiftEnd:
    """The end of a shift that works now."""

    name: str
    end_us: int

    def words(self, now_us: int, zone: ZoneInfo) -> str:
        """Such as "Until the end of the shift Early (14:00)"; with its date where that is another one."""
        at = from_us(self.end_us).astimezone(zone)
        is_today = at.date() == from_us(now_us).astimezone(zone).date()
        time = at.strftime("%H:%M") if is_today else moment_text(at, zone)
        return say("Until the end of the shift {name} ({time})", name=self.name, time=time)


def shift_ends(shifts: Iterable[http.Shift], zone: str, now_us: int) -> list[ShiftEnd]:
    """The ends of the shifts that work at `now_us` on the clock of `zone`, the next one first."""
    found = [(one.content.name, end_of_window(one.content.schedule(), zone, now_us)) for one in shifts]
    ends = [ShiftEnd(name, end_us) for name, end_us in found if end_us is not None]
    return sorted(ends, key=lambda one: (one.end_us, one.name))


def longest_shelving_us(alarms: Iterable[http.Alarm], philosophy: AlarmPhilosophy) -> int:
    """For how long all of `alarms` may be shelved; 0 where the class of one does not permit it at all."""
    classes = [philosophy.class_of(one.alarm_class) for one in alarms]
    longest = (one.longest_shelving_s if one.may_be_shelved else 0.0 for one in classes)
    return int(min(longest, default=0.0) * US_PER_S)
