"""Setting up factories and people; what the command line calls."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from factoryops.database.database import Database
from factoryops.database.rows import UserRecord
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import InvalidInputError, NotFoundError
from factoryops.domain.identity import FactoryId, Role, Scope
from factoryops.domain.plant import Factory
from factoryops.identity.login import normal_name
from factoryops.identity.passwords import PasswordHasher, check_new_password, generate_password


@dataclass(frozen=True, slots=True)
class NewUser:
    """An account just made; a generated password cannot be read again."""

    user: UserRecord
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewFactory:
    """A factory just made, with its first administrator."""

    factory: Factory
    admin: NewUser


def create_factory(
    database: Database,
    *,
    slug: str,
    name: str,
    timezone: str = "UTC",
    adopts_automatically: bool = True,
    tenant: str = "",
    admin_name: str = "admin",
    admin_password: str | None = None,
) -> NewFactory:
    """Add a factory and its first administrator, both or neither.

    Raises:
        InvalidInputError: a name, the time zone, the tenant id or the password cannot be used.
        ConflictError: the slug or the tenant id is taken.
    """
    admin = _checked_name(admin_name)
    password, password_hash = _hashed(admin, admin_password)

    def store(tx: Transaction) -> tuple[Factory, UserRecord]:
        factory = tx.factories.create(slug, name, timezone, adopts_automatically, tenant=tenant)
        return factory, tx.users.create(factory.id, admin, password_hash, Role.ADMIN)

    factory, user = database.run(store)
    return NewFactory(factory, NewUser(user, password))


def create_user(
    database: Database,
    factory_id: FactoryId,
    name: str,
    role: Role,
    password: str | None = None,
    *,
    actor: str = "administration",
) -> NewUser:
    """Add an account; without a password a random one is made.

    Raises:
        InvalidInputError: the name or the password cannot be used.
        NotFoundError: there is no such factory.
        ConflictError: the factory has a user of that name.
    """
    checked = _checked_name(name)
    used, password_hash = _hashed(checked, password)

    def store(tx: Transaction) -> UserRecord:
        tx.factories.get(factory_id)
        return tx.users.create(factory_id, checked, password_hash, role, actor=actor)

    return NewUser(database.run(store), used)


def set_password(database: Database, factory_id: FactoryId, name: str, password: str | None = None) -> NewUser:
    """Replace a password and end the user's sessions; without one a random one is made.

    Raises:
        InvalidInputError: the password cannot be used.
        NotFoundError: the factory has no user of that name.
    """
    used, password_hash = _hashed(normal_name(name), password)

    def store(tx: Transaction) -> UserRecord:
        user = _found(tx, factory_id, name)
        tx.users.set_password_hash(user.id, password_hash)
        tx.sessions.delete_of_user(user.id)
        return tx.users.get(user.id)

    return NewUser(database.run(store), used)


def set_active(database: Database, factory_id: FactoryId, name: str, is_active: bool) -> UserRecord:
    """Deactivate a user, ending every session, or bring one back; NotFoundError when there is none."""

    def store(tx: Transaction) -> UserRecord:
        user = _found(tx, factory_id, name)
        tx.users.set_active(user.id, is_active)
        return tx.users.get(user.id)

    return database.run(store)


def list_users(database: Database, factory_id: FactoryId) -> list[UserRecord]:
    """The factory's accounts, by name."""
    return database.read(lambda tx: tx.users.list(Scope(factory_id, "administration", Role.ADMIN)))


def _found(tx: Transaction, factory_id: FactoryId, name: str) -> UserRecord:
    user = tx.users.find(factory_id, normal_name(name))
    if user is None:
        raise NotFoundError(f"The factory has no user {name}.")
    return user


def _checked_name(name: str) -> str:
    checked = normal_name(name)
    if not 0 < len(checked) <= 255 or not checked.isprintable():
        reason = "take 1 to 255 printable characters"
        raise InvalidInputError(f"The user name cannot be used: {reason}.", fields={"name": reason})
    return checked


def _hashed(name: str, password: str | None) -> tuple[str, str]:
    """The password to tell, and its hash."""
    used = generate_password() if password is None else password
    with _hasher() as hasher:
        return used, hasher.hash(check_new_password(used, user_name=name))


@contextlib.contextmanager
def _hasher() -> Iterator[PasswordHasher]:
    hasher = PasswordHasher()
    try:
        yield hasher
    finally:
        hasher.close()
