"""Taking up devices: the factory's setting, accepting one that waits, declining one."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from factoryops.database import tables
from factoryops.database.audit import AuditTrail
from factoryops.database.factories import factory_of
from factoryops.database.plant import Devices
from factoryops.database.unit import Unit
from factoryops.domain.errors import ConflictError, InvalidInputError, NotFoundError
from factoryops.domain.identity import Scope, device_id
from factoryops.domain.naming import readable_name
from factoryops.domain.plant import Device, Factory, is_key
from factoryops.domain.time import US_PER_S

DECLINED_US: Final = 7 * 86_400 * US_PER_S
"""How long a declined device is not offered again."""


class Adoption:
    """Which devices the factory takes up; every change writes its audit entry."""

    def __init__(self, unit: Unit, scope: Scope) -> None:
        self._unit = unit
        self._scope = scope

    def factory(self) -> Factory:
        """The scope's own factory."""
        row = self._unit.row(sa.select(tables.factory).where(tables.factory.c.id == self._scope.factory_id))
        if row is None:
            raise NotFoundError("There is no such factory.")
        return factory_of(row)

    def set_automatic(self, *, is_automatic: bool) -> Factory:
        """Whether unknown devices of the factory's own publishers are taken up by themselves."""
        before = self.factory()
        if before.adopts_automatically == is_automatic:
            return before
        table = tables.factory
        self._unit.write(
            sa.update(table).where(table.c.id == before.id).values(adopts_automatically=is_automatic)
        )  # fmt: skip
        old, new = {"adopts_automatically": not is_automatic}, {"adopts_automatically": is_automatic}
        self._note("factory.change", before.id, old, new)
        self._unit.advance("access")
        return self.factory()

    def accept(self, key: str, *, name: str = "", kind: str = "", area: str = "", line: str = "") -> Device:
        """Take up a device; from the next message on its samples are stored.

        Raises:
            InvalidInputError: the key cannot name a device.
            ConflictError: the device is there already.
        """
        if not is_key(key):
            raise InvalidInputError(
                "The key cannot name a device.", fields={"key": "use 1 to 100 printable characters"}
            )
        made = Device(
            device_id(self._scope.factory_id, key), self._scope.factory_id, key, name or readable_name(key), kind,
            area, line,
        )  # fmt: skip
        devices = Devices(self._unit, self._scope)
        if not devices.ensure(made):
            raise ConflictError(f"The device {key} was taken up already.")
        self._forget(made.id)
        new = {"key": key, "name": made.name, "kind": kind, "area": area, "line": line}
        self._note("device.accept", made.id, None, new)
        return devices.get(made.id)

    def decline(self, key: str) -> None:
        """Do not offer a device for seven days; its messages go on into quarantine."""
        if not is_key(key):
            raise NotFoundError("There is no such device waiting.")
        identity = device_id(self._scope.factory_id, key)
        self._forget(identity)
        row = {
            "factory_id": self._scope.factory_id,
            "id": identity,
            "key": key,
            "declined_by": self._scope.actor,
            "until_us": self._unit.now_us + DECLINED_US,
        }
        self._unit.insert(tables.declined_device, [row])
        self._note("device.decline", identity, None, {"key": key})

    def declined(self) -> set[str]:
        """The keys of devices that are not to be offered now."""
        table = tables.declined_device
        query = sa.select(table.c.key).where(
            table.c.factory_id == self._scope.factory_id, table.c.until_us > self._unit.now_us
        )
        return {row.key for row in self._unit.rows(query)}

    def _forget(self, identity: str) -> None:
        table = tables.declined_device
        self._unit.write(
            sa.delete(table).where(table.c.factory_id == self._scope.factory_id, table.c.id == identity)
        )  # fmt: skip

    def _note(self, action: str, identity: str, old: object, new: object) -> None:
        AuditTrail(self._unit, self._scope).add(action, identity, old, new)
