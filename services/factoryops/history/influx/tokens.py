"""What the service enters its buckets with: per factory one token that may write and one that may read, in files."""

from __future__ import annotations

import stat
import sys
import threading
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from factoryops.domain.errors import StorageError, UnavailableError

PROBE_S: Final = 60
"""How often a bucket that does not let us in is tried."""


class Right(StrEnum):
    """What a token may do with its one bucket."""

    READ = "read"
    WRITE = "write"


class ClosedBucketError(UnavailableError):
    """One factory's bucket does not let us in: no token, a revoked one, or no bucket. No other is concerned.

    Attributes:
        is_missing: the server knows no such bucket; to a reader one that it may not see looks the same.
    """

    def __init__(self, message: str, *, is_missing: bool = False) -> None:
        super().__init__(message, retry_after_s=PROBE_S)
        self.is_missing = is_missing


class Tokens(Protocol):
    """Where tokens come from."""

    def get(self, factory: str, right: Right) -> str:
        """The token as it is now; raises ClosedBucketError when there is none."""
        ...


class TokenFolder:
    """One file per factory and right, looked at anew for every request, so that a rotated token is used at once.

    Safe from several threads.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._held: dict[Path, tuple[tuple[int, int], str]] = {}

    def path(self, factory: str, right: Right) -> Path:
        """The file of a token."""
        return self._folder / f"{factory}.{right}.token"

    def get(self, factory: str, right: Right) -> str:
        """The token as it is now.

        Raises:
            ClosedBucketError: the file is missing, empty, cannot be read, or others can read it.
        """
        path = self.path(factory, right)
        try:
            status = path.stat()
            if sys.platform != "win32" and status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise ClosedBucketError(f"The token file {path} can be read by others; run chmod 600 on it.")
            return self._read(path, (status.st_mtime_ns, status.st_ino))
        except OSError as error:
            raise ClosedBucketError(
                f"There is no usable InfluxDB token of factory {factory} ({path}: {error.strerror}). Its samples wait "
                "in the journal; run: factoryops-service influx setup"
            ) from error

    def _read(self, path: Path, version: tuple[int, int]) -> str:
        with self._lock:
            held = self._held.get(path)
            if held is None or held[0] != version:
                held = (version, path.read_text(encoding="utf-8").strip())
                self._held[path] = held
        if not held[1]:
            raise ClosedBucketError(f"The token file {path} is empty; run: factoryops-service influx setup")
        return held[1]

    def put(self, factory: str, right: Right, token: str) -> None:
        """Replace a token; raises StorageError when its file cannot be written."""
        path = self.path(factory, right)
        new = path.with_name(path.name + ".new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            new.unlink(missing_ok=True)
            new.touch(mode=0o600)
            new.write_text(token + "\n", encoding="utf-8")
            new.replace(path)
        except OSError as error:
            raise StorageError(f"The token file {path} cannot be written ({error.strerror}).") from error
