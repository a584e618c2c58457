"""A loopback TCP proxy that cuts connections at a chosen amount of traffic, as a bad network would."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class CuttingProxy:
    """Passes bytes on; each of the first connections is cut after the device has sent so many bytes.

    Attributes:
        port: where to connect.
        connections: how many were made.
    """

    def __init__(self, target_port: int, cuts: list[int]) -> None:
        self._target_port = target_port
        self._cuts = cuts
        self._loop = asyncio.new_event_loop()
        self._writers: list[asyncio.StreamWriter] = []
        self.port = 0
        self.connections = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        allowed = self._cuts[self.connections] if self.connections < len(self._cuts) else 1 << 60
        self.connections += 1
        self._writers.append(writer)
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        self._writers.append(there_writer)
        back = asyncio.create_task(_pass_on(there_reader, writer, 1 << 60))
        try:
            await _pass_on(reader, there_writer, allowed)
        finally:
            back.cancel()
            for one in (writer, there_writer):
                one.transport.abort()

    @contextmanager
    def running(self) -> Iterator[CuttingProxy]:
        started = threading.Event()

        async def main() -> None:
            server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            self._stop = asyncio.Event()
            started.set()
            await self._stop.wait()
            server.close()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            await asyncio.gather(*(_cut(writer) for writer in self._writers))

        thread = threading.Thread(target=lambda: self._loop.run_until_complete(main()))
        thread.start()
        started.wait(5)
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._stop.set)
            thread.join(10)
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, allowed: int) -> None:
    try:
        while allowed > 0 and (data := await reader.read(4_096)):
            writer.write(data[:allowed])
            allowed -= len(data)
            await writer.drain()
    except ConnectionError:
        return


async def _cut(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    with suppress(ConnectionError):
        await writer.wait_closed()
