"""How figures compare with their targets, and EEMUA 191's words for the load; neither is a measured limit of people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from factoryops.domain.performance.rates import Rates
from factoryops.domain.performance.thresholds import Target, Thresholds


class Band(StrEnum):
    """How a figure compares with its target."""

    GOOD = "good"
    TOLERABLE = "tolerable"
    POOR = "poor"
    UNKNOWN = "unknown"


class Load(StrEnum):
    """What EEMUA 191 calls a long-term average per operating position."""

    ACCEPTABLE = "very likely acceptable"
    MANAGEABLE = "manageable"
    DEMANDING = "likely over-demanding"
    UNACCEPTABLE = "very likely unacceptable"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The bands of the main figures."""

    rate: Band
    busy_intervals: Band
    busy_hours: Band
    flood: Band
    busiest: Band
    top_ten: Band
    stale: Band
    load: Load | None


_LOADS: Final = ((1.0, Load.ACCEPTABLE), (2.0, Load.MANAGEABLE), (10.0, Load.DEMANDING))


def judge(rates: Rates, top_ten_share: float | None, stale_at_once: int, limits: Thresholds) -> Judgement:
    """Compare the main figures with their targets; a share of None is not judged."""
    return Judgement(
        rate=_band(rates.per_hour, limits.rate_per_hour),
        busy_intervals=_band(rates.busy_intervals, limits.share_of_time),
        busy_hours=_band(rates.busy_hours, limits.share_of_time),
        flood=_band(rates.flood_share, limits.share_of_time),
        busiest=_band(float(rates.busiest) if rates.intervals else None, limits.busiest),
        top_ten=_band(top_ten_share, limits.top_ten),
        stale=_band(float(stale_at_once), limits.stale_at_once),
        load=_load(rates.per_interval),
    )


def _band(value: float | None, target: Target) -> Band:
    if value is None:
        return Band.UNKNOWN
    if value <= target.good:
        return Band.GOOD
    return Band.TOLERABLE if value <= target.most else Band.POOR


def _load(per_interval: float | None) -> Load | None:
    if per_interval is None:
        return None
    return next((load for most, load in _LOADS if per_interval <= most), Load.UNACCEPTABLE)
