"""How much room must stay on a disk: when it is full nothing more is received."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from factoryops.domain.errors import StorageError

_LEAST_FREE_BYTES: Final = 1 << 30
_LEAST_FREE_SHARE: Final = 0.05


def free_when_low(folder: Path) -> int | None:
    """The bytes left on the disk of a folder that is there when they are too few; None while there is room."""
    disk = shutil.disk_usage(folder)
    return None if disk.free >= max(_LEAST_FREE_BYTES, disk.total * _LEAST_FREE_SHARE) else disk.free


def check_room(folder: Path) -> None:
    """Keep files that could wait from taking the room that receiving needs; raises StorageError."""
    free = free_when_low(folder)
    if free is not None:
        raise StorageError(
            f"The disk has {free / 1e9:.1f} GB left, and what devices send needs them. Free some space on the server."
        )
