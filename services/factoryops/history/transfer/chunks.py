"""The rows of an export, piece by piece: memory stays flat however long the span is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from factoryops.contracts.http import ExportForm, Interpolation, Layout
from factoryops.domain.bins import BinnedSeries
from factoryops.domain.samples import SampleColumns, SampleFlag
from factoryops.domain.time import US_PER_S
from factoryops.history.queries import History
from factoryops.history.transfer.frames import Counts, Frame, Names, OutColumn, OutSeries, Times, Values
from factoryops.history.transfer.grid import grid_of, on_grid
from factoryops.history.transfer.quality import quality_words, values_of
from factoryops.journal.records import Gap

ROWS_AT_ONCE: Final = 50_000
_ALL: Final = 1 << 62
_FIRST_WINDOW_US: Final = 3_600 * US_PER_S
_SHORTEST_WINDOW_US: Final = US_PER_S
_STATISTICS: Final = ("count", "minimum", "mean", "maximum")

TextsOf = Callable[[Sequence[int]], dict[int, str]]
"""What text codes stand for."""

Moved = Callable[[float], None]
"""Told how far the export is, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Span:
    """What is read.

    Attributes:
        width_us: of a bin or the grid.
        longest_us: between samples further apart a grid stays empty.
        gaps: recorded gaps that touch the span.
    """

    start_us: int
    end_us: int
    form: ExportForm
    width_us: int
    interpolation: Interpolation = Interpolation.STEP
    longest_us: int = 600 * US_PER_S
    gaps: tuple[Gap, ...] = ()

    def share(self, time_us: int) -> float:
        """How much of the span lies before a moment."""
        return (time_us - self.start_us) / max(1, self.end_us - self.start_us)


def header_of(series: Sequence[OutSeries], form: ExportForm, layout: Layout, *, has_quality: bool) -> list[str]:
    """The names of the table's columns."""
    quality = ["quality"] if has_quality and form is ExportForm.RAW else []
    if layout is Layout.LONG:
        values = [*_STATISTICS] if form is ExportForm.BINNED else ["value"]
        return ["time", "device", "parameter", *values, "unit", *quality]
    names: list[str] = ["time"]
    for one in series:
        if form is ExportForm.BINNED:
            names += [f"{one.name} {what}" for what in _STATISTICS]
        else:
            names += [one.name, *(f"{one.name} {what}" for what in quality)]
    return names


class Chunks:
    """Reads frames from history."""

    def __init__(self, history: History, series: Sequence[OutSeries], span: Span, texts_of: TextsOf) -> None:
        self._history = history
        self._series = series
        self._span = span
        self._texts_of = texts_of

    def frames(self, layout: Layout, moved: Moved, *, has_quality: bool) -> Iterator[Frame]:
        """All rows; long tables go series by series, wide ones time by time."""
        if layout is Layout.WIDE:
            yield from self._wide(moved, has_quality=has_quality)
            return
        for number, one in enumerate(self._series):
            for time_us, frame in self._long(one, has_quality=has_quality):
                moved((number + self._span.share(time_us)) / len(self._series))
                yield frame

    # --- a row per sample --------------------------------------------------------------------------------------------

    def _long(self, one: OutSeries, *, has_quality: bool) -> Iterator[tuple[int, Frame]]:
        if self._span.form is ExportForm.RAW:
            yield from self._long_raw(one, has_quality=has_quality)
            return
        for start_us, end_us in self._even_windows():
            if self._span.form is ExportForm.BINNED:
                times, columns = _statistics(self._binned(one, start_us, end_us))
            else:
                times = grid_of(start_us, end_us, self._span.width_us)
                columns = [Values(self._gridded(one, times))]
            yield end_us, _long_frame(one, times, columns)

    def _long_raw(self, one: OutSeries, *, has_quality: bool) -> Iterator[tuple[int, Frame]]:
        for samples in self._pages(one):
            extra = [Names(quality_words(samples.flags))] if has_quality else []
            frame = _long_frame(one, samples.time_us, [self._values(samples)], extra)
            yield int(samples.time_us[-1]), frame

    def samples(self, moved: Moved) -> Iterator[tuple[OutSeries, SampleColumns, dict[int, str]]]:
        """Every sample of the span, series by series, with what its text codes stand for."""
        for number, one in enumerate(self._series):
            for samples in self._pages(one):
                yield one, samples, self._texts(samples)
                moved((number + self._span.share(int(samples.time_us[-1]))) / len(self._series))

    def _pages(self, one: OutSeries) -> Iterator[SampleColumns]:
        cursor = self._span.start_us
        while cursor < self._span.end_us:
            samples = self._history.raw(one.identity, cursor, self._span.end_us, most=ROWS_AT_ONCE)
            if not len(samples):
                return
            cursor = int(samples.time_us[-1]) + 1
            yield samples

    def _values(self, samples: SampleColumns) -> Values:
        return values_of(samples, self._texts(samples))

    def _texts(self, samples: SampleColumns) -> dict[int, str]:
        coded = samples.value[(samples.flags & SampleFlag.TEXT) != 0]
        codes = np.unique(coded).astype(np.int64).tolist()
        return self._texts_of(codes) if codes else {}

    def _binned(self, one: OutSeries, start_us: int, end_us: int) -> BinnedSeries | None:
        return self._history.binned([one.identity], start_us, end_us, self._span.width_us).get(one.identity)

    def _gridded(self, one: OutSeries, points_us: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        if not len(points_us):
            return np.empty(0)
        span = self._span
        first, last = int(points_us[0]) - span.longest_us, int(points_us[-1]) + span.longest_us
        samples = self._history.raw(one.identity, first, last + 1, most=_ALL)
        return on_grid(samples, points_us, span.interpolation, span.longest_us, span.gaps)

    def _even_windows(self) -> Iterator[tuple[int, int]]:
        """Windows of so many bins or points that a frame stays small, cut at their edges."""
        span, width_us = self._span, self._span.width_us
        step_us = max(1, min(ROWS_AT_ONCE, max(1, 6 * _FIRST_WINDOW_US // width_us))) * width_us
        start_us = span.start_us
        while start_us < span.end_us:
            end_us = min(span.end_us, start_us // step_us * step_us + step_us)
            yield start_us, end_us
            start_us = end_us

    # --- a column per parameter --------------------------------------------------------------------------------------

    def _wide(self, moved: Moved, *, has_quality: bool) -> Iterator[Frame]:
        if self._span.form is ExportForm.RAW:
            yield from self._wide_raw(moved, has_quality=has_quality)
            return
        for start_us, end_us in self._even_windows():
            if self._span.form is ExportForm.BINNED:
                yield _aligned([self._binned(one, start_us, end_us) for one in self._series])
            else:
                points = grid_of(start_us, end_us, self._span.width_us)
                columns = [Values(self._gridded(one, points)) for one in self._series]
                yield Frame(len(points), [Times(points), *columns])
            moved(self._span.share(end_us))

    def _wide_raw(self, moved: Moved, *, has_quality: bool) -> Iterator[Frame]:
        """Time by time; the window follows how much there is, so that a frame stays small."""
        window_us, start_us = _FIRST_WINDOW_US, self._span.start_us
        most = max(1, ROWS_AT_ONCE * 8 // max(8, len(self._series)))
        while start_us < self._span.end_us:
            end_us = min(self._span.end_us, start_us + window_us)
            enough = most + 1 if window_us > _SHORTEST_WINDOW_US else _ALL
            found = [self._history.raw(one.identity, start_us, end_us, most=enough) for one in self._series]
            held = max(len(samples) for samples in found)
            if held > most and window_us > _SHORTEST_WINDOW_US:
                window_us = max(_SHORTEST_WINDOW_US, window_us // 4)
                continue
            yield self._side_by_side(found, has_quality=has_quality)
            if held < most // 4:
                window_us *= 2
            start_us = end_us
            moved(self._span.share(start_us))

    def _side_by_side(self, found: Sequence[SampleColumns], *, has_quality: bool) -> Frame:
        times = np.unique(np.concatenate([samples.time_us for samples in found]))
        columns: list[OutColumn] = [Times(times)]
        for samples in found:
            place = np.searchsorted(times, samples.time_us)
            values = self._values(samples)
            numbers = np.full(len(times), np.nan)
            numbers[place] = values.numbers
            columns.append(Values(numbers, {int(place[row]): word for row, word in values.words.items()}))
            if has_quality:
                words = [""] * len(times)
                for row, word in zip(place.tolist(), quality_words(samples.flags), strict=True):
                    words[row] = word
                columns.append(Names(words))
        return Frame(len(times), columns)


def _long_frame(
    one: OutSeries, times: npt.NDArray[np.int64], columns: Sequence[OutColumn], extra: Sequence[OutColumn] = ()
) -> Frame:
    names = (Names(one.device), Names(one.parameter))
    return Frame(len(times), [Times(times), *names, *columns, Names(one.unit), *extra])


def _statistics(bins: BinnedSeries | None) -> tuple[npt.NDArray[np.int64], list[OutColumn]]:
    if bins is None:
        nothing = np.empty(0)
        return np.empty(0, np.int64), [Counts(np.empty(0, np.int64)), Values(nothing), Values(nothing), Values(nothing)]
    return bins.start_us, [Counts(bins.count), Values(bins.minimum), Values(bins.mean), Values(bins.maximum)]


def _aligned(found: Sequence[BinnedSeries | None]) -> Frame:
    """Bins of several series side by side."""
    starts = [bins.start_us for bins in found if bins is not None]
    times = np.unique(np.concatenate(starts)) if starts else np.empty(0, np.int64)
    columns: list[OutColumn] = [Times(times)]
    for bins in found:
        place = np.searchsorted(times, bins.start_us) if bins is not None else np.empty(0, np.intp)
        counts = np.full(len(times), -1, np.int64)
        if bins is not None:
            counts[place] = bins.count
        columns.append(Counts(counts))
        for values in (bins.minimum, bins.mean, bins.maximum) if bins is not None else (None, None, None):
            numbers = np.full(len(times), np.nan)
            if values is not None:
                numbers[place] = values
            columns.append(Values(numbers))
    return Frame(len(times), columns)
