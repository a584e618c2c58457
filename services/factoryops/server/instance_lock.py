"""The lock that keeps a second service off the same data folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

from factoryops.domain.errors import SetupError


class InstanceLock:
    """An operating-system lock on a file: gone with the process that held it, however that ended."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the lock; raises SetupError naming the process that holds it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+", encoding="utf-8")
        try:
            _lock(file)
        except OSError as error:
            holder = self._holder()
            file.close()
            raise SetupError(
                f"Another FactoryOps service (process {holder}) already runs on this data folder. "
                "Two would corrupt it; stop the other one first."
            ) from error
        self._file = file
        self._path.with_suffix(".pid").write_text(str(os.getpid()), encoding="utf-8")

    def _holder(self) -> str:
        try:
            return self._path.with_suffix(".pid").read_text(encoding="utf-8")
        except OSError:
            return "unknown"

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            self._file.close()
            self._file = None


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[str]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[str]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
