"""A journal as ingest writes it, judged live by the engine and then, from the history it became, by a back-test."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import apsw

from factoryops.alarms.evaluation import Evaluation
from factoryops.alarms.live_journal import LiveJournal
from factoryops.contracts.transitions import AlarmTransition, Why
from factoryops.domain.alarms import AlarmFacts, Priority
from factoryops.domain.identity import DeviceId, FactoryId, ParameterId
from factoryops.domain.plant import Device, Factory, Parameter
from factoryops.domain.rule import RuleInForce
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey, series_id
from factoryops.history.intake import Intake
from factoryops.history.local.store import LocalHistory
from factoryops.history.queries import History
from factoryops.history.store import HistoryStore
from factoryops.jobs.back_tests import Known, material_of
from factoryops.journal.records import ClockOffset, Entry, Gap, MessageLedger
from factoryops.journal.writer import JournalWriter
from factoryops.rules.back_test.trying import try_rule
from factoryops.rules.conditions.explanation import Explanation
from factoryops.rules.conditions.signal import STATE_NAMES
from tests.support.history_model import FACTORY, START_US

S = 1_000_000
GRACE_US = 2 * S


Leaf = tuple[str, str, float | None, float | None, tuple[tuple[int, float], ...]]
"""What a comparison said: its path, state, value and limit, and the times and values of its samples."""


class Seen(NamedTuple):
    """What happened to an alarm: a raise or clear, or what suppression by design did.

    Attributes:
        is_told: somebody was told.
        why: when the condition turned, and what its comparisons said.
    """

    device: str
    kind: str
    at_us: int
    value: float | None
    is_told: bool
    why: tuple[int, tuple[Leaf, ...], bool] | None


@dataclass
class Machine:
    """A device: what its clock is behind by, and what ingest knows of it."""

    key: str
    parameters: tuple[str, ...]
    behind_us: int = 0
    offset_us: int = 0
    newest_us: int = 0
    is_disproved: bool = False
    has_sent: bool = False
    used: set[int] = field(default_factory=set)
    level: dict[str, float] = field(default_factory=dict)

    def series(self, parameter: str) -> SeriesKey:
        return SeriesKey(FACTORY, self.key, parameter)


class RecordedPlant:
    """Writes rows: messages on time, late and out of order, watermarks, gaps and clocks that are found out."""

    def __init__(self, seed: int, machines: Sequence[Machine]) -> None:
        self._random = random.Random(seed)
        self.machines = machines
        self.watermark_us = 0
        self._untold: list[Gap] = []

    def rows(self, count: int) -> Iterator[Entry]:
        now_us = START_US + 10 * S
        self.watermark_us = now_us - GRACE_US
        yield Entry(now_us, MessageLedger(), watermark_us=self.watermark_us)
        for number in range(count):
            now_us += self._random.choice([100_000, 400_000, S, 3 * S])
            samples = [one for machine in self.machines for one in self._sent(machine, now_us)]
            if self._random.random() < 0.03:
                gap_us = self._random.randint(1, 60) * S
                now_us += gap_us
                self._untold.append(Gap(now_us - gap_us, now_us, "The broker was away.", FACTORY))
            gaps = self._told()
            clocks = (*self._disproved(), *(self._found_out() if number > count // 4 else ()))
            self.watermark_us = max(self.watermark_us, now_us - GRACE_US)
            yield Entry(
                now_us, MessageLedger(), SampleColumns.joined(samples), self.watermark_us, gaps=gaps, clocks=clocks
            )
        self.watermark_us = now_us + 600 * S
        yield Entry(now_us + 602 * S, MessageLedger(), watermark_us=self.watermark_us)

    def _told(self) -> tuple[Gap, ...]:
        """Gaps are told with the next row, or some rows later: while they still lie ahead of the watermark or not."""
        if not self._untold or self._random.random() < 0.5:
            return ()
        told, self._untold = tuple(self._untold), []
        return told

    def _sent(self, machine: Machine, now_us: int) -> Iterator[SampleColumns]:
        machine.has_sent = False
        if self._random.random() < 0.25:
            return
        lag_us = self._random.choice([0, 10_000, 700_000, S, 5 * S])
        time_us = now_us - lag_us - machine.behind_us
        if time_us in machine.used:
            return
        machine.used.add(time_us)
        machine.has_sent = True
        moment_us = time_us + machine.offset_us
        if moment_us > now_us:  # its clock was put right
            moment_us, machine.is_disproved = now_us, True
        flags = SampleFlag.UNCERTAIN if self._random.random() < 0.05 else SampleFlag.NONE
        if moment_us < max(self.watermark_us, machine.newest_us):
            flags |= SampleFlag.LATE
        else:
            machine.newest_us = moment_us
        rows = [(int(series_id(machine.series(one))), time_us, self._value(machine, one)) for one in machine.parameters]
        yield SampleColumns.of(rows, flags=int(flags))

    def _value(self, machine: Machine, parameter: str) -> float:
        before = machine.level.get(parameter, 5.0)
        level = (
            before if self._random.random() < 0.5 else min(10.0, max(0.0, before + self._random.choice([-2, -1, 1, 2])))
        )
        machine.level[parameter] = level
        return level

    def _disproved(self) -> Iterator[ClockOffset]:
        for machine in self.machines:
            if machine.is_disproved:
                machine.is_disproved, machine.offset_us = False, 0
                yield ClockOffset(FACTORY, machine.key, 0)

    def _found_out(self) -> tuple[ClockOffset, ...]:
        """The clock of a machine that runs behind is found out, or put right, now and then."""
        for machine in self.machines:
            if machine.has_sent and machine.behind_us and not machine.offset_us and self._random.random() < 0.2:
                machine.offset_us = machine.behind_us
                return (ClockOffset(FACTORY, machine.key, machine.offset_us),)
            if machine.offset_us and self._random.random() < 0.01:
                machine.behind_us = 0
        return ()


def live(
    rows: Sequence[Entry], keys: Sequence[SeriesKey], rule: RuleInForce, path: Path, *, lost: Sequence[int] = ()
) -> list[Seen]:
    """What the engine says of rows, which lie in a journal at `path` afterwards; those in places `lost` are lost."""
    with closing(JournalWriter(path)) as writer:
        numbers = [writer.append(entry, keys if number == 0 else ()) for number, entry in enumerate(rows)]
    with closing(apsw.Connection(str(path))) as connection:
        connection.executemany("DELETE FROM batch WHERE seq = ?", [(numbers[place],) for place in lost])
    with closing(LiveJournal(_derived(path), path.parent / "checkpoints", path.parent / "bells")) as told:
        evaluation = Evaluation(path, told)
        evaluation.engine.set_rules([rule])
        with closing(evaluation):
            while evaluation.turn():
                pass
    return _seen(evaluation.pending)


def _derived(path: Path) -> Path:
    return path.with_name("derived.db")


def _seen(found: Sequence[AlarmTransition]) -> list[Seen]:
    alarms: dict[str, AlarmFacts] = {}
    seen: list[Seen] = []
    for one in found:
        alarms[one.alarm_id], happened = one.moved(alarms.get(one.alarm_id, AlarmFacts(Priority.LOW)))
        told = {happening.kind.value: happening for happening in happened}
        itself = told.pop(one.kind)
        value = None if one.kind.endswith("suppressed") else one.value
        seen.append(Seen(one.device_key, one.kind, one.at_us, value, itself.is_annunciation, _told_why(one.why)))
        seen += [Seen(one.device_key, kind, other.at_us, None, True, None) for kind, other in told.items()]
    return seen


def _told_why(why: Why | None) -> tuple[int, tuple[Leaf, ...], bool] | None:
    if why is None:
        return None
    leaves = (
        (leaf.path, leaf.state, leaf.value, leaf.limit, tuple((one.at_us, one.value) for one in leaf.samples))
        for leaf in why.leaves
    )
    return why.at_us, tuple(leaves), why.is_whole


def _found_why(why: Explanation | None) -> tuple[int, tuple[Leaf, ...], bool] | None:
    if why is None:
        return None
    leaves = (
        (
            said.path,
            STATE_NAMES[said.state],
            said.value,
            said.limit,
            tuple((one.time_us, one.value) for one in said.samples),
        )
        for said in why.leaves
    )
    return why.at_us, tuple(leaves), why.is_whole


def from_history(path: Path, rule: RuleInForce, span: tuple[int, int], store: HistoryStore | None = None) -> list[Seen]:
    """What a back-test says of the history that a journal becomes, in a `history.db` or in the store that is given."""
    store = store or LocalHistory(path.with_name("history.db"))
    intake = Intake({"journal": path, "derived": _derived(path)}, store)
    with closing(store), closing(intake):
        while True:
            intake.read(most_samples=200)
            if not intake.has_news:
                break
            sheaf = intake.sheaf()
            store.append(sheaf.samples, sheaf.keys, gaps=sheaf.gaps, checkpoints=sheaf.checkpoints, clocks=sheaf.clocks)
            intake.sealed(sheaf)
        store.tidy(budget_s=0.2)
        return tried(History(store, {}), rule, span)


def tried(history: History, rule: RuleInForce, span: tuple[int, int]) -> list[Seen]:
    """What a rule would have done on a history, on every device of its scope."""
    assert rule.devices is not None
    material = material_of(_known(rule, sorted(rule.devices)), history, span)
    results = try_rule(rule, (), sorted(rule.devices), material, lambda _: None, most_shown=5_000)
    return [
        Seen(one.device, event.kind.value, event.at_us, event.value, event.is_told, _found_why(event.why))
        for one in results
        for event in one.events[0]
    ]


def _known(rule: RuleInForce, keys: Sequence[str]) -> Known:
    """The plant as the database would know it."""
    factory = FactoryId(FACTORY)
    devices = [Device(DeviceId(key), factory, key, key) for key in keys]
    parameters = [
        Parameter(
            ParameterId(f"{key}/{one}"), factory, DeviceId(key), series_id(SeriesKey(FACTORY, key, one)), one, one
        )
        for key in keys
        for one in ("pressure", "flow")
    ]
    return Known(Factory(factory, "f", "F", "Europe/Berlin"), rule, devices, parameters, [], devices)
