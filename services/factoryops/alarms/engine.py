"""The alarm engine without any I/O: journal rows in, raises and clears and calculated values out.

Everything it answers follows from the rows and from where in their order the rules changed, so that running the same
rows again says the same again, identities included (law 4 of the corridor).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from factoryops.alarms.clocks import DeviceClocks
from factoryops.alarms.directory import Directory
from factoryops.alarms.first_format import FIRST_FORMAT, with_definitions
from factoryops.alarms.system_transitions import system_transition
from factoryops.alarms.system_watch import Place, SystemProblem
from factoryops.alarms.transition_making import finding, transition
from factoryops.contracts.transitions import AlarmTransition
from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.calculations import Calculation
from factoryops.domain.errors import DamagedFileError
from factoryops.domain.identity import RuleId, alarm_id
from factoryops.domain.plant import ParameterKind
from factoryops.domain.rule import RuleInForce
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey
from factoryops.domain.system_alarms import SERVICE_DEVICE, system_rule_id
from factoryops.journal.records import Batch, ClockOffset, Gap
from factoryops.rules.calculator import Calculator, CalculatorState
from factoryops.rules.conditions.program import ProgramMoved
from factoryops.rules.conditions.programs import Programs
from factoryops.rules.conditions.state import ProgramsState
from factoryops.rules.evaluator import Evaluator, EvaluatorState, Moved

_FORMAT: Final = 3
_MISSING: Final = "Alarms were not evaluated: rows of the journal are missing."
_KINDS: Final = np.uint8(SampleFlag.BOOLEAN | SampleFlag.TEXT)


class _SystemRaised(msgspec.Struct, frozen=True):
    factory_id: str
    problem: SystemProblem


class _Stamp(msgspec.Struct, frozen=True):
    format: int


class _Saved(msgspec.Struct, frozen=True):
    format: int
    annunciations: dict[str, int]
    evaluator: EvaluatorState
    calculator: CalculatorState | None = None
    clocks: list[ClockOffset] = []
    system: list[_SystemRaised] = []
    programs: ProgramsState | None = None
    rules: bytes = b""


@dataclass(frozen=True, slots=True)
class Calculated:
    """What one step of the watermark calculated.

    Attributes:
        watermark_us: everything before it is calculated.
    """

    watermark_us: int
    samples: SampleColumns


class AlarmEngine:
    """Feeds rows to the rules and numbers what they raise.

    Attributes:
        seq: the newest journal row it was fed.
        directory: what devices and parameters are called; replace it when names change.
    """

    def __init__(self, evaluator: Evaluator | None = None, *, seq: int = 0) -> None:
        self.seq = seq
        self.directory = Directory()
        self._evaluator = evaluator or Evaluator()
        self._calculator = Calculator()
        self._programs = Programs()
        self._rules_told: bytes | None = None
        self._calculated: list[Calculated] = []
        self._annunciations: dict[str, int] = {}
        self._clocks = DeviceClocks()
        self._kinds: dict[SeriesKey, ParameterKind] = {}
        self._system: dict[tuple[str, Place], SystemProblem] = {}

    def feed(self, batch: Batch, names: Mapping[int, SeriesKey]) -> list[AlarmTransition]:
        """Take the next row: its samples, then its watermark.

        Args:
            batch: rows at or before the newest one are passed over.
            names: what each series id stands for.
        """
        if batch.seq <= self.seq:
            return []
        self.seq = batch.seq
        entry = batch.entry
        moved: list[Moved | ProgramMoved] = []
        if len(entry.samples):
            self._note_kinds(entry.samples, names)
            samples = self._clocks.corrected(entry.samples, entry.received_us, names)
            moved += self._take(samples, entry.received_us, names)
            self._calculator.take(samples)
        if entry.heard:
            self._hear(entry.heard, entry.received_us, names)
        self._clocks.take(entry.clocks)
        for gap in entry.gaps:
            self._programs.take_gap(gap.start_us, gap.end_us, gap.factory)
        if entry.watermark_us:
            moved += self._calculate(entry.watermark_us)
            moved += self._evaluator.advance(entry.watermark_us)
            moved += self._programs.advance(entry.watermark_us)
        return self._transitions(moved)

    def miss(self, until_us: int) -> Gap:
        """Rows are missing before the next one, which was received at `until_us`; answers the gap that is recorded.

        It begins with the watermark: whatever is on time lay in them, or follows.
        """
        told_us = self._programs.since_us
        start_us = min(told_us or until_us, until_us)
        self._programs.take_gap(start_us, until_us, "")
        return Gap(start_us, until_us, _MISSING, told_us=max(told_us, 1))

    def _take(self, samples: SampleColumns, received_us: int, names: Mapping[int, SeriesKey]) -> list[Moved]:
        """Both ways in which rules are evaluated see the same samples."""
        moved = self._evaluator.feed(samples, received_us, names)
        self._programs.appear(self._evaluator.take_appeared(), self._evaluator.newest)
        self._programs.take(samples)
        return moved

    def _hear(self, heard: bytes, received_us: int, names: Mapping[int, SeriesKey]) -> None:
        self._evaluator.hear(heard, received_us)
        series = np.frombuffer(heard, np.int64).tolist()
        self._programs.hear([names[one] for one in series if one in names], received_us)

    def _calculate(self, watermark_us: int) -> list[Moved]:
        """Rules see calculated values before the watermark moves on, as they see those of devices."""
        samples = self._calculator.advance(watermark_us)
        if not len(samples):
            return []
        self._calculated.append(Calculated(watermark_us, samples))
        return self._take(samples, 0, self._calculator.keys)

    def take_calculated(self) -> list[Calculated]:
        """What was calculated since the last call."""
        taken, self._calculated = self._calculated, []
        return taken

    def set_calculations(self, calculations: Iterable[Calculation]) -> None:
        """Put other calculations in force, from the last watermark on."""
        self._calculator.set(calculations, self._evaluator.newest)

    @property
    def calculator(self) -> Calculator:
        """What calculates; for its names, faults and figures."""
        return self._calculator

    def evaluates_otherwise(self, rules: Sequence[RuleInForce], calculations: Sequence[Calculation]) -> bool:
        """Whether anything but these is in force: a plant that changed need not change what is evaluated."""
        is_same = {one.rule.id: one for one in rules} == self.rules
        return not is_same or {one.id: one for one in calculations} != self._calculator.calculations

    def set_rules(self, rules: Iterable[RuleInForce]) -> list[AlarmTransition]:
        """Put other rules in force, from behind the newest row on.

        A rule that becomes live, or a shadow again, begins anew: what stands is told, or ends, at that moment.
        """
        wanted, before = list(rules), self.rules
        began_anew = {one.rule.id for one in wanted if _has_other_mode(one, before.get(one.rule.id))}
        self._rules_told = None
        if not began_anew:
            return self._put_in_force(wanted)
        ended = self._put_in_force([one for one in wanted if one.rule.id not in began_anew])
        return ended + self._put_in_force(wanted)

    def _put_in_force(self, wanted: list[RuleInForce]) -> list[AlarmTransition]:
        limits_stood, programs_stood = self._evaluator.standing(), self._programs.standing()
        limits = self._evaluator.set_rules(wanted, programs_stood)
        programs = self._programs.set(wanted, self._evaluator.newest, limits_stood)
        return self._transitions(self._ended(limits, programs))

    def _ended(self, limits: list[Moved], programs: list[ProgramMoved]) -> list[Moved | ProgramMoved]:
        """What a change of rules moved; an alarm that is only evaluated otherwise from now on has not ended."""
        gone = any(one.is_withdrawn for one in limits) or any(one.is_withdrawn for one in programs)
        if not gone:
            return [*limits, *programs]
        by_programs, by_limits = self._programs.watched(), self._evaluator.watched()
        return [
            *(one for one in limits if not (one.is_withdrawn and one.watch.alarm_id in by_programs)),
            *(
                one
                for one in programs
                if not (one.is_withdrawn and not one.is_suppression and one.alarm_id in by_limits)
            ),
        ]

    @property
    def programs(self) -> Programs:
        """What evaluates the rules that are more than a limit; for its faults and figures."""
        return self._programs

    def set_system(self, wanted: Mapping[Place, SystemProblem], at_us: int) -> list[AlarmTransition]:
        """Let the service's own problems be alarms of the factories they concern; those that are over clear at `at_us`.

        This is an input of its own, beside the journal: it moves no rule's condition.
        """
        due = {
            (factory, place): problem
            for factory in self.directory.factories
            for place, problem in wanted.items()
            if problem.concerns(factory)
        }
        gone = {key: one for key, one in self._system.items() if key[1] not in wanted}
        new = {key: one for key, one in due.items() if key not in self._system}
        self._system = {key: one for key, one in self._system.items() if key not in gone} | new
        return [
            *(self._system_move(factory, one, AlarmEventKind.CLEARED, at_us) for (factory, _), one in gone.items()),
            *(
                self._system_move(factory, one, AlarmEventKind.RAISED, one.since_us)
                for (factory, _), one in new.items()
            ),
        ]

    def _system_move(self, factory: str, problem: SystemProblem, kind: AlarmEventKind, at_us: int) -> AlarmTransition:
        identity = alarm_id(factory, system_rule_id(factory, problem.code), SERVICE_DEVICE)
        return system_transition(factory, problem, kind, at_us, (self._annunciation(identity, kind), self.seq))

    @property
    def system_problems(self) -> list[SystemProblem]:
        """The service's problems that are alarms."""
        return [*{problem.place: problem for problem in self._system.values()}.values()]

    def _annunciation(self, identity: str, kind: AlarmEventKind) -> int:
        """How often the alarm was raised, this time included."""
        number = self._annunciations.get(identity, 0) + (kind is AlarmEventKind.RAISED)
        self._annunciations[identity] = number
        return number

    @property
    def clock_offsets(self) -> list[ClockOffset]:
        """The clock offsets in force, of devices that have one."""
        return self._clocks.offsets

    @property
    def rules(self) -> Mapping[RuleId, RuleInForce]:
        """The rules in force, by id."""
        return self._evaluator.rules

    def _note_kinds(self, samples: SampleColumns, names: Mapping[int, SeriesKey]) -> None:
        marks = samples.flags & _KINDS
        if not marks.any():
            return
        for mark, kind in ((SampleFlag.BOOLEAN, ParameterKind.BOOLEAN), (SampleFlag.TEXT, ParameterKind.TEXT)):
            for series in np.unique(samples.series[(marks & np.uint8(mark)) > 0]).tolist():
                self._kinds[names[series]] = kind

    def kinds(self) -> dict[SeriesKey, ParameterKind]:
        """The series found to carry true or false, or texts."""
        return dict(self._kinds)

    def heard(self) -> dict[SeriesKey, int]:
        """The devices heard since the last call, each by one of its series, with the newest receive time."""
        return self._evaluator.take_heard()

    @property
    def evaluator(self) -> Evaluator:
        """What evaluates the conditions; for its figures."""
        return self._evaluator

    def _transitions(self, moved: Iterable[Moved | ProgramMoved]) -> list[AlarmTransition]:
        """What is told, each with its place in the order in which it was found."""
        return [msgspec.structs.replace(self._transition(one), place=place) for place, one in enumerate(moved)]

    def _transition(self, moved: Moved | ProgramMoved) -> AlarmTransition:
        found = finding(moved, self.directory)
        return transition(found, self.directory, self._annunciation(found.alarm_id, found.kind), self.seq)

    def dump(self) -> bytes:
        """All it must remember across a restart."""
        return packed(self.snapshot())

    def snapshot(self) -> bytes:
        """The same, not yet compressed: that takes as long as gathering it does, and can be done meanwhile."""
        clocks = self._clocks.offsets
        system = [_SystemRaised(factory, problem) for (factory, _), problem in self._system.items()]
        evaluator = msgspec.structs.replace(self._evaluator.state, rules=[])
        saved = _Saved(
            _FORMAT, self._annunciations, evaluator, self._calculator.state, clocks, system, self._programs.state,
            self._dumped_rules(),
        )  # fmt: skip
        return msgspec.msgpack.encode(saved)

    def _dumped_rules(self) -> bytes:
        """The rules in force, written once for many dumps: thousands of them hardly ever change."""
        if self._rules_told is None:
            self._rules_told = zlib.compress(msgspec.msgpack.encode([*self.rules.values()]), 1)
        return self._rules_told

    @classmethod
    def restored(cls, blob: bytes, seq: int, names: Mapping[int, SeriesKey]) -> AlarmEngine:
        """An engine that goes on behind row `seq` from what `dump` gave.

        Raises:
            DamagedFileError: the bytes are not what was saved, or a newer program saved them.
        """
        saved = _read(blob)
        calculator = Calculator.restored(saved.calculator or CalculatorState.starting_at(saved.evaluator.watermark_us))
        made = cls(Evaluator.restored(saved.evaluator, {**calculator.keys, **names}), seq=seq)
        made._annunciations = saved.annunciations
        made._calculator = calculator
        made._programs = _programs(saved, made._evaluator, {**calculator.keys, **names})
        made._clocks = DeviceClocks(saved.clocks)
        made._system = {(one.factory_id, one.problem.place): one.problem for one in saved.system}
        return made


def packed(snapshot: bytes) -> bytes:
    """A snapshot as it is kept."""
    return zlib.compress(snapshot, 1)


def _programs(saved: _Saved, evaluator: Evaluator, names: Mapping[int, SeriesKey]) -> Programs:
    if saved.programs is not None:
        stood = {alarm_id(one.key.factory, one.rule_id, one.key.device): one.machine for one in saved.evaluator.watches}
        return Programs.restored(saved.programs, saved.evaluator.rules, names, stood)
    made = Programs()
    made.since_us = saved.evaluator.watermark_us
    made.appear([key for key in evaluator.slots.keys if key is not None], evaluator.newest)
    made.set(saved.evaluator.rules, evaluator.newest)
    return made


def _read(blob: bytes) -> _Saved:
    try:
        plain = zlib.decompress(blob)
        stamp = msgspec.msgpack.decode(plain, type=_Stamp).format
        if stamp > _FORMAT:
            raise DamagedFileError("The saved state of the alarm engine is of a newer program: update this one.")
        if stamp == FIRST_FORMAT:
            plain = with_definitions(plain, _FORMAT)
        saved = msgspec.msgpack.decode(plain, type=_Saved)
        if not saved.rules:
            return saved
        rules = msgspec.msgpack.decode(zlib.decompress(saved.rules), type=list[RuleInForce])
        return msgspec.structs.replace(saved, evaluator=msgspec.structs.replace(saved.evaluator, rules=rules))
    except (zlib.error, msgspec.DecodeError) as error:
        raise DamagedFileError(
            f"The saved state of the alarm engine cannot be read ({error}): restore the database from a backup."
        ) from error


def _has_other_mode(one: RuleInForce, before: RuleInForce | None) -> bool:
    return before is not None and before.rule.definition.mode is not one.rule.definition.mode
