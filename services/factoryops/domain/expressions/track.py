"""Values over time, as the evaluator sees them: a column of moments and what held from each of them on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from factoryops.domain.samples import SampleFlag

Times: TypeAlias = npt.NDArray[np.int64]
Numbers: TypeAlias = npt.NDArray[np.float64]
Marks: TypeAlias = npt.NDArray[np.bool_]

_TEXT: Final = np.uint8(SampleFlag.TEXT)
_UNCERTAIN: Final = np.uint8(SampleFlag.UNCERTAIN)

_WORTH_A_LOOK: Final = 64

FOR_EVER: Final = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Values:
    """What an expression comes to at n moments.

    Attributes:
        value: float64[n]; NaN where there is no value.
        until_us: int64[n], the last moment at which each still holds: its inputs are too old afterwards.
        is_uncertain: bool[n], whether an input of it was.
    """

    value: Numbers
    until_us: Times
    is_uncertain: Marks

    @classmethod
    def constant(cls, value: float, count: int) -> Values:
        """The same at `count` moments, for ever."""
        return cls(np.full(count, value), np.full(count, FOR_EVER), np.zeros(count, np.bool_))

    @property
    def is_known(self) -> Marks:
        """Where there is a value."""
        return ~np.isnan(self.value)


@dataclass(frozen=True, slots=True)
class Track:
    """Values and the moments (int64[n], rising) from which each holds."""

    time_us: Times
    values: Values

    @classmethod
    def empty(cls) -> Track:
        """Nothing at any time."""
        return cls(np.empty(0, np.int64), Values.constant(np.nan, 0))

    @classmethod
    def of_samples(cls, time_us: Times, value: Numbers, flags: npt.NDArray[np.uint8], maximum_age_us: int) -> Track:
        """The samples of one series, ordered by time and unique in it; texts have no value to calculate with."""
        is_text = (flags & _TEXT) != 0
        number = np.where(is_text, np.nan, value) if is_text.any() else value
        return cls(time_us, Values(number, time_us + maximum_age_us, (flags & _UNCERTAIN) != 0))

    def __len__(self) -> int:
        return len(self.time_us)

    def since(self, start_us: int) -> Track:
        """The part from `start_us` on."""
        first = int(np.searchsorted(self.time_us, start_us))
        held = self.values
        return Track(
            self.time_us[first:],
            Values(held.value[first:], held.until_us[first:], held.is_uncertain[first:]),
        )

    def at(self, moments: Times) -> Values:
        """What holds at each of `moments`: the newest value not after it, while it is not too old."""
        if not len(self):
            return Values.constant(np.nan, len(moments))
        place = _places(self.time_us, moments)
        row = np.maximum(place, 0)
        until = self.values.until_us[row]
        holds = (place >= 0) & (moments <= until)
        return Values(np.where(holds, self.values.value[row], np.nan), until, self.values.is_uncertain[row] & holds)


def _places(times: Times, moments: Times) -> npt.NDArray[np.intp]:
    """The row of the newest of `times` that is not after each of `moments`, both rising; -1 where there is none.

    Mostly the moments are the times themselves, or all but the first are: then there is nothing to search for.
    """
    if len(moments) < _WORTH_A_LOOK:
        return np.searchsorted(times, moments, "right") - 1
    first, second = (np.searchsorted(times, moments[:2], "right") - 1).tolist()
    rest = len(moments) - 1
    if np.array_equal(times[max(second, 0) : second + rest], moments[1:]):
        return np.append(first, np.arange(second, second + rest))
    return np.searchsorted(times, moments, "right") - 1


def merged(columns: Sequence[Times]) -> Times:
    """The moments of columns that rise, together: rising, each once."""
    if len(columns) == 1:
        return columns[0]
    moments = np.concatenate(columns)
    moments.sort(kind="stable")  # which merges what rises already, instead of sorting it
    is_new = np.append(True, moments[1:] != moments[:-1])
    return moments if is_new.all() else moments[is_new]
