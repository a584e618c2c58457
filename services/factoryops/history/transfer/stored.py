"""Imported samples beside what history holds already: a device's own sample of the same time wins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from factoryops.domain.samples import SampleColumns, SampleFlag
from factoryops.history.merging import runs
from factoryops.history.queries import History
from factoryops.history.transfer.tally import Tally

_AT_ONCE: Final = 200_000
"""Stored samples looked at together, however long the span that imported ones cover."""


def without_devices_own(samples: SampleColumns, history: History, tally: Tally) -> SampleColumns:
    """Those of `samples` (ordered by series and time) that may be written; counts what is there already.

    Within one seal the store's intake has the same order of precedence; this is for what was sealed before. Everything
    that goes into the import journal passes here: tables and replays from quarantine.
    """
    keep = np.ones(len(samples), np.bool_)
    for series, low, high in runs(samples.series):
        times = samples.time_us[low:high]
        for stored in _stored(history, series, (int(times[0]), int(times[-1]) + 1)):
            is_imported = (stored.flags & SampleFlag.IMPORTED) != 0
            own = np.isin(times, stored.time_us[~is_imported], assume_unique=True)
            tally.replacing += int(np.isin(times, stored.time_us[is_imported], assume_unique=True).sum())
            tally.device_wins += int(own.sum())
            keep[low:high] &= ~own
    return samples if keep.all() else samples.take(keep)


def _stored(history: History, series: int, span: tuple[int, int]) -> Iterator[SampleColumns]:
    """What history holds of a series in a span, piece by piece."""
    start_us, end_us = span
    while start_us < end_us:
        stored = history.raw(series, start_us, end_us, most=_AT_ONCE)
        if len(stored):
            yield stored
        start_us = int(stored.time_us[-1]) + 1 if len(stored) == _AT_ONCE else end_us
