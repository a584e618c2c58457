"""Values on a regular grid, from samples at times of their own."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from factoryops.contracts.http import Interpolation
from factoryops.domain.samples import SampleColumns, SampleFlag
from factoryops.journal.records import Gap


def grid_of(start_us: int, end_us: int, width_us: int) -> npt.NDArray[np.int64]:
    """The grid's points in [start, end), aligned to absolute time."""
    return np.arange(-(-start_us // width_us) * width_us, end_us, width_us, dtype=np.int64)


def on_grid(
    samples: SampleColumns,
    points_us: npt.NDArray[np.int64],
    how: Interpolation,
    longest_us: int,
    gaps: Iterable[Gap] = (),
) -> npt.NDArray[np.float64]:
    """The value at each point; NaN where nobody can tell.

    Args:
        samples: of one series, ascending in time, from `longest_us` before the first point to as much behind the last.
        points_us: ascending.
        how: between two samples; a point on a sample has its value.
        longest_us: between samples further apart nothing is filled in.
        gaps: spans in which data may be missing: points inside stay empty.
    """
    numbers = samples.take((samples.flags & SampleFlag.TEXT) == 0)
    if not len(numbers):
        return np.full(len(points_us), np.nan)
    before = np.searchsorted(numbers.time_us, points_us, "right") - 1
    known = before >= 0
    held = np.maximum(before, 0)
    since_us = points_us - numbers.time_us[held]
    values = np.where(known & (since_us <= longest_us), numbers.value[held], np.nan)
    if how is Interpolation.LINEAR:
        values = _linear(numbers, points_us, held, since_us, longest_us)
        values[~known] = np.nan
    for gap in gaps:
        values[(points_us >= gap.start_us) & (points_us < gap.end_us) & (since_us > 0)] = np.nan
    return values


def _linear(
    numbers: SampleColumns,
    points_us: npt.NDArray[np.int64],
    held: npt.NDArray[np.intp],
    since_us: npt.NDArray[np.int64],
    longest_us: int,
) -> npt.NDArray[np.float64]:
    after = np.minimum(held + 1, len(numbers) - 1)
    apart_us = numbers.time_us[after] - numbers.time_us[held]
    share = since_us / np.maximum(apart_us, 1)
    values = numbers.value[held] + share * (numbers.value[after] - numbers.value[held])
    is_between = (apart_us > 0) & (apart_us <= longest_us)
    return np.where(since_us == 0, numbers.value[held], np.where(is_between, values, np.nan))
