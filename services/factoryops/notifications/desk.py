"""The database, as the dispatcher's loop asks it: on threads that nothing else is done on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from factoryops.database.database import Database
from factoryops.database.transaction import Transaction

T = TypeVar("T")

_THREADS: Final = 8
"""So many units of work at once: each channel looks, begins and records by itself."""


class Desk:
    """Units of work for an event loop. Pictures, certificates and names are made elsewhere and keep nobody waiting."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="notifications-database")

    async def run(self, work: Callable[[Transaction], T]) -> T:
        """One unit that writes; raises UnavailableError while the database is away."""
        return await self.aside(lambda: self._database.run(work))

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """One unit that only reads; errors as for `run`."""
        return await self.aside(lambda: self._database.read(work))

    async def aside(self, work: Callable[[], T]) -> T:
        """Anything short that blocks, on the same threads."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def close(self) -> None:
        """Let go of the threads, when what they do is done."""
        self._threads.shutdown()
