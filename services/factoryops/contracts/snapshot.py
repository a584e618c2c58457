"""The signed snapshot of factories, devices and credentials that ingest works from when the database is away.

The engine and the command line write it when something changes; ingest reads it. The signature (HMAC-SHA-256 with the
installation's own key) keeps anyone who can only write the folder from letting a device in.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

import msgspec

from factoryops.domain.errors import DamagedFileError
from factoryops.domain.mapping import TopicMapping


class SnapshotDeadband(msgspec.Struct, frozen=True):
    """The exception deadband of one parameter.

    Attributes:
        width: how far a value may be from the last kept one to be held back, in the parameter's unit.
        longest_s: how old the last kept value may become.
    """

    device: str
    parameter: str
    width: float
    longest_s: float


class SnapshotFactory(msgspec.Struct, frozen=True):
    """A factory as ingest needs it: the slug of topics and the id of series.

    Attributes:
        tenant: its id in topics of dialect C; "" for none.
    """

    id: str
    slug: str
    adopts_automatically: bool
    device_keys: list[str]
    tenant: str = ""
    deadbands: list[SnapshotDeadband] = []


class SnapshotCredential(msgspec.Struct, frozen=True):
    """What an MQTT client may log in with.

    Attributes:
        secret_sha256: hexadecimal SHA-256 of the secret; secrets are 24 random bytes or more, so no slow hash is due.
        factory_id: the factory it may publish for.
        device_key: the only device it may publish for; None for any of its factory (a gateway), "" for none (a tool).
        may_subscribe: whether it may also look at its factory's traffic at the service's own endpoint.
        previous_sha256: of the secret before a rotation, good until `previous_until_us`; "" without one.
    """

    username: str
    secret_sha256: str
    factory_id: str
    device_key: str | None = None
    may_subscribe: bool = False
    previous_sha256: str = ""
    previous_until_us: int = 0


class SnapshotMapping(msgspec.Struct, frozen=True):
    """A mapping in force.

    Attributes:
        version: counts its changes; two of the same id and version are the same.
    """

    id: str
    factory_id: str
    version: int
    definition: TopicMapping


class Snapshot(msgspec.Struct, frozen=True):
    """Everything ingest must know."""

    factories: list[SnapshotFactory] = []
    credentials: list[SnapshotCredential] = []
    mappings: list[SnapshotMapping] = []


_SIGNATURE_LENGTH: Final = hashlib.sha256().digest_size


def seal_snapshot(snapshot: Snapshot, key: bytes) -> bytes:
    """The signed bytes of a snapshot."""
    body = msgspec.json.encode(snapshot)
    return hmac.digest(key, body, "sha256") + body


def open_snapshot(sealed: bytes, key: bytes) -> Snapshot:
    """The snapshot of signed bytes; raises DamagedFileError when the signature is not ours."""
    signature, body = sealed[:_SIGNATURE_LENGTH], sealed[_SIGNATURE_LENGTH:]
    if not hmac.compare_digest(signature, hmac.digest(key, body, "sha256")):
        raise DamagedFileError("The snapshot of devices and credentials is not signed with this installation's key.")
    return msgspec.json.decode(body, type=Snapshot)


def signature_of(sealed: bytes) -> str:
    """What tells one sealed snapshot from another, as hexadecimal; ingest's heartbeat says which it works from."""
    return sealed[:_SIGNATURE_LENGTH].hex()
