"""Merging of samples and bins that come from several places."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from factoryops.domain.bins import BinnedSeries
from factoryops.domain.samples import SampleColumns


def only_series(ordered: SampleColumns, series: int) -> SampleColumns:
    """The samples of one series out of columns ordered by series."""
    low, high = np.searchsorted(ordered.series, [series, series + 1]).tolist()
    return SampleColumns(
        ordered.series[low:high], ordered.time_us[low:high], ordered.value[low:high], ordered.flags[low:high]
    )


def newest_of_each(samples: SampleColumns) -> SampleColumns:
    """The newest sample of each series, ordered by series; of the same time the last one given wins."""
    ordered = samples.sorted_unique()
    last = np.ones(len(ordered), np.bool_)
    last[:-1] = ordered.series[1:] != ordered.series[:-1]
    return ordered.take(last)


def join_bins(old: BinnedSeries | None, redone: BinnedSeries) -> BinnedSeries:
    """The bins of `old` with those of `redone` in their place or beside them."""
    if old is None:
        return redone
    kept = ~np.isin(old.start_us, redone.start_us)
    start_us = np.concatenate([old.start_us[kept], redone.start_us])
    order = np.argsort(start_us, kind="stable")
    return BinnedSeries(
        width_us=redone.width_us,
        start_us=start_us[order],
        count=np.concatenate([old.count[kept], redone.count])[order],
        minimum=np.concatenate([old.minimum[kept], redone.minimum])[order],
        maximum=np.concatenate([old.maximum[kept], redone.maximum])[order],
        mean=np.concatenate([old.mean[kept], redone.mean])[order],
    )


def runs(ordered: npt.NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """(value, first, end) of every run of equal values."""
    first = np.flatnonzero(np.diff(ordered, prepend=ordered[0] - 1)) if len(ordered) else np.empty(0, np.intp)
    return zip(ordered[first].tolist(), first.tolist(), [*first[1:].tolist(), len(ordered)], strict=False)
