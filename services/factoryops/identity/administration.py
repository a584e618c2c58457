"""Setting up factories and people; what the command line calls."""

from __future__ import annotations

from dataclasses import dataclass, field

from factoryops.database.database import Database
from factoryops.database.rows import UserRecord
from factoryops.domain.identity import FactoryId, Role
from factoryops.domain.plant import Factory


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
    admin_name: str = "admin",
    admin_password: str | None = None,
) -> NewFactory:
    """Add a factory and its first administrator, both or neither.

    Raises:
        InvalidInputError: a name, the time zone or the password cannot be used.
        ConflictError: the slug is taken.
    """
    raise NotImplementedError


def create_user(
    database: Database, factory_id: FactoryId, name: str, role: Role, password: str | None = None
) -> NewUser:
    """Add an account; without a password a random one is made.

    Raises:
        InvalidInputError: the name or the password cannot be used.
        ConflictError: the factory has a user of that name.
    """
    raise NotImplementedError


def set_password(database: Database, factory_id: FactoryId, name: str, password: str | None = None) -> NewUser:
    """Replace a password and end the user's sessions; without one a random one is made.

    Raises:
        NotFoundError: the factory has no user of that name.
    """
    raise NotImplementedError


def set_active(database: Database, factory_id: FactoryId, name: str, is_active: bool) -> UserRecord:
    """Deactivate a user, ending every session, or bring one back; NotFoundError when there is none."""
    raise NotImplementedError


def list_users(database: Database, factory_id: FactoryId) -> list[UserRecord]:
    """The factory's accounts, by name."""
    raise NotImplementedError
