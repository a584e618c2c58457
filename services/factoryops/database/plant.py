"""Devices and parameters of one factory."""

from __future__ import annotations

import builtins
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from factoryops.database import tables
from factoryops.database.audit import AuditTrail
from factoryops.database.unit import Unit, portions
from factoryops.domain.errors import InvalidInputError, NotFoundError
from factoryops.domain.identity import DeviceId, FactoryId, ParameterId, Scope
from factoryops.domain.plant import Device, Parameter, ParameterKind
from factoryops.domain.samples import SeriesId, SeriesKey
from factoryops.domain.time import from_us, to_us

_DEVICE_FIELDS: Final = frozenset({"name", "kind", "area", "line"})
_LIMITS: Final = ("low", "high", "normal_low", "normal_high")
_CLEARABLE: Final = frozenset({*_LIMITS, "deadband"})
_DEADBAND: Final = frozenset({"deadband", "deadband_max_s"})
_PARAMETER_FIELDS: Final = frozenset({"name", "unit", "decimals", *_LIMITS, *_DEADBAND})
_LONGEST_SILENCE_S: Final = 86_400.0


class Devices:
    """The factory's devices."""

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit = unit
        self._scope = scope

    def list(self) -> builtins.list[Device]:
        """All, by area, name and key."""
        table = tables.device
        return [
            device_of(row) for row in self._unit.rows(self._select().order_by(table.c.area, table.c.name, table.c.key))
        ]

    def get(self, device_id: DeviceId | str) -> Device:
        """One, or NotFoundError."""
        row = self._unit.row(self._select().where(tables.device.c.id == device_id))
        if row is None:
            raise NotFoundError("There is no such device.")
        return device_of(row)

    def get_many(self, device_ids: Sequence[DeviceId | str]) -> builtins.list[Device]:
        """In the order asked for; NotFoundError when any is unknown."""
        found = {
            row.id: device_of(row)
            for portion in portions(device_ids)
            for row in self._unit.rows(self._select().where(tables.device.c.id.in_(portion)))
        }
        if not found.keys() >= set(device_ids):
            raise NotFoundError("There is no such device.")
        return [found[device_id] for device_id in device_ids]

    def change(self, device_id: DeviceId | str, **fields: object) -> Device:
        """Edit `name`, `kind`, `area` or `line`; what is absent or None stays. Writes the audit entry."""
        _only(fields, _DEVICE_FIELDS)
        before = self.get(device_id)
        new = {name: value for name, value in fields.items() if value is not None and value != getattr(before, name)}
        if not new:
            return before
        table = tables.device
        self._unit.write(
            sa.update(table).where(table.c.factory_id == self._scope.factory_id, table.c.id == device_id).values(**new)
        )
        old = {name: getattr(before, name) for name in new}
        AuditTrail(self._unit, self._scope).add("device.change", before.id, old, new)
        self._unit.plant_changed(self._scope.factory_id)
        return self.get(device_id)

    def ensure(self, device: Device) -> bool:
        """Add it unless it is there; what an operator edited stays. Answers whether it was new."""
        return self.ensure_many([device]) == 1

    def ensure_many(self, devices: Iterable[Device]) -> int:
        """`ensure` for many; answers how many were new."""
        wanted = {device.id: device for device in devices}
        _only_of(self._scope, wanted.values())
        missing = [wanted[device_id] for device_id in self._missing(wanted)]
        self._unit.insert(tables.device, [_device_row(device, self._unit.now_us) for device in missing])
        if missing:
            self._unit.plant_changed(self._scope.factory_id)
            self._unit.advance("access")
        return len(missing)

    def _missing(self, wanted: Iterable[DeviceId]) -> builtins.list[DeviceId]:
        ids = [*wanted]
        table = tables.device
        query = sa.select(table.c.id).where(table.c.factory_id == self._scope.factory_id)
        there = {row[0] for portion in portions(ids) for row in self._unit.rows(query.where(table.c.id.in_(portion)))}
        return [device_id for device_id in ids if device_id not in there]

    def touch_received(self, received_at: Mapping[DeviceId, datetime]) -> None:
        """When something was last received from each; never goes back, unknown devices are passed over."""
        table = tables.device
        moment: sa.BindParameter[int] = sa.bindparam("moment_us")
        newer = sa.or_(table.c.last_received_us.is_(None), table.c.last_received_us < moment)
        statement = (
            sa.update(table)
            .where(table.c.factory_id == self._scope.factory_id, table.c.id == sa.bindparam("device"), newer)
            .values(last_received_us=moment)
        )
        rows = [{"device": device, "moment_us": to_us(received_at[device])} for device in sorted(received_at)]
        self._unit.write_many(statement, rows)

    def set_clock_offsets(self, offsets_us: Mapping[DeviceId, int]) -> None:
        """Record how far devices' clocks were found to be from ours; unknown devices are passed over."""
        table = tables.device
        statement = (
            sa.update(table)
            .where(table.c.factory_id == self._scope.factory_id, table.c.id == sa.bindparam("device"))
            .values(clock_offset_us=sa.bindparam("offset_us"))
        )
        rows = [{"device": device, "offset_us": offsets_us[device]} for device in sorted(offsets_us)]
        self._unit.write_many(statement, rows)
        self._unit.plant_changed(self._scope.factory_id)

    def _select(self) -> sa.Select[Any]:
        return sa.select(tables.device).where(tables.device.c.factory_id == self._scope.factory_id)


class Parameters:
    """The factory's parameters."""

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit = unit
        self._scope = scope

    def list(self) -> builtins.list[Parameter]:
        """All, by device and key."""
        table = tables.parameter
        return [_parameter_of(row) for row in self._unit.rows(self._select().order_by(table.c.device_id, table.c.key))]

    def with_deadband(self) -> builtins.list[tuple[str, Parameter]]:
        """Those that have a deadband, each with its device's key, by both."""
        device, parameter = tables.device, tables.parameter
        query = (
            sa.select(parameter, device.c.key.label("device_key"))
            .join(device, sa.and_(device.c.factory_id == parameter.c.factory_id, device.c.id == parameter.c.device_id))
            .where(parameter.c.factory_id == self._scope.factory_id, parameter.c.deadband.is_not(None))
            .order_by(device.c.key, parameter.c.key)
        )
        return [(row.device_key, _parameter_of(row)) for row in self._unit.rows(query)]

    def series(self) -> dict[int, SeriesKey]:
        """What each of the factory's series stands for."""
        devices = {device.id: device.key for device in Devices(self._unit, self._scope).list()}
        return {
            one.series_id: SeriesKey(self._scope.factory_id, devices[one.device_id], one.key) for one in self.list()
        }

    def get_many(self, parameter_ids: Sequence[ParameterId | str]) -> builtins.list[Parameter]:
        """In the order asked for; NotFoundError when any is unknown."""
        found = {
            row.id: _parameter_of(row)
            for portion in portions(parameter_ids)
            for row in self._unit.rows(self._select().where(tables.parameter.c.id.in_(portion)))
        }
        if not found.keys() >= set(parameter_ids):
            raise NotFoundError("There is no such parameter.")
        return [found[parameter_id] for parameter_id in parameter_ids]

    def change(self, parameter_id: ParameterId | str, **fields: object) -> Parameter:
        """Edit `name`, `unit`, `decimals`, the limits or the deadband; absent fields stay.

        None clears a limit or the deadband and leaves the others as they are. Writes the audit entry.

        Raises:
            InvalidInputError: the limits are not in order, or the deadband cannot be used.
        """
        _only(fields, _PARAMETER_FIELDS)
        before = self.get_many([parameter_id])[0]
        new = {
            name: value
            for name, value in fields.items()
            if (value is not None or name in _CLEARABLE) and value != getattr(before, name)
        }
        if not new:
            return before
        _check_limits({name: new.get(name, getattr(before, name)) for name in _LIMITS})
        _check_deadband(new)
        table = tables.parameter
        self._unit.write(
            sa.update(table)
            .where(table.c.factory_id == self._scope.factory_id, table.c.id == parameter_id)
            .values(**new)
        )
        old = {name: getattr(before, name) for name in new}
        AuditTrail(self._unit, self._scope).add("parameter.change", before.id, old, new)
        self._unit.plant_changed(self._scope.factory_id)
        if not _DEADBAND.isdisjoint(new):
            self._unit.advance("access")
        return self.get_many([parameter_id])[0]

    def set_kinds(self, kinds: Mapping[ParameterId, ParameterKind]) -> None:
        """Record what parameters' samples were found to be; unknown parameters are passed over."""
        table = tables.parameter
        statement = (
            sa.update(table)
            .where(table.c.factory_id == self._scope.factory_id, table.c.id == sa.bindparam("parameter"))
            .values(kind=sa.bindparam("found"))
        )
        rows = [{"parameter": parameter, "found": kinds[parameter].value} for parameter in sorted(kinds)]
        self._unit.write_many(statement, rows)
        self._unit.plant_changed(self._scope.factory_id)

    def ensure(self, parameter: Parameter) -> bool:
        """Add it unless it is there (its device must be); what an operator edited stays. Answers whether it was new."""
        return self.ensure_many([parameter]) == 1

    def ensure_many(self, parameters: Iterable[Parameter]) -> int:
        """`ensure` for many; answers how many were new."""
        wanted = {parameter.id: parameter for parameter in parameters}
        _only_of(self._scope, wanted.values())
        missing = [wanted[parameter_id] for parameter_id in self._missing(wanted)]
        self._unit.insert(tables.parameter, [_parameter_row(parameter) for parameter in missing])
        if missing:
            self._unit.plant_changed(self._scope.factory_id)
        return len(missing)

    def _missing(self, wanted: Iterable[ParameterId]) -> builtins.list[ParameterId]:
        ids = [*wanted]
        table = tables.parameter
        query = sa.select(table.c.id).where(table.c.factory_id == self._scope.factory_id)
        there = {row[0] for portion in portions(ids) for row in self._unit.rows(query.where(table.c.id.in_(portion)))}
        return [parameter_id for parameter_id in ids if parameter_id not in there]

    def _select(self) -> sa.Select[Any]:
        return sa.select(tables.parameter).where(tables.parameter.c.factory_id == self._scope.factory_id)


def _only(fields: Mapping[str, object], allowed: frozenset[str]) -> None:
    unknown = sorted(fields.keys() - allowed)
    if unknown:
        raise InvalidInputError(
            f"There is nothing to change called {unknown[0]}.", fields={unknown[0]: "cannot be changed"}
        )


def _only_of(scope: Scope, things: Iterable[Device | Parameter]) -> None:
    if any(thing.factory_id != scope.factory_id for thing in things):
        raise NotFoundError("There is no such factory.")


def _check_limits(limits: Mapping[str, object]) -> None:
    for lower, upper in (("low", "high"), ("normal_low", "normal_high")):
        low, high = limits[lower], limits[upper]
        if isinstance(low, int | float) and isinstance(high, int | float) and low >= high:
            raise InvalidInputError(
                "The lower limit must be below the upper one.", fields={lower: "must be below the upper limit"}
            )


def _check_deadband(new: Mapping[str, object]) -> None:
    faults: dict[str, str] = {}
    width, longest_s = new.get("deadband"), new.get("deadband_max_s")
    if isinstance(width, int | float) and not (math.isfinite(width) and width >= 0):
        faults["deadband"] = "must be zero or more"
    if isinstance(longest_s, int | float) and not 1 <= longest_s <= _LONGEST_SILENCE_S:
        faults["deadband_max_s"] = "must be from a second to a day"
    if faults:
        raise InvalidInputError("The deadband cannot be used: " + "; ".join(faults.values()) + ".", fields=faults)


def _device_row(device: Device, now_us: int) -> dict[str, Any]:
    return {
        "factory_id": device.factory_id,
        "id": device.id,
        "key": device.key,
        "name": device.name,
        "kind": device.kind,
        "area": device.area,
        "line": device.line,
        "created_us": now_us if device.created_at is None else to_us(device.created_at),
        "clock_offset_us": device.clock_offset_us,
    }


def device_of(row: sa.Row[Any]) -> Device:
    """The device of a row of its table."""
    received_us = row.last_received_us
    return Device(
        id=DeviceId(row.id),
        factory_id=FactoryId(row.factory_id),
        key=row.key,
        name=row.name,
        kind=row.kind,
        area=row.area,
        line=row.line,
        created_at=from_us(row.created_us),
        last_received_at=None if received_us is None else from_us(received_us),
        clock_offset_us=row.clock_offset_us,
    )


def _parameter_row(parameter: Parameter) -> dict[str, Any]:
    names = ("factory_id", "id", "device_id", "key", "name", "unit", "decimals", *_LIMITS, *sorted(_DEADBAND))
    row = {name: getattr(parameter, name) for name in names}
    return row | {"series_id": int(parameter.series_id), "kind": parameter.kind.value}


def _parameter_of(row: sa.Row[Any]) -> Parameter:
    return Parameter(
        id=ParameterId(row.id),
        factory_id=FactoryId(row.factory_id),
        device_id=DeviceId(row.device_id),
        series_id=SeriesId(row.series_id),
        key=row.key,
        name=row.name,
        unit=row.unit,
        decimals=row.decimals,
        low=row.low,
        high=row.high,
        normal_low=row.normal_low,
        normal_high=row.normal_high,
        deadband=row.deadband,
        deadband_max_s=row.deadband_max_s,
        kind=ParameterKind(row.kind),
    )
