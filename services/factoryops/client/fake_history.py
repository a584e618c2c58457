"""History and live samples of the imagined plant, computed when asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from factoryops.client.imagined import CADENCE_US, HISTORY_US, Source, sample_times, sources
from factoryops.contracts import http
from factoryops.domain.bins import align_down, bin_samples, bin_width_us
from factoryops.domain.errors import InvalidInputError, NotFoundError
from factoryops.domain.samples import SampleColumns
from factoryops.domain.summaries import held_in_span

_MINUTE_US = 60_000_000


class FakeHistory:
    """Every series from 24 hours before the plant was made until now, with one gap.

    Attributes:
        start_us: before it there is nothing.
        gap: a span without samples, and why.
    """

    def __init__(self, now_us: int, seed: int) -> None:
        self._sources = sources(seed)
        self.start_us = align_down(now_us - HISTORY_US, CADENCE_US)
        gap_start_us = align_down(now_us - 7 * 60 * _MINUTE_US, CADENCE_US)
        self.gap = http.GapSpan(
            start_us=gap_start_us,
            end_us=gap_start_us + 9 * _MINUTE_US,
            reason="The broker was restarted; what it held was lost.",
        )

    def _times(self, start_us: int, end_us: int, now_us: int) -> npt.NDArray[np.int64]:
        times = sample_times(max(start_us, self.start_us), min(end_us, now_us + 1))
        return times[(times < self.gap.start_us) | (times >= self.gap.end_us)]

    def has(self, parameter_id: str) -> bool:
        """Whether it imagines samples of a parameter."""
        return parameter_id in self._sources

    def _source(self, parameter_id: str) -> Source:
        if parameter_id not in self._sources:
            raise NotFoundError("There is no such parameter.")
        return self._sources[parameter_id]

    def _gaps(self, start_us: int, end_us: int) -> list[http.GapSpan]:
        return [self.gap] if self.gap.start_us < end_us and self.gap.end_us > start_us else []

    def latest(self, now_us: int) -> list[http.LatestValue]:
        """The newest sample of every parameter."""
        time_us = align_down(now_us, CADENCE_US)
        at = np.array([time_us], np.int64)
        return [
            http.LatestValue(
                parameter_id=source.parameter_id, series_id=source.series_id, time_us=time_us,
                value=float(source.values(at)[0]), flags=0,
            )
            for source in self._sources.values()
        ]  # fmt: skip

    def since(self, after_us: int, until_us: int) -> SampleColumns:
        """Samples of all series in (after_us, until_us], ordered by time."""
        times = sample_times(after_us + 1, until_us + 1)
        parts = [
            SampleColumns(
                np.full(len(times), source.series_id, np.int64), times, source.values(times),
                np.zeros(len(times), np.uint8),
            )
            for source in self._sources.values()
        ]  # fmt: skip
        joined = SampleColumns.joined(parts)
        return joined.take(np.argsort(joined.time_us, kind="stable"))

    def binned(
        self, parameter_ids: Sequence[str], start_us: int, end_us: int, most_bins: int, now_us: int
    ) -> http.BinnedAnswer:
        """Bins of the ladder."""
        _check_span(start_us, end_us)
        chosen = [self._source(identity) for identity in parameter_ids]
        width_us = bin_width_us(end_us - start_us, most_bins=most_bins)
        start_us, end_us = align_down(start_us, width_us), -align_down(-end_us, width_us)
        times = self._times(start_us, end_us, now_us)
        columns = [_binned(source, times, width_us) for source in chosen]
        return http.BinnedAnswer(start_us=start_us, end_us=end_us, columns=columns, gaps=self._gaps(start_us, end_us))

    def statistics(
        self, parameter_ids: Sequence[str], start_us: int, end_us: int, now_us: int
    ) -> http.StatisticsAnswer:
        """Time-weighted figures."""
        _check_span(start_us, end_us)
        span = start_us, end_us
        times = self._times(*span, now_us)
        figures = [_figures(self._source(one), times, span) for one in parameter_ids]
        return http.StatisticsAnswer(start_us=start_us, end_us=end_us, parameters=figures, gaps=self._gaps(*span))

    def raw(self, parameter_id: str, start_us: int, end_us: int, most: int, now_us: int) -> http.RawColumns:
        """Samples as they came."""
        _check_span(start_us, end_us)
        source = self._source(parameter_id)
        times = self._times(start_us, end_us, now_us)
        cut = times[:most]
        return http.RawColumns(
            parameter_id=parameter_id, series_id=source.series_id, time_us=cut.tolist(),
            value=source.values(cut).tolist(), flags=[0] * len(cut),
            next_start_us=int(times[most]) if len(times) > most else None, gaps=self._gaps(start_us, end_us),
        )  # fmt: skip


def _check_span(start_us: int, end_us: int) -> None:
    if end_us <= start_us:
        raise InvalidInputError("The span is empty: its end must lie after its start.", fields={"end_us": "too early"})


def _binned(source: Source, times: npt.NDArray[np.int64], width_us: int) -> http.BinnedColumns:
    bins = bin_samples(times, source.values(times), width_us)
    return http.BinnedColumns(
        parameter_id=source.parameter_id, series_id=source.series_id, bin_us=width_us, start_us=bins.start_us.tolist(),
        count=bins.count.tolist(), minimum=bins.minimum.tolist(), maximum=bins.maximum.tolist(),
        mean=bins.mean.tolist(),
    )  # fmt: skip


def _figures(source: Source, times: npt.NDArray[np.int64], span: tuple[int, int]) -> http.ParameterStatistics:
    held = held_in_span(bin_samples(times, source.values(times), _MINUTE_US), span, None)
    numbers = (held.mean, held.deviation, held.minimum, held.maximum)
    mean, deviation, minimum, maximum = (None if np.isnan(number) else number for number in numbers)
    return http.ParameterStatistics(
        parameter_id=source.parameter_id, series_id=source.series_id, mean=mean, deviation=deviation, minimum=minimum,
        maximum=maximum, good_share=held.good_us / (span[1] - span[0]),
        quality=http.Quality(samples=held.count, late=0, imported=0, uncertain=0, texts=0),
    )  # fmt: skip
