"""Time as the corridor carries it: whole microseconds since 1970 in UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Final

US_PER_S: Final = 1_000_000
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def now_us() -> int:
    """The wall clock in microseconds since 1970 (UTC)."""
    return time.time_ns() // 1_000


def to_us(moment: datetime) -> int:
    """Exact microseconds of an aware `moment`; raises ValueError for a naive one."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone cannot be placed: give it one")
    return (moment - EPOCH) // timedelta(microseconds=1)


def from_us(time_us: int) -> datetime:
    """The aware UTC datetime of `time_us`."""
    return EPOCH + timedelta(microseconds=time_us)
