"""All rules of all factories against the stream of samples.

Per series lies a quiet band: the values at which no machine on it has anything to do. A batch is compared with the
bands as columns; only series with a sample outside are looked at one by one, however many rules there are.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.identity import AlarmId, RuleId, alarm_id
from factoryops.domain.rule import RuleInForce
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey, series_id
from factoryops.rules.compiler import RuleBook, Watching
from factoryops.rules.delays import MachineState, Move
from factoryops.rules.slots import SeriesSlots
from factoryops.rules.threshold import EVERYTHING, NOTHING, ThresholdMachine

_NEVER_MOVES: Final = np.uint8(SampleFlag.LATE | SampleFlag.IMPORTED | SampleFlag.TEXT | SampleFlag.UNCERTAIN)
_NOT_NOW: Final = np.uint8(SampleFlag.LATE | SampleFlag.IMPORTED)
_NO_SAMPLE: Final = np.iinfo(np.int64).min


@dataclass(slots=True)
class Watch:
    """A rule on a device's series, with its machine."""

    watching: Watching
    slot: int
    series: int
    key: SeriesKey
    machine: ThresholdMachine
    alarm_id: AlarmId

    @property
    def rule_id(self) -> RuleId:
        """Of the rule, whatever its version."""
        return self.watching.rule.id


@dataclass(frozen=True, slots=True)
class Moved:
    """A condition that raised or cleared.

    Attributes:
        watching: the version under which it did, and its limit.
        is_withdrawn: it cleared because the rule no longer watches the device, not because the value came back.
    """

    watch: Watch
    move: Move
    watching: Watching
    is_withdrawn: bool = False


class WatchState(msgspec.Struct, frozen=True):
    """A machine that is not at rest."""

    rule_id: str
    series: int
    key: SeriesKey
    machine: MachineState


class EvaluatorState(msgspec.Struct, frozen=True):
    """All that the evaluator must remember across a restart.

    Attributes:
        series / time_us / value: columns (int64, int64, float64) of each series' newest on-time sample.
    """

    rules: list[RuleInForce]
    watches: list[WatchState]
    watermark_us: int
    series: bytes
    time_us: bytes
    value: bytes


class Evaluator:
    """Feeds every machine what it needs to hear; holds no clock and does no I/O.

    Attributes:
        slots: the series it has seen.
        watermark_us: how far time has come.
        evaluated: on-time samples so far.
        candidates: of them, how many were outside a quiet band.
    """

    def __init__(self) -> None:
        self.slots = SeriesSlots()
        self.watermark_us = 0
        self._received_us = np.empty(0, np.int64)
        self.evaluated = 0
        self.candidates = 0
        self._book = RuleBook()
        self._watches: list[list[Watch]] = []
        self._low = np.empty(0, np.float64)
        self._high = np.empty(0, np.float64)
        self._time_us = np.empty(0, np.int64)
        self._value = np.empty(0, np.float64)
        self._is_touched = np.empty(0, np.bool_)
        self._is_seen = np.empty(0, np.bool_)
        self._appeared: list[SeriesKey] = []
        self._told_us = 0
        self._timers: list[tuple[int, str, int, Watch]] = []
        self._timer_number = 0

    @property
    def rules(self) -> Mapping[RuleId, RuleInForce]:
        """The rules in force, by id; those it passes over are among them."""
        return self._book.rules

    # --- samples and time --------------------------------------------------------------------------------------------

    def feed(self, samples: SampleColumns, received_us: int, names: Mapping[int, SeriesKey]) -> list[Moved]:
        """Take the samples of one journal row, in its order.

        Args:
            samples: late and imported ones among them are passed over; texts and values of bad quality move nothing,
                but while they last no delay runs out.
            received_us: when the row was received; 0 for samples that no device has sent.
            names: what each series id stands for.
        """
        slots = self.slots.of(samples.series)
        self._grow()
        self._watch_new(names)
        self._received_us[slots] = received_us
        self._note_appeared(slots, samples.flags)
        is_usable = (samples.flags & _NEVER_MOVES) == 0
        times, values = samples.time_us, samples.value
        if is_usable.all():
            moved = self._compare(slots, times, values)
        else:
            is_on_time = (samples.flags & _NOT_NOW) == 0
            told = np.where(is_usable, values, np.nan)[is_on_time]
            moved = self._compare(slots[is_on_time], times[is_on_time], told, has_bad=True)
            slots, times, values = slots[is_usable], times[is_usable], values[is_usable]
        self._time_us[slots] = times
        self._value[slots] = values
        self.evaluated += len(slots)
        return moved

    def _note_appeared(self, slots: npt.NDArray[np.intp], flags: npt.NDArray[np.uint8]) -> None:
        is_new = ~self._is_seen[slots]
        if is_new.any():
            for slot in np.unique(slots[is_new & ((flags & _NOT_NOW) == 0)]).tolist():
                key = self.slots.keys[slot]
                if key is not None:
                    self._is_seen[slot] = True
                    self._appeared.append(key)

    def take_appeared(self) -> list[SeriesKey]:
        """The series whose first on-time sample came since the last call; after a restart, some of them again."""
        taken, self._appeared = self._appeared, []
        return taken

    def _compare(
        self,
        slots: npt.NDArray[np.intp],
        times: npt.NDArray[np.int64],
        values: npt.NDArray[np.float64],
        *,
        has_bad: bool = False,
    ) -> list[Moved]:
        low, high = self._low[slots], self._high[slots]
        is_outside = (values < low) | (values > high)
        if has_bad:
            is_outside |= np.isnan(values) & (low > high)
        if not is_outside.any():
            return []
        restless = slots[is_outside]
        self._is_touched[restless] = True
        chosen = np.nonzero(self._is_touched[slots])[0]
        self._is_touched[restless] = False
        moved: list[Moved] = []
        rows = zip(slots[chosen].tolist(), times[chosen].tolist(), values[chosen].tolist(), strict=True)
        for slot, time_us, value in rows:
            if not self._low[slot] <= value <= self._high[slot]:  # a value that is not good lies in no band
                self.candidates += 1
                self._hear(slot, time_us, value, moved)
        return moved

    def _hear(self, slot: int, time_us: int, value: float, moved: list[Moved]) -> None:
        for watch in self._watches[slot]:
            machine = watch.machine
            due_us = machine.due_us
            moves = machine.lose(time_us) if math.isnan(value) else machine.sample(time_us, value)
            moved.extend(Moved(watch, move, watch.watching) for move in moves)
            if watch.machine.due_us != due_us:
                self._set_timer(watch)
        self._set_band(slot)

    def advance(self, watermark_us: int) -> list[Moved]:
        """Time has come to `watermark_us`: delays due by then run out."""
        self.watermark_us = max(self.watermark_us, watermark_us)
        moved: list[Moved] = []
        while self._timers and self._timers[0][0] <= self.watermark_us:
            due_us, _, _, watch = heapq.heappop(self._timers)
            if watch.machine.due_us == due_us:
                moved.extend(Moved(watch, move, watch.watching) for move in watch.machine.tick(self.watermark_us))
                self._set_band(watch.slot)
        return moved

    def _set_timer(self, watch: Watch) -> None:
        """Have a running delay noticed when it is due; entries that no longer hold are passed over then."""
        if watch.machine.due_us is not None:
            self._timer_number += 1
            heapq.heappush(self._timers, (watch.machine.due_us, watch.alarm_id, self._timer_number, watch))

    def _set_band(self, slot: int) -> None:
        low, high = EVERYTHING
        for watch in self._watches[slot]:
            band = watch.machine.quiet_band
            low, high = max(low, band.low), min(high, band.high)
        self._low[slot], self._high[slot] = (low, high) if low <= high else NOTHING

    def hear(self, series: bytes, received_us: int) -> None:
        """Note that devices were heard whose samples were all held back; `series` is int64[n], one series of each."""
        slots = self.slots.of(np.frombuffer(series, np.int64))
        self._grow()
        self._received_us[slots] = received_us

    def take_heard(self) -> dict[SeriesKey, int]:
        """Receive times by one series per device, of devices with rows received since the last call."""
        received_us = self._received_us[: len(self.slots)]
        newest: dict[tuple[str, str], tuple[int, SeriesKey]] = {}
        for slot in np.nonzero(received_us > self._told_us)[0].tolist():
            key, moment_us = self.slots.keys[slot], int(received_us[slot])
            if key is not None and newest.get(key[:2], (0, key))[0] < moment_us:
                newest[key[:2]] = (moment_us, key)
        self._told_us = max((moment_us for moment_us, _ in newest.values()), default=self._told_us)
        return {key: moment_us for moment_us, key in newest.values()}

    # --- series and rules --------------------------------------------------------------------------------------------

    def _grow(self) -> None:
        """Make room for every slot."""
        missing = len(self.slots) - len(self._watches)
        self._watches.extend([] for _ in range(missing))
        if len(self.slots) <= len(self._low):
            return
        more = max(1024, len(self._low), missing)
        self._low = np.concatenate([self._low, np.full(more, -math.inf)])
        self._high = np.concatenate([self._high, np.full(more, math.inf)])
        self._time_us = np.concatenate([self._time_us, np.full(more, _NO_SAMPLE, np.int64)])
        self._value = np.concatenate([self._value, np.zeros(more)])
        self._is_touched = np.concatenate([self._is_touched, np.zeros(more, np.bool_)])
        self._is_seen = np.concatenate([self._is_seen, np.zeros(more, np.bool_)])
        self._received_us = np.concatenate([self._received_us, np.zeros(more, np.int64)])

    def _watch_new(self, names: Mapping[int, SeriesKey]) -> None:
        for slot in self.slots.name(names):
            key = self.slots.keys[slot]
            if key is not None:
                for wanted in self._book.watching(key):
                    self._add(slot, wanted, key)
                self._set_band(slot)

    def _add(self, slot: int, wanted: Watching, key: SeriesKey) -> Watch:
        identity = alarm_id(key.factory, wanted.rule.id, key.device)
        machine = ThresholdMachine(wanted.threshold)
        watch = Watch(wanted, slot, self.slots.ids[slot], key, machine, identity)
        self._watches[slot].append(watch)
        return watch

    def standing(self) -> dict[AlarmId, MachineState]:
        """Where conditions stand that are not at rest, by alarm."""
        restless = (watch for watches in self._watches for watch in watches if not watch.machine.is_at_rest)
        return {watch.alarm_id: watch.machine.state for watch in restless}

    def watched(self) -> set[AlarmId]:
        """The alarms whose conditions are evaluated here."""
        return {watch.alarm_id for watches in self._watches for watch in watches}

    def set_rules(
        self, rules: Iterable[RuleInForce], taken_over: Mapping[AlarmId, MachineState] | None = None
    ) -> list[Moved]:
        """Put `rules` in the place of those in force, from this moment of the stream on.

        What is no longer watched clears; conditions under a new or changed rule are judged against the newest on-time
        value.

        Args:
            rules: those of all factories.
            taken_over: where conditions stood that were evaluated as programs until now.
        """
        self._book = RuleBook(rules)
        wanted = {slot: self._book.watching(key) for slot, key in enumerate(self.slots.keys) if key is not None}
        moved = [one for slot, rules_on_it in wanted.items() for one in self._withdraw(slot, rules_on_it)]
        for slot, rules_on_it in wanted.items():
            held = {watch.rule_id: watch for watch in self._watches[slot]}
            for one in rules_on_it:
                moved += self._put_in_force(slot, one, held.get(one.rule.id), taken_over or {})
            self._set_band(slot)
        return moved

    def _withdraw(self, slot: int, wanted: list[Watching]) -> list[Moved]:
        ids = {one.rule.id for one in wanted}
        gone = [watch for watch in self._watches[slot] if watch.rule_id not in ids]
        if not gone:
            return []
        self._watches[slot] = [watch for watch in self._watches[slot] if watch.rule_id in ids]
        moved: list[Moved] = []
        for watch in gone:
            watch.machine.due_us = None
            if watch.machine.is_active:
                at_us = self._moment_us(slot)
                move = Move(AlarmEventKind.CLEARED, at_us, float(self._value[slot]), at_us)
                moved.append(Moved(watch, move, watch.watching, is_withdrawn=True))
        return moved

    def _put_in_force(
        self, slot: int, wanted: Watching, held: Watch | None, taken_over: Mapping[AlarmId, MachineState]
    ) -> list[Moved]:
        key = self.slots.keys[slot]
        if key is None or (held is not None and held.watching == wanted):
            return []
        watch = held or self._add(slot, wanted, key)
        watch.watching = wanted
        if held is None and watch.alarm_id in taken_over:
            watch.machine.put_back(taken_over[watch.alarm_id])
        value = float(self._value[slot]) if self._time_us[slot] != _NO_SAMPLE else None
        moves = watch.machine.change(wanted.threshold, self._moment_us(slot), value, int(self._time_us[slot]))
        self._set_timer(watch)
        return [Moved(watch, move, wanted) for move in moves]

    def _moment_us(self, slot: int) -> int:
        """How far time has come for a series: its samples may be ahead of the watermark."""
        return max(self.watermark_us, int(self._time_us[slot]))

    def newest(self, key: SeriesKey) -> SampleColumns:
        """The newest on-time sample of a series, if there is any; what it was flagged with is not kept."""
        slot = self.slots.find(series_id(key))
        if slot is None or slot >= len(self._time_us) or self._time_us[slot] == _NO_SAMPLE:
            return SampleColumns.empty()
        return SampleColumns.of([(series_id(key), int(self._time_us[slot]), float(self._value[slot]))])

    # --- across a restart --------------------------------------------------------------------------------------------

    def active_count(self) -> int:
        """How many conditions are raised."""
        return sum(watch.machine.is_active for watches in self._watches for watch in watches)

    @property
    def state(self) -> EvaluatorState:
        """Everything to go on from."""
        seen = np.nonzero(self._time_us[: len(self.slots)] != _NO_SAMPLE)[0]
        restless = (watch for watches in self._watches for watch in watches if not watch.machine.is_at_rest)
        return EvaluatorState(
            rules=list(self._book.rules.values()),
            watches=[WatchState(one.rule_id, one.series, one.key, one.machine.state) for one in restless],
            watermark_us=self.watermark_us,
            series=np.array(self.slots.ids, np.int64)[seen].tobytes(),
            time_us=self._time_us[seen].tobytes(),
            value=self._value[seen].tobytes(),
        )

    @classmethod
    def restored(cls, state: EvaluatorState, names: Mapping[int, SeriesKey]) -> Evaluator:
        """An evaluator that goes on from `state`.

        Args:
            state: as another evaluator told it.
            names: what each series id stands for.
        """
        made = cls()
        made._book = RuleBook(state.rules)
        made.watermark_us = state.watermark_us
        restless = {one.series: one.key for one in state.watches}
        slots = made.slots.of(np.frombuffer(state.series, np.int64))
        made.slots.of(np.array([*restless], np.int64))
        made._grow()
        made._time_us[slots] = np.frombuffer(state.time_us, np.int64)
        made._value[slots] = np.frombuffer(state.value, np.float64)
        made._is_seen[slots] = True
        made._watch_new({**names, **restless})
        made._resume(state.watches)
        return made

    def _resume(self, states: Iterable[WatchState]) -> None:
        """Put machines back to where they stood."""
        slot_of = {series: slot for slot, series in enumerate(self.slots.ids)}
        for state in states:
            slot = slot_of[state.series]
            for watch in self._watches[slot]:
                if watch.rule_id == state.rule_id:
                    watch.machine.put_back(state.machine)
                    self._set_timer(watch)
            self._set_band(slot)
