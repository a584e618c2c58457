"""Credentials of MQTT clients: random secrets, shown once, stored as their hashes (decision 0016)."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from factoryops.database.database import Database
from factoryops.database.rows import CredentialRecord
from factoryops.database.transaction import Transaction
from factoryops.domain.credentials import CredentialKind, fits_into_topic, is_mqtt_name
from factoryops.domain.errors import InvalidInputError
from factoryops.domain.identity import FactoryId
from factoryops.domain.plant import is_key
from factoryops.domain.time import from_us, now_us

OVERLAP_H: Final = 24.0
LONGEST_OVERLAP_H: Final = 30 * 24.0

_SECRET_BYTES: Final = 32
_BROKER_ROUNDS: Final = 101
"""Mosquitto's own default. The secrets are 32 random bytes: no number of rounds is needed to guard them."""
_BROKER_SALT_BYTES: Final = 12
_BROKER_HASH_BYTES: Final = 64


@dataclass(frozen=True, slots=True)
class NewCredential:
    """A credential just made or rotated; the secret cannot be read again.

    Attributes:
        previous_until: after a rotation, until when the secret before it is good.
    """

    username: str
    secret: str = field(repr=False)
    device_key: str | None
    kind: CredentialKind = CredentialKind.GATEWAY
    previous_until: datetime | None = None


def create_credential(
    database: Database,
    factory_id: FactoryId,
    *,
    username: str | None = None,
    device_key: str | None = None,
    is_tool: bool = False,
    actor: str = "administration",
) -> NewCredential:
    """Make a credential with a secret of 32 random bytes.

    Args:
        database: where its hashes are kept.
        factory_id: the factory it may publish for.
        username: letters, digits, `.`, `_` and `-`; by default the factory's slug and a random part.
        device_key: the only device it may publish for; None for any of the factory (a gateway).
        is_tool: it may look at the factory's traffic and publish nothing.
        actor: who makes it, for the audit trail.

    Raises:
        InvalidInputError: the user name or the device key cannot be used.
        NotFoundError: there is no such factory.
        ConflictError: the user name is taken.
    """
    _check(username, device_key, is_tool=is_tool)
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    kind = kind_of(device_key, is_tool=is_tool)

    def store(tx: Transaction) -> str:
        factory = tx.factories.get(factory_id)
        name = username or f"{factory.slug[:80]}-{secrets.token_hex(6)}"
        tx.credentials.create(
            factory_id, name, secret_digest(secret), device_key, kind=kind, broker_hash=broker_hash(secret), actor=actor
        )
        return name

    return NewCredential(database.run(store), secret, device_key, kind)


def kind_of(device_key: str | None, *, is_tool: bool) -> CredentialKind:
    """The kind of a credential: a tool only looks, a device publishes for itself, a gateway for its factory."""
    if is_tool:
        return CredentialKind.TOOL
    return CredentialKind.GATEWAY if device_key is None else CredentialKind.DEVICE


def rotate_credential(
    database: Database,
    factory_id: FactoryId,
    username: str,
    *,
    overlap_h: float = OVERLAP_H,
    actor: str = "administration",
) -> NewCredential:
    """Give a credential another secret; the one before stays good for `overlap_h`.

    Raises:
        InvalidInputError: the overlap is not 0 to 30 days.
        NotFoundError: the factory has no credential of that name.
    """
    if not 0 <= overlap_h <= LONGEST_OVERLAP_H:
        reason = "take 0 to 720 hours (30 days)"
        raise InvalidInputError(f"The overlap cannot be used: {reason}.", fields={"overlap_h": reason})
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    until = from_us(now_us()) + timedelta(hours=overlap_h)

    def store(tx: Transaction) -> CredentialRecord:
        return tx.credentials.rotate(
            factory_id, username, secret_digest(secret), broker_hash=broker_hash(secret), until=until, actor=actor
        )

    made = database.run(store)
    return NewCredential(made.username, secret, made.device_key, made.kind, made.previous_until)


def settle_credential(
    database: Database, factory_id: FactoryId, username: str, *, actor: str = "administration"
) -> None:
    """End the overlap of a rotation: the secret before it is good no more."""
    database.run(lambda tx: tx.credentials.settle(factory_id, username, actor=actor))


def secret_digest(secret: str) -> str:
    """What is stored of a secret: its hexadecimal SHA-256."""
    return hashlib.sha256(secret.encode()).hexdigest()


def broker_hash(secret: str) -> str:
    """A secret's hash in the form of Mosquitto's password file: PBKDF2 with SHA-512, `$7$rounds$salt$hash`."""
    salt = secrets.token_bytes(_BROKER_SALT_BYTES)
    hashed = hashlib.pbkdf2_hmac("sha512", secret.encode(), salt, _BROKER_ROUNDS, _BROKER_HASH_BYTES)
    return f"$7${_BROKER_ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(hashed).decode()}"


def revoke_credential(
    database: Database, factory_id: FactoryId, username: str, *, actor: str = "administration"
) -> None:
    """Take a credential out of use; it stops to work when ingest has read the next snapshot."""
    database.run(lambda tx: tx.credentials.revoke(factory_id, username, actor=actor))


def _check(username: str | None, device_key: str | None, *, is_tool: bool) -> None:
    if username is not None and not is_mqtt_name(username):
        _refuse("The MQTT user name", "username", "take letters, digits, dots, underscores and hyphens")
    if device_key is not None and is_tool:
        _refuse("The device key", "device_key", "a tool belongs to no device")
    if device_key is not None and not is_key(device_key):
        _refuse("The device key", "device_key", "take 1 to 100 printable characters")
    if device_key is not None and not fits_into_topic(device_key):
        _refuse("The device key", "device_key", "it stands in a topic, where +, # and / mean something else")


def _refuse(what: str, field_name: str, reason: str) -> None:
    raise InvalidInputError(f"{what} cannot be used: {reason}.", fields={field_name: reason})
