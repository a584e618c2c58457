"""What is asked of a disk: room, without which nothing more is received (decision 0041), and names that last."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from factoryops.domain.errors import StorageError

_LEAST_FREE_BYTES: Final = 1 << 30
_LEAST_FREE_SHARE: Final = 0.05
_RESERVED_BYTES: Final = 256 << 20
_RESERVED_SHARE: Final = 0.02


def free_when_low(folder: Path) -> int | None:
    """The bytes left on the disk of a folder that is there when they are too few; None while there is room."""
    disk = shutil.disk_usage(folder)
    return None if disk.free >= max(_LEAST_FREE_BYTES, disk.total * _LEAST_FREE_SHARE) else disk.free


def reserve_left(folder: Path) -> float:
    """What is free on the disk of a folder, as a share of what alarms, people and storing need: 256 MiB, or 2 %."""
    disk = shutil.disk_usage(folder)
    return disk.free / max(1.0, min(_RESERVED_BYTES, disk.total * _RESERVED_SHARE))


def check_room(folder: Path) -> None:
    """Keep files that could wait from taking the room that receiving needs; raises StorageError."""
    free = free_when_low(folder)
    if free is not None:
        raise StorageError(
            f"The disk has {free / 1e9:.1f} GB left, and what devices send needs them. Free some space on the server."
        )


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; Windows has no such call and keeps its own journal."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
