"""Mappings of one factory: what messages of a format of their own mean."""

from __future__ import annotations

import builtins
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from factoryops.contracts import http
from factoryops.database import tables
from factoryops.database.audit import AuditTrail
from factoryops.database.unit import Unit
from factoryops.domain.errors import ConflictError, InvalidInputError, NotFoundError, OutdatedError
from factoryops.domain.identity import MappingId, Scope, new_id
from factoryops.domain.mapping import TopicMapping, conflict
from factoryops.domain.time import from_us

MOST_MAPPINGS: Final = 200
"""Mappings of one factory."""


class Mappings:
    """The factory's mappings; every change writes its audit entry and reaches ingest within seconds."""

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit = unit
        self._scope = scope

    def list(self) -> builtins.list[http.KeptMapping]:
        """All, by name."""
        table = tables.mapping
        return [_mapping_of(row) for row in self._unit.rows(self._select().order_by(table.c.name, table.c.id))]

    def get(self, mapping_id: MappingId | str) -> http.KeptMapping:
        """One, or NotFoundError."""
        row = self._unit.row(self._select().where(tables.mapping.c.id == mapping_id))
        if row is None:
            raise NotFoundError("There is no such mapping.")
        return _mapping_of(row)

    def create(self, content: http.MappingContent) -> http.KeptMapping:
        """Add one.

        Raises:
            InvalidInputError: a field cannot be used, or there are too many.
            ConflictError: one that is switched on has overlapping topics.
        """
        mapping_id = MappingId(new_id())
        self._unit.take_turn(self._scope.factory_id)
        if len(self.list()) >= MOST_MAPPINGS:
            raise InvalidInputError(f"A factory has at most {MOST_MAPPINGS} mappings; delete one that is not used.")
        self._check(mapping_id, content)
        own = {"factory_id": self._scope.factory_id, "id": mapping_id, "version": 1}
        self._unit.insert(tables.mapping, [own | self._row(content)])
        self._note("mapping.create", mapping_id, None, content)
        return self.get(mapping_id)

    def update(
        self, mapping_id: MappingId | str, version: int, content: http.MappingContent
    ) -> http.KeptMapping:  # fmt: skip
        """Change one; raises as `create` does, and OutdatedError unless `version` is the present one."""
        self._unit.take_turn(self._scope.factory_id)
        before = self.get(mapping_id)
        self._check(mapping_id, content)
        table = tables.mapping
        taken = self._unit.write(
            sa.update(table)
            .where(
                table.c.factory_id == self._scope.factory_id, table.c.id == mapping_id, table.c.version == version
            )
            .values(version=version + 1, **self._row(content))
        )  # fmt: skip
        if not taken:
            raise OutdatedError(
                "Somebody else changed this mapping meanwhile: look at it again and repeat your change."
            )
        self._note("mapping.update", mapping_id, before.content, content)
        return self.get(mapping_id)

    def delete(self, mapping_id: MappingId | str) -> None:
        """Take one away; samples made by it stay."""
        before = self.get(mapping_id)
        table = tables.mapping
        self._unit.write(
            sa.delete(table).where(table.c.factory_id == self._scope.factory_id, table.c.id == mapping_id)
        )  # fmt: skip
        self._note("mapping.delete", mapping_id, before.content, None)

    def in_force(self) -> builtins.list[tuple[MappingId, int, TopicMapping]]:
        """Id, version and definition of those that are switched on."""
        table = tables.mapping
        rows = self._unit.rows(self._select().where(table.c.is_enabled.is_(True)).order_by(table.c.id))
        return [(MappingId(row.id), row.version, _definition_of(row)) for row in rows]

    def _check(self, mapping_id: MappingId | str, content: http.MappingContent) -> None:
        definition = content.definition()
        faults = definition.check()
        if faults:
            named = "; ".join(f"{field}: {fault}" for field, fault in [*faults.items()][:3])
            raise InvalidInputError(f"The mapping cannot be used: {named}.", fields=faults)
        if not content.is_enabled:
            return
        for other_id, _, other in self.in_force():
            reason = conflict(definition, other) if other_id != mapping_id else ""
            if reason:
                raise ConflictError(reason)

    def _row(self, content: http.MappingContent) -> dict[str, Any]:
        return {
            "name": content.name,
            "content": msgspec.json.encode(content.definition()).decode(),
            "is_enabled": content.is_enabled,
            "changed_by": self._scope.actor,
            "changed_us": self._unit.now_us,
        }

    def _note(
        self, action: str, mapping_id: MappingId | str, old: http.MappingContent | None,
        new: http.MappingContent | None,
    ) -> None:  # fmt: skip
        was, becomes = (content and content.model_dump(mode="json") for content in (old, new))
        AuditTrail(self._unit, self._scope).add(action, mapping_id, was, becomes)
        self._unit.advance("access")

    def _select(self) -> sa.Select[Any]:
        return sa.select(tables.mapping).where(tables.mapping.c.factory_id == self._scope.factory_id)


def _definition_of(row: sa.Row[Any]) -> TopicMapping:
    return msgspec.json.decode(row.content, type=TopicMapping)


def _mapping_of(row: sa.Row[Any]) -> http.KeptMapping:
    return http.KeptMapping(
        id=row.id,
        version=row.version,
        content=http.MappingContent.of(_definition_of(row), is_enabled=bool(row.is_enabled)),
        changed_by=row.changed_by,
        changed_at=from_us(row.changed_us),
    )
