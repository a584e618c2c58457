"""One attempt at a run: a child process watched from outside, ended when it takes too long or too much."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Final

import msgspec
import psutil

from factoryops.database.rows import ClaimedRun
from factoryops.jobs.children import Children, end_child
from factoryops.jobs.orders import ENCODE, REPORT, Done, Failed, Order, Progress

logger = logging.getLogger(__name__)

KeepLease = Callable[[ClaimedRun, float, str], Awaitable[bool]]

_LOOK_S: Final = 0.2
_COMPLAINT_BYTES: Final = 4_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may take.

    Attributes:
        child_module: what the child process runs.
        renew_s: how often the lease is renewed and a wish to cancel is noticed.
    """

    time_s: float = 600.0
    child_module: str = "factoryops.jobs.child"
    memory_bytes: int = 1 << 30
    renew_s: float = 2.0


class Stopped(Enum):
    """Who ended the child before it was done."""

    CANCELLED = "cancelled"
    SERVICE = "service"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: `done` is None when it did not succeed, and `reason` says why in one sentence."""

    done: Done | None = None
    reason: str = ""
    is_final: bool = False
    stopped: Stopped | None = None


class Attempt:
    """Takes a child, listens to it, and holds it to its limits."""

    def __init__(
        self, run: ClaimedRun, order: Order, limits: Limits, keep_lease: KeepLease, children: Children
    ) -> None:
        self._run = run
        self._children = children
        self._order = order
        self._limits = limits
        self._keep_lease = keep_lease
        self._progress = Progress(0.0, "Starting")
        self._end: Done | Failed | None = None
        self._complaint = b""
        self._stopped: Outcome | None = None

    async def carry_out(self, stop: asyncio.Event) -> Outcome:
        """See the child through to its end.

        Raises:
            ConflictError: the lease was lost; the child is gone.
        """
        child = await self._children.take()
        listeners = [asyncio.create_task(self._listen(child)), asyncio.create_task(self._hear_complaints(child))]
        try:
            await self._give_order(child)
            await self._watch(child, stop)
            if self._stopped is not None:
                await end_child(child)
            await asyncio.gather(*listeners)
        finally:
            await end_child(child)
            for listener in listeners:
                listener.cancel()
            await asyncio.gather(*listeners, return_exceptions=True)
        return self._outcome(child.returncode or 0)

    async def _give_order(self, child: asyncio.subprocess.Process) -> None:
        """One line; the pipe then stays open, so that the child notices when we are gone."""
        assert child.stdin is not None  # noqa: S101 - it was asked for
        with suppress(ConnectionError):
            child.stdin.write(ENCODE.encode(self._order) + b"\n")
            await child.stdin.drain()

    async def _listen(self, child: asyncio.subprocess.Process) -> None:
        assert child.stdout is not None  # noqa: S101 - it was asked for
        while True:
            try:
                line = await child.stdout.readline()
            except ValueError:
                self._end = Failed("The work wrote a line that is too long.", is_final=True)
                return
            if not line:
                return
            self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            report = REPORT.decode(line)
        except msgspec.DecodeError:
            logger.warning("The work wrote something unexpected: %r", line[:200])
            return
        if isinstance(report, Progress):
            self._progress = report
        else:
            self._end = report

    async def _hear_complaints(self, child: asyncio.subprocess.Process) -> None:
        assert child.stderr is not None  # noqa: S101 - it was asked for
        while piece := await child.stderr.read(_COMPLAINT_BYTES):
            self._complaint = (self._complaint + piece)[-_COMPLAINT_BYTES:]

    async def _watch(self, child: asyncio.subprocess.Process, stop: asyncio.Event) -> None:
        started = renewed = time.monotonic()
        stopping = asyncio.create_task(stop.wait())
        ended = asyncio.create_task(child.wait())
        try:
            while not ended.done():
                await asyncio.wait({ended, stopping}, timeout=_LOOK_S, return_when=asyncio.FIRST_COMPLETED)
                self._stopped = self._limit_passed(child.pid, time.monotonic() - started, is_stopping=stopping.done())
                if self._stopped is None and time.monotonic() - renewed > self._limits.renew_s:
                    renewed = time.monotonic()
                    await self._renew()
                if self._stopped is not None and not ended.done():
                    return
        finally:
            for task in (stopping, ended):
                task.cancel()
            await asyncio.gather(stopping, ended, return_exceptions=True)

    async def _renew(self) -> None:
        if await self._keep_lease(self._run, self._progress.progress, self._progress.message):
            self._stopped = Outcome(reason="It was cancelled.", stopped=Stopped.CANCELLED)

    def _limit_passed(self, pid: int, seconds: float, *, is_stopping: bool) -> Outcome | None:
        if is_stopping:
            return Outcome(reason="The service was stopped meanwhile.", stopped=Stopped.SERVICE)
        if seconds > self._limits.time_s:
            return Outcome(
                reason=f"It took longer than the {self._limits.time_s:.0f} s a run may take. Choose a shorter span.",
                stopped=Stopped.LIMIT,
            )
        if _memory_bytes(pid) > self._limits.memory_bytes:
            return Outcome(reason=_too_much_memory(self._limits), stopped=Stopped.LIMIT)
        return None

    def _outcome(self, code: int) -> Outcome:
        if self._end is None and self._stopped is not None:
            return self._stopped
        if isinstance(self._end, Done):
            return Outcome(done=self._end)
        if isinstance(self._end, Failed):
            return Outcome(reason=self._end.reason, is_final=self._end.is_final)
        if self._complaint:
            logger.error("The work ended with code %d: %s", code, self._complaint.decode("utf-8", "replace"))
        return Outcome(reason=f"The work ended unexpectedly (code {code}). The service's log has the details.")


def _memory_bytes(pid: int) -> int:
    """What a process holds; 0 when it has just ended."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def _too_much_memory(limits: Limits) -> str:
    return (
        f"It needed more than the {limits.memory_bytes / (1 << 30):.1f} GiB of memory a run may take. "
        "Choose a shorter span or fewer devices."
    )
