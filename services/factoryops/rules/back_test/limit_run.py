"""One limit on one series over recorded columns: the live machine, woken only where it has something to do.

Between two turnings of the condition all samples lie within a known band. Those that leave it are found for a whole
column at once; the machine hears of them alone, and of the moments at which its delays are due.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Final

import numpy as np
import numpy.typing as npt

from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.samples import SampleFlag, SeriesKey, series_id
from factoryops.rules.back_test.material import DeviceResult, Event, Material
from factoryops.rules.back_test.shown import Shown
from factoryops.rules.conditions.explanation import crossed
from factoryops.rules.delays import Move
from factoryops.rules.immediate import Threshold
from factoryops.rules.threshold import Band, ThresholdMachine, band_while_false, band_while_true

Times = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]
Reached = Callable[[int], None]
"""Told up to which moment a device is done; it may raise AbandonedError."""

_NO_VALUE: Final = np.uint8(SampleFlag.TEXT | SampleFlag.UNCERTAIN)


class LimitRun:
    """A threshold machine that is given one column after the other."""

    def __init__(self, threshold: Threshold) -> None:
        self._machine = ThresholdMachine(threshold)
        self._while_false, self._while_true = band_while_false(threshold), band_while_true(threshold)

    def take(self, time_us: Times, value: Numbers) -> list[Move]:
        """What the next on-time samples lead to.

        Args:
            time_us: int64[n], ascending, none before that of an earlier call.
            value: float64[n].
        """
        leaving = {False: _outside(value, self._while_false), True: _outside(value, self._while_true)}
        moves: list[Move] = []
        first = 0
        while True:
            found = leaving[self._machine.state.is_true]
            place = int(found.searchsorted(first))
            next_ = int(found[place]) if place < len(found) else len(value)
            self._run_out(time_us, next_, moves)
            if next_ == len(value):
                return moves
            moves += self._machine.sample(int(time_us[next_]), float(value[next_]))
            first = next_ + 1

    def _run_out(self, time_us: Times, next_: int, moves: list[Move]) -> None:
        """Let a running delay end if it is due by the next sample that turns the condition, or by the column's last."""
        if self._machine.due_us is not None and len(time_us):
            moves += self._machine.tick(int(time_us[min(next_, len(time_us) - 1)]))

    def advance(self, until_us: int) -> list[Move]:
        """No sample before `until_us` follows: delays due before it run out."""
        return list(self._machine.tick(until_us - 1))


def run_limits(
    device: str, thresholds: Sequence[Threshold], material: Material, reached: Reached, shown: Shown
) -> DeviceResult:
    """Try limits on one device; they look at the same parameter, whose samples are read once."""
    key = SeriesKey(material.factory, device, thresholds[0].parameter_key)
    tried = [_Tried(one, int(series_id(key))) for one in thresholds]
    feed = material.feed(key)
    for piece in chain((material.before(key),), feed.pieces()):
        is_number = (piece.flags & _NO_VALUE) == 0
        numbers = piece if is_number.all() else piece.take(is_number)
        for one in tried:
            one.note(one.run.take(numbers.time_us, numbers.value), None if one is not tried[0] else shown)
        if len(piece):
            reached(int(piece.time_us[-1]))
    for one in tried:
        one.note(one.run.advance(material.span[1]), None if one is not tried[0] else shown)
    return DeviceResult(device, [one.events for one in tried], feed.tally, [feed.read], keys={int(series_id(key)): key})


class _Tried:
    """One limit with the events it came to."""

    def __init__(self, threshold: Threshold, series: int) -> None:
        self.run = LimitRun(threshold)
        self.events: list[Event] = []
        self._limit = threshold.limit
        self._series = series

    def note(self, moves: Sequence[Move], shown: Shown | None) -> None:
        """Keep what was found; and why, where it is shown."""
        first = len(self.events)
        for move in moves:
            is_shown = shown is not None and move.at_us <= shown.last_us
            why = crossed(self._series, self._limit, move) if is_shown else None
            self.events.append(Event(move.kind, move.at_us, move.value, move.kind is AlarmEventKind.RAISED, why))
        if shown is not None:
            shown.take(self.events, first)


def _outside(value: Numbers, band: Band) -> npt.NDArray[np.intp]:
    return np.flatnonzero((value < band.low) | (value > band.high))
