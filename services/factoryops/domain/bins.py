"""The fixed ladder of bin widths, aligned to absolute time, so that every viewer sees the same line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from factoryops.domain.samples import SampleFlag
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
    """What a chart draws of one series per bin; bins without samples are absent.

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


@dataclass(frozen=True, slots=True)
class BinSummaries(BinnedSeries):
    """All that must be known of bins so that they combine exactly (`combine`) and time-weighted figures follow.

    Minimum, maximum and mean are those of all numbers in the bin, NaN where there are only texts. A sample is *good*
    when it is a number and not UNCERTAIN. It holds until the series' next sample of whatever kind; only what good
    samples hold is part of the three `inner` columns.

    Attributes:
        first_us / last_us: int64[n], times of the bin's first and last sample.
        first / last: float64[n], their values (of a text its code).
        last_flags: uint8[n], `SampleFlag` bits of the last sample.
        inner: float64[n], value times seconds of the good samples, each held until the bin's next one.
        inner_us: int64[n], how long these hold together.
        spread: float64[n], squared deviation from inner's mean times seconds, held likewise.
        late / imported / uncertain / texts: int64[n], samples with that flag.
        resolution_us: nothing finer than this is kept of part of the span any more; 0 when all bins are as asked for.
    """

    first_us: npt.NDArray[np.int64]
    last_us: npt.NDArray[np.int64]
    first: npt.NDArray[np.float64]
    last: npt.NDArray[np.float64]
    last_flags: npt.NDArray[np.uint8]
    inner: npt.NDArray[np.float64]
    inner_us: npt.NDArray[np.int64]
    spread: npt.NDArray[np.float64]
    late: npt.NDArray[np.int64]
    imported: npt.NDArray[np.int64]
    uncertain: npt.NDArray[np.int64]
    texts: npt.NDArray[np.int64]
    resolution_us: int = 0


def is_good(flags: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Which samples are numbers that their source vouches for."""
    good: npt.NDArray[np.bool_] = (flags & (SampleFlag.TEXT | SampleFlag.UNCERTAIN)) == 0
    return good


def bin_samples(
    time_us: npt.NDArray[np.int64],
    value: npt.NDArray[np.float64],
    width_us: int,
    flags: npt.NDArray[np.uint8] | None = None,
) -> BinSummaries:
    """Bin samples of one series sorted by time.

    Args:
        time_us: int64[n], ascending, no time twice.
        value: float64[n].
        width_us: bin width in microseconds.
        flags: uint8[n], `SampleFlag` bits; none set when left out.
    """
    bin_of = time_us // width_us
    start = run_starts(bin_of)
    return summarise(time_us, value, flags, start, width_us, bin_of[start] * width_us)


def run_starts(ordered: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Where runs of equal items begin."""
    is_first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    return np.flatnonzero(is_first)


def summarise(
    time_us: npt.NDArray[np.int64],
    value: npt.NDArray[np.float64],
    flags: npt.NDArray[np.uint8] | None,
    start: npt.NDArray[np.intp],
    width_us: int,
    start_us: npt.NDArray[np.int64],
) -> BinSummaries:
    """Summaries of groups of consecutive samples; a group's samples are of one series and ascend in time.

    Args:
        time_us: int64[m].
        value: float64[m].
        flags: uint8[m], `SampleFlag` bits; none set when left out.
        start: intp[n], where each group begins, ascending from 0.
        width_us: what is to stand as the bins' width.
        start_us: int64[n], what is to stand as each group's bin start.
    """
    last = np.append(start[1:], len(time_us))[: len(start)] - 1
    count = last - start + 1
    held_us = np.diff(time_us, append=time_us[-1:])
    held_us[last] = 0
    if flags is None or not flags.any():
        marked = _Marked.none(len(start))
        numbers, value_low, value_high, total_of = count, value, value, value
        last_flags = np.zeros(len(start), np.uint8)
    else:
        marked = _Marked.of(flags, start)
        is_text = (flags & SampleFlag.TEXT) != 0
        numbers = count - marked.texts
        value_low, value_high = np.where(is_text, np.inf, value), np.where(is_text, -np.inf, value)
        total_of = np.where(is_text, 0.0, value)
        held_us *= is_good(flags)
        last_flags = flags[last]
    with np.errstate(over="ignore", invalid="ignore"):
        inner, inner_us, spread = _held(total_of, held_us, start, count)
        total = np.add.reduceat(total_of, start) if len(start) else np.empty(0)
        return BinSummaries(
            width_us, start_us, count, _of_numbers(np.minimum, value_low, start, numbers),
            _of_numbers(np.maximum, value_high, start, numbers), over(total, numbers),
            time_us[start], time_us[last], value[start], value[last], last_flags, inner, inner_us, spread,
            marked.late, marked.imported, marked.uncertain, marked.texts,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Marked:
    """How many samples of each group carry a flag."""

    late: npt.NDArray[np.int64]
    imported: npt.NDArray[np.int64]
    uncertain: npt.NDArray[np.int64]
    texts: npt.NDArray[np.int64]

    @classmethod
    def none(cls, groups: int) -> _Marked:
        zeros = np.zeros(groups, np.int64)
        return cls(zeros, zeros, zeros, zeros)

    @classmethod
    def of(cls, flags: npt.NDArray[np.uint8], start: npt.NDArray[np.intp]) -> _Marked:
        bits = (SampleFlag.LATE, SampleFlag.IMPORTED, SampleFlag.UNCERTAIN, SampleFlag.TEXT)
        return cls(*(np.add.reduceat(((flags & bit) != 0).astype(np.int64), start) for bit in bits))


def _held(
    value: npt.NDArray[np.float64],
    held_us: npt.NDArray[np.int64],
    start: npt.NDArray[np.intp],
    count: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The integral of the held values, how long they hold, and the integral of their squared deviation."""
    if not len(start):
        return np.empty(0, np.float64), np.empty(0, np.int64), np.empty(0, np.float64)
    held_s = held_us / US_PER_S
    inner, inner_us = np.add.reduceat(value * held_s, start), np.add.reduceat(held_us, start)
    mean = np.repeat(np.nan_to_num(over(inner, inner_us / US_PER_S)), count)
    return inner, inner_us, np.add.reduceat((value - mean) ** 2 * held_s, start)


def _of_numbers(
    function: np.ufunc, value: npt.NDArray[np.float64], start: npt.NDArray[np.intp], numbers: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """`function` over each group; NaN where it has no number."""
    if not len(start):
        return np.empty(0, np.float64)
    found: npt.NDArray[np.float64] = function.reduceat(value, start)
    found[numbers == 0] = np.nan
    return found


def over(
    dividend: npt.NDArray[np.float64], divisor: npt.NDArray[np.int64] | npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """The quotients; NaN where the divisor is 0."""
    quotients = np.full(len(dividend), np.nan)
    np.divide(dividend, divisor, out=quotients, where=divisor != 0)
    return quotients
