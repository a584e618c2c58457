"""When each credential was last used at the endpoint: one small file, read by whoever lists credentials."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from factoryops.domain.time import now_us

logger = logging.getLogger(__name__)

_SAVE_EVERY_S: Final = 10.0


class LoginBook:
    """Last uses by user name; losing the file costs nothing but this knowledge."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._last_us = read_logins(file)
        self._saved_at_s = 0.0

    @property
    def is_due(self) -> bool:
        """Whether `save` should be called: every ten seconds."""
        return time.monotonic() - self._saved_at_s >= _SAVE_EVERY_S

    def save(self, usernames: Iterable[str]) -> None:
        """Note that these were connected since the last call; blocks for the time of writing a small file."""
        self._saved_at_s = time.monotonic()
        used = dict.fromkeys(usernames, now_us())
        if used:
            self._last_us |= used
            self._write()

    def _write(self) -> None:
        temporary = self._file.with_name(self._file.name + ".new")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(msgspec.json.encode(self._last_us))
            temporary.replace(self._file)
        except OSError as error:
            logger.warning("When credentials were last used cannot be noted: %s", error)


def read_logins(file: Path) -> dict[str, int]:
    """When each user name was last seen, in µs since 1970; empty when nobody was."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, int])
    except (OSError, msgspec.MsgspecError):
        return {}
