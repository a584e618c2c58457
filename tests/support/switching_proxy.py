"""A loopback TCP proxy that a test turns from passing on to refusing or swallowing, and back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Self


class Mode(StrEnum):
    """What becomes of connections."""

    PASS = "pass"
    REFUSE = "refuse"
    SWALLOW = "swallow"
    """New connections are taken and never answered; old ones fall silent without being closed."""


class SwitchingProxy:
    """Passes bytes on while its mode says so; lives on the test's own loop.

    Attributes:
        port: where to connect.
        connections: how many were made.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.mode = Mode.PASS
        self.port = 0
        self.connections = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        await self._listen()
        try:
            yield self
        finally:
            await self.switch(Mode.REFUSE)

    async def switch(self, mode: Mode, *, cuts: bool = False) -> None:
        """Change the mode; refusing, or with `cuts`, existing connections are ended."""
        was, self.mode = self.mode, mode
        if mode is Mode.REFUSE and self._server is not None:
            self._server.close()
            self._server = None
        elif was is Mode.REFUSE:
            await self._listen()
        if cuts or mode is Mode.REFUSE:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        back = asyncio.create_task(self._pass_on(there_reader, writer))
        try:
            await self._pass_on(reader, there_writer)
        finally:
            back.cancel()
            await asyncio.gather(back, return_exceptions=True)
            for one in (writer, there_writer):
                one.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65_536):
                if self.mode is Mode.PASS:
                    writer.write(data)
                    await writer.drain()
        except ConnectionError:
            return
