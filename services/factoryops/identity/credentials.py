"""Credentials of MQTT clients: random secrets, shown once, stored as their hash."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Final

from factoryops.database.database import Database
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.identity import FactoryId
from factoryops.domain.plant import is_key

_SECRET_BYTES: Final = 32
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,100}")
"""No `+`, `#` or `/`: brokers' access patterns would read them as wildcards (GHSA-vcg2-pq78-9mhr)."""


@dataclass(frozen=True, slots=True)
class NewCredential:
    """A credential just made; the secret cannot be read again."""

    username: str
    secret: str = field(repr=False)
    device_key: str | None


def create_credential(
    database: Database,
    factory_id: FactoryId,
    *,
    username: str | None = None,
    device_key: str | None = None,
    actor: str = "administration",
) -> NewCredential:
    """Make a credential with a secret of 32 random bytes.

    Args:
        database: where its hash is kept.
        factory_id: the factory it may publish for.
        username: letters, digits, `.`, `_` and `-`; by default the factory's slug and a random part.
        device_key: the only device it may publish for; None for any of the factory (a gateway).
        actor: who makes it, for the audit trail.

    Raises:
        InvalidInputError: the user name or the device key cannot be used.
        NotFoundError: there is no such factory.
        ConflictError: the user name is taken.
    """
    if username is not None and _NAME.fullmatch(username) is None:
        raise InvalidInputError(
            "The MQTT user name cannot be used: take letters, digits, dots, underscores and hyphens.",
            fields={"username": "take letters, digits, dots, underscores and hyphens"},
        )
    if device_key is not None and not is_key(device_key):
        raise InvalidInputError(
            "The device key cannot be used: take 1 to 100 printable characters.",
            fields={"device_key": "take 1 to 100 printable characters"},
        )
    secret = secrets.token_urlsafe(_SECRET_BYTES)

    def store(tx: Transaction) -> str:
        factory = tx.factories.get(factory_id)
        name = username or f"{factory.slug[:80]}-{secrets.token_hex(6)}"
        tx.credentials.create(factory_id, name, secret_digest(secret), device_key, actor=actor)
        return name

    return NewCredential(database.run(store), secret, device_key)


def secret_digest(secret: str) -> str:
    """What is stored of a secret: its hexadecimal SHA-256."""
    return hashlib.sha256(secret.encode()).hexdigest()


def revoke_credential(
    database: Database, factory_id: FactoryId, username: str, *, actor: str = "administration"
) -> None:
    """Take a credential out of use; it stops to work when ingest has read the next snapshot."""
    database.run(lambda tx: tx.credentials.revoke(factory_id, username, actor=actor))
