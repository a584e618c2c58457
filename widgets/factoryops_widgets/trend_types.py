"""What a trend shows: pens with their limits, alarm periods, gaps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from factoryops.domain.alarms import Priority


class TrendMode(StrEnum):
    """Whether the trend follows the clock."""

    LIVE = "live"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit line; `priority` is that of the rule it belongs to."""

    value: float
    label: str
    priority: Priority | None = None


@dataclass(frozen=True, slots=True)
class Pen:
    """One line of a trend.

    Attributes:
        color_index: position in the theme's pens; from 10 on the line is dashed.
        low / high: the parameter's range; used for the scale while there are no samples.
        is_step: hold each value until the next, for discrete signals.
        words: what people read for certain values, such as the states of a machine; may grow while the pen is shown.
    """

    id: str
    label: str
    unit: str = ""
    color_index: int = 0
    decimals: int = 2
    low: float | None = None
    high: float | None = None
    limits: tuple[Limit, ...] = ()
    is_step: bool = False
    description: str = ""
    words: Mapping[float, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AlarmPeriod:
    """When an alarm was active; `end_us` is None while it still is."""

    start_us: int
    end_us: int | None
    priority: Priority
    label: str = ""


@dataclass(frozen=True, slots=True)
class Gap:
    """A span that is known to have been lost."""

    start_us: int
    end_us: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PenStatistics:
    """Over what is in view; None without samples."""

    minimum: float | None = None
    mean: float | None = None
    maximum: float | None = None
