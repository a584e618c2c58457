"""Merging of samples that come from several places."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from factoryops.domain.bins import run_starts
from factoryops.domain.samples import SampleColumns


def only_series(ordered: SampleColumns, series: int) -> SampleColumns:
    """The samples of one series out of columns ordered by series."""
    return ordered.part(*np.searchsorted(ordered.series, [series, series + 1]).tolist())


def newest_of_each(samples: SampleColumns) -> SampleColumns:
    """The newest sample of each series, ordered by series; of the same time the last one given wins."""
    ordered = samples.sorted_unique()
    last = np.ones(len(ordered), np.bool_)
    last[:-1] = ordered.series[1:] != ordered.series[:-1]
    return ordered.take(last)


def runs(ordered: npt.NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """(value, first, end) of every run of equal values."""
    first = run_starts(ordered)
    return zip(ordered[first].tolist(), first.tolist(), [*first[1:].tolist(), len(ordered)], strict=False)
