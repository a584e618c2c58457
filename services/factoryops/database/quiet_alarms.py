"""Rows of alarms that were never raised but by a shadow, made when somebody wants to put one aside before it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from factoryops.contracts import http
from factoryops.database import tables
from factoryops.database.alarm_rows import condition_columns, facts_of, handling_columns, write_alarms
from factoryops.database.alarms import Alarms
from factoryops.database.audit import AuditTrail
from factoryops.database.plant import Devices, Parameters
from factoryops.database.rules import Rules
from factoryops.database.unit import Unit, portions
from factoryops.domain import alarm_life
from factoryops.domain.alarms import AlarmFacts
from factoryops.domain.conditions.checking import references
from factoryops.domain.errors import UnavailableError
from factoryops.domain.identity import AlarmId, Scope, alarm_id
from factoryops.domain.plant import Device, Parameter


class QuietAlarms:
    """Alarms of a rule on devices, whether they were ever raised or not."""

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit = unit
        self._scope = scope

    def of_rule(self, rule_id: str, device_ids: Sequence[str]) -> list[http.Alarm]:
        """The rule's alarms on these devices, in their order; what was never raised gets a row, and is normal.

        So is what was raised only while the rule was a shadow.

        Raises:
            NotFoundError: there is no such rule, or one of the devices is not there.
            ConflictError: the rule is off, or only being tried.
            InvalidInputError: it is not evaluated on one of the devices.
            UnavailableError: it was a shadow until now, and what it found then still stands.
        """
        rule = Rules(self._unit, self._scope).get(rule_id)
        rule.content.definition().check_is_live()
        devices = Devices(self._unit, self._scope).get_many([*dict.fromkeys(device_ids)])
        watched = self._watched(rule, devices)
        ids = {alarm_id(self._scope.factory_id, rule.id, one.key): one for one in devices}
        there = self._there([*ids])
        quiet = {
            identity: self._row(rule, device, watched[device.id], _facts(rule.content, there.get(identity)))
            for identity, device in ids.items()
            if identity not in there or there[identity].is_shadow
        }
        if quiet:
            self._write(quiet, there)
            what = {"devices": [ids[identity].key for identity in quiet]}
            AuditTrail(self._unit, self._scope).add("alarm.prepare", rule.id, None, what)
        return Alarms(self._unit, self._scope).get_many([*ids])

    def _watched(self, rule: http.Rule, devices: Sequence[Device]) -> dict[str, Parameter | None]:
        """Of each device, by its id, the parameter that the rule looks at first."""
        definition = rule.content.definition()
        keys = [one.parameter for one in references(definition.condition) if not one.device]
        found: dict[str, dict[str, Parameter]] = {}
        for one in Parameters(self._unit, self._scope).list():
            found.setdefault(one.device_id, {})[one.key] = one
        watched: dict[str, Parameter | None] = {}
        for device in devices:
            own = found.get(device.id, {})
            definition.check_is_about(device.key, device.kind, device.area, own.keys())
            watched[device.id] = next((own[key] for key in keys if key in own), None)
        return watched

    def _there(self, alarm_ids: Sequence[str]) -> dict[str, sa.Row[Any]]:
        table = tables.alarm
        mine = sa.select(table).where(table.c.factory_id == self._scope.factory_id)
        return {
            row.id: row
            for portion in portions(alarm_ids)
            for row in self._unit.rows(mine.where(table.c.id.in_(portion)).with_for_update())
        }

    def _write(self, quiet: Mapping[AlarmId, dict[str, Any]], there: Mapping[str, sa.Row[Any]]) -> None:
        """Write rows by alarm id: new ones, and those in the place of what shadows left."""
        first = self._unit.advance("alarms", len(quiet)) - len(quiet) + 1
        rows = {identity: row | {"change": change} for change, (identity, row) in enumerate(quiet.items(), first)}
        mine = {"factory_id": self._scope.factory_id}
        self._unit.insert(tables.alarm, [mine | {"id": one} | row for one, row in rows.items() if one not in there])
        write_alarms(self._unit, self._scope.factory_id, {one: row for one, row in rows.items() if one in there})

    def _row(self, rule: http.Rule, device: Device, parameter: Parameter | None, facts: AlarmFacts) -> dict[str, Any]:
        content = rule.content
        return {
            "rule_id": rule.id,
            "device_id": device.id,
            "rule_version": rule.version,
            "rule_name": content.name,
            "parameter_key": parameter.key if parameter else "",
            "series_id": parameter.series_id if parameter else 0,
            "unit": parameter.unit if parameter else "",
            "message": "",
            "response": content.record.action,
            "value": None,
            "raised_order": 0,
            "re_alarm_s": content.re_alarm_s,
            "alarm_class": content.alarm_class,
            **condition_columns(facts),
            **handling_columns(facts),
        }


def _facts(content: http.RuleContent, shadow: sa.Row[Any] | None) -> AlarmFacts:
    """Of an alarm that was never raised, or by a shadow alone."""
    if shadow is None:
        return AlarmFacts(content.priority, is_latching=content.is_latching)
    if shadow.is_active:
        raise UnavailableError(
            "The rule has just become live, and what it found before has not ended yet: try again.", retry_after_s=5
        )
    found = alarm_life.promoted(facts_of(shadow))
    return replace(found, priority=content.priority, is_latching=content.is_latching)
