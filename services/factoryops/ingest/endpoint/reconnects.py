"""Notices devices that connect again and again, because something they send ends their connection each time."""

from __future__ import annotations

from collections import Counter
from typing import Final

MOST_PER_MINUTE: Final = 10
_WINDOW_S: Final = 60.0
_MOST_IDENTITIES: Final = 20_000


class ReconnectWatch:
    """Counts logins by user and client id, minute by minute."""

    def __init__(self) -> None:
        self._logins: Counter[tuple[str, str]] = Counter()
        self._began_s = 0.0
        self._frequent_at_s = -2 * _WINDOW_S

    def note(self, identity: tuple[str, str], moment_s: float) -> bool:
        """Count a login; True when it is the first one too many of its minute."""
        if moment_s - self._began_s > _WINDOW_S or len(self._logins) >= _MOST_IDENTITIES:
            self._logins.clear()
            self._began_s = moment_s
        self._logins[identity] += 1
        if self._logins[identity] <= MOST_PER_MINUTE:
            return False
        self._frequent_at_s = moment_s
        return self._logins[identity] == MOST_PER_MINUTE + 1

    def is_frequent(self, moment_s: float) -> bool:
        """Whether a device has connected too often within the last minute."""
        return moment_s - self._frequent_at_s < _WINDOW_S
