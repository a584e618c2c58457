"""What the journal's newest rows say about where an earlier run left off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey
from factoryops.domain.time import US_PER_S
from factoryops.journal.reader import JournalReader
from factoryops.journal.records import Gap

_RECALLED_US: Final = 15 * US_PER_S
_FIRST_ROWS: Final = 8
_MOST_ROWS: Final = 64
_NOTICED_US: Final = 5 * US_PER_S
"""A restart by the supervisor is shorter; devices bridge it with what they have in flight."""


@dataclass(slots=True)
class Recalled:
    """Where an earlier run left off.

    Attributes:
        watermark_us: the newest watermark that was written, 0 for none.
        newest_us: each device's newest on-time sample, by factory id and device key.
        last_received_us: when the last row was written, 0 for none; at most a second before the run ended.
    """

    watermark_us: int = 0
    newest_us: dict[tuple[str, str], int] = field(default_factory=dict)
    last_received_us: int = 0


def recall(journal_path: Path) -> Recalled:
    """Read the last seconds of a journal, from the end back until every device has been met."""
    recalled = Recalled()
    reader = JournalReader(journal_path)
    try:
        recalled.last_received_us = _last_received_us(reader)
        first = reader.last_seq_before(recalled.last_received_us - _RECALLED_US)
        end = reader.position
        missing = _Devices(reader.series)
        rows = _FIRST_ROWS
        while end > first and not (recalled.watermark_us and missing.are_all_met):
            start = max(first, reader.seq_back(end, rows))
            for batch in reversed(reader.read_span(start, end)):
                recalled.watermark_us = max(recalled.watermark_us, batch.entry.watermark_us)
                missing.meet(batch.samples)
            end, rows = start, min(rows * 2, _MOST_ROWS)
        recalled.newest_us = missing.newest_us
    finally:
        reader.close()
    return recalled


class _Devices:
    """Finds each device's newest on-time sample in rows that come newest first.

    On-time samples of a device only grow in time, so the last one in the journal is the newest: of each device only
    the first row that is met counts.
    """

    def __init__(self, series: Mapping[int, SeriesKey]) -> None:
        self.newest_us: dict[tuple[str, str], int] = {}
        self._places = sorted({(key.factory, key.device) for key in series.values()})
        number = {place: index for index, place in enumerate(self._places)}
        self._ids = np.sort(np.fromiter(series, np.int64, len(series)))
        self._device = np.array([number[series[one][:2]] for one in self._ids.tolist()], np.int64)
        self._is_met = np.zeros(len(self._places), np.bool_)

    @property
    def are_all_met(self) -> bool:
        """Whether nothing is left to look for."""
        return bool(self._is_met.all())

    def meet(self, samples: SampleColumns) -> None:
        """Take the samples of the next older row."""
        if not len(samples) or self.are_all_met:
            return
        at = np.searchsorted(self._ids, samples.series)
        at[at == len(self._ids)] = 0
        is_new = (self._ids[at] == samples.series) & ((samples.flags & SampleFlag.LATE) == 0)
        device = self._device[at]
        is_new &= ~self._is_met[device]
        device, time_us = device[is_new], samples.time_us[is_new]
        newest = np.zeros(len(self._places), np.int64)
        np.maximum.at(newest, device, time_us)
        for one in np.flatnonzero(newest).tolist():
            self.newest_us[self._places[one]] = int(newest[one])
        self._is_met[device] = True


def away_gap(recalled: Recalled, moment_us: int) -> Gap | None:
    """The span in which nobody listened at the endpoint; None when it was too short to matter."""
    since_us = recalled.last_received_us
    if not since_us or moment_us - since_us < _NOTICED_US:
        return None
    reason = "The service was not running: what devices measured then is here only if they kept it and sent it later."
    return Gap(since_us, moment_us, reason)


def _last_received_us(reader: JournalReader) -> int:
    last_seq, _ = reader.end()
    reader.position = max(last_seq - 1, 0)
    newest = reader.read(most_rows=1)
    return newest[-1].entry.received_us if newest else 0
