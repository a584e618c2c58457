"""Samples as conditions see them: at the device's time corrected by its recorded clock offset (law 4 of the corridor).

Stored samples keep the device's own time. What is done here follows from the journal's rows alone: an offset holds for
the rows after the one that carries it, and nothing is later than the moment its row was received.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey
from factoryops.journal.records import ClockOffset

_RECEIVE_TIME: Final = np.uint8(SampleFlag.RECEIVE_TIME)


class DeviceClocks:
    """The clock offsets in force at a row of the journal."""

    def __init__(self, offsets: Iterable[ClockOffset] = ()) -> None:
        self._offsets: dict[tuple[str, str], int] = {}
        self._names = -1
        self._series: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._of_series: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self.take(offsets)

    @property
    def offsets(self) -> list[ClockOffset]:
        """Every offset that is not 0, by factory and device."""
        return [ClockOffset(*place, offset_us) for place, offset_us in sorted(self._offsets.items())]

    def take(self, changed: Iterable[ClockOffset]) -> None:
        """Put changed offsets in force, for the rows that follow."""
        for one in changed:
            self._offsets.pop((one.factory, one.device), None)
            if one.offset_us:
                self._offsets[one.factory, one.device] = one.offset_us
            self._names = -1

    def corrected(self, samples: SampleColumns, received_us: int, names: Mapping[int, SeriesKey]) -> SampleColumns:
        """The same samples at our time.

        Args:
            samples: of one row.
            received_us: when the row was received.
            names: what each series id stands for.
        """
        time_us = samples.time_us
        if self._offsets:
            time_us = time_us + self._offset_of(samples, names)
        if len(time_us) and int(time_us.max()) > received_us:
            time_us = np.minimum(time_us, received_us)
        return samples if time_us is samples.time_us else replace(samples, time_us=time_us)

    def _offset_of(self, samples: SampleColumns, names: Mapping[int, SeriesKey]) -> npt.NDArray[np.int64]:
        if self._names != len(names):
            self._look_up(names)
        if not len(self._series):
            return np.zeros(len(samples), np.int64)
        at = np.searchsorted(self._series, samples.series)
        at[at == len(self._series)] = 0
        concerned = (self._series[at] == samples.series) & ((samples.flags & _RECEIVE_TIME) == 0)
        return np.where(concerned, self._of_series[at], 0)

    def _look_up(self, names: Mapping[int, SeriesKey]) -> None:
        """Find the series of the devices concerned, anew when there are other names."""
        found = sorted((one, self._offsets[key[:2]]) for one, key in dict(names).items() if key[:2] in self._offsets)
        self._series = np.array([one for one, _ in found], np.int64)
        self._of_series = np.array([offset_us for _, offset_us in found], np.int64)
        self._names = len(names)
