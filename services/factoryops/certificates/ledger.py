"""What the authority has issued: one JSON file beside its key."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import msgspec

from factoryops.certificates.files import replace_file
from factoryops.domain.errors import DamagedFileError, StorageError


class Purpose(StrEnum):
    """What a certificate is for."""

    SERVER = "server"
    CLIENT = "client"


class Issued(msgspec.Struct, frozen=True):
    """One certificate that was issued.

    Attributes:
        name: its name here, and the name of its folder.
        hosts: the names and addresses of a server; empty for a client.
        serial: hexadecimal.
        revoked_us: when it was revoked, 0 while it is good.
    """

    name: str
    purpose: Purpose
    hosts: tuple[str, ...]
    serial: str
    starts_us: int
    ends_us: int
    revoked_us: int = 0


class IssuedLedger:
    """The list on disk, newest last."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def all(self) -> tuple[Issued, ...]:
        """Everything ever issued.

        Raises:
            StorageError: the file cannot be read.
            DamagedFileError: it is no such list.
        """
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=tuple[Issued, ...])
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise StorageError(f"The list of certificates {self._file} cannot be read ({error.strerror}).") from error
        except msgspec.MsgspecError as error:
            raise DamagedFileError(
                f"The list of certificates {self._file} is damaged: restore it from a backup."
            ) from error

    def current(self) -> tuple[Issued, ...]:
        """The newest of each name, by name."""
        newest = {one.name: one for one in self.all()}
        return tuple(newest[name] for name in sorted(newest))

    def find(self, name: str) -> Issued | None:
        """The newest of a name."""
        return next((one for one in self.current() if one.name == name), None)

    def add(self, issued: Issued) -> None:
        """Note one more."""
        self._write((*self.all(), issued))

    def mark_revoked(self, serials: frozenset[str], moment_us: int) -> None:
        """Note when some were revoked; those that were before stay as they are."""
        self._write(
            tuple(
                msgspec.structs.replace(one, revoked_us=moment_us)
                if one.serial in serials and not one.revoked_us
                else one
                for one in self.all()
            )
        )

    def _write(self, issued: tuple[Issued, ...]) -> None:
        replace_file(self._file, msgspec.json.format(msgspec.json.encode(issued), indent=1))
