"""The loopback doorbell: says "something new" to the other roles and carries no data.

A listener binds a UDP port on loopback and leaves its number in a shared folder; a ringer sends one byte to every
number it finds there. A lost ring costs a listener no more than its own polling interval.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

_LOOPBACK: Final = "127.0.0.1"
_RESCAN_S: Final = 1.0


class Doorbell:
    """Rings every listener of one folder; cheap enough for each commit."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._ports: list[int] = []
        self._scanned_at = -_RESCAN_S

    def ring(self) -> None:
        """Tell all listeners; never blocks, never raises."""
        if time.monotonic() - self._scanned_at > _RESCAN_S:
            self._ports = _read_ports(self._folder)
            self._scanned_at = time.monotonic()
        for port in self._ports:
            with contextlib.suppress(OSError):
                self._socket.sendto(b"!", (_LOOPBACK, port))

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()


def _read_ports(folder: Path) -> list[int]:
    ports: list[int] = []
    for file in folder.glob("*.port"):
        with contextlib.suppress(OSError, ValueError):
            ports.append(int(file.read_text(encoding="utf-8")))
    return ports


class _Protocol(asyncio.DatagramProtocol):
    def __init__(self, heard: Callable[[], None]) -> None:
        self._heard = heard

    def datagram_received(self, data: bytes, addr: object) -> None:
        self._heard()


class DoorbellListener:
    """Waits for a ring on the running loop; many rings while nobody waits are one."""

    def __init__(self, folder: Path, name: str) -> None:
        self._file = folder / f"{name}.port"
        self._event = asyncio.Event()
        self._transport: asyncio.DatagramTransport | None = None
        self._is_known = False

    async def start(self) -> None:
        """Bind a free port and leave its number where ringers look; on a full disk that is done later."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Protocol(self._event.set), local_addr=(_LOOPBACK, 0)
        )
        self._transport = transport
        await asyncio.to_thread(self._publish, transport.get_extra_info("sockname")[1])

    def _publish(self, port: int) -> None:
        temporary = self._file.with_suffix(".new")
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(str(port), encoding="utf-8")
            temporary.replace(self._file)
            self._is_known = True

    async def wait(self, *, timeout_s: float) -> bool:
        """Return True at a ring, False when `timeout_s` passed without one."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        except TimeoutError:
            if self._transport is not None and not self._is_known:
                await asyncio.to_thread(self._publish, self._transport.get_extra_info("sockname")[1])
            return False
        self._event.clear()
        return True

    def close(self) -> None:
        """Stop listening."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
        self._file.unlink(missing_ok=True)
