"""A plain-dict model of a history store, and helpers the history tests share."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest

from factoryops.domain.bins import BinSummaries
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey, series_id

FACTORY = "0123456789abcdef0123456789abcdef"
OTHER_FACTORY = "fedcba9876543210fedcba9876543210"
START_US = 1_700_000_000_000_000

Row = tuple[int, int, float, int]

_NOT_GOOD = SampleFlag.TEXT | SampleFlag.UNCERTAIN


def keys_of(*keys: SeriesKey) -> dict[int, SeriesKey]:
    return {series_id(key): key for key in keys}


def plain_keys(count: int, *, factory: str = FACTORY) -> dict[int, SeriesKey]:
    return keys_of(*(SeriesKey(factory, f"machine {n // 4}", f"parameter {n % 4}") for n in range(count)))


def columns(rows: Iterable[Row]) -> SampleColumns:
    listed = list(rows)
    return SampleColumns(
        np.array([row[0] for row in listed], np.int64),
        np.array([row[1] for row in listed], np.int64),
        np.array([row[2] for row in listed], np.float64),
        np.array([row[3] for row in listed], np.uint8),
    )


def rows_of(samples: SampleColumns) -> list[Row]:
    return list(
        zip(
            samples.series.tolist(),
            samples.time_us.tolist(),
            samples.value.tolist(),
            samples.flags.tolist(),
            strict=True,
        )
    )


class ModelHistory:
    """What a store should hold: the last sample of each series and time."""

    def __init__(self) -> None:
        self.samples: dict[tuple[int, int], tuple[float, int]] = {}
        self.given = 0

    def append(self, rows: Sequence[Row]) -> None:
        for series, time_us, value, flags in rows:
            self.samples[series, time_us] = (value, flags)
        self.given += len(rows)

    def raw(self, series: int, start_us: int, end_us: int) -> list[Row]:
        return sorted(
            (series, time_us, *kept)
            for (one, time_us), kept in self.samples.items()
            if one == series and start_us <= time_us < end_us
        )

    def latest(self, series: int) -> Row | None:
        rows = self.raw(series, -(1 << 62), 1 << 62)
        return rows[-1] if rows else None

    def newest(self, series: int, start_us: int, end_us: int) -> Row | None:
        rows = self.raw(series, start_us, end_us)
        return rows[-1] if rows else None

    def binned(self, series: int, start_us: int, end_us: int, width_us: int) -> dict[int, ModelBin]:
        bins: dict[int, list[Row]] = {}
        for row in self.raw(series, start_us, end_us):
            bins.setdefault(row[1] - row[1] % width_us, []).append(row)
        return {start: ModelBin.of(rows) for start, rows in bins.items()}


@dataclass(frozen=True)
class ModelBin:
    """A bin as counted by hand, one sample after the other."""

    exact: tuple[object, ...]
    """count, minimum, maximum, first and last time and value, last flags, time held, counts of flags; NaN as None."""
    largest: float
    mean: float
    inner: float
    spread: float

    @classmethod
    def of(cls, rows: Sequence[Row]) -> ModelBin:
        numbers = [value for _, _, value, flags in rows if not flags & SampleFlag.TEXT]
        holds = [(row[2], after[1] - row[1]) for row, after in pairwise(rows) if not row[3] & _NOT_GOOD]
        held_s = sum(held_us for _, held_us in holds) / 1e6
        inner = sum(value * (held_us / 1e6) for value, held_us in holds)
        apart = [(value - inner / held_s, held_us / 1e6) for value, held_us in holds]
        spread = sum(difference * difference * seconds for difference, seconds in apart)
        bits = (SampleFlag.LATE, SampleFlag.IMPORTED, SampleFlag.UNCERTAIN, SampleFlag.TEXT)
        exact = (
            len(rows), min(numbers, default=None), max(numbers, default=None),
            rows[0][1], rows[-1][1], rows[0][2], rows[-1][2], rows[-1][3], sum(held_us for _, held_us in holds),
            *(sum(1 for row in rows if row[3] & bit) for bit in bits),
        )  # fmt: skip
        largest = max((abs(number) for number in numbers), default=0.0)
        return cls(exact, largest, sum(numbers) / len(numbers) if numbers else math.nan, inner, spread)


_EXACT = (
    "count", "minimum", "maximum", "first_us", "last_us", "first", "last", "last_flags", "inner_us", "late",
    "imported", "uncertain", "texts",
)  # fmt: skip


def assert_bins(found: BinSummaries | None, expected: Mapping[int, ModelBin]) -> None:
    """All that can be exact is; sums agree but for rounding."""
    assert (found is not None) == bool(expected)
    if found is None:
        return
    starts = sorted(expected)
    assert found.start_us.tolist() == starts
    columns = [[None if math.isnan(one) else one for one in getattr(found, name).tolist()] for name in _EXACT]
    assert list(zip(*columns, strict=True)) == [expected[start].exact for start in starts]
    for index, start in enumerate(starts):
        one = expected[start]
        span_s = max(1.0, int(found.inner_us[index]) / 1e6)
        assert found.mean[index] == pytest.approx(one.mean, rel=1e-9, abs=one.largest * 1e-12, nan_ok=True)
        assert found.inner[index] == pytest.approx(one.inner, rel=1e-9, abs=one.largest * span_s * 1e-12)
        if one.largest < 1e100:
            deviation = math.sqrt(found.spread[index] / span_s)
            assert deviation == pytest.approx(math.sqrt(one.spread / span_s), rel=1e-5, abs=one.largest * 1e-6)
