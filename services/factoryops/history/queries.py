"""Queries over everything that was received: the store and the journals' tails as one line, without a seam."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from factoryops.domain.bins import BinSummaries, bin_samples
from factoryops.domain.samples import SampleColumns
from factoryops.domain.summaries import Held, combine, held_in_span, replace_bins
from factoryops.domain.time import US_PER_S
from factoryops.history.clock_changes import ClockChange
from factoryops.history.merging import newest_of_each, only_series
from factoryops.history.store import Cancelled, HistoryReader, go_on, never
from factoryops.history.tail import Tail
from factoryops.journal.records import Gap

_JOURNAL_ORDER: Final = ("import", "derived", "journal")
"""Of the same series and time, a device's own sample wins over a calculated and an imported one."""

LOOK_BACK_US: Final = 86_400 * US_PER_S
"""How long before a span its first value may be from."""

_ALL: Final = 1 << 62
_WIDE_US: Final = 60 * US_PER_S
"""In wider bins only the span of the news itself is read sample by sample."""

_NEAR_BINS: Final = 64
"""Touched bins closer than this are recomputed with one read of the store."""


class History:
    """What the api asks: store and tails merged exactly. All methods block; safe from several threads.

    Every query looks at the tails first and at the store afterwards. The historian moves samples from the tails to
    the store only, so a sample on its way is seen at least once, and seen twice it counts once.

    Args:
        reader: the store.
        tails: journal name -> its tail.
    """

    def __init__(self, reader: HistoryReader, tails: Mapping[str, Tail]) -> None:
        self.reader = reader
        self._tails = [tails[name] for name in sorted(tails, key=_rank)]

    @property
    def pending_from_us(self) -> int | None:
        """Samples from this time on may be missing from answers until the store has them; None when all are seen."""
        pending = [moment for tail in self._tails if (moment := tail.pending_from_us) is not None]
        return min(pending, default=None)

    def _tail_samples(self, series: Iterable[int], start_us: int, end_us: int) -> SampleColumns:
        wanted = list(series)
        parts = [tail.select(wanted, start_us, end_us) for tail in self._tails]
        return SampleColumns.joined([part for part in parts if len(part)]).sorted_unique()

    def latest(self, series: Sequence[int]) -> SampleColumns:
        """The newest sample of each of `series` that has one, ordered by series."""
        tails = [tail.latest(series) for tail in self._tails]
        return newest_of_each(SampleColumns.joined([self.reader.latest(series), *tails]))

    def newest(self, series: Sequence[int], start_us: int, end_us: int) -> SampleColumns:
        """The newest sample within the span of each of `series` that has one, ordered by series."""
        tail = self._tail_samples(series, start_us, end_us)
        return newest_of_each(SampleColumns.joined([self.reader.newest(series, start_us, end_us), tail]))

    def texts(self, codes: Sequence[int]) -> dict[int, str]:
        """The texts that these codes stand for; unknown ones are left out."""
        found = self.reader.texts(codes)
        for code in set(codes) - found.keys():
            held = next((tail.texts[code] for tail in self._tails if code in tail.texts), None)
            if held is not None:
                found[code] = held[1]
        return found

    def raw(self, series: int, start_us: int, end_us: int, *, most: int, cancelled: Cancelled = never) -> SampleColumns:
        """The first `most` samples of the span, ascending in time, one per time."""
        tail = self._tail_samples((series,), start_us, end_us)
        stored = self.reader.raw(series, start_us, end_us, most=most, cancelled=cancelled)
        merged = SampleColumns.joined([stored, tail]).sorted_unique() if len(tail) else stored
        return merged.take(np.arange(min(most, len(merged))))

    def chunks(
        self, series: int, start_us: int, end_us: int, *, cancelled: Cancelled = never
    ) -> Iterator[SampleColumns]:
        """Every sample of the span in pieces of about a day, each ascending in time, one per time."""
        tail = self._tail_samples((series,), start_us, end_us)
        seen = 0
        for stored in self.reader.chunks(series, start_us, end_us, cancelled=cancelled):
            until = int(np.searchsorted(tail.time_us, int(stored.time_us[-1]), "right"))
            yield SampleColumns.joined([stored, tail.part(seen, until)]).sorted_unique() if until > seen else stored
            seen = until
        if seen < len(tail):
            yield tail.part(seen, len(tail))

    def binned(
        self, series: Sequence[int], start_us: int, end_us: int, width_us: int, *, cancelled: Cancelled = never
    ) -> dict[int, BinSummaries]:
        """Summaries per bin of each series that has samples in the span; bins are aligned to absolute time.

        Only samples of [start, end) count, so the first and the last bin may cover less than their width.
        """
        tail = self._tail_samples(series, start_us, end_us)
        answer = self.reader.binned(series, start_us, end_us, width_us, cancelled=cancelled)
        for identity in np.unique(tail.series).tolist():
            news = only_series(tail, identity)
            redone = self._recompute(identity, news, (start_us, end_us), width_us)
            answer[identity] = replace_bins(answer.get(identity), redone)
        return answer

    def held(self, series: int, span: tuple[int, int], gaps: Sequence[Gap], *, cancelled: Cancelled = never) -> Held:
        """Time-weighted figures of a span [start, end) outside `gaps`, in which nothing is known to hold.

        The newest value of the day before a span holds into it; after a gap nothing holds until the next sample. So
        `gaps` are those of `LOOK_BACK_US` before the span, too.
        """
        total = Held()
        for number, (start_us, end_us) in enumerate(_outside(span, gaps)):
            go_on(cancelled)
            bins = self.binned([series], start_us, end_us, _figures_width_us(end_us - start_us), cancelled=cancelled)
            earlier = SampleColumns.empty()
            if number == 0 and start_us == span[0]:
                since = (gap.end_us for gap in gaps if gap.end_us <= start_us)
                earlier = self.newest([series], max([start_us - LOOK_BACK_US, *since]), start_us)
            before = (float(earlier.value[0]), int(earlier.flags[0])) if len(earlier) else None
            total += held_in_span(bins.get(series), (start_us, end_us), before)
        return total

    def _recompute(self, series: int, news: SampleColumns, span: tuple[int, int], width_us: int) -> BinSummaries:
        """The bins that `news` touches, from the samples of store and tail alike."""
        touched = np.unique(news.time_us // width_us)
        edges = np.flatnonzero(np.diff(touched) > _NEAR_BINS) + 1
        around: list[BinSummaries] = []
        parts: list[SampleColumns] = []
        for run in np.split(touched, edges):
            start_us = max(span[0], int(run[0]) * width_us)
            end_us = min(span[1], (int(run[-1]) + 1) * width_us)
            if width_us > _WIDE_US:
                first, last = np.searchsorted(news.time_us, [start_us, end_us]).tolist()
                inner_us = int(news.time_us[first]), int(news.time_us[last - 1]) + 1
                around += self._bins_of(series, (start_us, inner_us[0]), width_us)
                around += self._bins_of(series, (inner_us[1], end_us), width_us)
                start_us, end_us = inner_us
            parts.append(self.reader.raw(series, start_us, end_us, most=_ALL))
        merged = SampleColumns.joined([*parts, news]).sorted_unique()
        return combine([*around, bin_samples(merged.time_us, merged.value, width_us, merged.flags)], width_us)

    def _bins_of(self, series: int, span: tuple[int, int], width_us: int) -> Iterable[BinSummaries]:
        """The store's bins of a span beside the news, which need not be read sample by sample."""
        return self.reader.binned([series], *span, width_us).values() if span[0] < span[1] else ()

    def clocks(self, factory: str) -> list[ClockChange]:
        """Every change of a device's clock offset in this factory, in their order."""
        return self.reader.clocks(factory)

    def gaps(self, factory: str, start_us: int, end_us: int) -> list[Gap]:
        """Gaps of this factory, or of all, that touch the span."""
        return self.reader.gaps(factory, start_us, end_us)


def _outside(span: tuple[int, int], gaps: Sequence[Gap]) -> list[tuple[int, int]]:
    """The parts of a span that no gap touches."""
    parts: list[tuple[int, int]] = []
    start_us = span[0]
    for gap in sorted(gaps, key=lambda gap: gap.start_us):
        if gap.start_us > start_us:
            parts.append((start_us, min(gap.start_us, span[1])))
        start_us = max(start_us, gap.end_us)
    parts.append((start_us, span[1]))
    return [part for part in parts if part[0] < part[1]]


def _figures_width_us(span_us: int) -> int:
    """Bins from which a span's figures are added up: hours for long spans, so that few are read."""
    return 3_600 * US_PER_S if span_us > LOOK_BACK_US else 60 * US_PER_S


def _rank(name: str) -> int:
    return _JOURNAL_ORDER.index(name) if name in _JOURNAL_ORDER else -1
