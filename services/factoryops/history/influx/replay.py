"""Uploads a window of the journals once more; repeating it, or doing it without need, changes nothing.

Samples of the window that later rows replaced must not come back to life: rows behind the window are read too, and
what in them lies no later than the window's own samples is sent after it. The journals are gone through side by side,
a minute at a time, so that of the same series and time the later one wins, as it did at first. The ledger is not
concerned: every one of these samples was accounted for when it was first uploaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from factoryops.domain.errors import InvalidInputError
from factoryops.domain.samples import SampleColumns, SeriesKey
from factoryops.domain.time import US_PER_S, now_us
from factoryops.history.influx.delivery import deliver, pack
from factoryops.history.influx.lines import SeriesName, name_of
from factoryops.history.influx.marker import mark_replay
from factoryops.history.influx.transport import InfluxConfig, Transport
from factoryops.history.influx.upload import Upload
from factoryops.history.intake import Intake, Sheaf
from factoryops.history.merging import newest_of_each
from factoryops.journal.reader import JournalReader

_AT_ONCE: Final = 100_000
_SLICE_US: Final = 60 * US_PER_S


class Replay:
    """Of one factory.

    Args:
        fronts: how far the historian has uploaded each journal at the moment; nothing beyond is touched.
    """

    def __init__(
        self,
        config: InfluxConfig,
        factory: str,
        journals: Mapping[str, Path],
        fronts: Callable[[], Mapping[str, int]],
    ) -> None:
        self._transport = Transport(config)
        self._upload = Upload(self._transport, most_lines=config.most_lines)
        self._factory = factory
        self._journals = journals
        self._fronts = fronts
        self._newest_us: dict[int, int] = {}
        self._flagged: set[int] = set()

    def run(self, start_us: int, end_us: int, *, on_progress: Callable[[int], None] = lambda _count: None) -> int:
        """Upload again what was received in [start, end); how many samples were sent.

        Raises:
            UnavailableError: the server or the bucket is away; run it again later.
        """
        readers = {name: JournalReader(path) for name, path in self._journals.items()}
        earliest_us = min((first for path in self._journals.values() if (first := _first_us(path))), default=end_us)
        start_us = max(start_us, earliest_us)
        intake = Intake(self._journals, _Start({name: one.last_seq_before(start_us) for name, one in readers.items()}))
        sent = 0
        try:
            for slice_end_us in _slices(start_us, end_us):
                through = {name: reader.last_seq_before(slice_end_us) for name, reader in readers.items()}
                for sheaf in self._sheaves(intake, through):
                    is_inside = slice_end_us <= end_us
                    sent += self._send(sheaf.samples if is_inside else self._replacing(sheaf.samples), sheaf)
                    on_progress(sent)
            mark_replay(self._transport, self._factory)
        finally:
            intake.close()
            for reader in readers.values():
                reader.close()
            self._transport.close()
        return sent

    def _sheaves(self, intake: Intake, through: Mapping[str, int]) -> Iterator[Sheaf]:
        while True:
            fronts = self._fronts()
            intake.read(
                most_samples=_AT_ONCE, through={name: min(last, fronts[name]) for name, last in through.items()}
            )
            if not intake.has_news:
                return
            sheaf = intake.sheaf()
            yield sheaf
            intake.sealed(sheaf)

    def _send(self, samples: SampleColumns, sheaf: Sheaf) -> int:
        names = _names(sheaf.keys, self._factory)
        ours = samples.take(np.isin(samples.series, np.fromiter(names, np.int64, len(names))))
        parcel = pack(ours, names)
        if len(parcel.samples):
            self._flagged.update(np.unique(parcel.samples.series[parcel.samples.flags != 0]).tolist())
            may_hide_flag = np.isin(parcel.samples.series, np.fromiter(self._flagged, np.int64, len(self._flagged)))
            deliver(self._upload, self._factory, parcel, names, sheaf.texts, is_present=may_hide_flag, may_repeat=False)
        newest = newest_of_each(parcel.samples)
        for series, time_us in zip(newest.series.tolist(), newest.time_us.tolist(), strict=True):
            self._newest_us[series] = max(time_us, self._newest_us.get(series, time_us))
        return len(parcel.samples)

    def _replacing(self, samples: SampleColumns) -> SampleColumns:
        """Those that may have replaced a sample of the window."""
        series, inverse = np.unique(samples.series, return_inverse=True)
        earliest = -(1 << 63)
        newest_us = np.array([self._newest_us.get(one, earliest) for one in series.tolist()], np.int64)
        return samples.take(samples.time_us <= newest_us[inverse]) if len(series) else samples


@dataclass(frozen=True, slots=True)
class _Start:
    """The rows before the window."""

    rows: Mapping[str, int]

    def front(self, journal: str) -> int:
        return self.rows[journal]


def _first_us(path: Path) -> int:
    """When the oldest row of a journal was received; 0 when it has none."""
    reader = JournalReader(path)
    try:
        batches = reader.read(most_rows=1)
        return batches[0].entry.received_us if batches else 0
    finally:
        reader.close()


def _slices(start_us: int, end_us: int) -> Iterator[int]:
    """Ends of short spans through the window, and on behind it until now."""
    yield from range(start_us + _SLICE_US, end_us, _SLICE_US)
    yield end_us
    yield from range(end_us + _SLICE_US, now_us(), _SLICE_US)
    yield max(now_us(), end_us) + 1


def _names(keys: Mapping[int, SeriesKey], factory: str) -> dict[int, SeriesName]:
    names: dict[int, SeriesName] = {}
    for series, key in keys.items():
        if key.factory == factory:
            try:
                names[series] = name_of(key)
            except InvalidInputError:
                continue  # refused when it was first uploaded
    return names
