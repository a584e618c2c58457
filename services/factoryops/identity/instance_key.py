"""The installation's own key: 32 random bytes in a file that only the service may read."""

from __future__ import annotations

from pathlib import Path


def load_or_create_instance_key(path: Path) -> bytes:
    """The key; made on first use.

    Raises:
        SetupError: the file is not 32 bytes, others may read it, or it cannot be written.
    """
    raise NotImplementedError


def read_instance_key(path: Path) -> bytes:
    """The key; raises SetupError when it is missing, not 32 bytes, or others may read it."""
    raise NotImplementedError
