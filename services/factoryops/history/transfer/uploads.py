"""Uploaded files that wait to be imported: in a folder per factory, whole or not at all, gone after seven days."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from factoryops.domain.errors import InvalidInputError, NotFoundError, StorageError
from factoryops.domain.identity import new_id
from factoryops.domain.time import from_us, now_us, to_us
from factoryops.observability.disk import check_room

KEPT_FOR: Final = timedelta(days=7)
MOST_PER_FACTORY: Final = 50
_ID: Final = re.compile(r"[0-9a-f]{32}")
_TABLE: Final = "table"
_ABOUT: Final = "about.json"
_STATE: Final = "state.json"
_ARRIVING: Final = ".arriving"


class _About(msgspec.Struct, frozen=True):
    name: str
    size_bytes: int
    uploaded_us: int


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file that lies ready.

    Attributes:
        name: what it was called where it came from; never part of a path.
        path: the file.
        state_file: where its import remembers how far it has come.
    """

    id: str
    name: str
    size_bytes: int
    uploaded_at: datetime
    path: Path
    state_file: Path


class Uploads:
    """Files at `<factory id>/<upload id>/table`; the names people gave them are only shown.

    Args:
        root: the folder.
        most_bytes: of one file.
    """

    def __init__(self, root: Path, *, most_bytes: int = 2 << 30) -> None:
        self._root = root
        self.most_bytes = most_bytes

    def begin(self, factory: str, name: str) -> Arriving:
        """Take a file piece by piece.

        Raises:
            InvalidInputError: too many are waiting already.
            StorageError: the folder cannot be written.
        """
        if len(self.all(factory)) >= MOST_PER_FACTORY:
            raise InvalidInputError(
                f"{MOST_PER_FACTORY} uploaded files wait already. Delete one of them, or wait: they go after "
                f"{KEPT_FOR.days} days."
            )
        return Arriving(self._folder(factory) / new_id(), _shown(name), self.most_bytes)

    def get(self, factory: str, upload_id: str) -> UploadedFile:
        """One, or NotFoundError: of another factory, or none at all."""
        folder = self._inside(factory, upload_id)
        try:
            about = msgspec.json.decode((folder / _ABOUT).read_bytes(), type=_About)
        except (OSError, msgspec.MsgspecError) as error:
            raise NotFoundError("There is no such upload; it may have been removed after seven days.") from error
        return UploadedFile(
            upload_id, about.name, about.size_bytes, from_us(about.uploaded_us), folder / _TABLE, folder / _STATE
        )

    def all(self, factory: str) -> list[UploadedFile]:
        """Newest first."""
        names = [folder.name for folder in self._folder(factory).glob("*") if _ID.fullmatch(folder.name)]
        found: list[UploadedFile] = []
        for name in names:
            try:
                found.append(self.get(factory, name))
            except NotFoundError:
                continue
        return sorted(found, key=lambda one: one.uploaded_at, reverse=True)

    def remove(self, factory: str, upload_id: str) -> None:
        """Delete one; raises NotFoundError."""
        shutil.rmtree(self._inside(factory, upload_id), ignore_errors=True)

    def sweep(self, now: datetime) -> int:
        """Delete what is older than seven days, half-arrived files of a day included; returns how many."""
        removed = 0
        for folder in self._root.glob("*/*"):
            is_arriving = folder.name.endswith(_ARRIVING)
            age_us = to_us(now) - int(folder.stat().st_mtime * 1e6)
            if age_us > (timedelta(days=1) if is_arriving else KEPT_FOR) // timedelta(microseconds=1):
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
        return removed

    def _folder(self, factory: str) -> Path:
        if not _ID.fullmatch(factory):
            raise NotFoundError("There is no such factory.")
        return self._root / factory

    def _inside(self, factory: str, upload_id: str) -> Path:
        """The folder of an upload; never outside its factory's, whatever it is called."""
        folder = self._folder(factory)
        if not _ID.fullmatch(upload_id) or (folder / upload_id).resolve().parent != folder.resolve():
            raise NotFoundError("There is no such upload.")
        return folder / upload_id


class Arriving:
    """A file on its way in; it appears under its id when it is whole and on disk."""

    def __init__(self, folder: Path, name: str, most_bytes: int) -> None:
        self._final = folder
        self._folder = folder.with_name(folder.name + _ARRIVING)
        self._name = name
        self._most_bytes = most_bytes
        self._size = 0
        try:
            self._folder.mkdir(parents=True)
            self._file = (self._folder / _TABLE).open("wb")
        except OSError as error:
            raise _cannot_write(error) from error

    @property
    def id(self) -> str:
        """Its id."""
        return self._final.name

    def add(self, part: bytes) -> None:
        """Take the next bytes.

        Raises:
            InvalidInputError: the file is too large; nothing of it stays.
            StorageError: the disk is full, or nearly; nothing of it stays.
        """
        self._size += len(part)
        if self._size > self._most_bytes:
            self.give_up()
            raise InvalidInputError(
                f"The file is larger than the {self._most_bytes / (1 << 30):.1f} GiB an upload may have "
                "(setting transfer.upload_limit_gib). Cut it in pieces, or import it with factoryops-service import."
            )
        try:
            check_room(self._folder)
            self._file.write(part)
        except StorageError:
            self.give_up()
            raise
        except OSError as error:
            self.give_up()
            raise _cannot_write(error) from error

    def finish(self) -> None:
        """Make it visible; raises StorageError."""
        about = msgspec.json.encode(_About(self._name, self._size, now_us()))
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            (self._folder / _ABOUT).write_bytes(about)
            self._folder.replace(self._final)
        except OSError as error:
            self.give_up()
            raise _cannot_write(error) from error

    def give_up(self) -> None:
        """Remove what has come."""
        self._file.close()
        shutil.rmtree(self._folder, ignore_errors=True)


async def parts_of(stream: AsyncIterator[bytes], *, at_least: int = 1 << 20) -> AsyncIterator[bytes]:
    """The same bytes in larger pieces, so that a thread is asked less often."""
    held: list[bytes] = []
    size = 0
    async for part in stream:
        held.append(part)
        size += len(part)
        if size >= at_least:
            yield b"".join(held)
            held, size = [], 0
    if size:
        yield b"".join(held)


def _shown(name: str) -> str:
    """The last part of a name, printable and of a length to show."""
    last = re.split(r"[\\/]", name)[-1]
    return "".join(letter for letter in last if letter.isprintable())[:200] or "table"


def _cannot_write(error: OSError) -> StorageError:
    return StorageError(f"The upload cannot be kept ({error.strerror or error}). Free some space on the server.")
