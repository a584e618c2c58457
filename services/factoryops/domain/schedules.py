"""When something holds: weekly windows, shifts and dates on a factory's own clock."""

from __future__ import annotations

from datetime import date
from typing import Final

import msgspec

from factoryops.domain.errors import InvalidInputError

MOST_WINDOWS: Final = 50
EVERY_DAY: Final = (1, 2, 3, 4, 5, 6, 7)


class WeeklyWindow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A span of the day on some weekdays.

    Attributes:
        start / end: "HH:MM" on the factory's clock. An end at or before the start lies on the next day, so that
            22:00 to 06:00 is one window and 06:00 to 06:00 is a whole day.
        days: ISO weekdays (1 = Monday) on which it starts.
    """

    start: str
    end: str
    days: tuple[int, ...] = EVERY_DAY


class Schedule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Spans of time; one without any part is always.

    It holds where one of `weekly` or of the windows of `shifts` does (or neither is given) and the local date is
    neither before `first` nor after `last`. A window across midnight belongs to the date on which it starts.

    Attributes:
        shifts: ids of the factory's shifts.
        first / last: local dates, both included.
    """

    weekly: tuple[WeeklyWindow, ...] = ()
    shifts: tuple[str, ...] = ()
    first: date | None = None
    last: date | None = None

    @property
    def is_always(self) -> bool:
        """Whether it holds at any time."""
        return self == ALWAYS

    def check(self) -> None:
        """Raise InvalidInputError when it cannot be used."""
        if len(self.weekly) > MOST_WINDOWS:
            raise InvalidInputError(f"A schedule has at most {MOST_WINDOWS} windows.", fields={"schedule": "too long"})
        for window in self.weekly:
            _check_window(window)
        if self.first is not None and self.last is not None and self.first > self.last:
            raise InvalidInputError(
                f"The schedule ends ({self.last}) before it begins ({self.first}).",
                fields={"schedule": "the last day is before the first"},
            )


ALWAYS: Final = Schedule()


def minutes_of(text: str) -> int:
    """Minutes since midnight of "HH:MM"; raises InvalidInputError."""
    hours, colon, minutes = text.partition(":")
    is_clock = len(text) == 5 and colon == ":" and (hours + minutes).isascii() and (hours + minutes).isdigit()
    if not is_clock or int(hours) > 23 or int(minutes) > 59:
        raise InvalidInputError(f"{text!r} is not a time of day: write it as 06:30.", fields={"schedule": "not a time"})
    return int(hours) * 60 + int(minutes)


def _check_window(window: WeeklyWindow) -> None:
    minutes_of(window.start)
    minutes_of(window.end)
    if not window.days or not set(window.days) <= set(EVERY_DAY):
        raise InvalidInputError(
            "A window of a schedule needs weekdays from 1 (Monday) to 7.", fields={"schedule": "choose weekdays"}
        )
