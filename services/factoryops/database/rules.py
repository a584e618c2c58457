"""Alarm rules of one factory; every version is kept."""

from __future__ import annotations

import builtins
from collections import defaultdict
from typing import Any, Final

import sqlalchemy as sa

from factoryops.contracts import http
from factoryops.database import tables
from factoryops.database.audit import AuditTrail
from factoryops.database.plant import Devices
from factoryops.database.unit import Unit
from factoryops.domain.errors import ConflictError, NotFoundError
from factoryops.domain.identity import RuleId, Scope, new_id
from factoryops.domain.rules import Comparison, Priority, ThresholdRule
from factoryops.domain.time import from_us

_PLAIN_FIELDS: Final = (
    "name", "parameter_key", "deadband", "on_delay_s", "off_delay_s", "is_enabled", "response",
)  # fmt: skip


class Rules:
    """The factory's rules; every change writes its audit entry."""

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit = unit
        self._scope = scope

    def list(self) -> builtins.list[http.Rule]:
        """All in use, by name."""
        rows = self._unit.rows(self._select().order_by(tables.rule_version.c.name, tables.rule_version.c.rule_id))
        devices = self._devices_of(None)
        return [_rule_of(row, devices[row.rule_id]) for row in rows]

    def get(self, rule_id: RuleId | str) -> http.Rule:
        """One in use, or NotFoundError."""
        row = self._unit.row(self._select().where(tables.rule.c.id == rule_id))
        if row is None:
            raise NotFoundError("There is no such rule.")
        return _rule_of(row, self._devices_of(rule_id)[row.rule_id])

    def create(self, content: http.RuleContent, actor: str) -> http.Rule:
        """Add one.

        Raises:
            InvalidInputError: a field cannot be used.
            NotFoundError: a device is not of this factory.
        """
        rule_id = RuleId(new_id())
        self._check(rule_id, 1, content)
        row: dict[str, Any] = {
            "factory_id": self._scope.factory_id,
            "id": rule_id,
            "version": 1,
            "is_deleted": False,
            "created_us": self._unit.now_us,
        }
        self._unit.insert(tables.rule, [row])
        self._add_version(rule_id, 1, content, actor)
        return self._changed("rule.create", rule_id, None, content)

    def update(self, rule_id: RuleId | str, version: int, content: http.RuleContent, actor: str) -> http.Rule:
        """Put a new version in force; raises ConflictError unless `version` is the present one."""
        before = self.get(rule_id)
        self._check(RuleId(rule_id), version + 1, content)
        table = tables.rule
        taken = self._unit.write(
            sa.update(table)
            .where(
                table.c.factory_id == self._scope.factory_id,
                table.c.id == rule_id,
                table.c.version == version,
                table.c.is_deleted.is_(False),
            )
            .values(version=version + 1)
        )
        if not taken:
            raise ConflictError("Somebody else changed this rule meanwhile: look at it again and repeat your change.")
        self._add_version(RuleId(rule_id), version + 1, content, actor)
        return self._changed("rule.update", rule_id, before.content, content)

    def delete(self, rule_id: RuleId | str) -> None:
        """Take it out of use; its alarms and their history stay."""
        before = self.get(rule_id)
        table = tables.rule
        self._unit.write(
            sa.update(table)
            .where(table.c.factory_id == self._scope.factory_id, table.c.id == rule_id)
            .values(is_deleted=True)
        )
        self._note("rule.delete", rule_id, before.content, None)

    def _check(self, rule_id: RuleId, version: int, content: http.RuleContent) -> None:
        ThresholdRule(
            id=rule_id,
            factory_id=self._scope.factory_id,
            version=version,
            name=content.name,
            parameter_key=content.parameter_key,
            comparison=content.comparison,
            limit=content.limit,
            priority=content.priority,
            deadband=content.deadband,
            on_delay_s=content.on_delay_s,
            off_delay_s=content.off_delay_s,
        ).check()
        Devices(self._unit, self._scope).get_many(content.device_ids)

    def _add_version(self, rule_id: RuleId, version: int, content: http.RuleContent, actor: str) -> None:
        own: dict[str, Any] = {"factory_id": self._scope.factory_id, "rule_id": rule_id, "version": version}
        row: dict[str, Any] = {field: getattr(content, field) for field in _PLAIN_FIELDS}
        row |= {"comparison": content.comparison.value, "priority": int(content.priority), "limit_value": content.limit}
        row |= {"changed_by": actor, "changed_us": self._unit.now_us, "holds_from_seq": None}
        self._unit.insert(tables.rule_version, [own | row])
        devices = [own | {"device_id": device_id} for device_id in dict.fromkeys(content.device_ids)]
        self._unit.insert(tables.rule_device, devices)

    def _changed(
        self, action: str, rule_id: RuleId | str, old: http.RuleContent | None, new: http.RuleContent
    ) -> http.Rule:
        self._note(action, rule_id, old, new)
        return self.get(rule_id)

    def _note(
        self, action: str, rule_id: RuleId | str, old: http.RuleContent | None, new: http.RuleContent | None
    ) -> None:
        was, becomes = (content and content.model_dump(mode="json") for content in (old, new))
        AuditTrail(self._unit, self._scope).add(action, rule_id, was, becomes)
        self._unit.advance("rules")
        self._unit.plant_changed(self._scope.factory_id)

    def _select(self) -> sa.Select[Any]:
        rule, content = tables.rule, tables.rule_version
        return (
            sa.select(content)
            .join(rule, sa.and_(content.c.factory_id == rule.c.factory_id, in_force()))
            .where(rule.c.factory_id == self._scope.factory_id, rule.c.is_deleted.is_(False))
        )

    def _devices_of(self, rule_id: RuleId | str | None) -> defaultdict[str, builtins.list[str]]:
        """Device ids by rule id, of the versions in force; all rules when none is named."""
        rule, chosen = tables.rule, tables.rule_device
        query = (
            sa.select(chosen.c.rule_id, chosen.c.device_id)
            .join(
                rule,
                sa.and_(
                    chosen.c.factory_id == rule.c.factory_id,
                    chosen.c.rule_id == rule.c.id,
                    chosen.c.version == rule.c.version,
                ),
            )
            .where(rule.c.factory_id == self._scope.factory_id)
            .order_by(chosen.c.device_id)
        )
        if rule_id is not None:
            query = query.where(rule.c.id == rule_id)
        devices: defaultdict[str, builtins.list[str]] = defaultdict(list)
        for row in self._unit.rows(query):
            devices[row.rule_id].append(row.device_id)
        return devices


def in_force() -> sa.ColumnElement[bool]:
    """Joins a rule with its present version; the caller adds the factory."""
    rule, content = tables.rule, tables.rule_version
    return sa.and_(content.c.rule_id == rule.c.id, content.c.version == rule.c.version)


def _rule_of(row: sa.Row[Any], device_ids: list[str]) -> http.Rule:
    content = http.RuleContent(
        name=row.name,
        parameter_key=row.parameter_key,
        comparison=Comparison(row.comparison),
        limit=row.limit_value,
        priority=Priority(row.priority),
        device_ids=device_ids,
        deadband=row.deadband,
        on_delay_s=row.on_delay_s,
        off_delay_s=row.off_delay_s,
        is_enabled=bool(row.is_enabled),
        response=row.response,
    )
    return http.Rule(
        id=row.rule_id,
        version=row.version,
        content=content,
        changed_by=row.changed_by,
        changed_at=from_us(row.changed_us),
        holds_from_seq=row.holds_from_seq,
    )
