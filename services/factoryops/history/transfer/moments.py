"""Times of a table in microseconds since 1970: all forms devices may send, and local times of a chosen zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from factoryops.contracts.http import Ambiguous
from factoryops.contracts.telemetry import parse_timestamp
from factoryops.domain.time import EPOCH, US_PER_S
from factoryops.history.transfer.blocks import Column

_ISO: Final = re.compile(r"[0-9T:.\- \n]*")
_DAY_FIRST: Final = re.compile(
    r"(\d{1,2})\.(\d{1,2})\.(\d{4})(?:[ ,T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6}))?)?)?"
)
_NUMBER: Final = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?")
_DAY_US: Final = 86_400 * US_PER_S
_LATEST_US: Final = 7_258_118_400 * US_PER_S
"""The year 2200: whatever lies behind it is no time of a plant."""

_MICROSECOND: Final = timedelta(microseconds=1)

Times = tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]
"""int64[n], microseconds, and uint8[n], `TimeFault`."""


class TimeFault(IntEnum):
    """Why a time cannot be used, or what to know about it."""

    NONE = 0
    NOT_A_TIME = 1
    SKIPPED = 2
    """Daylight saving skipped it: there was no such local time."""
    AMBIGUOUS = 3
    """It existed twice, and the plan says to refuse such times."""


@dataclass(frozen=True, slots=True)
class TimeRule:
    """How a column of times is read.

    Attributes:
        zone: of times that name none.
        time_format: in the letters of strptime; None for the usual forms.
    """

    zone: ZoneInfo
    ambiguous: Ambiguous = Ambiguous.EARLIER
    time_format: str | None = None


_UTC_RULE: Final = TimeRule(ZoneInfo("UTC"))


def read_times(column: Column, rule: TimeRule) -> Times:
    """The times of a column."""
    if isinstance(column, np.ndarray):
        return _typed(column, rule)
    if rule.time_format is None:
        joined = "\n".join(column)
        is_utc = joined.count("Z") == len(column)
        naive = _naive_iso(joined.replace("Z", "").split("\n") if is_utc else column)
        if naive is not None:
            return _placed(naive, _UTC_RULE if is_utc else rule)
    return _one_by_one(column, rule)


def _typed(column: npt.NDArray[Any], rule: TimeRule) -> Times:
    if np.issubdtype(column.dtype, np.datetime64):
        return _placed(column.astype("datetime64[us]").astype(np.int64), rule)  # what is no time lies far back
    if column.dtype == np.int64:
        return _placed(column.astype(np.int64), _UTC_RULE)
    numbers = column.astype(np.float64)
    is_bad = ~(np.abs(numbers) <= 1e18)
    scaled = np.where(is_bad, 0.0, numbers) * np.where(np.abs(numbers) > 2e10, 1_000.0, 1e6)
    return np.rint(scaled).astype(np.int64), np.where(is_bad, np.uint8(TimeFault.NOT_A_TIME), np.uint8(0))


def _naive_iso(column: list[str]) -> npt.NDArray[np.int64] | None:
    """Microseconds of a column that is ISO 8601 without zones throughout, as though it were UTC; else None."""
    joined = "\n".join(column)
    if not _ISO.fullmatch(joined) or joined.count("-") < 2 * len(column) or "" in column:
        return None
    try:
        return np.array(column, "datetime64[us]").astype(np.int64)
    except ValueError:
        return None


def _one_by_one(column: list[str], rule: TimeRule) -> Times:
    """Mixed forms, zones and faults; each different cell is read once."""
    cells = list(dict.fromkeys(column))
    place = {cell: number for number, cell in enumerate(cells)}
    moments = [_read(cell.strip(), rule) for cell in cells]
    absolute = np.array([one if isinstance(one, int) else 0 for one in moments], np.int64)
    naive = np.array([_naive_us(one) if isinstance(one, datetime) else 0 for one in moments], np.int64)
    is_naive = np.array([isinstance(one, datetime) for one in moments], np.bool_)
    placed, faults = _placed(naive, rule)
    times = np.where(is_naive, placed, absolute)
    nothing = np.array([one is None for one in moments], np.bool_)
    faults = np.where(is_naive, faults, np.where(nothing, np.uint8(TimeFault.NOT_A_TIME), np.uint8(0)))
    index = np.fromiter(map(place.__getitem__, column), np.intp, len(column))
    return times[index], faults.astype(np.uint8)[index]


def _read(cell: str, rule: TimeRule) -> int | datetime | None:
    """Microseconds, a local time that still needs its zone, or None."""
    if rule.time_format is not None:
        return _formatted(cell, rule.time_format)
    if _NUMBER.fullmatch(cell):
        return parse_timestamp(cell if cell.strip("+-0123456789.") == "" else float(cell))
    if (match := _DAY_FIRST.fullmatch(cell)) is not None:
        return _day_first(match)
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError:
        return parse_timestamp(cell)
    return moment if moment.tzinfo is None else _exact(moment)


def _formatted(cell: str, time_format: str) -> int | datetime | None:
    try:
        moment = datetime.strptime(cell, time_format)  # noqa: DTZ007 - its zone is the plan's
    except ValueError:
        return None
    return moment if moment.tzinfo is None else _exact(moment)


def _day_first(match: re.Match[str]) -> datetime | None:
    day, month, year, hour, minute, second, fraction = match.groups(default="0")
    try:
        return datetime(  # noqa: DTZ001 - its zone is the plan's
            int(year), int(month), int(day), int(hour), int(minute), int(second), int(fraction.ljust(6, "0"))
        )
    except ValueError:
        return None


def _exact(moment: datetime) -> int:
    return (moment - EPOCH) // _MICROSECOND


def _naive_us(moment: datetime) -> int:
    return _exact(moment.replace(tzinfo=UTC))


# --- local time ------------------------------------------------------------------------------------------------------


def _placed(naive_us: npt.NDArray[np.int64], rule: TimeRule) -> Times:
    """Local times in UTC: by whole days where the zone's offset stays, one by one on days on which it changes."""
    is_far = (naive_us < -_DAY_US) | (naive_us > _LATEST_US)
    naive_us = np.where(is_far, 0, naive_us)
    faults = np.where(is_far, np.uint8(TimeFault.NOT_A_TIME), np.uint8(0))
    if rule.zone.key == "UTC" or not len(naive_us):
        return naive_us, faults
    days, day_of = np.unique(naive_us // _DAY_US, return_inverse=True)
    offsets = [_offset_of_day(int(day), rule.zone) for day in days]
    steady = np.array([0 if offset is None else offset for offset in offsets], np.int64)
    times = naive_us - steady[day_of]
    changing = np.array([offset is None for offset in offsets], np.bool_)[day_of]
    for index in np.flatnonzero(changing).tolist():
        times[index], faults[index] = _place_one(int(naive_us[index]), rule)
    return times, faults


def _offset_of_day(day: int, zone: ZoneInfo) -> int | None:
    """The zone's offset throughout a local day and an hour or so around it; None when it changes."""
    moments = [_local(day * _DAY_US + hour * 3_600 * US_PER_S, zone) for hour in (-3, 0, 12, 24, 27)]
    offsets = {_offset_us(moment) for moment in moments}
    return offsets.pop() if len(offsets) == 1 else None


def _place_one(naive_us: int, rule: TimeRule) -> tuple[int, int]:
    moment = _local(naive_us, rule.zone)
    earlier, later = _offset_us(moment), _offset_us(moment.replace(fold=1))
    if earlier == later:
        return naive_us - earlier, TimeFault.NONE
    if earlier < later:
        return 0, TimeFault.SKIPPED
    if rule.ambiguous is Ambiguous.REFUSE:
        return 0, TimeFault.AMBIGUOUS
    return naive_us - (later if rule.ambiguous is Ambiguous.LATER else earlier), TimeFault.NONE


def is_ambiguous(time_us: int, zone: ZoneInfo) -> bool:
    """Whether the local time of a moment existed twice."""
    local = (EPOCH + timedelta(microseconds=time_us)).astimezone(zone)
    return _offset_us(local.replace(fold=0)) > _offset_us(local.replace(fold=1))


def _local(naive_us: int, zone: ZoneInfo) -> datetime:
    return (EPOCH + timedelta(microseconds=naive_us)).replace(tzinfo=zone)


def _offset_us(moment: datetime) -> int:
    offset = moment.utcoffset()
    return 0 if offset is None else offset // _MICROSECOND
