"""How long history is kept: samples, summaries per minute, and summaries per hour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from factoryops.domain.samples import SeriesKey
from factoryops.domain.time import US_PER_S

MOST_DAYS: Final = 36_500
_DAY_US: Final = 86_400 * US_PER_S
_NEVER_US: Final = -(1 << 62)


class Keep(msgspec.Struct, frozen=True):
    """How many days each form of history is kept; 0 is for ever."""

    raw_days: int = 0
    minute_days: int = 0
    hour_days: int = 0

    def faults(self) -> dict[str, str]:
        """Why it cannot be used, by field: what is coarser must be kept at least as long."""
        faults: dict[str, str] = {}
        if _rank(self.minute_days) < _rank(self.raw_days):
            faults["minute_days"] = "must not be less than the days samples are kept"
        if _rank(self.hour_days) < _rank(self.minute_days):
            faults["hour_days"] = "must not be less than the days minutes are kept"
        return faults

    def cutoffs_us(self, now_us: int) -> Cutoffs:
        """Before which moments, each a UTC midnight, samples, minutes and hours are given up."""
        return Cutoffs(*(_cutoff_us(days, now_us) for days in (self.raw_days, self.minute_days, self.hour_days)))


class Cutoffs(msgspec.Struct, frozen=True):
    """Before which moments samples, minutes and hours are given up."""

    raw_us: int
    minutes_us: int
    hours_us: int


def _rank(days: int) -> int:
    return days or MOST_DAYS + 1


def _cutoff_us(days: int, now_us: int) -> int:
    return now_us - now_us % _DAY_US - days * _DAY_US if days else _NEVER_US


class RetentionPolicy(msgspec.Struct, frozen=True):
    """What holds for some parameters of a factory.

    Attributes:
        name: what people call it.
        parameters: the parameters' keys; of every device. Empty: all that no other policy names.
    """

    name: str
    keep: Keep
    parameters: tuple[str, ...] = ()


class RetentionPlan(msgspec.Struct, frozen=True):
    """The policies of every factory, by its id; what none of them concerns is kept for ever."""

    policies: Mapping[str, Sequence[RetentionPolicy]] = {}

    def keep(self, key: SeriesKey) -> Keep:
        """How long a series' history is kept: a policy that names its parameter comes before one for all."""
        policies = self.policies.get(key.factory, ())
        named = (one for one in policies if key.parameter in one.parameters)
        general = (one for one in policies if not one.parameters)
        found = next(named, None) or next(general, None)
        return found.keep if found else Keep()
