"""How long a factory's history is kept."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from factoryops.contracts import http
from factoryops.database import tables
from factoryops.database.audit import AuditTrail
from factoryops.database.unit import Unit
from factoryops.domain.errors import InvalidInputError, OutdatedError
from factoryops.domain.identity import Scope, new_id
from factoryops.domain.retention import RetentionPolicy
from factoryops.domain.time import from_us


class RetentionRules:
    """The factory's rules; every change writes its audit entry and reaches the historian within a minute or two."""

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit = unit
        self._scope = scope

    def get(self) -> http.Retention:
        """All of them, in the order they were given."""
        rows = self._rows()
        newest = max(rows, key=lambda row: row.changed_us, default=None)
        return http.Retention(
            version=newest.changed_us if newest else 0,
            rules=[_rule_of(row) for row in rows],
            changed_by=newest.changed_by if newest else "",
            changed_at=from_us(newest.changed_us) if newest else None,
        )

    def replace(self, change: http.RetentionChange) -> http.Retention:
        """Put others in their place.

        Raises:
            InvalidInputError: they cannot be used together.
            OutdatedError: somebody else changed them since `change.version`.
        """
        faults = http.retention_faults(change.rules)
        if faults:
            field, fault = next(iter(faults.items()))
            raise InvalidInputError(f"The rules cannot be used: {field} {fault}.", fields=faults)
        self._unit.take_turn(self._scope.factory_id)
        before = self.get()
        if before.version != change.version:
            raise OutdatedError("Somebody else changed these rules meanwhile: look at them again.")
        table = tables.retention_policy
        self._unit.write(sa.delete(table).where(table.c.factory_id == self._scope.factory_id))
        changed_us = max(self._unit.now_us, before.version + 1)
        if change.rules:
            self._unit.insert(table, [self._row(place, rule, changed_us) for place, rule in enumerate(change.rules)])
        was, becomes = ([rule.model_dump(mode="json") for rule in rules] for rules in (before.rules, change.rules))
        AuditTrail(self._unit, self._scope).add(
            "retention.update", self._scope.factory_id, {"rules": was}, {"rules": becomes}
        )
        self._unit.advance("access")
        return self.get()

    def in_force(self) -> tuple[RetentionPolicy, ...]:
        """What the historian applies."""
        return tuple(_rule_of(row).policy() for row in self._rows())

    def _rows(self) -> list[sa.Row[Any]]:
        table = tables.retention_policy
        select = sa.select(table).where(table.c.factory_id == self._scope.factory_id)
        return list(self._unit.rows(select.order_by(table.c.place)))

    def _row(self, place: int, rule: http.RetentionRule, changed_us: int) -> dict[str, Any]:
        return {
            "factory_id": self._scope.factory_id, "id": new_id(), "place": place, "name": rule.name,
            "parameters": msgspec.json.encode(rule.parameters).decode(), "raw_days": rule.raw_days,
            "minute_days": rule.minute_days, "hour_days": rule.hour_days, "changed_by": self._scope.actor,
            "changed_us": changed_us,
        }  # fmt: skip


def _rule_of(row: sa.Row[Any]) -> http.RetentionRule:
    return http.RetentionRule(
        name=row.name, parameters=msgspec.json.decode(row.parameters, type=list[str]), raw_days=row.raw_days,
        minute_days=row.minute_days, hour_days=row.hour_days,
    )  # fmt: skip
