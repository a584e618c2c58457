"""When a schedule holds, in UTC, whatever a factory's clock does.

A window is meant on the clock on the wall: it begins when that clock first shows its start or a later time of the
date, and ends when it first shows its end or a later time. So a start that the clock skips in spring is the moment of
the jump, an hour that comes twice in autumn belongs to its window both times, and adjoining windows leave no hole and
never overlap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import numpy.typing as npt

from factoryops.domain.errors import InvalidInputError
from factoryops.domain.schedules import EVERY_DAY, Schedule, WeeklyWindow, minutes_of
from factoryops.domain.time import US_PER_S, from_us, to_us

Times = npt.NDArray[np.int64]

_MINUTE_US: Final = 60 * US_PER_S
_DAY_US: Final = 86_400 * US_PER_S
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_THURSDAY: Final = 3
"""Days from a Monday to 1 January 1970."""

_DAYS_BEFORE: Final = 3
_DAYS_AFTER: Final = 3
"""A window that touches a moment starts on a local date at most so far from the moment's date in UTC."""

_SECOND: Final = timedelta(seconds=1)
_EVER: Final = np.iinfo(np.int64).max


class Changes(NamedTuple):
    """Where a schedule begins and ceases to hold within a span.

    Attributes:
        is_true_at_since: whether it holds at the span's first moment.
        moments: int64[n], µs UTC, ascending, after the first moment and before the span's end.
        states: bool[n], whether it holds from that moment on; alternating.
    """

    is_true_at_since: bool
    moments: Times
    states: npt.NDArray[np.bool_]


def changes(schedule: Schedule, shifts: Mapping[str, Schedule], zone: str, since_us: int, until_us: int) -> Changes:
    """Where `schedule` changes in [since_us, until_us), on the clock of the IANA zone `zone`.

    A shift that `shifts` does not know never holds.

    Raises:
        InvalidInputError: the zone is unknown, or a window cannot be read.
    """
    if schedule.is_always:
        return Changes(True, np.empty(0, np.int64), np.empty(0, np.bool_))
    begins, ends = spans(schedule, shifts, zone, since_us, until_us)
    moments = np.stack((begins, ends), axis=1).ravel()
    states = np.tile(np.array([True, False]), len(begins))
    inside = (moments > since_us) & (moments < until_us)
    is_true = bool(len(begins)) and int(begins[0]) <= since_us
    return Changes(is_true, moments[inside], states[inside])


def holds_at(schedule: Schedule, shifts: Mapping[str, Schedule], zone: str, moment_us: int) -> bool:
    """Whether `schedule` holds at `moment_us`; raises as `changes` does."""
    return changes(schedule, shifts, zone, moment_us, moment_us + 1).is_true_at_since


def spans(
    schedule: Schedule, shifts: Mapping[str, Schedule], zone: str, since_us: int, until_us: int
) -> tuple[Times, Times]:
    """Begins and ends (µs UTC) of the spans in which `schedule` holds, cut to [since_us, until_us).

    They are ascending and neither touch nor overlap. Raises as `changes` does.
    """
    return _union(*windows(schedule, shifts, zone, since_us, until_us))


def windows(
    schedule: Schedule, shifts: Mapping[str, Schedule], zone: str, since_us: int, until_us: int
) -> tuple[Times, Times]:
    """Begins and ends (µs UTC) of each window of `schedule`, cut to [since_us, until_us), in any order.

    They may touch and overlap; one that lies outside the span ends no later than it begins. Raises as `changes` does.
    """
    if until_us <= since_us:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    begins, ends = _windows(schedule, shifts, zone, since_us, until_us)
    return np.maximum(begins, since_us), np.minimum(ends, until_us)


def end_of_window(schedule: Schedule, zone: str, moment_us: int) -> int | None:
    """When the weekly window that holds at `moment_us` ends, in µs UTC; of several the latest, None when none holds.

    A window that another one adjoins ends all the same: of 06:00 to 06:00 each day is one of its own. Raises as
    `changes` does.
    """
    if not schedule.weekly:
        return None
    begins, ends = _windows(schedule, {}, zone, moment_us, moment_us)
    holding = ends[(begins <= moment_us) & (moment_us < ends)]
    return int(holding.max()) if len(holding) else None


def zone_of(timezone: str) -> ZoneInfo:
    """The zone of an IANA name; raises InvalidInputError."""
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInputError(f"'{timezone}' is not a time zone; use a name such as Europe/Berlin.") from None


def _windows(
    schedule: Schedule, shifts: Mapping[str, Schedule], zone: str, since_us: int, until_us: int
) -> tuple[Times, Times]:
    """Begins and ends (µs UTC) of all windows that touch [since_us, until_us], and of some beyond it."""
    first = since_us // _DAY_US - _DAYS_BEFORE
    last = until_us // _DAY_US + _DAYS_AFTER
    local = [part for part in _local_spans(schedule, shifts, first, last) if len(part[0])]
    if not local:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    wall = _Wall(zone, first * _DAY_US - _DAY_US, last * _DAY_US + 2 * _DAY_US)
    begins, ends = (wall.first_shows(np.concatenate([part[edge] for part in local])) for edge in (0, 1))
    return begins, ends


def _local_spans(
    schedule: Schedule, shifts: Mapping[str, Schedule], first: int, last: int
) -> Iterator[tuple[Times, Times]]:
    """Begins and ends on the wall, in µs as if the wall showed UTC, of windows that start on days `first` to `last`."""
    first, last = _within_dates(schedule, first, last)
    if not schedule.weekly and not schedule.shifts:
        whole = np.array([first, last + 1], np.int64) * _DAY_US
        yield whole[:1], whole[1:]
    for window in schedule.weekly:
        yield _local_windows(window, first, last)
    for shift in schedule.shifts:
        if shift in shifts:
            own_first, own_last = _within_dates(shifts[shift], first, last)
            for window in shifts[shift].weekly:
                yield _local_windows(window, own_first, own_last)


def _within_dates(schedule: Schedule, first: int, last: int) -> tuple[int, int]:
    if schedule.first is not None:
        first = max(first, schedule.first.toordinal() - _EPOCH_DAY)
    if schedule.last is not None:
        last = min(last, schedule.last.toordinal() - _EPOCH_DAY)
    return first, last


def _local_windows(window: WeeklyWindow, first: int, last: int) -> tuple[Times, Times]:
    start, end = minutes_of(window.start), minutes_of(window.end)
    length = end - start if end > start else end - start + 24 * 60
    days = np.arange(first, last + 1, dtype=np.int64)
    if set(window.days) != set(EVERY_DAY):
        days = days[np.isin((days + _THURSDAY) % 7 + 1, window.days)]
    begins = days * _DAY_US + start * _MINUTE_US
    return begins, begins + length * _MINUTE_US


def _union(begins: Times, ends: Times) -> tuple[Times, Times]:
    is_span = begins < ends
    begins, ends = begins[is_span], ends[is_span]
    order = np.argsort(begins, kind="stable")
    begins, reached = begins[order], np.maximum.accumulate(ends[order])
    is_new = np.append(True, begins[1:] > reached[:-1])[: len(begins)]
    is_last = np.append(is_new[1:], True)[: len(begins)]
    return begins[is_new], reached[is_last]


class _Wall:
    """The clock on a factory's wall from `since_us` to `until_us`, as pieces of constant offset from UTC."""

    def __init__(self, zone: str, since_us: int, until_us: int) -> None:
        years = range(from_us(since_us).year, from_us(until_us).year + 1)
        pieces = [piece for year in years for piece in _offsets_of(zone_of(zone), year)]
        self._begins = np.array([begin for begin, _ in pieces], np.int64)
        self._offsets = np.array([offset for _, offset in pieces], np.int64)
        shown_last = np.append(self._begins[1:] + self._offsets[:-1], _EVER)
        self._shown = np.maximum.accumulate(shown_last)

    def first_shows(self, local: Times) -> Times:
        """When the wall first shows each time of `local` or a later one, in µs UTC."""
        piece = np.searchsorted(self._shown, local, side="right")
        shows: Times = np.maximum(self._begins[piece], local - self._offsets[piece])
        return shows


@lru_cache(maxsize=512)
def _offsets_of(zone: ZoneInfo, year: int) -> tuple[tuple[int, int], ...]:
    """Begin (µs UTC) and offset (µs) of each piece of a year, UTC, in which a zone's offset stays as it is."""
    first, over = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    days = [first + timedelta(days=day) for day in range((over - first).days + 1)]
    pieces = [_piece(first, zone)]
    for before, after in pairwise(days):
        if _offset(before, zone) != _offset(after, zone):
            pieces.append(_piece(_jump(before, after, zone), zone))
    return tuple(pieces)


def _jump(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first second at which the zone has the offset of `after`."""
    offset = _offset(before, zone)
    while after - before > _SECOND:
        middle = before + (after - before) // (2 * _SECOND) * _SECOND
        before, after = (middle, after) if _offset(middle, zone) == offset else (before, middle)
    return after


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _piece(moment: datetime, zone: ZoneInfo) -> tuple[int, int]:
    return to_us(moment), _offset(moment, zone) // timedelta(microseconds=1)
