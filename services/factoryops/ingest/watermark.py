"""The watermark: no on-time sample older than this follows (law 4 of the corridor).

It runs two seconds behind the receive time. While a backlog that arose at our side drains (we were down, the disk was,
or we had to stop reading), it is held, so that the samples in the backlog are still on time; for ten minutes at most.
"""

from __future__ import annotations

from typing import Final

from factoryops.domain.time import US_PER_S

GRACE_US: Final = 2 * US_PER_S
QUIET_US: Final = 2 * US_PER_S
"""A backlog has drained when none of it came for so long."""

SETTLE_US: Final = 5 * US_PER_S
"""Devices get so long to connect again after we were away."""

LONGEST_HOLD_US: Final = 600 * US_PER_S


class WatermarkClock:
    """Says where the watermark stands; never goes back.

    Attributes:
        value_us: the newest one given out, 0 before the first.
        backlog_before_us: while held, samples stamped before this belong to the backlog; else 0.
    """

    def __init__(self, last_us: int, moment_us: int) -> None:
        """Start at `moment_us`; `last_us` is where an earlier run of the service left it, 0 for none."""
        self.value_us = last_us
        self.backlog_before_us = 0
        self._held_since_us = 0
        self._drained_from_us = 0
        self._is_away = False
        if last_us:
            self._hold(moment_us, moment_us + SETTLE_US)

    @property
    def is_held(self) -> bool:
        """Whether a backlog of ours holds it."""
        return self._held_since_us > 0

    def _hold(self, moment_us: int, drained_from_us: int) -> None:
        self._held_since_us = self._held_since_us or moment_us
        self.backlog_before_us = moment_us
        self._drained_from_us = drained_from_us

    def stop_receiving(self, moment_us: int) -> None:
        """From now on messages wait outside."""
        self._is_away = True
        self._hold(moment_us, moment_us)

    def start_receiving(self, moment_us: int, *, have_devices_gone: bool = False) -> None:
        """Messages come in again; when devices were sent away, they get time to connect."""
        self._is_away = False
        settle_us = SETTLE_US if have_devices_gone else 0
        self._hold(moment_us, moment_us + QUIET_US + settle_us)

    def go_back_to(self, written_us: int) -> None:
        """Take back watermarks that never became durable."""
        self.value_us = written_us

    def advance(self, moment_us: int, *, saw_backlog: bool) -> int:
        """The watermark at `moment_us`; `saw_backlog` when samples of the backlog came since the last call."""
        if self.is_held and not self._is_released(moment_us, saw_backlog=saw_backlog):
            return self.value_us
        self.value_us = max(self.value_us, moment_us - GRACE_US)
        return self.value_us

    def _is_released(self, moment_us: int, *, saw_backlog: bool) -> bool:
        if saw_backlog:
            self._drained_from_us = max(self._drained_from_us, moment_us + QUIET_US)
        has_drained = not self._is_away and moment_us >= self._drained_from_us
        if not has_drained and moment_us - self._held_since_us < LONGEST_HOLD_US:
            return False
        self._held_since_us = 0
        self.backlog_before_us = 0
        return True
