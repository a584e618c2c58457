"""Runs the roles as processes of their own and keeps them running.

A role that ends is started again, at once the first time and then ever later up to 30 s. One that cannot start as it is
configured stops the whole service with its sentence; one that has run before does not, for then something around it has
changed (a full disk, a taken port), and the other roles are needed the more. Standard input is each role's lifeline:
when it closes, for whatever reason, the role stops. So nothing is left behind when the supervisor itself is killed.

When roles end more than five times within ten minutes, something is badly wrong (no memory left, say). Then, in safe
mode, only what receives, stores, alarms and shows goes on; reports and analyses wait until it has become quieter.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from factoryops.domain.errors import SetupError
from factoryops.domain.time import now_us
from factoryops.observability.heartbeat import HeartbeatFile, Problem
from factoryops.observability.pacing import is_set_within
from factoryops.server.role_process import EXIT_SETUP

logger = logging.getLogger(__name__)

STOP_WITHIN_S: Final = 4.0
_STABLE_AFTER_S: Final = 60.0
_LONGEST_PAUSE_S: Final = 30.0
_SAFE_ABOVE_ENDS: Final = 5
_SAFE_WITHIN_S: Final = 600.0
_BEAT_S: Final = 1.0


@dataclass(slots=True)
class _Role:
    name: str
    command: Sequence[str]
    process: asyncio.subprocess.Process | None = None
    started_at: float = 0.0
    failures: int = 0
    has_run: bool = False
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def is_stable(self) -> bool:
        """Whether its latest run has lasted."""
        return time.monotonic() - self.started_at > _STABLE_AFTER_S

    def pause_s(self) -> float:
        """How long to wait before the next start."""
        if self.is_stable:
            self.failures = 0
        self.failures += 1
        return 0.0 if self.failures == 1 else min(_LONGEST_PAUSE_S, 0.5 * 2.0**self.failures)


class Supervisor:
    """Keeps a set of roles running until it is told to stop.

    Args:
        commands: role -> what to give to the interpreter.
        dispensable: roles that are held back in safe mode.
        heartbeat: where safe mode is made known.
    """

    def __init__(
        self,
        commands: Mapping[str, Sequence[str]],
        *,
        dispensable: Sequence[str] = (),
        heartbeat: HeartbeatFile | None = None,
    ) -> None:
        self._roles = [_Role(name, command) for name, command in commands.items()]
        self._dispensable = frozenset(dispensable)
        self._heartbeat = heartbeat
        self._ends: deque[float] = deque(maxlen=_SAFE_ABOVE_ENDS + 1)
        self._safe_since_us = 0
        self._refused: str | None = None

    @property
    def is_safe_mode(self) -> bool:
        """Whether roles have lately ended so often that only the vital ones run."""
        is_full = len(self._ends) > _SAFE_ABOVE_ENDS
        return is_full and time.monotonic() - self._ends[0] < _SAFE_WITHIN_S

    async def run(self, stop: asyncio.Event) -> None:
        """Start all roles and watch them; returns when all have ended after `stop`.

        Raises:
            SetupError: a role refused to start; the others were stopped.
        """
        for role in self._roles:
            role.task = asyncio.create_task(self._keep_running(role, stop), name=role.name)
        await self._watch(stop)
        await asyncio.gather(*(self._end(role) for role in self._roles))
        if self._refused is not None:
            raise SetupError(f"The service was stopped because its {self._refused} cannot start; see the line above.")

    async def _watch(self, stop: asyncio.Event) -> None:
        """Enter and leave safe mode, and say so, until `stop`."""
        while not stop.is_set():
            await is_set_within(stop, _BEAT_S)
            if self.is_safe_mode and not self._safe_since_us:
                self._safe_since_us = now_us()
                logger.warning("Parts of the service keep ending: only what receives, stores and alarms goes on.")
                await self._hold_back()
            elif self._safe_since_us and not self.is_safe_mode:
                self._safe_since_us = 0
            if self._heartbeat is not None:
                await asyncio.to_thread(self._heartbeat.write, {"ends": len(self._ends)}, self._problems())
        if self._heartbeat is not None:
            await asyncio.to_thread(self._heartbeat.remove)

    def _problems(self) -> tuple[Problem, ...]:
        if not self._safe_since_us:
            return ()
        message = (
            "Parts of the service have ended again and again, so reports and analyses wait; receiving, storing and "
            "alarms go on. Look at the memory and the logs of this machine; reports resume when it has become quieter."
        )
        return (Problem("safe_mode", message, self._safe_since_us),)

    async def _hold_back(self) -> None:
        """Close the lifelines of what can wait; `_keep_running` starts it again when safe mode is over."""
        for role in self._roles:
            if role.name in self._dispensable and role.process is not None and role.process.stdin is not None:
                role.process.stdin.close()

    async def _wait_for_its_turn(self, role: _Role, stop: asyncio.Event) -> None:
        while self._safe_since_us and role.name in self._dispensable and not stop.is_set():
            await is_set_within(stop, _BEAT_S)

    async def _keep_running(self, role: _Role, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self._wait_for_its_turn(role, stop)
            if stop.is_set():
                return
            role.started_at = time.monotonic()
            role.process = await asyncio.create_subprocess_exec(
                sys.executable, *role.command, stdin=asyncio.subprocess.PIPE, env=_environment()
            )
            code = await role.process.wait()
            if stop.is_set():
                return
            if self._safe_since_us and role.name in self._dispensable:
                continue
            self._ends.append(time.monotonic())
            role.has_run = role.has_run or code != EXIT_SETUP or role.is_stable
            if not role.has_run:
                self._refused = role.name
                stop.set()
                return
            pause_s = role.pause_s()
            logger.warning("%s ended with code %s; starting it again in %.1f s.", role.name, code, pause_s)
            await is_set_within(stop, pause_s)

    async def _end(self, role: _Role) -> None:
        process = role.process
        if process is None or process.returncode is not None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(STOP_WITHIN_S):
                await process.wait()
        except TimeoutError:
            logger.warning("%s did not stop within %.0f s and is ended.", role.name, STOP_WITHIN_S)
            process.kill()
            await process.wait()
        if role.task is not None:
            await role.task


def _environment() -> dict[str, str]:
    """A role's environment, with one memory arena for all its threads unless somebody says otherwise.

    With an arena for each, glibc lets every one grow to its own largest need: sealing 60 million samples left 50 MB
    more behind. Elsewhere the variable means nothing.
    """
    return {"MALLOC_ARENA_MAX": "1", **os.environ}
