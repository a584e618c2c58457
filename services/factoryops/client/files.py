"""Files that arrive whole or not at all."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path, PureWindowsPath
from typing import Self

from factoryops.domain.errors import StorageError, UnavailableError


class ArrivingFile:
    """Writes beside the target, checks the hash, and only then puts the file in its place.

    Args:
        target: the file's path, or an existing folder in which it gets its own name.
        name: the file's own name; its folders, if it pretends to have any, are ignored.
        sha256: hexadecimal hash of the whole content.

    Raises:
        StorageError: the place cannot be written.
    """

    def __init__(self, target: Path, name: str, sha256: str) -> None:
        self.path = target / (PureWindowsPath(name).name or "download") if target.is_dir() else target
        self._temporary = self.path.with_name(self.path.name + ".part")
        self._sha256 = sha256
        self._hash = hashlib.sha256()

        try:
            self._file = self._temporary.open("wb")
        except OSError as error:
            raise StorageError(f"{self.path} cannot be written ({error}); choose another folder.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Take away what arrived so far, unless it was put in its place."""
        self._file.close()
        self._temporary.unlink(missing_ok=True)

    def write(self, part: bytes) -> None:
        """Add the next part."""
        self._hash.update(part)
        try:
            self._file.write(part)
        except OSError as error:
            raise StorageError(f"{self.path} cannot be written ({error}); check the free space.") from error

    def finish(self) -> Path:
        """Check the hash and put the file in its place; raises UnavailableError when it arrived damaged."""
        if self._hash.hexdigest() != self._sha256:
            raise UnavailableError("The file did not arrive as it was sent; download it again.")
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._temporary.replace(self.path)
        except OSError as error:
            raise StorageError(f"{self.path} cannot be written ({error}); close it if it is open.") from error
        return self.path


def write_whole(target: Path, name: str, sha256: str, content: bytes) -> Path:
    """Write `content` whole or not at all; returns where it lies."""
    with ArrivingFile(target, name, sha256) as arriving:
        arriving.write(content)
        return arriving.finish()
