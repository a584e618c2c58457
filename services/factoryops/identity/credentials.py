"""Credentials of MQTT clients: random secrets, shown once, stored as their hash."""

from __future__ import annotations

from dataclasses import dataclass, field

from factoryops.database.database import Database
from factoryops.domain.identity import FactoryId


@dataclass(frozen=True, slots=True)
class NewCredential:
    """A credential just made; the secret cannot be read again."""

    username: str
    secret: str = field(repr=False)
    device_key: str | None


def create_credential(
    database: Database, factory_id: FactoryId, *, username: str | None = None, device_key: str | None = None
) -> NewCredential:
    """Make a credential with a secret of 32 random bytes.

    Args:
        database: where its hash is kept.
        factory_id: the factory it may publish for.
        username: letters, digits, `.`, `_` and `-`; by default the factory's slug and a random part.
        device_key: the only device it may publish for; None for any of the factory (a gateway).

    Raises:
        InvalidInputError: the user name cannot be used.
        ConflictError: the user name is taken.
    """
    raise NotImplementedError


def revoke_credential(database: Database, factory_id: FactoryId, username: str) -> None:
    """Take a credential out of use; it stops to work when ingest has read the next snapshot."""
    raise NotImplementedError
