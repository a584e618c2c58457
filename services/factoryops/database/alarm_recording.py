"""What the engine says of conditions, recorded in one factory's alarms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any, Final

import sqlalchemy as sa

from factoryops.contracts.transitions import AlarmTransition
from factoryops.database import tables
from factoryops.database.alarm_demotion import Demotions
from factoryops.database.alarm_rows import (
    add_events,
    condition_columns,
    event_id,
    event_row,
    facts_of,
    handling_columns,
    write_alarms,
)
from factoryops.database.plant import Devices
from factoryops.database.rows import Applied
from factoryops.database.unit import Unit, portions
from factoryops.domain import alarm_life
from factoryops.domain.alarm_life import Deed, Happening
from factoryops.domain.alarms import AlarmEventKind, AlarmFacts, Priority
from factoryops.domain.identity import DeviceId, FactoryId, Role, Scope
from factoryops.domain.plant import Device
from factoryops.domain.system_alarms import SERVICE_KIND, system_rule_id

_ACTOR: Final = "engine"


class Conditions:
    """The condition facts of one factory's alarms."""

    def __init__(self, unit: Unit, factory_id: str) -> None:
        self._unit = unit
        self._factory_id = FactoryId(factory_id)
        self._demotions = Demotions(unit, factory_id)

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
        alarms = self._locked(sorted({item.alarm_id for item in new}))
        self._move(new, alarms)
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

    def _locked(self, alarm_ids: Sequence[str]) -> dict[str, _Recorded]:
        table = tables.alarm
        alarms: dict[str, _Recorded] = {}
        for portion in portions(alarm_ids):
            query = sa.select(table).where(table.c.factory_id == self._factory_id, table.c.id.in_(portion))
            for row in self._unit.rows(query.order_by(table.c.id).with_for_update()):
                described = {name: getattr(row, name) for name in _DESCRIBED}
                alarms[row.id] = _Recorded(facts_of(row), described, is_there=True)
        return alarms

    def _move(self, transitions: Sequence[AlarmTransition], alarms: dict[str, _Recorded]) -> None:
        """Bring the alarms up to their newest transitions and record what that means."""
        happened = []
        for item in transitions:
            alarm = alarms.get(item.alarm_id)
            if alarm is None:
                alarm = alarms[item.alarm_id] = _Recorded(
                    AlarmFacts(Priority(item.priority)), _described(item), is_there=False, first=item
                )
            if alarm.is_demoted_by(item):
                deed = self._demotions.deed(item.rule_id, item.rule_version)
                happened += [(item, alarm.facts, one) for one in alarm.withdraw(deed)]
            happened += [(item, alarm.facts, one) for one in alarm.take(item)]
        first = self._unit.advance("alarms", len(happened)) - len(happened) + 1
        numbered = [*enumerate(happened, first)]
        changes = {item.alarm_id: number for number, (item, _, _) in numbered}
        self._write(alarms, changes)
        add_events(
            self._unit,
            self._factory_id,
            [
                event_row(self._factory_id, _named(item), facts, one, number) | {"value": _value_of(item, one.kind)}
                for number, (item, facts, one) in numbered
            ],
        )

    def _write(self, alarms: dict[str, _Recorded], changes: dict[str, int]) -> None:
        there = {identity: one for identity, one in alarms.items() if one.is_there and one.has_moved}
        write_alarms(
            self._unit,
            self._factory_id,
            {identity: one.condition() | {"change": changes[identity]} for identity, one in there.items()},
        )
        handled = {identity: handling_columns(one.facts) for identity, one in there.items() if one.was_handled}
        write_alarms(self._unit, self._factory_id, handled)
        self._unit.insert(
            tables.alarm,
            [
                one.row() | {"factory_id": self._factory_id, "change": changes[identity]}
                for identity, one in alarms.items()
                if not one.is_there
            ],
        )


class _Recorded:
    """An alarm while transitions are taken.

    Attributes:
        facts: as of the newest transition taken.
        has_moved: some transition was news to it.
        was_handled: facts that are operators' have changed with them.
    """

    def __init__(
        self, facts: AlarmFacts, described: dict[str, Any], *, is_there: bool, first: AlarmTransition | None = None
    ) -> None:
        self.facts = facts
        self.is_there = is_there
        self.has_moved = self.was_handled = False
        self._described = described
        self._first = first

    def take(self, item: AlarmTransition) -> Sequence[Any]:
        """Take a transition; answers what happened."""
        before = self.facts
        self.facts, happened = item.moved(before)
        if self.facts.annunciation > before.annunciation and item.kind == AlarmEventKind.RAISED.value:
            self._described = _described(item)
        self._note_change(before)
        return happened

    def is_demoted_by(self, item: AlarmTransition) -> bool:
        """Whether it was a live rule's, and a shadow takes it over with this raise."""
        is_raise = item.kind == AlarmEventKind.RAISED.value and item.annunciation > self.facts.annunciation
        return is_raise and item.is_shadow and not self.facts.is_shadow

    def withdraw(self, deed: Deed) -> Sequence[Happening]:
        """End what still stands of it; answers what happened."""
        before = self.facts
        self.facts, happened = alarm_life.withdrawn(before, deed)
        self._note_change(before)
        return happened

    def _note_change(self, before: AlarmFacts) -> None:
        self.has_moved |= self.facts != before
        self.was_handled |= handling_columns(self.facts) != handling_columns(before)

    def condition(self) -> dict[str, Any]:
        """The columns of the condition."""
        return self._described | condition_columns(self.facts)

    def row(self) -> dict[str, Any]:
        """The whole row of an alarm that was not there."""
        assert self._first is not None  # noqa: S101 - who is not there was made from its first transition
        return _identity(self._first) | self.condition() | handling_columns(self.facts)


def _is_of_system(item: AlarmTransition) -> bool:
    return item.rule_id == system_rule_id(item.factory_id, item.parameter_key)


def _device_of(item: AlarmTransition) -> Device:
    name = item.device_name or item.device_key
    kind = SERVICE_KIND if _is_of_system(item) else ""
    return Device(DeviceId(item.device_id), FactoryId(item.factory_id), item.device_key, name, kind, item.area)


_DESCRIBED: Final = (
    "rule_version", "rule_name", "parameter_key", "series_id", "unit", "message", "response", "value", "raised_order",
    "re_alarm_s", "alarm_class",
)  # fmt: skip


def _described(item: AlarmTransition) -> dict[str, Any]:
    """What is kept of a raise until the next: when, why, of which parameter and with which value it was."""
    is_raise = item.kind == AlarmEventKind.RAISED.value
    return {
        "rule_version": item.rule_version,
        "rule_name": item.rule_name,
        "parameter_key": item.parameter_key,
        "series_id": item.series_id,
        "unit": item.unit,
        "message": item.message,
        "response": item.response,
        "value": item.value if is_raise else None,
        "raised_order": item.order,
        "re_alarm_s": item.re_alarm_s,
        "alarm_class": item.alarm_class,
    }


def _identity(item: AlarmTransition) -> dict[str, Any]:
    return {
        "id": item.alarm_id,
        "rule_id": item.rule_id,
        "device_id": item.device_id,
    }


def _named(item: AlarmTransition) -> SimpleNamespace:
    return SimpleNamespace(id=item.alarm_id, rule_name=item.rule_name, device_name=item.device_name or item.device_key)


def _value_of(item: AlarmTransition, kind: AlarmEventKind) -> float | None:
    return item.value if kind.value == item.kind else None


def _id_of(item: AlarmTransition) -> str:
    """The id of the event that a transition says."""
    (said, *_) = item.moved(AlarmFacts(Priority(item.priority), annunciation=item.annunciation))[1]
    return event_id(item.factory_id, item.alarm_id, said)
