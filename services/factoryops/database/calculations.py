"""Calculated parameters of one factory."""

from __future__ import annotations

import builtins
from typing import Any, Final

import sqlalchemy as sa

from factoryops.contracts import http
from factoryops.database import tables
from factoryops.database.audit import AuditTrail
from factoryops.database.plant import Devices, Parameters
from factoryops.database.unit import Unit
from factoryops.domain.calculations import (
    VIRTUAL_KIND,
    Calculation,
    CalculationId,
    calculation_id,
    check_among,
)
from factoryops.domain.errors import ConflictError, InvalidInputError, NotFoundError, OutdatedError
from factoryops.domain.identity import FactoryId, Scope, device_id, parameter_id
from factoryops.domain.naming import readable_name
from factoryops.domain.plant import Device, Parameter
from factoryops.domain.samples import SeriesKey
from factoryops.domain.time import from_us

MOST_CALCULATIONS: Final = 1_000
"""Calculated parameters of one factory."""

_FIELDS: Final = ("name", "unit", "expression", "maximum_age_s", "is_enabled")


class Calculations:
    """The factory's calculated parameters; every change writes its audit entry.

    What is calculated is a parameter like any other: saving one adds it to the plant, deleting one leaves it there
    with its history.
    """

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit = unit
        self._scope = scope

    def list(self) -> builtins.list[http.Calculation]:
        """All in use, by device and parameter."""
        table = tables.calculation
        rows = self._unit.rows(self._select().order_by(table.c.device_key, table.c.parameter_key))
        return [_told(row) for row in rows]

    def get(self, identity: str) -> http.Calculation:
        """One in use, or NotFoundError."""
        row = self._unit.row(self._select().where(tables.calculation.c.id == identity))
        if row is None:
            raise NotFoundError("There is no such calculated parameter.")
        return _told(row)

    def create(self, content: http.CalculationContent, actor: str) -> http.Calculation:
        """Add one; its parameter, and a device that is not there yet, are added to the plant.

        Raises:
            InvalidInputError: the expression cannot be used, names an unknown parameter, or depends on itself; or there
                are too many.
            ConflictError: the parameter exists already.
        """
        if self._count() >= MOST_CALCULATIONS:
            message = f"A factory has at most {MOST_CALCULATIONS:,} calculated parameters; delete one that is not used."
            raise InvalidInputError(message)
        identity = calculation_id(self._scope.factory_id, content.device_key, content.parameter_key)
        known = self._version_of(identity)
        wanted = self._wanted(identity, (known or 0) + 1, content)
        if known is None and self._has_parameter(wanted.key):
            raise ConflictError("This device sends a parameter of that key itself: choose another key.")
        self._check(wanted)
        row = self._row(wanted, actor) | {"is_deleted": False}
        if known is None:
            self._unit.insert(tables.calculation, [row | {"factory_id": self._scope.factory_id, "id": identity}])
        elif not self._update(identity, known, row, is_deleted=True):
            raise ConflictError("This parameter is calculated already: change that calculation.")
        self._add_to_plant(wanted)
        return self._changed("calculation.create", identity, None, content)

    def update(self, identity: str, version: int, content: http.CalculationContent, actor: str) -> http.Calculation:
        """Put a new version in force; raises OutdatedError unless `version` is the present one."""
        before = self.get(identity)
        named = (content.device_key, content.parameter_key)
        if named != (before.content.device_key, before.content.parameter_key):
            message = "A calculated parameter keeps its keys: delete it and make another."
            raise InvalidInputError(message, fields={"parameter_key": message})
        wanted = self._wanted(CalculationId(identity), version + 1, content)
        self._check(wanted)
        if not self._update(identity, version, self._row(wanted, actor), is_deleted=False):
            raise OutdatedError("Somebody else changed it meanwhile: look at it again and repeat your change.")
        shown = Parameters(self._unit, self._scope)
        shown.change(parameter_id(*wanted.key), name=content.name, unit=content.unit)
        return self._changed("calculation.update", identity, before.content, content)

    def delete(self, identity: str) -> None:
        """Take it out of use; its parameter and what was calculated stay."""
        before = self.get(identity)
        table = tables.calculation
        self._unit.write(
            sa.update(table)
            .where(table.c.factory_id == self._scope.factory_id, table.c.id == identity)
            .values(is_deleted=True, fault=None)
        )
        self._note("calculation.delete", identity, before.content, None)

    # --- inside ------------------------------------------------------------------------------------------------------

    def _wanted(self, identity: CalculationId, version: int, content: http.CalculationContent) -> Calculation:
        fields = content.model_dump()
        return Calculation(id=identity, factory_id=self._scope.factory_id, version=version, **fields)

    def _check(self, wanted: Calculation) -> None:
        check_among(wanted, self._all(), self._has_parameter)

    def _has_parameter(self, key: SeriesKey) -> bool:
        table = tables.parameter
        query = sa.select(table.c.id).where(
            table.c.factory_id == self._scope.factory_id, table.c.id == parameter_id(*key)
        )
        return self._unit.row(query) is not None

    def _count(self) -> int:
        return int(self._unit.value(sa.select(sa.func.count()).select_from(self._select().subquery())))

    def _all(self) -> builtins.list[Calculation]:
        return [calculation_of(row) for row in self._unit.rows(self._select())]

    def _version_of(self, identity: str) -> int | None:
        """The newest version, of one that was deleted too."""
        table = tables.calculation
        query = sa.select(table.c.version).where(table.c.factory_id == self._scope.factory_id, table.c.id == identity)
        found = self._unit.value(query)
        return None if found is None else int(found)

    def _row(self, wanted: Calculation, actor: str) -> dict[str, Any]:
        row: dict[str, Any] = {name: getattr(wanted, name) for name in _FIELDS}
        row |= {"device_key": wanted.device_key, "parameter_key": wanted.parameter_key, "version": wanted.version}
        return row | {"changed_by": actor, "changed_us": self._unit.now_us, "holds_from_seq": None, "fault": None}

    def _update(self, identity: str, version: int, row: dict[str, Any], *, is_deleted: bool) -> bool:
        table = tables.calculation
        mine = sa.and_(table.c.factory_id == self._scope.factory_id, table.c.id == identity)
        as_known = sa.and_(table.c.version == version, table.c.is_deleted.is_(is_deleted))
        return bool(self._unit.write(sa.update(table).where(mine, as_known).values(**row)))

    def _add_to_plant(self, wanted: Calculation) -> None:
        factory, device, _ = wanted.key
        of = device_id(factory, device)
        name = readable_name(device)
        Devices(self._unit, self._scope).ensure(Device(of, FactoryId(factory), device, name, kind=VIRTUAL_KIND))
        parameter = Parameter(
            id=parameter_id(*wanted.key),
            factory_id=FactoryId(factory),
            device_id=of,
            series_id=wanted.series,
            key=wanted.parameter_key,
            name=wanted.name,
            unit=wanted.unit,
        )
        Parameters(self._unit, self._scope).ensure(parameter)

    def _changed(
        self,
        action: str,
        identity: str,
        old: http.CalculationContent | None,
        new: http.CalculationContent,
    ) -> http.Calculation:
        self._note(action, identity, old, new)
        return self.get(identity)

    def _note(
        self,
        action: str,
        identity: str,
        old: http.CalculationContent | None,
        new: http.CalculationContent | None,
    ) -> None:
        was, becomes = (content and content.model_dump(mode="json") for content in (old, new))
        AuditTrail(self._unit, self._scope).add(action, identity, was, becomes)
        # The engine takes up calculations together with rules.
        self._unit.advance("rules")
        self._unit.plant_changed(self._scope.factory_id)

    def _select(self) -> sa.Select[Any]:
        table = tables.calculation
        return sa.select(table).where(table.c.factory_id == self._scope.factory_id, table.c.is_deleted.is_(False))


def calculation_of(row: sa.Row[Any]) -> Calculation:
    """The calculation of a row of its table."""
    return Calculation(
        id=CalculationId(row.id),
        factory_id=FactoryId(row.factory_id),
        version=row.version,
        device_key=row.device_key,
        parameter_key=row.parameter_key,
        name=row.name,
        unit=row.unit,
        expression=row.expression,
        maximum_age_s=row.maximum_age_s,
        is_enabled=bool(row.is_enabled),
    )


def _told(row: sa.Row[Any]) -> http.Calculation:
    content = http.CalculationContent(
        device_key=row.device_key,
        parameter_key=row.parameter_key,
        name=row.name,
        unit=row.unit,
        expression=row.expression,
        maximum_age_s=row.maximum_age_s,
        is_enabled=bool(row.is_enabled),
    )
    return http.Calculation(
        id=row.id,
        version=row.version,
        content=content,
        parameter_id=parameter_id(row.factory_id, row.device_key, row.parameter_key),
        changed_by=row.changed_by,
        changed_at=from_us(row.changed_us),
        holds_from_seq=row.holds_from_seq,
        fault=row.fault,
    )
