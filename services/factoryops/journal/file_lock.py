"""A lock between processes: the operating system lets go of it with the process that held it, however that ended."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO


class FileLock:
    """An operating-system lock on a file beside what it guards."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def take(self) -> bool:
        """Take the lock; False when another process, or another lock of this one, holds it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+", encoding="utf-8")
        try:
            _lock(file)
        except OSError:
            file.close()
            return False
        file.truncate(0)
        file.write(f"\n{os.getpid()}")  # Windows lets nobody read the first byte, which is the locked one
        file.flush()
        self._file = file
        return True

    def holder(self) -> str:
        """The process id of whoever holds the lock; empty when it cannot be told."""
        try:
            with self._path.open("rb") as file:
                file.seek(1)
                return file.read(20).decode("ascii", "replace")
        except OSError:
            return ""

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
