"""A handful of child processes that live and end together; the demonstration's way of holding its parts."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Mapping
from typing import Final

import httpx

from factoryops.domain.errors import SetupError

logger = logging.getLogger(__name__)

_STOP_WITHIN_S: Final = 4.5
_START_WITHIN_S: Final = 60.0


class ProcessGroup:
    """Starts processes and ends them all, politely first."""

    def __init__(self) -> None:
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self._lifelines: set[str] = set()

    async def start(
        self,
        name: str,
        *command: str,
        environment: Mapping[str, str] | None = None,
        has_lifeline: bool = True,
    ) -> None:
        """Start one; with a lifeline it is told to stop by the end of its standard input."""
        stdin = asyncio.subprocess.PIPE if has_lifeline else asyncio.subprocess.DEVNULL
        self._processes[name] = await asyncio.create_subprocess_exec(
            *command, stdin=stdin, env=dict(environment) if environment is not None else None
        )
        if has_lifeline:
            self._lifelines.add(name)

    def code(self, name: str) -> int | None:
        """The exit code of one that has ended; None while it runs."""
        return self._processes[name].returncode

    async def wait(self, stop: asyncio.Event, *, essential: str, final: str) -> None:
        """Return when `stop` is set or `final` has ended.

        Raises:
            SetupError: `essential` ended by itself.
        """
        waiting = {name: asyncio.create_task(process.wait()) for name, process in self._processes.items()}
        told = asyncio.create_task(stop.wait())
        watched = {told, waiting[essential]} | ({waiting[final]} if final in waiting else set())
        try:
            done, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (told, *waiting.values()):
                task.cancel()
        if told not in done and waiting[essential] in done:
            raise SetupError(f"The {essential} ended by itself (code {self.code(essential)}); see the lines above.")

    async def stop(self) -> None:
        """End them all, the last started first; what does not end in time is killed."""
        running = [(name, one) for name, one in reversed(self._processes.items()) if one.returncode is None]
        for name, process in running:
            if name in self._lifelines and process.stdin is not None:
                process.stdin.close()
            else:
                process.terminate()
        await asyncio.gather(*(self._ended(name, process) for name, process in running))

    async def _ended(self, name: str, process: asyncio.subprocess.Process) -> None:
        try:
            async with asyncio.timeout(_STOP_WITHIN_S):
                await process.wait()
        except TimeoutError:
            logger.warning("The %s did not stop in time and is ended.", name)
            process.kill()
            await process.wait()


async def wait_for_service(url: str, group: ProcessGroup, stop: asyncio.Event) -> None:
    """Return when the API answers; raises SetupError when the service ends or stays silent instead."""
    deadline = asyncio.get_running_loop().time() + _START_WITHIN_S
    async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
        while not stop.is_set():
            try:
                if (await client.get(f"{url}/api/v1/health")).status_code < 500:
                    return
            except httpx.TransportError:
                pass
            if group.code("service") is not None:
                raise SetupError("The service could not start; see the lines above.")
            if asyncio.get_running_loop().time() > deadline:
                raise SetupError(f"The service does not answer at {url}; see its logs.")
            await asyncio.sleep(0.1)


def free_port(preferred: int = 0) -> int:
    """`preferred` when nobody has it on loopback, else any free port."""
    for wanted in (preferred, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", wanted))
            except OSError:
                continue
            port: int = probe.getsockname()[1]
            return port
    raise SetupError("No free port was found on this machine.")
