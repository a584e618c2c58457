"""How one factory's alarms are handled: classes, the priority matrix and the thresholds of the figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from factoryops.contracts import http
from factoryops.database.audit import AuditTrail
from factoryops.database.kept_philosophy import kept_philosophy
from factoryops.database.philosophy_tables import alarm_philosophy
from factoryops.database.rules import Rules
from factoryops.database.unit import Unit
from factoryops.domain.errors import OutdatedError
from factoryops.domain.identity import Scope, derived_id


class Philosophies:
    """The factory's alarm philosophy; the default one until it says otherwise."""

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit = unit
        self._scope = scope

    def get(self) -> http.Philosophy:
        """All of it."""
        return kept_philosophy(self._unit, self._scope.factory_id)

    def replace(self, change: http.PhilosophyChange) -> http.Philosophy:
        """Put another in its place.

        Raises:
            InvalidInputError: it cannot be used.
            ConflictError: somebody else changed it since `change.version`, or rules name a class it lacks.
        """
        wanted = change.philosophy()
        wanted.check()
        self._unit.take_turn(self._scope.factory_id)
        before = self.get()
        if before.version != change.version:
            raise OutdatedError("Somebody else changed the alarm philosophy meanwhile: look at it again.")
        before.philosophy().check_removal(wanted, self._uses())
        self._keep(change, before.version + 1)
        what = {"classes", "matrix", "thresholds"}
        was, becomes = (one.model_dump(mode="json", include=what) for one in (before, change))
        AuditTrail(self._unit, self._scope).add("alarm_philosophy.update", self._scope.factory_id, was, becomes)
        return self.get()

    def _uses(self) -> Iterator[tuple[str, str]]:
        """Of each rule in use its class and its name."""
        for rule in Rules(self._unit, self._scope).list():
            yield rule.content.alarm_class, rule.content.name

    def _keep(self, change: http.PhilosophyChange, version: int) -> None:
        table = alarm_philosophy
        row: dict[str, Any] = {
            "version": version,
            "content": change.model_dump_json(),
            "changed_by": self._scope.actor,
            "changed_us": self._unit.now_us,
        }
        mine = table.c.factory_id == self._scope.factory_id
        if not self._unit.write(sa.update(table).where(mine).values(**row)):
            identity = derived_id(self._scope.factory_id, "alarm_philosophy")
            self._unit.insert(table, [row | {"factory_id": self._scope.factory_id, "id": identity}])
