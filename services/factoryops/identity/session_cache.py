"""Sessions remembered for a moment, so that not every request asks the database."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from factoryops.database.rows import SessionRecord
from factoryops.domain.time import to_us

FRESH_S: Final = 2.0
"""A session ended by another process is refused at the latest this much later."""
_MOST_KEPT: Final = 10_000


class SessionCache:
    """By the hash of the token; thread-safe."""

    def __init__(self, clock: Callable[[], int], clock_s: Callable[[], float]) -> None:
        self._clock = clock
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[SessionRecord, float]] = OrderedDict()
        self._dropped_s: OrderedDict[str, float] = OrderedDict()

    def now_s(self) -> float:
        """The clock of `asked_s`."""
        return self._clock_s()

    def put(self, record: SessionRecord, *, asked_s: float | None = None) -> None:
        """Remember a session as the database had it at `asked_s`; one that was dropped since then stays dropped."""
        at_s = self._clock_s() if asked_s is None else asked_s
        with self._lock:
            gone = (self._dropped_s.get(key, float("-inf")) for key in (record.token_sha256, record.user_id))
            if max(gone) >= at_s:
                return
            self._kept[record.token_sha256] = (record, at_s)
            self._kept.move_to_end(record.token_sha256)
            _shorten(self._kept)

    def fresh(self, digest: str) -> SessionRecord | None:
        """The session if it was looked up within the last 2 s."""
        with self._lock:
            record, at_s = self._kept.get(digest, (None, 0.0))
        is_fresh = self._clock_s() - at_s < FRESH_S
        return record if record is not None and is_fresh and not self._is_over(record) else None

    def known(self, digest: str) -> SessionRecord | None:
        """The session however long ago it was looked up, unless it has expired."""
        with self._lock:
            record, _ = self._kept.get(digest, (None, 0.0))
        return record if record is not None and not self._is_over(record) else None

    def drop(self, digest: str) -> None:
        """Forget a session."""
        with self._lock:
            self._kept.pop(digest, None)
            self._note_dropped(digest)

    def drop_user(self, user_id: str) -> None:
        """Forget every session of a user."""
        with self._lock:
            for digest in [digest for digest, (record, _) in self._kept.items() if record.user_id == user_id]:
                del self._kept[digest]
            self._note_dropped(user_id)

    def _note_dropped(self, key: str) -> None:
        self._dropped_s[key] = self._clock_s()
        self._dropped_s.move_to_end(key)
        _shorten(self._dropped_s)

    def _is_over(self, record: SessionRecord) -> bool:
        return to_us(record.expires_at) <= self._clock()


def _shorten(kept: OrderedDict[str, tuple[SessionRecord, float]] | OrderedDict[str, float]) -> None:
    while len(kept) > _MOST_KEPT:
        kept.popitem(last=False)
