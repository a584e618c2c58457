"""Clock offsets as history keeps them: what must be added to a device's times to have them as conditions saw them.

The journal says behind which of its rows an offset holds (decision 0018). History has no rows, so a change is kept with
the device's own time from which it holds: that of the last sample of the row that found it out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import apsw
import numpy as np

from factoryops.domain.samples import SampleFlag, SeriesKey
from factoryops.domain.time import US_PER_S
from factoryops.journal.records import Batch, ClockOffset

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS clock_change (
    number INTEGER PRIMARY KEY,
    factory TEXT NOT NULL,
    device TEXT NOT NULL,
    from_us INTEGER NOT NULL,
    offset_us INTEGER NOT NULL,
    received_us INTEGER NOT NULL,
    UNIQUE (factory, device, from_us, offset_us)
);
"""

_ADD: Final = (
    "INSERT OR IGNORE INTO clock_change (factory, device, from_us, offset_us, received_us) VALUES (?, ?, ?, ?, ?)"
)
_READ: Final = (
    "SELECT factory, device, from_us, offset_us, received_us FROM clock_change WHERE factory = ? ORDER BY number"
)
_IS_THERE: Final = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'clock_change'"
_GRACE_US: Final = 2 * US_PER_S
"""By the watermark's grace an on-time sample is older than the moment of its receipt, at most."""


class ClockChange(NamedTuple):
    """A device's clock offset changed.

    Attributes:
        factory / device: the factory's id and the device's key.
        from_us: the device's own time from which the offset holds, microseconds since 1970.
        offset_us: what must be added to the device's time to give ours.
        received_us: when it was found out; no sample that another offset held for before is later than this.
    """

    factory: str
    device: str
    from_us: int
    offset_us: int
    received_us: int


def changes_in(batch: Batch, names: Mapping[int, SeriesKey]) -> Iterator[ClockChange]:
    """The changes that a row of the journal brings.

    Args:
        batch: the row.
        names: what each series id stands for.

    Of a clock that is behind, samples of the watermark's grace before are taken in: what comes out of order next is on
    time by the new offset, and what came before was late by the old one.
    """
    for one in batch.entry.clocks:
        last_us = _last_of(batch, one, names)
        if last_us is None:
            from_us = batch.entry.received_us - one.offset_us - _GRACE_US
        else:
            from_us = last_us + 1 - (_GRACE_US if one.offset_us > 0 else 0)
        yield ClockChange(one.factory, one.device, from_us, one.offset_us, batch.entry.received_us)


def _last_of(batch: Batch, clock: ClockOffset, names: Mapping[int, SeriesKey]) -> int | None:
    """The device's own time of its last sample in the row; None where there is none: its message was quarantined."""
    place = (clock.factory, clock.device)
    own = [one for one in np.unique(batch.samples.series).tolist() if one in names and names[one][:2] == place]
    is_own = np.isin(batch.samples.series, own) & ((batch.samples.flags & np.uint8(SampleFlag.RECEIVE_TIME)) == 0)
    times_us = batch.samples.time_us[is_own]
    return int(times_us[-1]) if len(times_us) else None


def add_changes(connection: apsw.Connection, changes: Sequence[ClockChange]) -> None:
    """Remember changes, in their order; the same one twice is one."""
    if changes:
        connection.executemany(_ADD, changes)


def read_changes(connection: apsw.Connection, factory: str) -> list[ClockChange]:
    """All changes of one factory, in their order; none in a file that an older program wrote."""
    if connection.execute(_IS_THERE).get is None:
        return []
    return [ClockChange(*row) for row in connection.execute(_READ, (factory,))]
