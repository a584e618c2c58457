"""The signed snapshot on disk from which ingest knows factories, devices and credentials."""

from __future__ import annotations

from pathlib import Path

from factoryops.contracts.snapshot import Snapshot
from factoryops.database.database import Database


def take_snapshot(database: Database) -> Snapshot:
    """What ingest must know, read in one unit."""
    raise NotImplementedError


def write_snapshot(database: Database, path: Path, key: bytes) -> bool:
    """Replace the file whole if its content changed; answers whether it did.

    Raises:
        UnavailableError: the database is away; the file stays as it is.
        StorageError: the file cannot be written.
    """
    raise NotImplementedError
