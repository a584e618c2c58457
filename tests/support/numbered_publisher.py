"""A publisher that numbers its messages, resends what was not acknowledged, and knows what was."""

from __future__ import annotations

import asyncio
import struct

from factoryops.domain.time import now_us
from tests.support.ingest_folder import SECRET
from tests.support.mqtt_client import RawClient, publish_packet

_PUBREC, _PUBCOMP = 0x50, 0x70

FIRST_TIME_MS = 1_700_000_000_000


class NumberedPublisher:
    """One device. Message n has the value n and a time of its own; it is sent until it is acknowledged.

    Args:
        quality: 1 or 2; with 2 a message counts as acknowledged with its PUBREC.

    Attributes:
        published: how many different messages were handed to the socket at least once.
        acked: the numbers that were acknowledged.
        acked_us: when each of them was.
    """

    def __init__(
        self, name: str, *, window: int = 20, metrics: int = 2, password: str = SECRET, quality: int = 1
    ) -> None:
        self.name = name
        self._password = password
        self.published = 0
        self.acked: set[int] = set()
        self.acked_us: dict[int, int] = {}
        self._window = window
        self._metrics = metrics
        self._first = 0x30 | quality << 1
        self._topic = f"factories/riverside/devices/{name}/telemetry".encode()
        self._unacked: dict[int, int] = {}

    async def run(self, port: asyncio.Queue[int], stop: asyncio.Event) -> None:
        """Publish until `stop`; after a lost connection wait for the next port and resend."""
        while not stop.is_set():
            try:
                await self._session(await _next(port, stop), stop)
            except (ConnectionError, OSError, AssertionError, TimeoutError):
                await asyncio.sleep(0.05)

    async def _session(self, port: int, stop: asyncio.Event) -> None:
        while not stop.is_set():
            client = await RawClient.logged_in(port, self.name, password=self._password)
            waiting = list(self._unacked.values())
            self._unacked.clear()
            packet_id = 0
            try:
                while not stop.is_set():
                    while client.is_open and len(self._unacked) < self._window:
                        packet_id = packet_id % 65_535 + 1
                        number = waiting.pop(0) if waiting else self._new()
                        self._unacked[packet_id] = number
                        client.send(publish_packet(self._topic, self._payload(number), packet_id, first=self._first))
                    await self._take_ack(client)
            finally:
                for number in waiting:
                    self._unacked[-number - 1] = number
                await client.close()

    def _new(self) -> int:
        self.published += 1
        return self.published - 1

    def _payload(self, number: int) -> bytes:
        metrics = b",".join(b'"m%d":%d' % (index, number) for index in range(self._metrics))
        return b'{"timestamp":%d,"metrics":{%b}}' % (FIRST_TIME_MS + number, metrics)

    async def _take_ack(self, client: RawClient) -> None:
        packet = await client.packet()
        if len(packet) != 4:
            raise ConnectionError
        if packet[0] == _PUBCOMP:
            return
        if packet[0] == _PUBREC:
            client.send(b"\x62\x02" + packet[2:])
        number = self._unacked.pop(struct.unpack(">H", packet[2:])[0])
        self.acked.add(number)
        self.acked_us[number] = now_us()


async def _next(port: asyncio.Queue[int], stop: asyncio.Event) -> int:
    """The newest port that was announced."""
    while not stop.is_set():
        if not port.empty():
            number = port.get_nowait()
            port.put_nowait(number)
            return number
        await asyncio.sleep(0.01)
    raise ConnectionError
