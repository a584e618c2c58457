"""The samples that programs look at: the newest of each series, and windows where a program looks further back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.rules.columns import HeldColumns
from factoryops.rules.conditions.instances import KnownSeries
from factoryops.rules.conditions.lowering import ANYTHING
from factoryops.rules.conditions.state import ColumnsState
from factoryops.rules.conditions.table import SampleTable


class ProgramSamples:
    """Takes the samples of rows and gives them back by series.

    Attributes:
        newest: what is not evaluated yet, and the one before it, of every series that is looked at.
        windows: of those of which more matters, as far back as it does.
    """

    def __init__(self) -> None:
        self.newest = SampleTable()
        self.windows = HeldColumns()
        self._keys: Mapping[int, SeriesKey] = {}
        self._reaches: dict[int, int] = {}
        self._arrived: list[SampleColumns] = []
        self._living = np.empty(0, np.int64)
        self._life = np.empty(0, np.int64)

    def watch(self, reaches: Mapping[int, int], keys: Mapping[int, SeriesKey], known: KnownSeries) -> None:
        """Keep what is looked at and nothing else.

        Args:
            reaches: how far back each series matters, in microseconds.
            keys: what they stand for.
            known: the series there are, each of which is a sign of life of its device.
        """
        self._keys = keys
        self._reaches = {series: reach_us for series, reach_us in reaches.items() if reach_us}
        self.newest.watch(set(reaches))
        whole = [(life, (key.factory, key.device)) for life, key in keys.items() if key.parameter == ANYTHING]
        living = sorted((int(series_id(key)), life) for life, device in whole for key in known.of(device))
        self._living = np.array([series for series, _ in living], np.int64)
        self._life = np.array([life for _, life in living], np.int64)

    def begin_with(self, newest: Callable[[SeriesKey], SampleColumns], known: KnownSeries) -> None:
        """Give series of which nothing is held their newest on-time sample, if there is any."""
        self.settle()
        for series, key in self._keys.items():
            if not len(self.newest.of(series)):
                of = [key] if key.parameter != ANYTHING else known.of((key.factory, key.device))
                found = SampleColumns.joined([newest(one) for one in of])
                if len(found):
                    last = found.part(int(np.argmax(found.time_us)), int(np.argmax(found.time_us)) + 1)
                    self.add(SampleColumns(np.array([series]), last.time_us, last.value, last.flags))
        self.settle()

    def take(self, samples: SampleColumns) -> None:
        """Take the on-time samples of one row; those that nobody looks at are passed over."""
        self.add(self.newest.chosen(samples))
        if not len(self._living):
            return
        place = np.minimum(np.searchsorted(self._living, samples.series), len(self._living) - 1)
        is_life = self._living[place] == samples.series
        life, time_us = self._life[place[is_life]], samples.time_us[is_life]
        if len(life):
            is_new = np.append(True, (life[1:] != life[:-1]) | (time_us[1:] != time_us[:-1]))
            count = int(is_new.sum())
            self.newest.add(SampleColumns(life[is_new], time_us[is_new], np.ones(count), np.zeros(count, np.uint8)))

    def add(self, samples: SampleColumns) -> None:
        """Take samples of series that are looked at."""
        if len(samples):
            self.newest.add(samples)
            if self._reaches:
                self._arrived.append(samples.take(np.isin(samples.series, [*self._reaches])))

    def settle(self) -> None:
        """Put what was taken in its place."""
        self.newest.settle()
        arrived = [part for part in self._arrived if len(part)]
        self._arrived.clear()
        if arrived:
            self.windows.add(SampleColumns.joined(arrived))

    def of(self, series: int, reach_us: int) -> SampleColumns:
        """What is held of a series."""
        return self.windows.of(series) if reach_us else self.newest.of(series)

    def forget(self, since_us: int) -> None:
        """Everything before `since_us` is evaluated."""
        self.newest.forget(since_us)
        self.windows.forget({series: since_us - reach_us for series, reach_us in self._reaches.items()})

    @property
    def state(self) -> tuple[ColumnsState, ColumnsState]:
        """What to remember across a restart: the newest samples, and those of windows."""
        self.settle()
        return ColumnsState.of(self.newest.all()), ColumnsState.of(self.windows.all())

    def put_back(self, newest: SampleColumns, windows: SampleColumns) -> None:
        """Hold what `state` told."""
        self.newest.add(newest)
        self.newest.settle()
        if len(windows):
            self.windows.add(windows)
