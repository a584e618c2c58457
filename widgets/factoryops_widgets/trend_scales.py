"""Scales of a trend: one vertical scale per unit, and the ticks of both directions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Final

from factoryops.domain.time import US_PER_S, from_us, to_us
from factoryops_widgets import formatting

_TIME_STEPS_S: Final = (
    0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
    172_800, 604_800,
)  # fmt: skip
_DAY_S: Final = 86_400


@dataclass(slots=True)
class Scale:
    """The vertical scale that all pens of one unit share.

    Attributes:
        low / high: what the bottom and the top of the plot stand for, in `unit`.
        is_manual: somebody has set it; it no longer follows the data.
    """

    unit: str
    pen_ids: list[str] = field(default_factory=list)
    low: float = 0.0
    high: float = 1.0
    is_manual: bool = False

    @property
    def extent(self) -> float:
        """From bottom to top."""
        return self.high - self.low

    def follow(self, extremes: Iterable[tuple[float, float]], fallback: tuple[float | None, float | None]) -> None:
        """Fit round figures about `extremes`, unless somebody has set the scale.

        Args:
            extremes: least and greatest value of everything to be seen.
            fallback: the parameter's range, for when there is nothing to be seen.
        """
        if self.is_manual:
            return
        found = list(extremes)
        low = min((pair[0] for pair in found), default=fallback[0])
        high = max((pair[1] for pair in found), default=fallback[1])
        self.low, self.high = round_range(0.0 if low is None else low, 1.0 if high is None else high)

    def zoom(self, share: float, factor: float) -> None:
        """Widen (factor > 1) or narrow about the point at `share` of the height, from the bottom."""
        at = self.low + share * self.extent
        self.low, self.high = at - (at - self.low) * factor, at + (self.high - at) * factor
        self.is_manual = True

    def move(self, share: float) -> None:
        """Move by `share` of the height."""
        distance = share * self.extent
        self.low, self.high = self.low + distance, self.high + distance
        self.is_manual = True


def round_step(extent: float, most: int) -> float:
    """The smallest of 1, 2, 5 × 10ⁿ that divides `extent` into at most `most` steps."""
    raw = extent / max(1, most)
    if not math.isfinite(raw) or raw <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(raw))
    return next(power * factor for factor in (1.0, 2.0, 5.0, 10.0) if power * factor >= raw * (1 - 1e-9))


def round_range(low: float, high: float) -> tuple[float, float]:
    """Round figures about `low` and `high` with a little air, stable while the data moves within them."""
    if high < low:
        low, high = high, low
    if high - low <= 1e-9 * max(1.0, abs(low), abs(high)):
        margin = max(abs(low) * 0.05, 0.5)
        low, high = low - margin, high + margin
    air = 0.04 * (high - low)
    step = round_step(high - low + 2 * air, 8)
    bottom, top = math.floor((low - air) / step) * step, math.ceil((high + air) / step) * step
    return (0.0, top) if bottom < 0.0 <= low else (bottom, top)


def value_ticks(scale: Scale, most: int) -> tuple[list[float], int]:
    """Round figures inside the scale, and the decimals that tell them apart."""
    step = round_step(scale.extent, most)
    first = math.ceil(scale.low / step - 1e-6)
    last = math.floor(scale.high / step + 1e-6)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return [number * step for number in range(first, last + 1)], decimals


@dataclass(frozen=True, slots=True)
class TimeTick:
    """A line of the time axis; `is_day` starts a new local day, whose label is the date."""

    time_us: int
    label: str
    is_day: bool = False


def time_ticks(start_us: int, end_us: int, zone: tzinfo, most: int) -> list[TimeTick]:
    """Ticks at round local times, also across a change of the clocks."""
    step_s = _time_step_s((end_us - start_us) / US_PER_S, most)
    local = from_us(start_us).astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    ticks: list[TimeTick] = []
    while (day_us := to_us(midnight)) <= end_us:
        tomorrow = _next_midnight(midnight, max(1, round(step_s / _DAY_S)))
        ticks += _ticks_of_day(midnight, min(end_us, to_us(tomorrow) - 1), step_s, start_us)
        if to_us(tomorrow) <= day_us:
            break
        midnight = tomorrow
    return ticks


def group_scales(pens: Sequence[tuple[str, str]], existing: dict[str, Scale]) -> dict[str, Scale]:
    """One scale per unit for (pen id, unit) pairs, in the order the units first appear; known scales stay."""
    scales: dict[str, Scale] = {}
    for pen_id, unit in pens:
        if unit not in scales:
            scales[unit] = existing.get(unit) or Scale(unit)
            scales[unit].pen_ids = []
        scales[unit].pen_ids.append(pen_id)
    return scales


def _time_step_s(span_s: float, most: int) -> float:
    wanted = span_s / max(1, most)
    return next((float(step) for step in _TIME_STEPS_S if step >= wanted), _DAY_S * math.ceil(wanted / _DAY_S))


def _next_midnight(midnight: datetime, days: int) -> datetime:
    later = midnight + timedelta(days=days)
    return later.replace(hour=0, minute=0, second=0, microsecond=0)


def _ticks_of_day(midnight: datetime, last_us: int, step_s: float, start_us: int) -> list[TimeTick]:
    """Ticks from `midnight` (local) to `last_us`: counted on the local clock, so that 06:00 stays 06:00."""
    zone = midnight.tzinfo
    ticks: list[TimeTick] = []
    first = max(0, int((start_us - to_us(midnight)) / US_PER_S / step_s) - 1) if step_s < 3_600 else 0
    for index in range(first, int(_DAY_S / step_s) + 1):
        # Short steps count elapsed time; long ones the local clock, which may stand an hour off after a change.
        offset = timedelta(seconds=index * step_s)
        moment = midnight + offset if step_s >= 3_600 else (from_us(to_us(midnight)) + offset).astimezone(zone)
        time_us = to_us(moment)
        if time_us > last_us or (index and moment.date() != midnight.date()):
            break
        if time_us >= start_us:
            ticks.append(_tick(time_us, moment, step_s))
    return ticks


def _tick(time_us: int, local: datetime, step_s: float) -> TimeTick:
    if local.hour == local.minute == local.second == 0 and local.microsecond == 0:
        assert local.tzinfo is not None  # noqa: S101 - made from an aware time just above
        return TimeTick(time_us, formatting.date(local, local.tzinfo), is_day=True)
    if step_s >= 60:
        return TimeTick(time_us, local.strftime("%H:%M"))
    if step_s >= 1:
        return TimeTick(time_us, local.strftime("%H:%M:%S"))
    return TimeTick(time_us, local.strftime("%H:%M:%S.") + str(local.microsecond // 100_000))
