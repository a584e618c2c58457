"""Files with secrets: replaced whole, readable by their owner alone."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from factoryops.domain.errors import SetupError, StorageError

PRIVATE = 0o600
PUBLIC = 0o644


def replace_file(path: Path, content: bytes, *, mode: int = PRIVATE) -> None:
    """Readers see the old file or the new one, whichever moment the power fails.

    Written by root, it belongs to whoever its folder belongs to, and a folder made for it to its parent's owner: the
    service and a broker run under users of their own.

    Raises:
        StorageError: the file cannot be written.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        _make_folder(path.parent)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        _give_to_folders_owner(temporary)
        temporary.replace(path)
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written ({error.strerror}); nothing was changed. Check the folder's rights and space."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _make_folder(folder: Path) -> None:
    if folder.exists():
        return
    _make_folder(folder.parent)
    folder.mkdir(mode=0o755, exist_ok=True)
    _give_to_folders_owner(folder)


def _give_to_folders_owner(path: Path) -> None:
    if os.name == "posix" and os.geteuid() == 0:
        owner = path.parent.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def read_private(path: Path) -> bytes:
    """A file with a secret; raises SetupError when it is missing or others may read it."""
    try:
        mode, content = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        raise SetupError(f"The key {path} cannot be read ({error.strerror}).") from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SetupError(f"Others may read the key {path}: run `chmod 600 {path}` and try again.")
    return content
