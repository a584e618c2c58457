"""QoS 2, the receiver's side: which packet ids are held between a PUBLISH and its PUBREL."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum, auto


class Known(Enum):
    """What is known of the packet id of an arriving PUBLISH or PUBREL."""

    NEW = auto()
    ON_ITS_WAY = auto()
    RECORDED = auto()


class Handshakes:
    """The packet ids of QoS 2 messages whose PUBREL has not come: until then the same id means the same message."""

    def __init__(self) -> None:
        self._states: dict[bytes, Known] = {}

    def __len__(self) -> int:
        return len(self._states)

    def begin(self, packet_id: bytes) -> Known:
        """Note a PUBLISH; its message is to be taken when the id is new."""
        known = self._states.get(packet_id, Known.NEW)
        if known is Known.NEW:
            self._states[packet_id] = Known.ON_ITS_WAY
        return known

    def record(self, packet_ids: Iterable[bytes]) -> None:
        """Their messages are durable and their PUBRECs leave."""
        for packet_id in packet_ids:
            self._states[packet_id] = Known.RECORDED

    def release(self, packet_id: bytes) -> Known:
        """Note a PUBREL, or that no PUBREL will come; the id may be used again unless its message is on its way."""
        known = self._states.get(packet_id, Known.NEW)
        if known is Known.RECORDED:
            del self._states[packet_id]
        return known

    def forget(self, packet_ids: Iterable[bytes]) -> None:
        """Their messages were refused for good: no PUBREL follows."""
        for packet_id in packet_ids:
            self._states.pop(packet_id, None)
