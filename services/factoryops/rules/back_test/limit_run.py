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
            value: float64[n]; not a number where it is not good.
        """
        leaving = {False: _outside(value, self._while_false), True: _outside(value, self._while_true)}
        moves: list[Move] = []
        first = 0
        while True:
            found = leaving[self._machine.state.is_true]
            place = int(found.searchsorted(first))
            next_ = int(found[place]) if place < len(found) else len(value)
            self._run_out(time_us[first:next_], value[first:next_], moves)
            if next_ == len(value):
                return moves
            moves += self._machine.sample(int(time_us[next_]), float(value[next_]))
            first = next_ + 1

    def _run_out(self, time_us: Times, value: Numbers, moves: list[Move]) -> None:
        """Let a running delay end if it is due within samples that do not turn the condition.

        Of these the machine hears what it is known by: those around the moment at which the delay is due, and, where
        that one is not known, the next good one.
        """
        due_us = self._machine.due_us
        if due_us is None or not len(time_us):
            return
        is_good = ~np.isnan(value)
        after = int(time_us.searchsorted(due_us, "right"))
        good = np.flatnonzero(is_good)
        before = int(good.searchsorted(after))
        told = {*good[max(before - 1, 0) : before + 1].tolist(), *range(after, min(after + 1, len(value)))}
        bad_from = int(good[before - 1]) + 1 if before else 0
        told.update(range(bad_from, min(bad_from + 1, after)))
        for place in sorted(told):
            heard = self._machine.sample if is_good[place] else self._lose
            moves += heard(int(time_us[place]), float(value[place]))

    def _lose(self, time_us: int, value: float) -> tuple[Move, ...]:
        del value
        return self._machine.lose(time_us)

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
        is_bad = (piece.flags & _NO_VALUE) != 0
        value = np.where(is_bad, np.nan, piece.value) if is_bad.any() else piece.value
        for one in tried:
            one.note(one.run.take(piece.time_us, value), None if one is not tried[0] else shown)
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
