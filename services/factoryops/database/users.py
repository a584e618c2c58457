"""Users and their sessions."""

from __future__ import annotations

import builtins
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from factoryops.database import tables
from factoryops.database.audit import AuditTrail
from factoryops.database.rows import SessionRecord, UserRecord
from factoryops.database.unit import Unit
from factoryops.domain.errors import ConflictError, NotFoundError
from factoryops.domain.identity import FactoryId, Role, Scope, UserId, new_id
from factoryops.domain.plant import Factory
from factoryops.domain.time import from_us, to_us

MOST_SESSIONS_OF_A_USER: Final = 5


class Users:
    """People's accounts; every change writes its audit entry."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def create(
        self, factory_id: FactoryId, name: str, password_hash: str, role: Role, *, actor: str = "administration"
    ) -> UserRecord:
        """Add an account; raises ConflictError when the factory has one of that name."""
        if self.find(factory_id, name) is not None:
            raise ConflictError(f"The factory has a user {name} already.")
        made = UserRecord(
            UserId(new_id()),
            factory_id,
            name,
            password_hash,
            role,
            is_active=True,
            created_at=from_us(self._unit.now_us),
        )
        row: dict[str, Any] = {
            "factory_id": factory_id,
            "id": made.id,
            "name": name,
            "password_hash": password_hash,
            "role": role.value,
            "is_active": True,
            "created_us": self._unit.now_us,
        }
        self._unit.insert(tables.user_account, [row])
        self._audit(made, actor).add("user.create", made.id, None, {"name": name, "role": role.value})
        return made

    def find(self, factory_id: FactoryId, name: str) -> UserRecord | None:
        """The account of a name, active or not."""
        table = tables.user_account
        row = self._unit.row(sa.select(table).where(table.c.factory_id == factory_id, table.c.name == name))
        return None if row is None or row.name != name else _user_of(row)

    def get(self, user_id: UserId | str) -> UserRecord:
        """The account of an id, or NotFoundError."""
        row = self._unit.row(
            sa.select(tables.user_account).where(tables.user_account.c.id == user_id), every_factory=True
        )
        if row is None:
            raise NotFoundError("There is no such user.")
        return _user_of(row)

    def list(self, scope: Scope) -> builtins.list[UserRecord]:
        """All accounts of the factory, by name."""
        table = tables.user_account
        query = sa.select(table).where(table.c.factory_id == scope.factory_id).order_by(table.c.name)
        return [_user_of(row) for row in self._unit.rows(query)]

    def set_password_hash(
        self, user_id: UserId | str, password_hash: str, *, actor: str | None = "administration"
    ) -> None:
        """Replace the password's hash; without an actor (a rehash of the same password) nothing is audited."""
        user = self.get(user_id)
        self._set(user, password_hash=password_hash)
        if actor is not None:
            self._audit(user, actor).add("user.password", user.id)

    def set_active(self, user_id: UserId | str, is_active: bool, *, actor: str = "administration") -> None:
        """Deactivate (their sessions end with it) or bring back; accounts are never deleted."""
        user = self.get(user_id)
        if user.is_active == is_active:
            return
        self._set(user, is_active=is_active)
        self._audit(user, actor).add("user.active", user.id, user.is_active, is_active)
        if not is_active:
            Sessions(self._unit).delete_of_user(user.id)

    def _set(self, user: UserRecord, **values: object) -> None:
        table = tables.user_account
        self._unit.write(
            sa.update(table).where(table.c.factory_id == user.factory_id, table.c.id == user.id).values(**values)
        )

    def _audit(self, user: UserRecord, actor: str) -> AuditTrail:
        return AuditTrail(self._unit, Scope(user.factory_id, actor, Role.ADMIN))


class Sessions:
    """Open sessions by the hash of their token."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit

    def create(self, token_sha256: str, user_id: UserId, factory_id: FactoryId, expires_at: datetime) -> None:
        """Open one; beyond 5 of one user the oldest ends."""
        row: dict[str, Any] = {
            "token_sha256": token_sha256,
            "factory_id": factory_id,
            "user_id": user_id,
            "created_us": self._unit.now_us,
            "expires_us": to_us(expires_at),
        }
        self._unit.insert(tables.session, [row])
        self._end_oldest(user_id, factory_id, token_sha256)

    def _end_oldest(self, user_id: UserId, factory_id: FactoryId, newest: str) -> None:
        table = tables.session
        mine = sa.and_(table.c.factory_id == factory_id, table.c.user_id == user_id)
        query = sa.select(table.c.token_sha256).where(mine, table.c.token_sha256 != newest)
        others = [row[0] for row in self._unit.rows(query.order_by(table.c.created_us.desc(), table.c.token_sha256))]
        surplus = others[MOST_SESSIONS_OF_A_USER - 1 :]
        if surplus:
            self._unit.write(sa.delete(table).where(mine, table.c.token_sha256.in_(surplus)))

    def find(self, token_sha256: str) -> SessionRecord | None:
        """The session with its user and factory; None when unknown, expired, or the user was deactivated."""
        opened, user, factory = tables.session, tables.user_account, tables.factory
        query = (
            sa.select(
                opened,
                user.c.name.label("user_name"),
                user.c.role,
                factory.c.slug,
                factory.c.name.label("factory_name"),
                factory.c.timezone,
                factory.c.adopts_automatically,
            )
            .join(user, sa.and_(user.c.factory_id == opened.c.factory_id, user.c.id == opened.c.user_id))
            .join(factory, factory.c.id == opened.c.factory_id)
            .where(
                opened.c.token_sha256 == token_sha256,
                opened.c.expires_us > self._unit.now_us,
                user.c.is_active.is_(True),
            )
        )
        row = self._unit.row(query, every_factory=True)
        return None if row is None else _session_of(row)

    def delete(self, token_sha256: str) -> None:
        """End one; an unknown one is no error."""
        table = tables.session
        self._unit.write(sa.delete(table).where(table.c.token_sha256 == token_sha256), every_factory=True)

    def delete_of_user(self, user_id: UserId) -> int:
        """End all of one user; answers how many there were."""
        table = tables.session
        return self._unit.write(sa.delete(table).where(table.c.user_id == user_id), every_factory=True)

    def purge(self, now: datetime) -> int:
        """Forget the expired ones; answers how many."""
        table = tables.session
        return self._unit.write(sa.delete(table).where(table.c.expires_us <= to_us(now)), every_factory=True)


def _user_of(row: sa.Row[Any]) -> UserRecord:
    return UserRecord(
        UserId(row.id),
        FactoryId(row.factory_id),
        row.name,
        row.password_hash,
        Role(row.role),
        bool(row.is_active),
        from_us(row.created_us),
    )


def _session_of(row: sa.Row[Any]) -> SessionRecord:
    factory = Factory(
        FactoryId(row.factory_id), row.slug, row.factory_name, row.timezone, bool(row.adopts_automatically)
    )
    return SessionRecord(
        row.token_sha256,
        UserId(row.user_id),
        row.user_name,
        Role(row.role),
        factory,
        from_us(row.created_us),
        from_us(row.expires_us),
    )
