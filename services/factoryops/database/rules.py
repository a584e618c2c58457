"""Alarm rules of one factory; every version is kept."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Iterable
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from factoryops.contracts import http
from factoryops.contracts.rule_import import import_rules
from factoryops.contracts.rule_versions import version_among
from factoryops.database import notification_tables, organisation_tables, tables
from factoryops.database.audit import AuditTrail
from factoryops.database.kept_philosophy import kept_philosophy
from factoryops.database.rule_load import check_number, forget_number
from factoryops.database.unit import Unit, portions
from factoryops.domain.conditions.checking import references
from factoryops.domain.errors import InvalidInputError, NotFoundError, OutdatedError
from factoryops.domain.identity import RuleId, Scope, new_id
from factoryops.domain.rule import RuleDefinition
from factoryops.domain.rule_names import check_names, check_not_followed
from factoryops.domain.time import from_us

_IMPORTED: Final = "imported from the original product"


class Rules:
    """The factory's rules; every change writes its audit entry."""

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit = unit
        self._scope = scope

    def list(self) -> builtins.list[http.Rule]:
        """All in use, by name."""
        rows = self._unit.rows(self._select().order_by(tables.rule_version.c.name, tables.rule_version.c.rule_id))
        return [_told(row) for row in rows]

    def get(self, rule_id: RuleId | str) -> http.Rule:
        """One in use, or NotFoundError."""
        row = self._unit.row(self._select().where(tables.rule.c.id == rule_id))
        if row is None:
            raise NotFoundError("There is no such rule.")
        return _told(row)

    def create(self, content: http.RuleContent, actor: str, reason: str = "") -> http.Rule:
        """Add one; raises InvalidInputError when it cannot be used, or names something that is not there."""
        rule_id = RuleId(new_id())
        definition = self._checked(content)
        check_number(self._unit, self._scope.factory_id, rule_id, definition)
        row: dict[str, Any] = {
            "factory_id": self._scope.factory_id,
            "id": rule_id,
            "version": 1,
            "is_deleted": False,
            "created_us": self._unit.now_us,
        }
        self._unit.insert(tables.rule, [row])
        self._add_version(rule_id, 1, definition, actor, reason)
        self._note("rule.create", rule_id, None, content, reason)
        return self.get(rule_id)

    def update(
        self, rule_id: RuleId | str, version: int, content: http.RuleContent, actor: str, reason: str = ""
    ) -> http.Rule:
        """Put a new version in force; raises as `create`, and OutdatedError unless `version` is the present one."""
        before = self.get(rule_id)
        definition = self._checked(content, str(rule_id))
        check_number(self._unit, self._scope.factory_id, str(rule_id), definition)
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
            raise OutdatedError("Somebody else changed this rule meanwhile: look at it again and repeat your change.")
        self._add_version(RuleId(rule_id), version + 1, definition, actor, reason)
        self._note("rule.update", rule_id, before.content, content, reason)
        return self.get(rule_id)

    def delete(self, rule_id: RuleId | str, reason: str = "") -> None:
        """Take it out of use; its alarms and their history stay. Raises ConflictError while other rules follow it."""
        self._unit.take_turn(self._scope.factory_id)
        before = self.get(rule_id)
        check_not_followed(str(rule_id), ((rule.id, rule.content.definition()) for rule in self.list()))
        table = tables.rule
        self._unit.write(
            sa.update(table)
            .where(table.c.factory_id == self._scope.factory_id, table.c.id == rule_id)
            .values(is_deleted=True)
        )
        forget_number(self._unit, self._scope.factory_id, str(rule_id))
        self._note("rule.delete", rule_id, before.content, None, reason)

    def versions(self, rule_id: RuleId | str) -> builtins.list[http.Rule]:
        """Every version of one, the newest first; of one that was taken out of use too."""
        table = tables.rule_version
        query = sa.select(table).where(table.c.factory_id == self._scope.factory_id, table.c.rule_id == rule_id)
        rows = self._unit.rows(query.order_by(table.c.version.desc()))
        if not rows:
            raise NotFoundError("There is no such rule.")
        return [_told(row) for row in rows]

    def version(self, rule_id: RuleId | str, version: int) -> http.Rule:
        """One version; raises NotFoundError."""
        return version_among(self.versions(rule_id), version)

    def roll_back(self, rule_id: RuleId | str, wanted: http.RuleRollBack, actor: str) -> http.Rule:
        """Put an older content in force again, as a new version; raises as `update` does."""
        older = self.version(rule_id, wanted.to_version)
        return self.update(rule_id, wanted.version, older.content, actor, wanted.reason)

    def take_over(self, request: http.RuleImport, actor: str) -> http.RuleImportReport:
        """Import the original product's rules, or say what would come of it."""
        names = [rule.content.name for rule in self.list()]
        return import_rules(
            request, names, self._checked, lambda content: self.create(content, actor, request.reason or _IMPORTED)
        )

    # --- inside ------------------------------------------------------------------------------------------------------

    def _checked(self, content: http.RuleContent, own_id: str = "") -> RuleDefinition:
        definition = content.definition()
        definition.check()
        self._check_class(definition.alarm_class)
        if definition.shifts or definition.notify or definition.parent_rule:
            self._unit.take_turn(self._scope.factory_id)
            check_names(definition, _Known(self._unit, self._scope), own_id=own_id)
        self._check_devices("scope", definition.scope.devices)
        for condition in definition.conditions:
            self._check_devices("condition", {one.device for one in references(condition) if one.device})
        return definition

    def _check_class(self, class_id: str) -> None:
        """Raise InvalidInputError unless the factory has the class, and keep it from being removed meanwhile."""
        if class_id:
            self._unit.take_turn(self._scope.factory_id)
            kept_philosophy(self._unit, self._scope.factory_id).philosophy().check_class(class_id)

    def _check_devices(self, field: str, keys: Iterable[str]) -> None:
        """Raise InvalidInputError unless the factory has every device."""
        table, wanted = tables.device, dict.fromkeys(keys)
        known: set[str] = set()
        for portion in portions([*wanted]):
            query = sa.select(table.c.key).where(table.c.factory_id == self._scope.factory_id, table.c.key.in_(portion))
            known.update(row.key for row in self._unit.rows(query))
        missing = next((key for key in wanted if key not in known), None)
        if missing is not None:
            raise InvalidInputError(
                f"There is no device {missing!r} in this factory: look at the key again, or let the device publish "
                "first.",
                fields={field: f"there is no device {missing!r}"},
            )

    def _add_version(self, rule_id: RuleId, version: int, definition: RuleDefinition, actor: str, reason: str) -> None:
        row: dict[str, Any] = {
            "factory_id": self._scope.factory_id,
            "rule_id": rule_id,
            "version": version,
            "name": definition.name,
            "priority": int(definition.priority),
            "mode": definition.mode.value,
            "definition": msgspec.json.encode(definition).decode(),
            "changed_by": actor,
            "changed_us": self._unit.now_us,
            "reason": reason,
            "holds_from_seq": None,
            "fault": None,
        }
        self._unit.insert(tables.rule_version, [row])

    def _note(
        self,
        action: str,
        rule_id: RuleId | str,
        old: http.RuleContent | None,
        new: http.RuleContent | None,
        reason: str,
    ) -> None:
        was, becomes = (content and content.model_dump(mode="json") for content in (old, new))
        AuditTrail(self._unit, self._scope).add(action, rule_id, was, becomes, reason)
        self._unit.advance("rules")
        self._unit.plant_changed(self._scope.factory_id)

    def _select(self) -> sa.Select[Any]:
        rule, content = tables.rule, tables.rule_version
        return (
            sa.select(content)
            .join(rule, sa.and_(content.c.factory_id == rule.c.factory_id, in_force()))
            .where(rule.c.factory_id == self._scope.factory_id, rule.c.is_deleted.is_(False))
        )


class _Known:
    """The ids of what rules of one factory can name."""

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit = unit
        self._scope = scope

    def shifts(self) -> Collection[str]:
        return self._ids(organisation_tables.shift)

    def policies(self) -> Collection[str]:
        return self._ids(notification_tables.policy)

    def rules(self) -> Collection[str]:
        return self._ids(tables.rule, tables.rule.c.is_deleted.is_(False))

    def _ids(self, table: sa.Table, *conditions: sa.ColumnElement[bool]) -> Collection[str]:
        query = sa.select(table.c.id).where(table.c.factory_id == self._scope.factory_id, *conditions)
        return [row.id for row in self._unit.rows(query)]


def in_force() -> sa.ColumnElement[bool]:
    """Joins a rule with its present version; the caller adds the factory."""
    rule, content = tables.rule, tables.rule_version
    return sa.and_(content.c.rule_id == rule.c.id, content.c.version == rule.c.version)


def definition_of(row: sa.Row[Any]) -> RuleDefinition:
    """The definition of a version's row."""
    return msgspec.json.decode(row.definition, type=RuleDefinition)


def _told(row: sa.Row[Any]) -> http.Rule:
    return http.Rule(
        id=row.rule_id,
        version=row.version,
        content=http.RuleContent.of(definition_of(row)),
        changed_by=row.changed_by,
        changed_at=from_us(row.changed_us),
        reason=row.reason,
        holds_from_seq=row.holds_from_seq,
        fault=row.fault,
    )
