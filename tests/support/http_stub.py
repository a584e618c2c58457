"""An HTTP server of the test's own: it keeps what it was sent and answers what it was told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Asked:
    """One request; names of headers in small letters."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class HttpStub:
    """Answers with `statuses` one after the other, the last one for ever."""

    statuses: list[int] = field(default_factory=lambda: [200])
    asked: list[Asked] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {
                name.lower(): value.strip() for name, _, value in (one.partition(":") for one in head[1:] if one)
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            self.asked.append(Asked(head[0], headers, body))
            status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
            writer.write(f"HTTP/1.1 {status} Said\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode())
            await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def http_stub(*statuses: int) -> AsyncIterator[HttpStub]:
    """A stub on a free port of loopback."""
    stub = HttpStub(list(statuses) or [200])
    server = await asyncio.start_server(stub.serve, "127.0.0.1", 0)
    stub.port = server.sockets[0].getsockname()[1]
    try:
        yield stub
    finally:
        server.close()
        await server.wait_closed()
