"""The ingredients of believable signals: shifts, slow drifts, lags and noise, each a pure function of seed and time.

Because nothing here remembers anything, any moment can be computed alone: imported history and live data are one line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from factoryops.domain.time import US_PER_S

Times = npt.NDArray[np.float64]
"""Seconds since 1970 (UTC)."""
Values = npt.NDArray[np.float64]

_ZONE_BLOCK_S: Final = 900
_LAG_TAPS: Final = np.linspace(0.04, 3.2, 14)
_LAG_WEIGHTS: Final = np.exp(-_LAG_TAPS) / np.exp(-_LAG_TAPS).sum()

# (from, to, activity) in minutes of the local day: three shifts, the night one smaller, with their breaks.
_SHIFTS: Final = (
    (0, 120, 0.62), (120, 140, 0.22), (140, 350, 0.62), (350, 370, 0.30), (370, 540, 0.95), (540, 560, 0.25),
    (560, 720, 0.92), (720, 750, 0.28), (750, 830, 0.94), (830, 850, 0.35), (850, 1060, 0.86), (1060, 1080, 0.24),
    (1080, 1230, 0.84), (1230, 1250, 0.26), (1250, 1310, 0.80), (1310, 1330, 0.34), (1330, 1440, 0.64),
)  # fmt: skip
_SHIFT_STARTS: Final = np.array([start for start, _, _ in _SHIFTS])
_SHIFT_ACTIVITY: Final = np.array([activity for _, _, activity in _SHIFTS])
_WEEKDAY_FACTOR: Final = np.array([1.0, 1.0, 1.0, 1.0, 0.97, 0.84, 0.68])


def hashed(seed: int, index: npt.NDArray[np.int64]) -> Values:
    """Uniform numbers in [0, 1) for integer positions (SplitMix64: Steele, Lea, Flood 2014)."""
    with np.errstate(over="ignore"):
        mixed = index.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed & 0xFFFFFFFFFFFFFFFF)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed ^= mixed >> np.uint64(31)
    return (mixed >> np.uint64(11)).astype(np.float64) / float(1 << 53)


def local_minutes(times_s: Times, zone: ZoneInfo) -> tuple[Values, npt.NDArray[np.int64]]:
    """Minutes of the local day, and the local weekday (Monday is 0)."""
    blocks, place = np.unique((times_s // _ZONE_BLOCK_S).astype(np.int64), return_inverse=True)
    offsets = np.array([_offset_s(int(block) * _ZONE_BLOCK_S, zone) for block in blocks])
    local = times_s + offsets[place]
    days = np.floor(local / 86_400)
    return (local - days * 86_400) / 60, ((days + 3) % 7).astype(np.int64)


def _offset_s(time_s: int, zone: ZoneInfo) -> float:
    offset = datetime.fromtimestamp(time_s, UTC).astimezone(zone).utcoffset()
    return offset.total_seconds() if offset is not None else 0.0


def activity(times_s: Times, zone: ZoneInfo) -> Values:
    """How busy the plant is, 0 to 1, by its own clock: shifts, breaks, hand-overs, weekends."""
    minutes, weekday = local_minutes(times_s, zone)
    shift = np.searchsorted(_SHIFT_STARTS, minutes, side="right") - 1
    busy: Values = _SHIFT_ACTIVITY[shift] * _WEEKDAY_FACTOR[weekday]
    return busy


@dataclass(frozen=True, slots=True)
class Drive:
    """The moments asked for, and everything a machine's model derives from them.

    Attributes:
        seed: the machine's own.
        times_s: float64[n], seconds since 1970.
        zone: the plant's time zone.
    """

    seed: int
    times_s: Times
    zone: ZoneInfo

    def at(self, times_s: Times) -> Drive:
        """The same machine at other moments."""
        return Drive(self.seed, times_s, self.zone)

    def drift(self, channel: int, period_s: float) -> Values:
        """A smooth random line in [-1, 1] that turns about every `period_s`."""
        position = self.times_s / period_s
        left = np.floor(position)
        share = position - left
        share = share * share * (3 - 2 * share)
        index = left.astype(np.int64)
        start, end = hashed(self._salt(channel), index), hashed(self._salt(channel), index + 1)
        return 2 * (start + (end - start) * share) - 1

    def step(self, channel: int, period_s: float) -> Values:
        """A random level in [0, 1) that holds for `period_s` at a time."""
        return hashed(self._salt(channel), np.floor(self.times_s / period_s).astype(np.int64))

    def noise(self, channel: int) -> Values:
        """Measurement noise of standard deviation 1: the sum of four uniform numbers, so without wild outliers."""
        index = np.round(self.times_s * 1_000).astype(np.int64)
        total = np.full(len(index), -2.0)
        for turn in range(4):
            total += hashed(self._salt(channel) + 7_919 * turn, index)
        return total * 3**0.5

    def cycle(self, period_s: float) -> Values:
        """Where in a repeating cycle each moment lies, 0 to 1."""
        return (self.times_s / period_s + (self.seed % 97) / 97) % 1.0

    def busy(self) -> Values:
        """The plant's activity with this machine's own slow variation, 0 to 1.1."""
        level = activity(self.times_s, self.zone)
        return np.clip(level * (1 + 0.10 * self.drift(1, 700) + 0.05 * self.drift(2, 95)), 0.0, 1.1)

    def lagged(self, source: Callable[[Drive], Values], tau_s: float) -> Values:
        """`source` through a first-order lag of time constant `tau_s`, as a weighted sum over the past."""
        total = np.zeros(len(self.times_s))
        for tap, weight in zip(_LAG_TAPS, _LAG_WEIGHTS, strict=True):
            total += weight * source(self.at(self.times_s - tap * tau_s))
        return total

    def _salt(self, channel: int) -> int:
        return self.seed * 1_000_003 + channel * 104_729


def to_seconds(times_us: npt.NDArray[np.int64]) -> Times:
    """Microseconds as float seconds; exact to the microsecond for this century."""
    return times_us / US_PER_S
