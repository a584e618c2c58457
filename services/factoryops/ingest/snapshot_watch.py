"""Notices when the signed snapshot of factories, devices and credentials has changed."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec

from factoryops.contracts.snapshot import Snapshot, open_snapshot, signature_of
from factoryops.domain.errors import DamagedFileError

logger = logging.getLogger(__name__)


class SnapshotWatch:
    """Reads one snapshot file again whenever it is another.

    Attributes:
        problem: what is wrong with the file, "" when nothing is; the last good snapshot stays in force.
        signature: of the snapshot in force, as `contracts.snapshot.signature_of` tells it; "" before the first.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        self._path = path
        self._key = key
        self._seen: tuple[int, int, int] | None = None
        self.signature = ""
        self.problem = "No factory is known yet: nothing can be received until the first one has been set up."

    def poll(self) -> Snapshot | None:
        """The snapshot when it changed since the last call; blocks for the time of reading a small file."""
        try:
            status = self._path.stat()
            seen = (status.st_mtime_ns, status.st_size, status.st_ino)
            if seen == self._seen:
                return None
            sealed = self._path.read_bytes()
            snapshot = open_snapshot(sealed, self._key)
        except FileNotFoundError:
            return None
        except (DamagedFileError, msgspec.MsgspecError, OSError) as error:
            self._note(f"{error} Changes to devices and credentials are not taken over until it is written anew.")
            return None
        self._seen, self.signature = seen, signature_of(sealed)
        self.problem = ""
        return snapshot

    def _note(self, problem: str) -> None:
        if problem != self.problem:
            logger.warning("%s", problem)
        self.problem = problem
