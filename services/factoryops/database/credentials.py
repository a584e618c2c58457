"""The credentials of MQTT clients; every change writes its audit entry and reaches ingest with the next snapshot."""

from __future__ import annotations

import builtins
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from factoryops.database import tables
from factoryops.database.audit import AuditTrail
from factoryops.database.rows import CredentialRecord
from factoryops.database.unit import Unit
from factoryops.domain.credentials import CredentialKind
from factoryops.domain.errors import ConflictError, NotFoundError
from factoryops.domain.identity import FactoryId, Role, Scope
from factoryops.domain.time import from_us, to_us


class Credentials:
    """What MQTT clients log in with."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def create(
        self,
        factory_id: FactoryId,
        username: str,
        secret_sha256: str,
        device_key: str | None = None,
        *,
        kind: CredentialKind | None = None,
        broker_hash: str = "",
        actor: str = "administration",
    ) -> CredentialRecord:
        """Add one; raises ConflictError when the user name is taken, by whichever factory.

        Args:
            factory_id: whose it is.
            username: unique over all factories.
            secret_sha256: hexadecimal SHA-256 of its secret.
            device_key: the only device it may publish for.
            kind: by default a device's with a device key and a gateway's without.
            broker_hash: of the same secret, as Mosquitto's password file wants it.
            actor: who makes it.
        """
        table = tables.mqtt_credential
        if self._unit.row(sa.select(table).where(table.c.username == username), every_factory=True) is not None:
            raise ConflictError(f"The MQTT user name {username} is taken: choose another.")
        chosen = kind or (CredentialKind.GATEWAY if device_key is None else CredentialKind.DEVICE)
        row: dict[str, Any] = {
            "username": username,
            "factory_id": factory_id,
            "secret_sha256": secret_sha256,
            "device_key": device_key,
            "kind": chosen.value,
            "broker_hash": broker_hash,
            "created_us": self._unit.now_us,
        }
        self._unit.insert(table, [row])
        self._changed(factory_id, "credential.create", username, actor, kind=chosen.value, device_key=device_key)
        return self.get(factory_id, username)

    def list_all(self) -> builtins.list[CredentialRecord]:
        """All of every factory, for the signed snapshot and a broker's files."""
        table = tables.mqtt_credential
        rows = self._unit.rows(sa.select(table).order_by(table.c.username), every_factory=True)
        return [_credential_of(row) for row in rows]

    def list(self, scope: Scope) -> builtins.list[CredentialRecord]:
        """The factory's, by user name."""
        table = tables.mqtt_credential
        query = sa.select(table).where(table.c.factory_id == scope.factory_id).order_by(table.c.username)
        return [_credential_of(row) for row in self._unit.rows(query)]

    def get(self, factory_id: FactoryId, username: str) -> CredentialRecord:
        """One; NotFoundError when the factory has none of that name."""
        table = tables.mqtt_credential
        row = self._unit.row(sa.select(table).where(table.c.factory_id == factory_id, table.c.username == username))
        if row is None or row.username != username:
            raise _unknown(username)
        return _credential_of(row)

    def rotate(
        self,
        factory_id: FactoryId,
        username: str,
        secret_sha256: str,
        *,
        broker_hash: str,
        until: datetime,
        actor: str = "administration",
    ) -> CredentialRecord:
        """Give it another secret; the one before stays good until `until`, any older one ends now."""
        self._unit.take_turn(factory_id)
        before = self.get(factory_id, username)
        self._set(
            before,
            secret_sha256=secret_sha256,
            broker_hash=broker_hash,
            previous_sha256=before.secret_sha256,
            previous_broker_hash=before.broker_hash,
            previous_until_us=to_us(until),
        )
        self._changed(factory_id, "credential.rotate", username, actor, previous_until=until.isoformat())
        return self.get(factory_id, username)

    def settle(self, factory_id: FactoryId, username: str, *, actor: str = "administration") -> CredentialRecord:
        """End the overlap of a rotation now; without one nothing changes."""
        self._unit.take_turn(factory_id)
        before = self.get(factory_id, username)
        if before.previous_sha256 is None:
            return before
        self._set(before, previous_sha256=None, previous_broker_hash=None, previous_until_us=None)
        self._changed(factory_id, "credential.settle", username, actor)
        return self.get(factory_id, username)

    def revoke(self, factory_id: FactoryId, username: str, *, actor: str = "administration") -> None:
        """Take one out of use; NotFoundError when the factory has none of that name."""
        table = tables.mqtt_credential
        known = self.get(factory_id, username)
        self._unit.write(sa.delete(table).where(table.c.factory_id == factory_id, table.c.username == username))
        self._changed(factory_id, "credential.revoke", username, actor, device_key=known.device_key)

    def _set(self, credential: CredentialRecord, **values: object) -> None:
        table = tables.mqtt_credential
        mine = sa.and_(table.c.factory_id == credential.factory_id, table.c.username == credential.username)
        self._unit.write(sa.update(table).where(mine).values(**values))

    def _changed(self, factory_id: FactoryId, action: str, username: str, actor: str, **new: object) -> None:
        AuditTrail(self._unit, Scope(factory_id, actor, Role.ADMIN)).add(action, username, None, new)
        self._unit.advance("access")


def _unknown(username: str) -> NotFoundError:
    return NotFoundError(f"The factory has no MQTT user {username}.")


def _credential_of(row: sa.Row[Any]) -> CredentialRecord:
    until_us = row.previous_until_us
    return CredentialRecord(
        factory_id=FactoryId(row.factory_id),
        username=row.username,
        secret_sha256=row.secret_sha256,
        device_key=row.device_key,
        created_at=from_us(row.created_us),
        kind=CredentialKind(row.kind),
        broker_hash=row.broker_hash,
        previous_sha256=row.previous_sha256,
        previous_broker_hash=row.previous_broker_hash,
        previous_until=None if until_us is None else from_us(until_us),
    )
