"""Imported samples beside what history holds already: a device's own sample of the same time wins."""

from __future__ import annotations

from typing import Final

import numpy as np

from factoryops.domain.samples import SampleColumns, SampleFlag
from factoryops.history.merging import runs
from factoryops.history.queries import History
from factoryops.history.transfer.tally import Tally

_ALL: Final = 1 << 62


def without_devices_own(samples: SampleColumns, history: History, tally: Tally) -> SampleColumns:
    """Those of `samples` (ordered by series and time) that may be written; counts what is there already.

    Within one seal the store's intake has the same order of precedence; this is for what was sealed before.
    """
    keep = np.ones(len(samples), np.bool_)
    for series, low, high in runs(samples.series):
        times = samples.time_us[low:high]
        stored = history.raw(series, int(times[0]), int(times[-1]) + 1, most=_ALL)
        if not len(stored):
            continue
        is_imported = (stored.flags & SampleFlag.IMPORTED) != 0
        own = np.isin(times, stored.time_us[~is_imported], assume_unique=True)
        tally.replacing += int(np.isin(times, stored.time_us[is_imported], assume_unique=True).sum())
        tally.device_wins += int(own.sum())
        keep[low:high] = ~own
    return samples if keep.all() else samples.take(keep)
