"""What the alarm engine reads and records, over all factories."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from factoryops.contracts.transitions import AlarmTransition
from factoryops.database import tables
from factoryops.database.alarm_demotion import Demotions
from factoryops.database.alarm_recording import Conditions
from factoryops.database.calculations import calculation_of
from factoryops.database.rows import Applied, EngineState
from factoryops.database.rules_in_force import rules_in_force
from factoryops.database.unit import Unit, portions
from factoryops.domain.calculations import Calculation, CalculationId
from factoryops.domain.identity import RuleId
from factoryops.domain.rule import Rule, RuleInForce, RuleMode

_STATE_ROW: Final = 1


class EngineRecords:
    """The engine's side: condition facts, its own state, the rules in force."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def load_state(self) -> EngineState | None:
        """Where the engine stands; None before its first save."""
        row = self._unit.row(sa.select(tables.engine_state).where(tables.engine_state.c.id == _STATE_ROW))
        return None if row is None else EngineState(msgspec.json.decode(row.seq, type=dict[str, int]), row.blob)

    def save_state(self, state: EngineState) -> None:
        """Record where the engine stands, together with whatever else this transaction holds."""
        table = tables.engine_state
        row: dict[str, Any] = {
            "seq": msgspec.json.encode(dict(state.seq)).decode(),
            "blob": state.blob,
            "saved_us": self._unit.now_us,
        }
        if not self._unit.write(sa.update(table).where(table.c.id == _STATE_ROW).values(**row)):
            self._unit.insert(table, [row | {"id": _STATE_ROW}])

    def rules_change(self) -> int:
        """Grows with every change of a rule of any factory."""
        return self._unit.counted("rules")

    def current_rules(self) -> list[RuleInForce]:
        """The rules of every factory that are not off, in their present version, with all they depend on resolved."""
        return rules_in_force(self._unit)

    def mark_rule_holds(self, rule_id: RuleId | str, version: int, seq: int) -> None:
        """Record the journal sequence from which a version holds; the first mark stays."""
        table = tables.rule_version
        mine = sa.and_(table.c.rule_id == rule_id, table.c.version == version)
        self._unit.write(
            sa.update(table).where(mine, table.c.holds_from_seq.is_(None)).values(holds_from_seq=seq),
            every_factory=True,
        )

    def end_demoted(self, rules: Iterable[Rule]) -> None:
        """End what rules raised while they were live, now that these versions of them hold, which are shadows."""
        for one in rules:
            if one.definition.mode is RuleMode.SHADOW:
                Demotions(self._unit, one.factory_id).end(one.id, one.version)

    def note_rule_faults(self, faults: Mapping[tuple[RuleId, int], str]) -> None:
        """Record why rules are stopped; `faults` is by id and version. Clients are told with the next look."""
        table = tables.rule_version
        for portion in portions({rule_id for rule_id, _ in faults}):
            query = sa.select(table.c.factory_id, table.c.rule_id, table.c.version)
            query = query.where(table.c.rule_id.in_(portion), table.c.fault.is_(None))
            for row in self._unit.rows(query, every_factory=True):
                fault = faults.get((RuleId(row.rule_id), row.version))
                if fault is not None:
                    mine = sa.and_(table.c.factory_id == row.factory_id, table.c.rule_id == row.rule_id)
                    self._unit.write(sa.update(table).where(mine, table.c.version == row.version).values(fault=fault))
                    self._unit.plant_changed(row.factory_id)

    def current_calculations(self) -> list[Calculation]:
        """The enabled calculations of every factory in their present version."""
        table = tables.calculation
        query = sa.select(table).where(table.c.is_deleted.is_(False), table.c.is_enabled.is_(True))
        rows = self._unit.rows(query.order_by(table.c.factory_id, table.c.id), every_factory=True)
        return [calculation_of(row) for row in rows]

    def mark_calculation_holds(self, identity: CalculationId, version: int, seq: int) -> None:
        """Record the journal sequence from which a calculation's version holds; the first mark stays."""
        table = tables.calculation
        mine = sa.and_(table.c.id == identity, table.c.version == version)
        self._unit.write(
            sa.update(table).where(mine, table.c.holds_from_seq.is_(None)).values(holds_from_seq=seq),
            every_factory=True,
        )

    def note_faults(self, faults: Mapping[tuple[str, int], str]) -> None:
        """Record why calculations are stopped; `faults` is by id and version."""
        table = tables.calculation
        is_new = sa.and_(table.c.fault.is_(None), table.c.is_deleted.is_(False))
        for portion in portions({identity for identity, _ in faults}):
            query = sa.select(table.c.id, table.c.version).where(table.c.id.in_(portion), is_new)
            for row in self._unit.rows(query, every_factory=True):
                mine = sa.and_(table.c.id == row.id, table.c.version == row.version, is_new)
                fault = faults.get((row.id, row.version))
                if fault is not None:
                    self._unit.write(sa.update(table).where(mine).values(fault=fault), every_factory=True)

    def apply(self, transitions: Sequence[AlarmTransition]) -> Applied:
        """Record what the conditions did; repetitions change nothing.

        Brings the alarms' condition facts up to the newest transition, adds the event rows, and adds a device that is
        not there yet. What operators wrote stays, but for two things: where suppression by design ends, the alarm is
        announced again or needs no answer any more, and a shadow ends what its rule raised while it was live
        (docs/decisions/0032).
        """
        by_factory: defaultdict[str, list[AlarmTransition]] = defaultdict(list)
        for item in transitions:
            by_factory[item.factory_id].append(item)
        parts = [Conditions(self._unit, factory_id).apply(items) for factory_id, items in by_factory.items()]
        refused = tuple(item for part in parts for item in part.refused)
        return Applied(sum(part.recorded for part in parts), refused)
