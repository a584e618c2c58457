"""The installation's own key: 32 random bytes in a file that only the service may read."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Final

from factoryops.domain.errors import SetupError
from factoryops.observability.disk import sync_folder

_LENGTH: Final = 32


def load_or_create_instance_key(path: Path) -> bytes:
    """The key; made on first use.

    Raises:
        SetupError: the file is not 32 bytes, others may read it, it cannot be written, or a change of it was cut short.
    """
    if _staged(path).exists():
        raise SetupError(
            "A change of the installation's key was cut short: run `factoryops-service change-key` again before "
            "anything else."
        )
    if not path.exists():
        _create(path)
    return read_instance_key(path)


def read_instance_key(path: Path) -> bytes:
    """The key; raises SetupError when it is missing, not 32 bytes, or others may read it."""
    try:
        mode, key = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        raise SetupError(f"The installation's key {path} cannot be read ({error.strerror}).") from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SetupError(f"Others may read the installation's key: run `chmod 600 {path}` and start again.")
    if len(key) != _LENGTH:
        raise SetupError(f"The installation's key {path} is damaged: restore it from a backup, or remove it.")
    return key


def staged_key(path: Path) -> bytes:
    """The key that is to follow the one in `path`; made on first use, and beside it until `put_new_key`."""
    staged = _staged(path)
    if not staged.exists():
        _create(staged)
    return read_instance_key(staged)


def put_new_key(path: Path) -> None:
    """Put the staged key in the place of the present one; raises SetupError when it cannot be."""
    try:
        _staged(path).replace(path)
    except OSError as error:
        raise SetupError(f"The installation's key {path} cannot be replaced ({error.strerror}).") from error


def _staged(path: Path) -> Path:
    return path.with_name(f"{path.name}.next")


def _create(path: Path) -> None:
    """Write the key beside its place and link it there, so that of two first starts one key wins, whole."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_LENGTH))
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(temporary)
        sync_folder(path.parent)
    except FileExistsError:
        return
    except OSError as error:
        raise SetupError(f"The installation's key {path} cannot be written ({error.strerror}).") from error
    finally:
        temporary.unlink(missing_ok=True)
