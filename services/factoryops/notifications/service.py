"""The dispatcher: beside the engine on a thread and a loop of its own, so that it never delays an alarm."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from factoryops.database.database import Database
from factoryops.database.notification_rows import Unreached
from factoryops.domain.errors import UnavailableError
from factoryops.domain.notifying import ChannelKind
from factoryops.domain.time import US_PER_S, now_us
from factoryops.notifications.channel import ACCEPTED, Channel, Outcome, Outgoing
from factoryops.notifications.desk import Desk
from factoryops.notifications.dispatching import MOST_AT_ONCE, plan
from factoryops.notifications.own_loop import OwnLoop
from factoryops.notifications.sending import Composer, Lane, jittered
from factoryops.observability.heartbeat import HeartbeatFile, Problem
from factoryops.observability.pacing import is_set_within

logger = logging.getLogger(__name__)

NOBODY_REACHED_US: Final = 5 * 60 * US_PER_S
_PLAN_EVERY_S: Final = 0.5
_BEAT_EVERY_S: Final = 1.0
_PURGE_EVERY_US: Final = 24 * 3_600 * US_PER_S


class InAppChannel:
    """Messages inside the client: they lie in the ledger, which is where the client reads them."""

    kind = ChannelKind.IN_APP

    async def send(self, message: Outgoing) -> Outcome:
        """It is there already."""
        del message
        return ACCEPTED


class NotificationService:
    """Decides who is told and tells them, until it is told to stop.

    Args:
        channels: one of each kind.
        jitter: a factor by which pauses before another attempt differ.
    """

    def __init__(
        self,
        database: Database,
        channels: Sequence[Channel],
        composer: Composer,
        heartbeat_folder: Path,
        *,
        clock: Callable[[], int] = now_us,
        jitter: Callable[[], float] = jittered,
    ) -> None:
        self._desk = Desk(database)
        self._clock = clock
        self._heartbeat = HeartbeatFile(heartbeat_folder, "notifications")
        self._lanes = {
            channel.kind: Lane(channel, self._desk, composer, clock=clock, jitter=jitter)
            for channel in (*channels, InAppChannel())
        }
        self._problems: dict[str, Problem] = {}
        self._planned = 0
        self._purge_us = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Work on a thread of its own until `stop` is set."""
        thread = OwnLoop("notifications", self.work)
        thread.start()
        try:
            await stop.wait()
        finally:
            thread.stop()
            await asyncio.to_thread(thread.join)
            await asyncio.to_thread(self._desk.close)

    async def work(self, stop: asyncio.Event) -> None:
        """All loops, on the present event loop."""
        try:
            async with asyncio.TaskGroup() as group:
                for lane in self._lanes.values():
                    group.create_task(lane.run(stop))
                group.create_task(self._plan(stop))
                group.create_task(self._beat(stop))
        finally:
            await self._desk.aside(self._heartbeat.remove)

    async def _plan(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            count = 0
            try:
                count = await self._plan_once()
            except UnavailableError as error:
                logger.debug("%s", error)
            self._planned += count
            if count < MOST_AT_ONCE:
                await is_set_within(stop, _PLAN_EVERY_S)

    async def _plan_once(self) -> int:
        now = self._clock()
        if now >= self._purge_us:
            await self._desk.run(lambda tx: tx.notifying.purge(now))
            self._purge_us = now + _PURGE_EVERY_US
        if not await self._desk.read(lambda tx: tx.notifying.has_work(now)):
            return 0
        return await self._desk.run(lambda tx: plan(tx, now))

    async def _beat(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                unreached = await self._unreached()
            except UnavailableError:
                unreached = []
            problems = self._note([*self._refused(), *map(_nobody, unreached)])
            await self._desk.aside(partial(self._heartbeat.write, self._figures(), problems))
            await is_set_within(stop, _BEAT_EVERY_S)

    async def _unreached(self) -> list[Unreached]:
        now = self._clock()
        return await self._desk.read(lambda tx: tx.notifying.unreached(now - NOBODY_REACHED_US, now))

    def _refused(self) -> list[Problem]:
        return [
            Problem(
                f"channel_refused:{kind.value}",
                f"Messages by {kind.value} are not sent: {lane.login_refused} Correct the user, the password or the "
                "token in the settings; what waits is sent then.",
                self._clock(),
            )
            for kind, lane in self._lanes.items()
            if lane.login_refused
        ]

    def _note(self, found: Sequence[Problem]) -> tuple[Problem, ...]:
        """Problems with the moment they were first found."""
        before, self._problems = self._problems, {}
        for one in found:
            key = f"{one.code} {one.factory}"
            known = before.get(key)
            since_us = min(one.since_us, known.since_us) if known else one.since_us
            self._problems[key] = Problem(one.code, one.message, since_us, one.factory)
        return tuple(self._problems.values())

    def _figures(self) -> dict[str, Any]:
        return {"planned": self._planned}


def _nobody(one: Unreached) -> Problem:
    others = f" and {one.count - 1} more" if one.count > 1 else ""
    message = (
        f"Nobody was reached for the alarm {one.example}{others} within 5 minutes: every message to them failed, was "
        "skipped, or still waits, or the policies that a rule names are not in use. Tell somebody yourself, and look "
        "at the ledger of notifications for the reason."
    )
    return Problem("nobody_reached", message, one.since_us, one.factory_id)
