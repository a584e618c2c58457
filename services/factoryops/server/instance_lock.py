"""The lock that keeps a second service off the same data folder."""

from __future__ import annotations

import os
from pathlib import Path

from factoryops.domain.errors import SetupError
from factoryops.journal.file_lock import FileLock


class InstanceLock:
    """Held by the one running service; gone with its process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(path)

    def acquire(self) -> None:
        """Take the lock; raises SetupError naming the process that holds it."""
        if not self._lock.take():
            raise SetupError(
                f"Another FactoryOps service (process {self._holder()}) already runs on this data folder. "
                "Two would corrupt it; stop the other one first."
            )
        self._path.with_suffix(".pid").write_text(str(os.getpid()), encoding="utf-8")

    def _holder(self) -> str:
        try:
            return self._path.with_suffix(".pid").read_text(encoding="utf-8")
        except OSError:
            return "unknown"

    def release(self) -> None:
        """Give the lock back."""
        self._lock.release()
