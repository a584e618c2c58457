"""Rules that the clock evaluates over history: kept for people, planned for the clock, settled by the worker."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from factoryops.contracts import http
from factoryops.contracts.http.scheduled_rules import check_parameters
from factoryops.contracts.transitions import AlarmTransition, Why
from factoryops.database import organisation_tables, tables
from factoryops.database.engine import EngineRecords
from factoryops.database.organisation import Shifts
from factoryops.database.unit import Unit
from factoryops.database.versioned import VersionedRows
from factoryops.database.whys import WhyRecords
from factoryops.domain.alarms import AlarmEventKind
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.identity import FactoryId, Scope, alarm_id, device_id
from factoryops.domain.organisation import check_name
from factoryops.domain.rule import RuleScope
from factoryops.domain.samples import SeriesKey, series_id
from factoryops.domain.scheduled_rules import MOST_SCHEDULED_RULES
from factoryops.domain.time import from_us


@dataclass(frozen=True, slots=True)
class PlannedRule:
    """A scheduled rule of any factory, for the clock."""

    factory_id: FactoryId
    timezone: str
    local_time: str
    days: tuple[int, ...]
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a scheduled rule came to on one device.

    Attributes:
        at_us: when it was due.
        value: the figure; None of a rule that was withdrawn.
        why: the figure, its span and how complete the data were.
    """

    rule: http.ScheduledRule
    device_key: str
    device_name: str
    area: str
    unit: str
    is_true: bool
    at_us: int
    value: float | None
    message: str
    why: Why | None


class ScheduledRules:
    """The factory's scheduled rules; every change writes its audit entry.

    An alarm hangs on a rule, so each of them has a row among the rules as well, which no list of rules shows.
    """

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit = unit
        self._scope = scope
        self._rows = VersionedRows(
            unit, scope, organisation_tables.scheduled_rule, http.ScheduledRuleContent, "scheduled rule",
            "scheduled_rule",
        )  # fmt: skip

    def list(self) -> list[http.ScheduledRule]:
        """All, by name."""
        return [self._told(row) for row in self._rows.all()]

    def get(self, identity: str) -> http.ScheduledRule:
        """One, or NotFoundError."""
        return self._told(self._rows.one(identity))

    def create(self, content: http.ScheduledRuleContent) -> http.ScheduledRule:
        """Add one.

        Raises:
            ConflictError: the name is taken.
            InvalidInputError: there is no such parameter or shift, or there are too many scheduled rules.
        """
        self._unit.take_turn(self._scope.factory_id)
        if len(self._rows.all()) >= MOST_SCHEDULED_RULES:
            raise InvalidInputError(f"A factory has at most {MOST_SCHEDULED_RULES} scheduled rules.")
        self._check(content, "")
        identity = self._rows.add(content.name, content)
        hidden = {"version": 1, "is_deleted": True, "created_us": self._unit.now_us}
        self._unit.insert(tables.rule, [hidden | {"factory_id": self._scope.factory_id, "id": identity}])
        return self.get(identity)

    def update(self, identity: str, version: int, content: http.ScheduledRuleContent) -> http.ScheduledRule:
        """Change one; alarms on devices that are no longer its own are cleared.

        Raises:
            ConflictError: `version` is not the present one.
        """
        self._unit.take_turn(self._scope.factory_id)
        before = self.get(identity)
        self._check(content, identity)
        self._rows.put(identity, version, content.name, content)
        self._withdraw(before, content.scope if content.is_enabled else None)
        return self.get(identity)

    def delete(self, identity: str) -> None:
        """Take one away and clear its alarms; their history stays."""
        self._unit.take_turn(self._scope.factory_id)
        before = self.get(identity)
        self._rows.remove(identity)
        self._withdraw(before, None)

    def settle(self, verdicts: Sequence[Verdict]) -> int:
        """Raise and clear what the verdicts say, as the engine does; answers how many alarms moved.

        Repeating it moves nothing more. A verdict on a rule that was changed meanwhile is out of date and passed over.
        """
        held = {one.id: one.version for one in self.list()}
        present = [one for one in verdicts if held.get(one.rule.id) == one.rule.version]
        moves = [move for one in present if (move := self._move(one)) is not None]
        EngineRecords(self._unit).apply(moves)
        WhyRecords(self._unit).record(moves)
        return len(moves)

    def withdraw_strays(self, rules: Sequence[http.ScheduledRule]) -> int:
        """Clear the alarms of rules on devices that changed their kind or area and are no longer meant.

        A rule that was changed meanwhile has been seen to by its change and is passed over. Answers how many moved.
        """
        held = {one.id: one for one in self.list()}
        present = [one for one in rules if one.id in held and held[one.id].version == one.version]
        return sum(self._withdraw(one, one.content.scope) for one in present)

    # --- inside ------------------------------------------------------------------------------------------------------

    def _move(self, verdict: Verdict) -> AlarmTransition | None:
        """The transition from what the alarm is to what the verdict says; None when it is so already.

        A verdict of an attempt that was repeated late may be older than what moved the alarm last: that one stands.
        """
        is_active, annunciation, moved_us = self._present(verdict.rule.id, verdict.device_key)
        if is_active == verdict.is_true or verdict.at_us < moved_us:
            return None
        return _transition(self._scope.factory_id, verdict, annunciation + verdict.is_true)

    def _present(self, rule_id: str, device_key: str) -> tuple[bool, int, int]:
        """Whether the alarm stands, how often it was raised, and when it moved last."""
        alarm = tables.alarm
        identity = alarm_id(self._scope.factory_id, rule_id, device_key)
        row = self._unit.row(
            sa.select(alarm.c.is_active, alarm.c.annunciation, alarm.c.raised_us, alarm.c.cleared_us)
            .where(alarm.c.factory_id == self._scope.factory_id, alarm.c.id == identity)
            .with_for_update()
        )
        if row is None:
            return False, 0, 0
        return bool(row.is_active), row.annunciation, max(row.raised_us or 0, row.cleared_us or 0)

    def _withdraw(self, rule: http.ScheduledRule, kept: RuleScope | None) -> int:
        """Clear the alarms of a rule on devices outside the scope, all of them without one; answers how many."""
        cleared = [
            _transition(self._scope.factory_id, _withdrawn(rule, row, self._unit.now_us), row.annunciation)
            for row in self._standing(rule.id)
            if kept is None or not kept.covers(row.key, row.kind, row.area)
        ]
        EngineRecords(self._unit).apply(cleared)
        return len(cleared)

    def _standing(self, rule_id: str) -> Sequence[sa.Row[Any]]:
        """The alarms of a rule that are active, each with its device; locked."""
        alarm, device = tables.alarm, tables.device
        of_device = sa.and_(device.c.factory_id == alarm.c.factory_id, device.c.id == alarm.c.device_id)
        mine = sa.and_(alarm.c.factory_id == self._scope.factory_id, alarm.c.rule_id == rule_id)
        query = sa.select(device.c.key, device.c.name, device.c.kind, device.c.area, alarm.c.annunciation)
        return self._unit.rows(query.join(device, of_device).where(mine, alarm.c.is_active).with_for_update(of=alarm))

    def _check(self, content: http.ScheduledRuleContent, identity: str) -> None:
        check_name(content.name, (row.name for row in self._rows.all() if row.id != identity))
        if content.shift_id is not None:
            Shifts(self._unit, self._scope).get(content.shift_id)
        keys = self._keys_of({*content.devices, *(one.device for one in content.references if one.device)})
        check_parameters(content, lambda device, parameter: (device, parameter) in keys)

    def _keys_of(self, devices: Collection[str]) -> set[tuple[str, str]]:
        """The parameters of some devices, as the device's key and its own."""
        device, parameter = tables.device, tables.parameter
        of_device = sa.and_(parameter.c.factory_id == device.c.factory_id, parameter.c.device_id == device.c.id)
        query = sa.select(device.c.key.label("device"), parameter.c.key).join(parameter, of_device)
        mine = sa.and_(device.c.factory_id == self._scope.factory_id, device.c.key.in_([*devices]))
        return {(row.device, row.key) for row in self._unit.rows(query.where(mine))}

    def _told(self, row: sa.Row[Any]) -> http.ScheduledRule:
        return http.ScheduledRule(
            id=row.id, version=row.version, content=self._rows.read(row), changed_by=row.changed_by,
            changed_at=from_us(row.changed_us),
        )  # fmt: skip


def planned_rules(unit: Unit) -> list[PlannedRule]:
    """The scheduled rules of every factory that are switched on, for the clock."""
    table, factory = organisation_tables.scheduled_rule, tables.factory
    query = sa.select(table.c.factory_id, table.c.content, table.c.changed_us, factory.c.timezone).join(
        factory, factory.c.id == table.c.factory_id
    )
    found = []
    for row in unit.rows(query, every_factory=True):
        content = http.ScheduledRuleContent.model_validate_json(row.content)
        if content.is_enabled:
            found.append(
                PlannedRule(
                    FactoryId(row.factory_id), row.timezone, content.local_time, tuple(content.days),
                    from_us(row.changed_us),
                )
            )  # fmt: skip
    return found


def _withdrawn(rule: http.ScheduledRule, device: sa.Row[Any], at_us: int) -> Verdict:
    return Verdict(
        rule=rule, device_key=device.key, device_name=device.name, area=device.area, unit="",
        is_true=False, at_us=at_us, value=None,
        message="The rule no longer holds for this device.", why=None,
    )  # fmt: skip


def _transition(factory_id: FactoryId, verdict: Verdict, annunciation: int) -> AlarmTransition:
    content = verdict.rule.content
    parameter_key = next(iter(content.own_parameters), "")
    kind = AlarmEventKind.RAISED if verdict.is_true else AlarmEventKind.CLEARED
    return AlarmTransition(
        factory_id=factory_id,
        alarm_id=alarm_id(factory_id, verdict.rule.id, verdict.device_key),
        rule_id=verdict.rule.id,
        rule_version=verdict.rule.version,
        rule_name=content.name,
        device_id=device_id(factory_id, verdict.device_key),
        device_key=verdict.device_key,
        device_name=verdict.device_name,
        area=verdict.area,
        parameter_key=parameter_key,
        series_id=series_id(SeriesKey(factory_id, verdict.device_key, parameter_key)),
        unit=verdict.unit,
        priority=int(content.priority),
        kind=kind.value,
        annunciation=annunciation,
        at_us=verdict.at_us,
        value=verdict.value,
        message=verdict.message,
        response=content.response,
        seq=0,
        is_recorded=True,
        why=verdict.why,
    )
