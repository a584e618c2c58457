"""Combining bins exactly, and the time-weighted figures that follow from them.

A value holds until the next sample (step interpolation). What bins know of the time between their own samples adds up;
between two bins the earlier one's last value holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from factoryops.domain.bins import BinSummaries, is_good, over, run_starts
from factoryops.domain.samples import SampleFlag
from factoryops.domain.time import US_PER_S

_SCALARS: Final = ("width_us", "resolution_us")
_COLUMNS: Final = tuple(one.name for one in fields(BinSummaries) if one.name not in _SCALARS)
_COUNTS: Final = ("late", "imported", "uncertain", "texts")


def take_bins(bins: BinSummaries, chosen: npt.NDArray[np.bool_] | npt.NDArray[np.intp] | slice) -> BinSummaries:
    """The bins that a mask, an index array or a slice chooses."""
    return replace(bins, **{name: getattr(bins, name)[chosen] for name in _COLUMNS})


def joined_bins(parts: Sequence[BinSummaries], width_us: int) -> BinSummaries:
    """All rows of `parts` (at least one), ordered by the time of their first sample."""
    if len(parts) == 1 and parts[0].width_us == width_us:
        return parts[0]
    columns: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS}
    resolution_us = max(part.resolution_us for part in parts)
    rows = BinSummaries(width_us=width_us, resolution_us=resolution_us, **columns)
    is_ordered = len(rows) < 2 or bool((rows.first_us[1:] > rows.first_us[:-1]).all())
    return rows if is_ordered else take_bins(rows, np.argsort(rows.first_us, kind="stable"))


def combine(parts: Sequence[BinSummaries], width_us: int) -> BinSummaries:
    """The bins of all `parts` (at least one) as bins of `width_us`.

    The parts' rows may be of any width that fits into `width_us`; no two of them overlap in the times of their
    samples. In which order rows are combined makes no difference.
    """
    rows = joined_bins(parts, width_us)
    group = rows.start_us // width_us
    start = run_starts(group)
    if len(start) == len(rows):
        return replace(rows, start_us=group * width_us)
    last = np.append(start[1:], len(rows)) - 1
    joint_us = _joints_us(rows, last)
    numbers = rows.count - rows.texts
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.add.reduceat(np.where(numbers > 0, rows.mean * numbers, 0.0), start)
        inner, inner_us, spread = _pooled(rows, joint_us, start)
        counts = {name: np.add.reduceat(getattr(rows, name), start) for name in _COUNTS}
        return BinSummaries(
            width_us, group[start] * width_us, np.add.reduceat(rows.count, start),
            np.fmin.reduceat(rows.minimum, start), np.fmax.reduceat(rows.maximum, start),
            over(total, np.add.reduceat(numbers, start)),
            rows.first_us[start], rows.last_us[last], rows.first[start], rows.last[last], rows.last_flags[last],
            inner, inner_us, spread, **counts, resolution_us=rows.resolution_us,
        )  # fmt: skip


def _joints_us(rows: BinSummaries, last: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
    """How long each row's last value, where it is good, holds until the next row of its group."""
    joint_us = np.zeros(len(rows), np.int64)
    joint_us[:-1] = np.maximum(rows.first_us[1:] - rows.last_us[:-1], 0)
    joint_us[last] = 0
    joint_us *= is_good(rows.last_flags)
    return joint_us


def _pooled(
    rows: BinSummaries, joint_us: npt.NDArray[np.int64], start: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Inner integral, time and spread of groups of rows.

    Spreads are pooled about the group's mean, as by Chan, Golub and LeVeque (1979), so that no large squares cancel.
    """
    joint_s, inner_s = joint_us / US_PER_S, rows.inner_us / US_PER_S
    inner = np.add.reduceat(rows.inner + rows.last * joint_s, start)
    inner_us = np.add.reduceat(rows.inner_us + joint_us, start)
    repeats = np.diff(start, append=len(rows))
    mean = np.repeat(np.nan_to_num(over(inner, inner_us / US_PER_S)), repeats)
    own = np.nan_to_num(over(rows.inner, inner_s))
    apart = (own - mean) ** 2 * inner_s + (rows.last - mean) ** 2 * joint_s
    return inner, inner_us, np.add.reduceat(rows.spread + apart, start)


def replace_bins(old: BinSummaries | None, redone: BinSummaries) -> BinSummaries:
    """The bins of `old` with those of `redone` in their place or beside them."""
    if old is None:
        return redone
    kept = take_bins(old, ~np.isin(old.start_us, redone.start_us))
    return joined_bins([kept, redone], redone.width_us)


@dataclass(frozen=True, slots=True)
class Held:
    """Time-weighted figures of good values over some time.

    Attributes:
        good_us: how long good values held.
        mean: their time-weighted mean; NaN when good_us is 0.
        spread: their squared deviation from the mean times seconds.
        minimum / maximum: of all numbers in that time, uncertain ones included; NaN without any.
        count: samples in that time; `late`, `imported`, `uncertain` and `texts` of them carry that flag.
    """

    good_us: int = 0
    mean: float = np.nan
    spread: float = 0.0
    minimum: float = np.nan
    maximum: float = np.nan
    count: int = 0
    late: int = 0
    imported: int = 0
    uncertain: int = 0
    texts: int = 0

    @property
    def deviation(self) -> float:
        """The time-weighted standard deviation."""
        return float(np.sqrt(self.spread / (self.good_us / US_PER_S))) if self.good_us else float("nan")

    def __add__(self, other: Held) -> Held:
        """Both times together."""
        weights = np.array([self.good_us, other.good_us]) / US_PER_S
        means = np.nan_to_num(np.array([self.mean, other.mean]))
        good_us = self.good_us + other.good_us
        mean = float((weights * means).sum() / weights.sum()) if good_us else float("nan")
        apart = float((weights * (means - mean) ** 2).sum()) if good_us else 0.0
        return Held(
            good_us, mean, self.spread + other.spread + apart,
            float(np.fmin(self.minimum, other.minimum)), float(np.fmax(self.maximum, other.maximum)),
            self.count + other.count, self.late + other.late, self.imported + other.imported,
            self.uncertain + other.uncertain, self.texts + other.texts,
        )  # fmt: skip

    @classmethod
    def constant(cls, value: float, flags: int, time_us: int) -> Held:
        """A value that held for `time_us`; without effect unless it is good."""
        if time_us <= 0 or flags & (SampleFlag.TEXT | SampleFlag.UNCERTAIN):
            return cls()
        return cls(time_us, value, minimum=value, maximum=value)


def held_in_span(bins: BinSummaries | None, span: tuple[int, int], before: tuple[float, int] | None) -> Held:
    """Time-weighted figures of the span [start, end).

    Args:
        bins: all samples of the span; None when there are none.
        span: start and end in microseconds.
        before: value and flags of the newest sample before the span, which holds into it; None when there is none.
    """
    start_us, end_us = span
    if bins is None or len(bins) == 0:
        return Held.constant(*before, end_us - start_us) if before else Held()
    whole = combine([replace(bins, start_us=np.zeros(len(bins), np.int64))], 1 << 62)
    inside = Held(
        int(whole.inner_us[0]), float(over(whole.inner, whole.inner_us / US_PER_S)[0]), float(whole.spread[0]),
        float(whole.minimum[0]), float(whole.maximum[0]), int(whole.count[0]), int(whole.late[0]),
        int(whole.imported[0]), int(whole.uncertain[0]), int(whole.texts[0]),
    )  # fmt: skip
    leading = Held.constant(*before, int(whole.first_us[0]) - start_us) if before else Held()
    trailing = Held.constant(float(whole.last[0]), int(whole.last_flags[0]), end_us - int(whole.last_us[0]))
    return leading + inside + trailing


def weighted_means(bins: BinSummaries, until_us: int) -> npt.NDArray[np.float64]:
    """The time-weighted mean of each bin, NaN without a good value.

    The last value before a bin holds into it; the first bin counts from its first sample on, and nothing counts that
    would hold after `until_us`.
    """
    start_us = np.append(bins.first_us[:1], bins.start_us[1:])
    end_us = np.maximum(np.minimum(bins.start_us + bins.width_us, until_us), bins.last_us)
    carried = np.append(bins.first[:1], bins.last[:-1])
    carried_flags = np.append(bins.last_flags[:1], bins.last_flags[:-1])
    lead_us = (bins.first_us - start_us) * is_good(carried_flags)
    trail_us = (end_us - bins.last_us) * is_good(bins.last_flags)
    total = carried * lead_us / US_PER_S + bins.inner + bins.last * trail_us / US_PER_S
    return over(total, (lead_us + bins.inner_us + trail_us) / US_PER_S)
