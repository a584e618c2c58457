"""Samples as columns: from the journal on, never one object per sample."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntFlag
from functools import lru_cache
from typing import Final, NamedTuple, NewType

import numpy as np
import numpy.typing as npt

SeriesId = NewType("SeriesId", int)

SERIES_ID_BITS: Final = 53


_REMEMBERED: Final = 16_384
"""Ids of as many keys are remembered: who meets a new one asks for its id several times within moments."""


class SampleFlag(IntFlag):
    """What is known about a sample beside its value."""

    NONE = 0
    LATE = 1
    """Older than the watermark or than its device's newest: stored, never moves a condition."""
    IMPORTED = 2
    """Came through the import journal: history, never an alarm."""
    RECEIVE_TIME = 4
    """The message carried no time of its own; the time is when it was received."""
    BOOLEAN = 8
    """The value was true (1) or false (0)."""
    TEXT = 16
    """The value is the code of a text (`text_code`); it cannot be compared, averaged or drawn as a line."""
    CALCULATED = 32
    """Calculated by the engine from other series."""
    UNCERTAIN = 64
    """Its source says that the value is not good, or it was calculated from one that is not."""


class SeriesKey(NamedTuple):
    """What a series id stands for."""

    factory: str
    """The factory's id (not its slug, which may change)."""
    device: str
    parameter: str


@lru_cache(maxsize=_REMEMBERED)
def series_id(key: SeriesKey) -> SeriesId:
    """The id of a series: a 53-bit hash of its key (decision 0003).

    Every writer computes the same id without asking anyone, and the id survives the loss of any file. 53 bits
    stay exact in JSON; two of 100,000 series collide with a probability of 6e-7, and the journal refuses the second.
    """
    text = "\x1f".join(key).encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(text, digest_size=8).digest()
    return SeriesId((int.from_bytes(digest, "big") >> (64 - SERIES_ID_BITS)) or 1)


def text_code(factory: str, text: str) -> int:
    """What stands for a text in a value column: a 53-bit hash of it and its factory, exact as a float (decision 0013).

    Like a series id it is the same for every writer; the journal and the stores keep what each code stands for.
    """
    return series_id(SeriesKey(factory, "", text))


@dataclass(frozen=True, slots=True)
class SampleColumns:
    """Samples in columns of equal length n, in no particular order unless said otherwise.

    Attributes:
        series: int64[n], series ids.
        time_us: int64[n], source time, microseconds since 1970 (UTC).
        value: float64[n], finite.
        flags: uint8[n], `SampleFlag` bits.
    """

    series: npt.NDArray[np.int64]
    time_us: npt.NDArray[np.int64]
    value: npt.NDArray[np.float64]
    flags: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.series)

    @classmethod
    def empty(cls) -> SampleColumns:
        """No samples."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64), np.empty(0, np.uint8))

    @classmethod
    def of(cls, rows: Iterable[tuple[int, int, float]], *, flags: int = 0) -> SampleColumns:
        """Columns of (series, time_us, value) rows; for tests and small inputs."""
        listed = list(rows)
        return cls(
            np.array([row[0] for row in listed], np.int64),
            np.array([row[1] for row in listed], np.int64),
            np.array([row[2] for row in listed], np.float64),
            np.full(len(listed), flags, np.uint8),
        )

    @classmethod
    def joined(cls, parts: Sequence[SampleColumns]) -> SampleColumns:
        """All `parts` one after the other."""
        if not parts:
            return cls.empty()
        if len(parts) == 1:
            return parts[0]
        return cls(
            np.concatenate([part.series for part in parts]),
            np.concatenate([part.time_us for part in parts]),
            np.concatenate([part.value for part in parts]),
            np.concatenate([part.flags for part in parts]),
        )

    def take(self, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> SampleColumns:
        """The samples that a mask or an index array chooses."""
        return SampleColumns(self.series[chosen], self.time_us[chosen], self.value[chosen], self.flags[chosen])

    def part(self, low: int, high: int) -> SampleColumns:
        """The samples from place `low` up to `high`, as a view."""
        chosen = slice(low, high)
        return SampleColumns(self.series[chosen], self.time_us[chosen], self.value[chosen], self.flags[chosen])

    def is_in_order(self) -> bool:
        """Whether they are ordered by (series, time), no time of a series twice."""
        if len(self) < 2:
            return True
        is_same = self.series[1:] == self.series[:-1]
        is_later = (self.series[1:] > self.series[:-1]) | (is_same & (self.time_us[1:] > self.time_us[:-1]))
        return bool(is_later.all())

    def sorted_unique(self) -> SampleColumns:
        """Ordered by (series, time); of samples with the same series and time the last one wins."""
        if self.is_in_order():
            return self
        by_series = self.take(np.argsort(self.series, kind="stable"))
        if by_series.is_in_order():  # as most arrive: one time after the other
            return by_series
        ordered = by_series.take(np.lexsort((by_series.time_us, by_series.series)))
        last = np.ones(len(ordered), np.bool_)
        last[:-1] = (ordered.series[1:] != ordered.series[:-1]) | (ordered.time_us[1:] != ordered.time_us[:-1])
        return ordered if last.all() else ordered.take(last)
