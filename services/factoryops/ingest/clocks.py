"""Clock offsets: how far a device's clock is from ours, found out from messages and recorded in the journal.

The lag of a message is its receive time less its own time: the offset of the device's clock and the time it travelled.
Lags of live messages stay together however wrong the clock is. Buffered messages come faster than they were measured,
so their lags run down, and never pass for a clock. Only messages whose lag does not fit the recorded offset are looked
at here: a device with a good clock costs nothing (decision 0018).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from factoryops.domain.time import US_PER_S
from factoryops.ingest.batch import OpenBatch
from factoryops.ingest.devices import DeviceEntry
from factoryops.journal.records import ClockOffset

SPREAD_US: Final = US_PER_S
"""Lags that lie closer together than this may be a clock's."""

WINDOW_US: Final = 60 * US_PER_S
FEWEST: Final = 10
"""Messages, over at least the window, that must agree before an offset is recorded."""

AHEAD_US: Final = US_PER_S
"""A clock that is less than this ahead is taken as right."""

FURTHEST_AHEAD_US: Final = 86_400 * US_PER_S
"""A clock further ahead is not corrected: its samples would lie where nobody looks."""

NOTED_US: Final = 60 * US_PER_S
"""An offset beyond this is a fault that somebody should mend."""

_LONGEST_PAUSE_US: Final = 900 * US_PER_S
_MOST_CANDIDATES: Final = 10_000
_MOST_LAGS: Final = 100
_NAMED: Final = 5


@dataclass(slots=True)
class _Candidate:
    """Lags of one device that do not fit its recorded offset, but fit each other so far."""

    since_us: int
    last_us: int
    newest_us: int
    low_us: int
    high_us: int
    lags: list[int] = field(default_factory=list)

    def fits(self, lag_us: int, received_us: int) -> bool:
        is_near = self.high_us - SPREAD_US <= lag_us <= self.low_us + SPREAD_US
        return is_near and received_us - self.last_us <= _LONGEST_PAUSE_US

    def add(self, lag_us: int, received_us: int) -> None:
        self.last_us = received_us
        self.low_us, self.high_us = min(self.low_us, lag_us), max(self.high_us, lag_us)
        if len(self.lags) < _MOST_LAGS:
            self.lags.append(lag_us)

    @property
    def is_settled(self) -> bool:
        return len(self.lags) >= FEWEST and self.last_us - self.since_us >= WINDOW_US


class ClockWatch:
    """Estimates offsets and puts what changed into the batch; the batch ends there, so that an offset holds by rows."""

    def __init__(self) -> None:
        self._candidates: dict[DeviceEntry, _Candidate] = {}

    def behind(self, batch: OpenBatch, entry: DeviceEntry, time_us: int, received_us: int) -> None:
        """Look at a sample older than the watermark.

        A device that also sends samples on time has a good clock and a buffer: its candidate starts anew.
        """
        found = self._candidates.get(entry)
        if found is not None and found.newest_us != entry.newest_us:
            del self._candidates[entry]
        self._note(batch, entry, time_us, received_us)

    def ahead(self, batch: OpenBatch, entry: DeviceEntry, time_us: int, received_us: int) -> None:
        """Look at a sample that comes from the future by the recorded offset."""
        lag_us = received_us - time_us
        if entry.offset_us and -AHEAD_US <= lag_us <= 2 * AHEAD_US:
            # Nothing can be received before it was measured: the recorded offset is disproved, the clock set right.
            self._record(batch, entry, 0)
            return
        self._note(batch, entry, time_us, received_us)

    def _note(self, batch: OpenBatch, entry: DeviceEntry, time_us: int, received_us: int) -> None:
        lag_us = received_us - time_us
        found = self._candidates.get(entry)
        if found is None or not found.fits(lag_us, received_us):
            if len(self._candidates) >= _MOST_CANDIDATES:
                self._candidates.clear()
            found = _Candidate(received_us, received_us, entry.newest_us, lag_us, lag_us)
            self._candidates[entry] = found
        found.add(lag_us, received_us)
        if found.is_settled:
            offset_us = round(median(found.lags))
            if offset_us >= -FURTHEST_AHEAD_US:
                self._record(batch, entry, 0 if abs(offset_us) < AHEAD_US else offset_us)

    def _record(self, batch: OpenBatch, entry: DeviceEntry, offset_us: int) -> None:
        self._candidates.pop(entry, None)
        if offset_us == entry.offset_us:
            return
        batch.set_clock(ClockOffset(entry.factory_id, entry.key, offset_us))
        entry.offset_us = offset_us

    def forget(self) -> None:
        """Begin again, after a batch was dropped."""
        self._candidates.clear()


def wrong_clocks(offsets_us: Mapping[tuple[str, str], int]) -> dict[str, str]:
    """What to say to each factory, by its id, that has devices whose clocks are wrong by more than a minute."""
    wrong: dict[str, list[str]] = {}
    for (factory, device), offset_us in sorted(offsets_us.items()):
        if abs(offset_us) > NOTED_US:
            wrong.setdefault(factory, []).append(device)
    return {factory: _told(devices) for factory, devices in wrong.items()}


def _told(devices: list[str]) -> str:
    more = f" and {len(devices) - _NAMED} more" if len(devices) > _NAMED else ""
    return (
        f"Clocks are wrong by more than a minute: {', '.join(devices[:_NAMED])}{more}. Alarms are on time, because the "
        "offsets are known; samples keep the times they were sent with. The devices' pages say how wrong they are: set "
        "them."
    )
