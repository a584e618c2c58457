"""What the journal's newest rows say about where an earlier run left off."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from factoryops.domain.samples import SampleColumns, SampleFlag
from factoryops.domain.time import US_PER_S
from factoryops.journal.reader import JournalReader
from factoryops.journal.records import Gap

_RECALLED_US: Final = 15 * US_PER_S
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
    """Read the last seconds of a journal."""
    recalled = Recalled()
    reader = JournalReader(journal_path)
    try:
        recalled.last_received_us = _last_received_us(reader)
        reader.position = reader.last_seq_before(recalled.last_received_us - _RECALLED_US)
        while batches := reader.read():
            for batch in batches:
                recalled.watermark_us = max(recalled.watermark_us, batch.entry.watermark_us)
                _note_newest(recalled, reader, batch.samples)
    finally:
        reader.close()
    return recalled


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


def _note_newest(recalled: Recalled, reader: JournalReader, samples: SampleColumns) -> None:
    on_time = samples.take((samples.flags & SampleFlag.LATE) == 0)
    if not len(on_time):
        return
    series, place = np.unique(on_time.series, return_inverse=True)
    newest = np.zeros(len(series), np.int64)
    np.maximum.at(newest, place, on_time.time_us)
    for identity, moment_us in zip(series.tolist(), newest.tolist(), strict=True):
        key = reader.series.get(identity)
        if key is not None:
            device = (key.factory, key.device)
            recalled.newest_us[device] = max(recalled.newest_us.get(device, 0), moment_us)
