"""The newest samples of the series that calculations need, as far back as they need them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from factoryops.domain.samples import SampleColumns


class HeldColumns:
    """Per series its on-time samples in order, one per time; older ones go when nobody needs them any more."""

    def __init__(self) -> None:
        self._held: dict[int, SampleColumns] = {}

    def add(self, samples: SampleColumns) -> None:
        """Take samples of any series, in the order in which they came: the later one of the same time wins."""
        ordered = samples.sorted_unique()
        starts = np.flatnonzero(np.diff(ordered.series, prepend=-1))
        ends = np.append(starts[1:], len(ordered))
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            self._append(_part(ordered, start, end))

    def _append(self, part: SampleColumns) -> None:
        series = int(part.series[0])
        before = self._held.get(series)
        if before is None or not len(before):
            self._held[series] = part
            return
        joined = SampleColumns.joined([before, part])
        self._held[series] = joined if before.time_us[-1] < part.time_us[0] else joined.sorted_unique()

    def __len__(self) -> int:
        return sum(len(part) for part in self._held.values())

    def count(self, series: int) -> int:
        """How many samples of one series are held."""
        return len(self._held.get(series, ()))

    def of(self, series: int) -> SampleColumns:
        """What is held of one series."""
        return self._held.get(series) or SampleColumns.empty()

    def newest_us(self, series: int) -> int:
        """The time of its newest sample; far in the past when there is none."""
        held = self._held.get(series)
        return int(held.time_us[-1]) if held is not None and len(held) else np.iinfo(np.int64).min

    def end_of_step(self, since_us: int, until_us: int, most: int) -> int:
        """The latest moment up to `until_us` such that no series has more than `most` samples from `since_us` on."""
        end_us = until_us
        for part in self._held.values():
            if len(part) > most:
                beyond = int(np.searchsorted(part.time_us, since_us)) + most
                if beyond < len(part):
                    end_us = min(end_us, int(part.time_us[beyond]))
        return end_us

    def forget(self, needed_from_us: Mapping[int, int]) -> None:
        """Let go of samples before the time given for their series, and of series that are not named."""
        self._held = {series: part for series, part in self._held.items() if series in needed_from_us}
        for series, part in self._held.items():
            first = int(np.searchsorted(part.time_us, needed_from_us[series]))
            if first > len(part) // 2:
                self._held[series] = _part(part, first, len(part))

    def all(self) -> SampleColumns:
        """Everything that is held, by series and time."""
        return SampleColumns.joined([self._held[series] for series in sorted(self._held)])


def _part(samples: SampleColumns, start: int, end: int) -> SampleColumns:
    """The rows [start, end), without the others' memory."""
    rows = slice(start, end)
    return SampleColumns(
        samples.series[rows].copy(),
        samples.time_us[rows].copy(),
        samples.value[rows].copy(),
        samples.flags[rows].copy(),
    )
