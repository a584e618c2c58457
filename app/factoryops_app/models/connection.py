"""Whether the picture is fresh: the state of the live connection."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MISSED_BEATS: Final = 2.75
"""Silence after which the link counts as lost, in beats: three are missing, and the operator knows within 3 s."""
FIRST_RETRY_S: Final = 0.5
LONGEST_RETRY_S: Final = 5.0


class LinkStatus(StrEnum):
    """What the live connection is doing."""

    CONNECTING = "connecting"
    """Never connected yet in this session."""
    CONNECTED = "connected"
    LOST = "lost"
    RECONNECTING = "reconnecting"


@dataclass(frozen=True, slots=True)
class Connection:
    """How the live connection stands.

    Attributes:
        since_us: since when it has been lost; when connected, since when it has been up.
        reason: one sentence, where it is lost.
    """

    status: LinkStatus
    since_us: int
    reason: str = ""

    @property
    def is_connected(self) -> bool:
        """Whether what is shown is what happens."""
        return self.status is LinkStatus.CONNECTED

    @property
    def is_lost(self) -> bool:
        """Whether what is shown has stopped."""
        return self.status in (LinkStatus.LOST, LinkStatus.RECONNECTING)


def retry_pause_s(attempt: int) -> float:
    """How long to wait before attempt number `attempt` (from 0): doubling, at most LONGEST_RETRY_S."""
    return float(min(FIRST_RETRY_S * 2 ** min(attempt, 10), LONGEST_RETRY_S))
