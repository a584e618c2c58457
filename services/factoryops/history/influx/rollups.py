"""Summaries per minute and per hour, kept in buckets of their own so that a chart of a month reads rows, not samples.

A row's columns are written as fields `count:<parameter>`, `minimum:<parameter>` … of the device's point at the start of
the minute or hour: the same lines, and the same way of reading them, as for samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from factoryops.domain.bins import BinSummaries
from factoryops.domain.samples import SampleColumns
from factoryops.domain.time import US_PER_S
from factoryops.history.influx.answers import Answer, Origin
from factoryops.history.influx.lines import SeriesName

MINUTE_US: Final = 60 * US_PER_S
HOUR_US: Final = 3_600 * US_PER_S

FORMS: Final = {MINUTE_US: "minute", HOUR_US: "hour"}
"""Width of a row -> the ending of its bucket's name."""

_COLUMNS: Final = tuple(
    one.name for one in fields(BinSummaries) if one.name not in ("width_us", "start_us", "resolution_us")
)
_IN_BIN: Final = ("first_us", "last_us")
_OF_NUMBERS: Final = ("minimum", "maximum", "mean")
_FLOATS: Final = (*_OF_NUMBERS, "first", "last", "inner", "spread")


def column_names(name: SeriesName) -> list[SeriesName]:
    """The fields that hold a series' rows."""
    return [SeriesName(name.factory, name.device, f"{column}:{name.field}") for column in _COLUMNS]


def is_writable(bins: BinSummaries) -> bool:
    """Whether InfluxDB can hold every figure: sums of values near the largest float are infinite."""
    has_numbers = bins.count > bins.texts
    return all(bool(np.isfinite(getattr(bins, name)[has_numbers]).all()) for name in _FLOATS)


def as_samples(bins: Mapping[SeriesName, BinSummaries]) -> tuple[SampleColumns, dict[int, SeriesName]]:
    """Rows as samples of series of their own, ordered by series and time; what only texts leave open is left out."""
    parts: list[SampleColumns] = []
    names: dict[int, SeriesName] = {}
    for name, rows in bins.items():
        for column, coded in zip(_COLUMNS, column_names(name), strict=True):
            value = _value(rows, column)
            is_there = np.isfinite(value)
            number = len(names)
            names[number] = coded
            moments, count = rows.start_us[is_there], int(is_there.sum())
            parts.append(
                SampleColumns(np.full(count, number, np.int64), moments, value[is_there], np.zeros(count, np.uint8))
            )
    return SampleColumns.joined(parts), names


def _value(rows: BinSummaries, column: str) -> npt.NDArray[np.float64]:
    value: npt.NDArray[Any] = getattr(rows, column)
    return (value - rows.start_us if column in _IN_BIN else value).astype(np.float64)


def from_answers(answers: Mapping[Origin, Answer], name: SeriesName, width_us: int) -> BinSummaries | None:
    """The rows of a series; None when there are none."""
    found = {
        column: answers.get(Origin(FORMS[width_us], coded.device, coded.field), Answer.empty())
        for column, coded in zip(_COLUMNS, column_names(name), strict=True)
    }
    start_us = found["count"].time_us
    if not len(start_us):
        return None
    columns = {column: _aligned(answer, column, start_us) for column, answer in found.items()}
    return BinSummaries(width_us=width_us, start_us=start_us, **columns)


def _aligned(answer: Answer, column: str, start_us: npt.NDArray[np.int64]) -> Any:
    value = np.full(len(start_us), np.nan)
    value[np.searchsorted(start_us, answer.time_us)] = answer.value
    if column in _FLOATS:
        return value
    if column == "last_flags":
        return value.astype(np.uint8)
    return value.astype(np.int64) + (start_us if column in _IN_BIN else 0)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a query's span.

    Attributes:
        row_us: rows of which width answer it; 0: the samples.
        without: starts of hours whose rows must be left out.
    """

    span: tuple[int, int]
    row_us: int
    without: tuple[int, ...] = ()


def pieces(span: tuple[int, int], row_us: int, trusted_us: int, unrolled: Sequence[int]) -> list[Piece]:
    """What is read from rows and what from samples, so that every sample of the span counts once.

    Args:
        span: [start, end) in microseconds.
        row_us: width of the rows.
        trusted_us: hours that began before this are read from the samples.
        unrolled: starts of hours, ascending, whose rows are not current.
    """
    start_us = max(-(-span[0] // row_us) * row_us, -(-trusted_us // HOUR_US) * HOUR_US)
    end_us = span[1] // row_us * row_us
    if start_us >= end_us:
        return [Piece(span, 0)]
    found = [Piece((start_us, end_us), row_us, tuple(unrolled))]
    runs: list[list[int]] = []
    for hour_us in unrolled:
        low, high = max(hour_us, start_us), min(hour_us + HOUR_US, end_us)
        if low < high and runs and runs[-1][1] == low:
            runs[-1][1] = high
        elif low < high:
            runs.append([low, high])
    samples = [(span[0], start_us), *((low, high) for low, high in runs), (end_us, span[1])]
    return found + [Piece(one, 0) for one in samples if one[0] < one[1]]
