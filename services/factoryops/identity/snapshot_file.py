"""The signed snapshot on disk from which ingest knows factories, devices and credentials."""

from __future__ import annotations

from pathlib import Path

from factoryops.certificates.files import replace_file
from factoryops.contracts.snapshot import (
    Snapshot,
    SnapshotCredential,
    SnapshotDeadband,
    SnapshotFactory,
    SnapshotMapping,
    seal_snapshot,
)
from factoryops.database.database import Database
from factoryops.database.rows import CredentialRecord
from factoryops.database.transaction import Transaction
from factoryops.domain.credentials import CredentialKind
from factoryops.domain.errors import StorageError
from factoryops.domain.identity import Role, Scope
from factoryops.domain.plant import Factory
from factoryops.domain.time import to_us


def take_snapshot(database: Database) -> Snapshot:
    """What ingest must know, read in one unit."""
    return database.read(_snapshot)


def write_snapshot(database: Database, path: Path, key: bytes) -> bool:
    """Replace the file whole if its content changed; answers whether it did.

    Raises:
        UnavailableError: the database is away; the file stays as it is.
        StorageError: the file cannot be written.
    """
    sealed = seal_snapshot(take_snapshot(database), key)
    if _read(path) == sealed:
        return False
    try:
        replace_file(path, sealed)
    except StorageError as error:
        raise StorageError(f"{error} It lists devices and credentials: new ones are not let in.") from error
    return True


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:  # not there, or another user's: it is replaced
        return None


def _snapshot(tx: Transaction) -> Snapshot:
    credentials = [_credential(record) for record in tx.credentials.list_all()]
    factories = tx.factories.list()
    mappings = [
        SnapshotMapping(mapping_id, factory.id, version, definition)
        for factory in factories
        for mapping_id, version, definition in tx.mappings(_scope(factory)).in_force()
    ]
    return Snapshot([_factory(tx, factory) for factory in factories], credentials, mappings)


def rules_of(tx: Transaction, scope: Scope) -> tuple[SnapshotFactory, list[SnapshotMapping]]:
    """What ingest goes by for one factory: its devices, and its mappings in force."""
    factory = tx.adoption(scope).factory()
    mappings = tx.mappings(scope).in_force()
    return _factory(tx, factory), [SnapshotMapping(one, factory.id, version, what) for one, version, what in mappings]


def _scope(factory: Factory) -> Scope:
    return Scope(factory.id, "snapshot", Role.VIEWER)


def _credential(record: CredentialRecord) -> SnapshotCredential:
    is_tool = record.kind is CredentialKind.TOOL
    return SnapshotCredential(
        record.username,
        record.secret_sha256,
        record.factory_id,
        "" if is_tool else record.device_key,
        may_subscribe=is_tool,
        previous_sha256=record.previous_sha256 or "",
        previous_until_us=0 if record.previous_until is None else to_us(record.previous_until),
    )


def _factory(tx: Transaction, factory: Factory) -> SnapshotFactory:
    devices = tx.devices(_scope(factory)).list()
    return SnapshotFactory(
        id=factory.id,
        slug=factory.slug,
        adopts_automatically=factory.adopts_automatically,
        device_keys=sorted(device.key for device in devices),
        tenant=factory.tenant,
        deadbands=[
            SnapshotDeadband(device, one.key, one.deadband, one.deadband_max_s)
            for device, one in tx.parameters(_scope(factory)).with_deadband()
            if one.deadband is not None
        ],
    )
