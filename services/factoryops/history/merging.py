"""Merging of samples and bins that come from several places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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


def sum_bins(parts: Sequence[BinnedSeries]) -> BinnedSeries:
    """The bins of all `parts` together, where no sample is in two of them."""
    if len(parts) == 1:
        return parts[0]
    start_us = np.concatenate([part.start_us for part in parts])
    order = np.argsort(start_us, kind="stable")
    start_us = start_us[order]
    first = np.flatnonzero(np.diff(start_us, prepend=start_us[0] - 1))
    count = np.concatenate([part.count for part in parts])[order]
    weighted = np.concatenate([part.mean * part.count for part in parts])[order]
    summed = np.add.reduceat(count, first)
    return BinnedSeries(
        width_us=parts[0].width_us,
        start_us=start_us[first],
        count=summed,
        minimum=np.minimum.reduceat(np.concatenate([part.minimum for part in parts])[order], first),
        maximum=np.maximum.reduceat(np.concatenate([part.maximum for part in parts])[order], first),
        mean=np.add.reduceat(weighted, first) / summed,
    )


def runs(ordered: npt.NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """(value, first, end) of every run of equal values."""
    first = np.flatnonzero(np.diff(ordered, prepend=ordered[0] - 1)) if len(ordered) else np.empty(0, np.intp)
    return zip(ordered[first].tolist(), first.tolist(), [*first[1:].tolist(), len(ordered)], strict=False)
