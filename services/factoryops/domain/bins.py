"""The fixed ladder of bin widths, aligned to absolute time, so that every viewer sees the same line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from factoryops.domain.time import US_PER_S

LADDER_S: Final = (
    1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400, 604_800,
)  # fmt: skip


def bin_width_us(span_us: int, *, most_bins: int) -> int:
    """The narrowest width of the ladder that covers `span_us` in at most `most_bins` bins."""
    for width_s in LADDER_S:
        if span_us <= width_s * US_PER_S * most_bins:
            return width_s * US_PER_S
    return LADDER_S[-1] * US_PER_S


def align_down(time_us: int, width_us: int) -> int:
    """The start of the bin that holds `time_us`."""
    return time_us - time_us % width_us


@dataclass(frozen=True, slots=True)
class BinnedSeries:
    """Statistics of one series per bin; bins without samples are absent.

    Attributes:
        width_us: bin width, one of the ladder.
        start_us: int64[n], bin starts, ascending, multiples of `width_us`.
        count: int64[n], samples in the bin.
        minimum: float64[n].
        maximum: float64[n].
        mean: float64[n], plain mean of the samples.
    """

    width_us: int
    start_us: npt.NDArray[np.int64]
    count: npt.NDArray[np.int64]
    minimum: npt.NDArray[np.float64]
    maximum: npt.NDArray[np.float64]
    mean: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.start_us)


def bin_samples(time_us: npt.NDArray[np.int64], value: npt.NDArray[np.float64], width_us: int) -> BinnedSeries:
    """Bin samples sorted by time.

    Args:
        time_us: int64[n], ascending.
        value: float64[n].
        width_us: bin width in microseconds.
    """
    if len(time_us) == 0:
        empty_i, empty_f = np.empty(0, np.int64), np.empty(0, np.float64)
        return BinnedSeries(width_us, empty_i, empty_i, empty_f, empty_f, empty_f)
    bin_of = time_us // width_us
    first = np.flatnonzero(np.diff(bin_of, prepend=bin_of[0] - 1))
    count = np.diff(first, append=len(time_us))
    return BinnedSeries(
        width_us=width_us,
        start_us=bin_of[first] * width_us,
        count=count.astype(np.int64),
        minimum=np.minimum.reduceat(value, first),
        maximum=np.maximum.reduceat(value, first),
        mean=np.add.reduceat(value, first) / count,
    )
