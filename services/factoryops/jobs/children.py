"""The child processes that carry out runs: started when there is work, or before, so that it begins at once.

A child serves one run. The one that is kept ready has loaded what quick work needs and waits for its order; it reads
nothing, holds nothing open, and ends itself when its worker is gone.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from typing import Final

from factoryops.jobs.orders import LONGEST_LINE

READY: Final = "--ready"
"""Tells a child to load before its order comes."""


class Children:
    """Gives out child processes, one for each run.

    Args:
        module: what a child runs.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._ready: Process | None = None

    async def prepare(self) -> None:
        """Have one ready; one that has ended meanwhile is replaced."""
        if self._ready is not None and self._ready.returncode is None:
            return
        await self.close()
        self._ready = await self._start(READY)

    async def take(self) -> Process:
        """A child that waits for its order; whoever takes it ends it."""
        ready, self._ready = self._ready, None
        if ready is None:
            return await self._start()
        if ready.returncode is None:
            return ready
        await end_child(ready)
        return await self._start()

    async def close(self) -> None:
        """End the one that is ready."""
        ready, self._ready = self._ready, None
        if ready is not None:
            await end_child(ready)

    async def _start(self, *arguments: str) -> Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", self._module, *arguments,
            stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=LONGEST_LINE, env=_environment(),
        )  # fmt: skip


async def end_child(child: Process) -> None:
    """End a child at once, if it has not ended by itself."""
    if child.returncode is None:
        with suppress(ProcessLookupError):
            child.kill()
    if child.stdin is not None:
        child.stdin.close()
        with suppress(ConnectionError):
            await child.stdin.wait_closed()
    await child.wait()


def _environment() -> dict[str, str]:
    """One thread of arithmetic: a report must not take both cores from ingest."""
    single = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    return {**os.environ, **single, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
