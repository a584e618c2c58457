"""Public guidance on the figures, as bands and in the words of EEMUA 191; it is no measured limit of people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from factoryops.domain.performance.rates import Rates


class Band(StrEnum):
    """How a figure compares with public guidance."""

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


_RATE_PER_HOUR: Final = (6.0, 12.0)
_SHARE_OF_TIME: Final = (0.01, 0.05)
_BUSIEST: Final = (10.0, 100.0)
_TOP_TEN: Final = (0.05, 0.15)
_STALE: Final = (5.0, 10.0)
_LOADS: Final = ((1.0, Load.ACCEPTABLE), (2.0, Load.MANAGEABLE), (10.0, Load.DEMANDING))


def judge(rates: Rates, top_ten_share: float | None, stale_at_once: int) -> Judgement:
    """Compare the main figures with public guidance."""
    return Judgement(
        rate=_band(rates.per_hour, _RATE_PER_HOUR),
        busy_intervals=_band(rates.busy_intervals, _SHARE_OF_TIME),
        busy_hours=_band(rates.busy_hours, _SHARE_OF_TIME),
        flood=_band(rates.flood_share, _SHARE_OF_TIME),
        busiest=_band(float(rates.busiest) if rates.intervals else None, _BUSIEST),
        top_ten=_band(top_ten_share, _TOP_TEN),
        stale=_band(float(stale_at_once), _STALE),
        load=_load(rates.per_interval),
    )


def _band(value: float | None, limits: tuple[float, float]) -> Band:
    if value is None:
        return Band.UNKNOWN
    good, tolerable = limits
    if value <= good:
        return Band.GOOD
    return Band.TOLERABLE if value <= tolerable else Band.POOR


def _load(per_interval: float | None) -> Load | None:
    if per_interval is None:
        return None
    return next((load for most, load in _LOADS if per_interval <= most), Load.UNACCEPTABLE)
