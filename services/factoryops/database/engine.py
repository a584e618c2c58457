"""What the alarm engine reads and records, over all factories."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from factoryops.contracts.transitions import AlarmTransition
from factoryops.database import tables
from factoryops.database.alarms import event_id
from factoryops.database.calculations import calculation_of
from factoryops.database.outbox import enqueue
from factoryops.database.plant import Devices
from factoryops.database.rows import Applied, EngineState
from factoryops.database.rules_in_force import rules_in_force
from factoryops.database.unit import Unit, portions
from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.calculations import Calculation, CalculationId
from factoryops.domain.identity import DeviceId, FactoryId, Role, RuleId, Scope
from factoryops.domain.plant import Device
from factoryops.domain.rule import RuleInForce
from factoryops.domain.system_alarms import SERVICE_KIND, system_rule_id

_STATE_ROW: Final = 1
_ACTOR: Final = "engine"


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
        """Record raises and clears; repetitions (same alarm, annunciation, kind) change nothing.

        Brings the alarms' condition facts up to the newest transition, never touching what operators wrote, adds the
        event rows, and adds a device that is not there yet.
        """
        by_factory: defaultdict[str, list[AlarmTransition]] = defaultdict(list)
        for item in transitions:
            by_factory[item.factory_id].append(item)
        parts = [_Conditions(self._unit, factory_id).apply(items) for factory_id, items in by_factory.items()]
        refused = tuple(item for part in parts for item in part.refused)
        return Applied(sum(part.recorded for part in parts), refused)


class _Conditions:
    """The condition facts of one factory's alarms."""

    def __init__(self, unit: Unit, factory_id: str) -> None:
        self._unit = unit
        self._factory_id = FactoryId(factory_id)

    def apply(self, transitions: Sequence[AlarmTransition]) -> Applied:
        """Record what is new of `transitions`."""
        self._add_system_rules(transitions)
        known = self._known_rules(transitions)
        refused = tuple(item for item in transitions if item.rule_id not in known)
        new = self._new(item for item in transitions if item.rule_id in known)
        if not new:
            return Applied(0, refused)
        self._add_devices(new)
        # The rows before the counter, as acknowledging does, so that the two never wait for each other.
        rows = self._locked(sorted({item.alarm_id for item in new}))
        first = self._unit.advance("alarms", len(new)) - len(new) + 1
        self._move(new, rows, first)
        events = [_event_row(item, number) for number, item in enumerate(new, first)]
        self._unit.insert(tables.alarm_event, events)
        enqueue(self._unit, self._factory_id, events)
        return Applied(len(new), refused)

    def _add_system_rules(self, transitions: Iterable[AlarmTransition]) -> None:
        """Alarms about the service itself hang on rules that no list shows: they count as taken out of use."""
        wanted = {item.rule_id for item in transitions if _is_of_system(item)}
        missing = sorted(wanted - self._known_rules([item for item in transitions if _is_of_system(item)]))
        hidden = {"factory_id": self._factory_id, "version": 1, "is_deleted": True, "created_us": self._unit.now_us}
        self._unit.insert(tables.rule, [hidden | {"id": identity} for identity in missing])

    def _known_rules(self, transitions: Iterable[AlarmTransition]) -> set[str]:
        table = tables.rule
        known: set[str] = set()
        for portion in portions({item.rule_id for item in transitions}):
            query = sa.select(table.c.id).where(table.c.factory_id == self._factory_id, table.c.id.in_(portion))
            known.update(row.id for row in self._unit.rows(query))
        return known

    def _new(self, transitions: Iterable[AlarmTransition]) -> list[AlarmTransition]:
        """Those without an event row, each once, in their order."""
        by_id = {_id_of(item): item for item in transitions}
        table = tables.alarm_event
        for portion in portions([*by_id]):
            query = sa.select(table.c.id).where(table.c.factory_id == self._factory_id, table.c.id.in_(portion))
            for row in self._unit.rows(query):
                del by_id[row.id]
        return [*by_id.values()]

    def _add_devices(self, transitions: Iterable[AlarmTransition]) -> None:
        wanted = {item.device_id: _device_of(item) for item in transitions}
        Devices(self._unit, Scope(self._factory_id, _ACTOR, Role.ADMIN)).ensure_many(wanted.values())

    def _move(self, transitions: Sequence[AlarmTransition], rows: dict[str, dict[str, Any]], first_change: int) -> None:
        """Bring the condition facts of each alarm up to its newest transition."""
        added: dict[str, dict[str, Any]] = {}
        for change, item in enumerate(transitions, first_change):
            now = added.get(item.alarm_id) or rows.get(item.alarm_id)
            if now is not None and not _is_newer(item, now):
                continue
            facts = _condition_of(item) | {"change": change}
            if item.alarm_id not in rows:
                added[item.alarm_id] = (now or _unanswered(item)) | facts
                continue
            rows[item.alarm_id] |= facts
            self._update(item, facts)
        self._unit.insert(tables.alarm, [*added.values()])

    def _locked(self, alarm_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        table = tables.alarm
        rows: dict[str, dict[str, Any]] = {}
        for portion in portions(alarm_ids):
            query = sa.select(table.c.id, table.c.annunciation, table.c.is_active).where(
                table.c.factory_id == self._factory_id, table.c.id.in_(portion)
            )
            for row in self._unit.rows(query.order_by(table.c.id).with_for_update()):
                rows[row.id] = {"annunciation": row.annunciation, "is_active": bool(row.is_active)}
        return rows

    def _update(self, item: AlarmTransition, facts: dict[str, Any]) -> None:
        table = tables.alarm
        self._unit.write(
            sa.update(table).where(table.c.factory_id == self._factory_id, table.c.id == item.alarm_id).values(**facts)
        )


def _is_of_system(item: AlarmTransition) -> bool:
    return item.rule_id == system_rule_id(item.factory_id, item.parameter_key)


def _device_of(item: AlarmTransition) -> Device:
    name = item.device_name or item.device_key
    kind = SERVICE_KIND if _is_of_system(item) else ""
    return Device(DeviceId(item.device_id), FactoryId(item.factory_id), item.device_key, name, kind, item.area)


def _is_newer(item: AlarmTransition, now: dict[str, Any]) -> bool:
    if item.annunciation != now["annunciation"]:
        return bool(item.annunciation > now["annunciation"])
    return item.kind == AlarmEventKind.CLEARED.value and bool(now["is_active"])


def _condition_of(item: AlarmTransition) -> dict[str, Any]:
    """What a transition says of the condition; a clear keeps when, why and with which value it was raised."""
    if item.kind == AlarmEventKind.CLEARED.value:
        return {"is_active": False, "annunciation": item.annunciation, "cleared_us": item.at_us}
    return {
        "rule_version": item.rule_version,
        "rule_name": item.rule_name,
        "unit": item.unit,
        "priority": item.priority,
        "message": item.message,
        "response": item.response,
        "is_active": True,
        "annunciation": item.annunciation,
        "raised_us": item.at_us,
        "cleared_us": None,
        "value": item.value,
    }


def _unanswered(item: AlarmTransition) -> dict[str, Any]:
    """The row of an alarm that nobody has handled yet."""
    return {
        "factory_id": item.factory_id,
        "id": item.alarm_id,
        "rule_id": item.rule_id,
        "device_id": item.device_id,
        "parameter_key": item.parameter_key,
        "series_id": item.series_id,
        "rule_version": item.rule_version,
        "rule_name": item.rule_name,
        "unit": item.unit,
        "priority": item.priority,
        "message": item.message,
        "response": item.response,
        "raised_us": None,
        "cleared_us": None,
        "value": None,
        "acknowledged_annunciation": 0,
        "acknowledged_us": None,
        "acknowledged_by": None,
        "comment": None,
    }


def _id_of(item: AlarmTransition) -> str:
    return event_id(item.factory_id, item.alarm_id, item.annunciation, AlarmEventKind(item.kind))


def _event_row(item: AlarmTransition, number: int) -> dict[str, Any]:
    return {
        "factory_id": item.factory_id,
        "id": _id_of(item),
        "alarm_id": item.alarm_id,
        "annunciation": item.annunciation,
        "kind": item.kind,
        "at_us": item.at_us,
        "value": item.value,
        "actor": None,
        "comment": None,
        "rule_name": item.rule_name,
        "device_name": item.device_name or item.device_key,
        "priority": item.priority,
        "number": number,
    }
