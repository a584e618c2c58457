"""What must be remembered of a broker across restarts, to notice what was lost outside."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from factoryops.domain.time import US_PER_S
from factoryops.journal.records import Gap

logger = logging.getLogger(__name__)

ON_THE_WAY_US: Final = 5 * US_PER_S
"""How long before we last heard of a broker what it then lost may have come to it: messages on their way to us, and
what a Mosquitto of ours has not saved yet."""


class _Memory(msgspec.Struct):
    seen_us: int = 0
    dropped: int = -1
    dropped_at_us: int = 0
    subscribed: tuple[str, ...] = ()


class BrokerMemory:
    """A small file per broker; losing it costs no more than one gap that goes unnoticed."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._saved_at_s = 0.0
        try:
            self._memory = msgspec.json.decode(file.read_bytes(), type=_Memory)
        except (OSError, msgspec.MsgspecError):
            self._memory = _Memory()

    def gap_until(self, moment_us: int) -> Gap | None:
        """The gap when the broker has no session of ours although there was one; None at the first meeting."""
        if not self._memory.seen_us:
            return None
        reason = f"The broker lost what it had kept for us ({self._file.suffix[1:]}): messages may be missing."
        return Gap(min(self._memory.seen_us, moment_us) - ON_THE_WAY_US, moment_us, reason)

    @property
    def subscribed(self) -> frozenset[str]:
        """What the session at the broker was last asked to hold."""
        return frozenset(self._memory.subscribed)

    def note_subscribed(self, topics: Iterable[str]) -> None:
        """Remember what the session was asked to hold: it goes on holding it until it is taken back."""
        self._memory.subscribed = tuple(sorted(topics))
        self._save()

    @property
    def seen_us(self) -> int:
        """Until when nothing of the session can be lost; 0 where there was none."""
        return self._memory.seen_us

    def note_connected(self, moment_us: int, *, is_kept: bool) -> None:
        """Remember that the broker keeps a session for us: from now on, unless it `is_kept` from before."""
        if not is_kept or not self._memory.seen_us:
            self._memory.seen_us = moment_us
            self._save()

    def note_dropped(self, total: int, moment_us: int) -> tuple[int, int]:
        """(how many messages the broker threw away since the last report, when that was)."""
        before, since_us = self._memory.dropped, self._memory.dropped_at_us
        self._memory.dropped, self._memory.dropped_at_us = total, moment_us
        if total != before:
            self._save()
        if before < 0:
            return 0, since_us  # what was lost before the first look is not ours to date
        # A counter that has fallen belongs to a broker that was restarted: it has counted from 0 since.
        return (total - before if total >= before else total), since_us

    def save_seen(self, heard_us: int) -> None:
        """Remember when the broker was last heard: until then the session was alive."""
        self._memory.seen_us = max(heard_us, self._memory.seen_us)
        self._save()

    def save_seen_every(self, period_s: float, heard_us: int) -> None:
        """The same, now and then, while the connection stands."""
        if time.monotonic() - self._saved_at_s >= period_s:
            self.save_seen(heard_us)

    def _save(self) -> None:
        self._saved_at_s = time.monotonic()
        temporary = self._file.with_name(self._file.name + ".new")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(msgspec.json.encode(self._memory))
            temporary.replace(self._file)
        except OSError as error:  # on a full disk, say: the connection must come back by itself all the same
            logger.warning("What must be remembered of a broker cannot be written to %s: %s", self._file, error)
