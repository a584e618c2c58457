"""One user's session: login, the live connection and its recovery, and everything that is known of the plant."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from factoryops.client.port import LiveLink, PlantClient
from factoryops.contracts import http, live
from factoryops.domain.errors import FactoryOpsError, NotAllowedError, NotLoggedInError, UnavailableError
from factoryops.domain.identity import Permission
from factoryops.domain.time import now_us
from factoryops_app.models.alarms import AlarmStore
from factoryops_app.models.connection import MISSED_BEATS, Connection, LinkStatus, retry_pause_s
from factoryops_app.models.events import Event
from factoryops_app.models.picture import fetch_picture, fill_rings, take_latest
from factoryops_app.models.plant import PlantStore
from factoryops_app.models.runs import RunStore
from factoryops_app.models.samples import SampleStore
from factoryops_resources.words import say

logger = logging.getLogger(__name__)

A = TypeVar("A")

FRAMES_PER_S = 10.0
WELCOME_WITHIN_S = 5.0
TEXTS_EVERY_S = 2.0


def _tell_nobody(_sentence: str) -> None:
    return


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """What the service says about itself with each beat.

    Attributes:
        status: "ok", "degraded" or "failing"; empty before the first beat.
        problems: in sentences.
    """

    status: str = ""
    problems: tuple[str, ...] = ()
    watermark_us: int = 0


@dataclass(slots=True)
class _Pulse:
    """How long silence is normal."""

    beat_s: float = 1.0

    @property
    def patience_s(self) -> float:
        return self.beat_s * MISSED_BEATS


@dataclass(slots=True)
class Events:
    """What a session tells those who subscribe.

    Attributes:
        connection: the link's state changed.
        resynced: after a connection: everything was fetched anew, and a gap can be filled.
        filled: the last hour of every parameter is there.
        service: the service's own status changed.
        ended: the session is over; one sentence says why.
    """

    connection: Event[Connection] = field(default_factory=Event)
    resynced: Event[None] = field(default_factory=Event)
    filled: Event[None] = field(default_factory=Event)
    service: Event[ServiceStatus] = field(default_factory=Event)
    ended: Event[str] = field(default_factory=Event)


class Session:
    """Holds what is known of the plant and keeps it true.

    `run()` keeps the live connection until cancelled: connect, fetch everything, follow; when the link ends or stays
    silent for three beats, say so at once and begin again.

    Attributes:
        client: the service; pages ask it for what is not kept here.
        info: who is logged in; None before and after.
        is_filled: the last hour was fetched since the login.
        is_locked: nothing may be changed until the password is typed again.
    """

    def __init__(self, client: PlantClient, *, clock: Callable[[], int] = now_us) -> None:
        self.client = client
        self.info: http.SessionInfo | None = None
        self.is_locked = False
        self.is_filled = False
        self.plant = PlantStore()
        self.samples = SampleStore(clock)
        self.alarms = AlarmStore()
        self.runs = RunStore()
        self.service = ServiceStatus()
        self.on = Events()
        self._clock = clock
        self._pulse = _Pulse()
        self._heard_us = clock()
        self._refresh_wanted = asyncio.Event()
        self._texts_wanted = asyncio.Event()
        self.connection = Connection(LinkStatus.CONNECTING, clock())

    # --- who -----------------------------------------------------------------------------------------------------

    async def login(self, factory: str, user: str, password: str) -> http.SessionInfo:
        """Open a session; raises NotLoggedInError, TooManyAttemptsError or UnavailableError."""
        self.info = await self.client.login(factory, user, password)
        return self.info

    async def resume(self, token: str) -> http.SessionInfo:
        """Take up a session whose token was kept; raises NotLoggedInError when it has ended."""
        self.info = await self.client.resume(token)
        return self.info

    async def logout(self) -> None:
        """End the session at the service, where it can be reached, and forget everything."""
        try:
            async with asyncio.timeout(2.0):
                await self.client.logout()
        except (FactoryOpsError, TimeoutError) as error:
            logger.info("the session could not be ended at the service: %s", error)
        self.forget()

    def forget(self) -> None:
        """Forget everything about the plant and the user."""
        self.info = None
        self.is_locked = False
        self.samples.clear()
        self.alarms.clear()
        self.runs.clear()
        self.plant.clear()

    def may(self, permission: Permission) -> bool:
        """Whether the user's role permits it; the service decides in the end."""
        if self.is_locked and permission is not Permission.VIEW:
            return False
        return self.info is not None and permission in self.info.permissions

    # --- live ----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Keep the picture true until cancelled or until the session ends."""
        attempt = 0
        while self.info is not None:
            link: LiveLink | None = None
            try:
                link = await self._connect()
                attempt = 0
                await self._follow(link)
            except NotLoggedInError as error:
                self._change(LinkStatus.LOST, str(error))
                self.on.ended.emit(str(error))
                return
            except (FactoryOpsError, TimeoutError) as error:
                self._lose(str(error) or say("The service does not answer."))
            finally:
                if link is not None:
                    await link.close()
            await asyncio.sleep(retry_pause_s(attempt))
            attempt += 1
            if self.connection.status is LinkStatus.LOST:
                self._change(LinkStatus.RECONNECTING, self.connection.reason)

    async def refresh(self) -> None:
        """Fetch devices and rules anew."""
        devices, rules = await asyncio.gather(self.client.devices(), self.client.rules())
        self.samples.expect(sum(len(device.parameters) for device in devices))
        self.plant.replace(devices, rules)

    async def acknowledge(
        self, requests: Sequence[http.AcknowledgeRequest], tell: Callable[[str], None] = _tell_nobody
    ) -> None:
        """Acknowledge portion by portion and take in what changed; raises NotAllowedError while locked.

        Args:
            requests: what is acknowledged.
            tell: hears how far it is, where there is more than one portion.
        """
        await self._in_portions([(len(one.items), partial(self.client.acknowledge, one)) for one in requests], tell)

    async def reset_alarms(
        self, requests: Sequence[http.ResetRequest], tell: Callable[[str], None] = _tell_nobody
    ) -> None:
        """Reset latches, as `acknowledge` does."""
        await self._in_portions([(len(one.items), partial(self.client.reset_alarms, one)) for one in requests], tell)

    async def _in_portions(
        self,
        portions: Sequence[tuple[int, Callable[[], Coroutine[object, object, list[http.Alarm]]]]],
        tell: Callable[[str], None],
    ) -> None:
        total, done = sum(count for count, _ in portions), 0
        for count, ask in portions:
            try:
                await self.change_alarms(ask())
            except FactoryOpsError as error:
                if not done:
                    raise
                sentence = say("Only {done} of {total} are done: {reason}", done=done, total=total, reason=str(error))
                raise FactoryOpsError(sentence) from error
            done += count
            if done < total:
                tell(say("{done} of {total} are done …", done=done, total=total))

    async def change_alarms(self, work: Coroutine[object, object, list[http.Alarm]]) -> None:
        """Take in what a deed made of alarms; raises NotAllowedError while locked."""
        for alarm in await self.change(work):
            self.alarms.merge(alarm)

    async def change(self, work: Coroutine[object, object, A]) -> A:
        """Do something that changes the plant's set-up; raises NotAllowedError while locked, without beginning."""
        if self.is_locked:
            work.close()
            raise NotAllowedError(say("This workstation is locked; unlock it first."))
        return await work

    async def _connect(self) -> LiveLink:
        async with asyncio.timeout(WELCOME_WITHIN_S):
            link = await self.client.open_live()
        try:
            await link.subscribe(live.Subscribe(is_all=True, most_frames_per_s=FRAMES_PER_S))
        except (FactoryOpsError, asyncio.CancelledError):
            await link.close()
            raise
        return link

    async def _follow(self, link: LiveLink) -> None:
        """Take in messages; the complete picture is fetched beside them, so that nothing falls between the two."""
        messages = aiter(link)
        picture: asyncio.Task[None] | None = None
        refresher = asyncio.create_task(self._refresh_when_wanted())
        reader = asyncio.create_task(self._learn_texts_when_wanted())
        try:
            while True:
                message = await self._next(messages)
                if picture is None:
                    picture = asyncio.create_task(self._resync())
                elif picture.done():
                    picture.result()
                for task in (refresher, reader):
                    if task.done():
                        task.result()
                self._take(message)
        finally:
            await _end(refresher, reader, picture)

    async def _next(self, messages: AsyncIterator[live.ServiceMessage]) -> live.ServiceMessage:
        try:
            async with asyncio.timeout(self._pulse.patience_s):
                return await anext(messages)
        except TimeoutError:
            raise UnavailableError(say("The service has been silent for three beats.")) from None
        except StopAsyncIteration:
            raise UnavailableError(say("The service ended the connection.")) from None

    def _take(self, message: live.ServiceMessage) -> None:
        self._heard_us = self._clock()
        match message:
            case live.Samples():
                self.samples.add_live(message.columns())
                if self.samples.lacks_texts:
                    self._texts_wanted.set()
            case live.AlarmChanged():
                self.alarms.merge(http.Alarm.model_validate_json(message.alarm))
            case live.FloodsChanged():
                self.alarms.take_floods(http.FloodList.model_validate_json(message.floods).floods)
            case live.RunChanged():
                self.runs.merge(http.Run.model_validate_json(message.run))
            case live.PlantChanged():
                self._refresh_wanted.set()
            case live.Welcome():
                self._pulse.beat_s = max(0.2, message.beat_s)
            case live.Beat():
                self._hear(ServiceStatus(message.status, tuple(message.problems), message.watermark_us))

    def _hear(self, status: ServiceStatus) -> None:
        is_news = (status.status, status.problems) != (self.service.status, self.service.problems)
        self.service = status
        if is_news:
            self.on.service.emit(status)

    async def _resync(self) -> None:
        """Fetch the whole picture; only then is the link called connected."""
        lost_us = self.connection.since_us if self.connection.is_lost else None
        await fetch_picture(self)
        self._change(LinkStatus.CONNECTED)
        self.on.resynced.emit(None)
        await fill_rings(self, self._clock(), lost_us)
        self.is_filled = True
        self.on.filled.emit(None)

    async def _refresh_when_wanted(self) -> None:
        while True:
            await self._refresh_wanted.wait()
            self._refresh_wanted.clear()
            await self.refresh()

    async def _learn_texts_when_wanted(self) -> None:
        """Ask what a new text is, at most every two seconds: live samples carry codes alone."""
        while True:
            await self._texts_wanted.wait()
            self._texts_wanted.clear()
            take_latest(self, await self.client.latest())
            await asyncio.sleep(TEXTS_EVERY_S)

    def _lose(self, reason: str) -> None:
        if self.connection.is_lost:
            self._change(LinkStatus.RECONNECTING, reason)
        else:
            self._change(LinkStatus.LOST, reason)

    def _change(self, status: LinkStatus, reason: str = "") -> None:
        was_lost = self.connection.is_lost
        is_lost = status in (LinkStatus.LOST, LinkStatus.RECONNECTING)
        fresh_us = self._heard_us if is_lost else self._clock()
        since_us = self.connection.since_us if was_lost and is_lost else fresh_us
        changed = Connection(status, since_us, reason)
        if changed != self.connection:
            self.connection = changed
            self.on.connection.emit(changed)


async def _end(*tasks: asyncio.Task[None] | None) -> None:
    """Stop tasks and wait for them; what they failed with was told, or does not matter any more."""
    running = [task for task in tasks if task is not None]
    for task in running:
        task.cancel()
    for outcome in await asyncio.gather(*running, return_exceptions=True):
        if isinstance(outcome, BaseException) and not isinstance(
            outcome, FactoryOpsError | TimeoutError | asyncio.CancelledError
        ):
            raise outcome
