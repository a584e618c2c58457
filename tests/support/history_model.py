"""A plain-dict model of a history store, and helpers the history tests share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from factoryops.domain.samples import SampleColumns, SeriesKey, series_id

FACTORY = "0123456789abcdef0123456789abcdef"
OTHER_FACTORY = "fedcba9876543210fedcba9876543210"
START_US = 1_700_000_000_000_000

Row = tuple[int, int, float, int]


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

    def binned(
        self, series: int, start_us: int, end_us: int, width_us: int
    ) -> dict[int, tuple[int, float, float, float]]:
        bins: dict[int, list[float]] = {}
        for _, time_us, value, _ in self.raw(series, start_us, end_us):
            bins.setdefault(time_us - time_us % width_us, []).append(value)
        return {
            start: (len(values), min(values), max(values), sum(values) / len(values)) for start, values in bins.items()
        }
