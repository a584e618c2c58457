"""The live hub: what the journals, the database and the roles say, on its way to every connected client."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from factoryops.api.alarm_board import AlarmBoard
from factoryops.api.certificate_watch import CertificateWatch
from factoryops.api.channels import Channels, key_of
from factoryops.api.context import ApiContext
from factoryops.api.feed import JournalFeed, News
from factoryops.api.flood_book import FloodBook
from factoryops.api.health_book import HealthBook, Summary
from factoryops.api.outbox import Outbox
from factoryops.api.plant_cache import PlantCache
from factoryops.api.pool import WorkPool
from factoryops.api.presence import PresenceBook
from factoryops.contracts import http, live
from factoryops.database.rows import Changes, SessionRecord
from factoryops.database.transaction import Transaction
from factoryops.domain.errors import FactoryOpsError, NotLoggedInError, TooManyAttemptsError, UnavailableError
from factoryops.domain.identity import FactoryId
from factoryops.domain.time import now_us
from factoryops.journal.doorbell import DoorbellListener
from factoryops.observability.heartbeat import HeartbeatFile, Problem

logger = logging.getLogger(__name__)

BEAT_S: Final = 1.0
_POLL_S: Final = 0.25
_PAUSE_S: Final = 0.015
_SESSIONS_S: Final = 2.0
_FLOODS_S: Final = 0.5
_FIRST_LOOK_S: Final = 3.0
_COMMIT_US: Final = 60_000_000
"""A unit of work is dated at its beginning and seen at its end, which is not later than this."""


class LiveClient:
    """One live connection that has said who it is."""

    def __init__(self, session: SessionRecord, token: str, outbox: Outbox) -> None:
        self.session = session
        self.token = token
        self.outbox = outbox

    @property
    def factory(self) -> FactoryId:
        """The one factory it sees."""
        return self.session.factory.id

    def offer(self, frame: bytes) -> None:
        """Send a frame, or give the client up when it cannot keep pace."""
        if not self.outbox.put(frame):
            logger.info("a live client of %s was too slow and is closed", self.session.user_name)
            self.outbox.end(live.CLOSE_TOO_SLOW)


class Hub:
    """Tails the journals, polls the database, beats; and knows every live client. Used on the event loop alone."""

    def __init__(
        self,
        context: ApiContext,
        pool: WorkPool,
        plants: PlantCache,
        board: AlarmBoard,
        floods: FloodBook,
        health: HealthBook,
    ) -> None:
        self._context = context
        self._pool = pool
        self._plants = plants
        self._board = board
        self._floods = floods
        self._health = health
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journals")
        self._doorbell = DoorbellListener(context.doorbell_folder, "api")
        self._heartbeat = HeartbeatFile(context.heartbeat_folder, "api")
        self._certificates = CertificateWatch(context.certificates)
        self._feeds: list[JournalFeed] = []
        self._channels = Channels(lambda: self.watermark_us)
        self._clients: set[LiveClient] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._changes: Changes | None = None
        self._looked_us = now_us()
        self._database_away_us: int | None = None
        self._samples_seen = 0
        self.presence = PresenceBook()
        self.watermark_us = 0

    # --- life --------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin to follow everything."""
        loop = asyncio.get_running_loop()
        self._feeds = await loop.run_in_executor(self._thread, self._open_feeds)
        await self._doorbell.start()
        with contextlib.suppress(TimeoutError):
            # The database's alarms first: what the engine said a while ago is then known to be old.
            async with asyncio.timeout(_FIRST_LOOK_S):
                await self._watch_database()
        steps: list[tuple[str, Callable[[], Awaitable[None]], float]] = [
            ("journals", self._follow, 0.0),
            ("database", self._watch_database, 1.0),
            ("store", self._watch_store, 1.0),
            ("floods", self._watch_floods, _FLOODS_S),
            ("beat", self._beat, BEAT_S),
            ("sessions", self._watch_sessions, _SESSIONS_S),
        ]
        self._tasks = [asyncio.create_task(_repeat(*step), name=f"hub {step[0]}") for step in steps]

    def _open_feeds(self) -> list[JournalFeed]:
        context = self._context
        return [
            JournalFeed(name, path, context.tails.get(name), self.presence, after_seq=context.reader.checkpoint(name))
            for name, path in context.journals.items()
        ]

    async def stop(self) -> None:
        """Close every client and let go of everything."""
        for client in list(self._clients):
            client.outbox.end(1012)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._doorbell.close()
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close_feeds)
        self._thread.shutdown()
        self._heartbeat.remove()

    def _close_feeds(self) -> None:
        for feed in self._feeds:
            feed.close()

    # --- clients -----------------------------------------------------------------------------------------------------

    def join(self, session: SessionRecord, token: str) -> LiveClient:
        """Take a client in; raises TooManyAttemptsError when it has too many connections, or all have."""
        limits = self._context.limits
        of_user = sum(one.session.user_id == session.user_id for one in self._clients)
        if of_user >= limits.connections_per_user or len(self._clients) >= limits.connections:
            raise TooManyAttemptsError("Too many live connections are open; close another first.")
        loop = asyncio.get_running_loop()
        outbox = Outbox(most_frames=limits.queue_frames, most_bytes=limits.queue_bytes, clock=loop.time)
        client = LiveClient(session, token, outbox)
        self._clients.add(client)
        client.offer(live.encode_frame(live.Welcome(now_us(), self.watermark_us, BEAT_S)))
        return client

    def subscribe(self, client: LiveClient, request: live.Subscribe) -> None:
        """Replace what a client is sent."""
        self._channels.subscribe(client, key_of(client.factory, request))

    def leave(self, client: LiveClient) -> None:
        """Forget a client."""
        self._channels.leave(client)
        self._clients.discard(client)

    def end_session(self, token: str) -> None:
        """Close the clients of a session that has ended."""
        for client in self._clients:
            if client.token == token:
                client.outbox.end(live.CLOSE_NOT_LOGGED_IN)

    def _broadcast(self, factory: FactoryId, message: live.ServiceMessage) -> None:
        frame = live.encode_frame(message)
        for client in self._clients:
            if client.factory == factory:
                client.offer(frame)

    # --- news --------------------------------------------------------------------------------------------------------

    def tell_alarms(self, rows: list[tuple[FactoryId, http.Alarm]]) -> None:
        """Merge alarms that the database has just answered, and tell everybody of the factory."""
        self._announce(self._board.take_rows(rows))

    def _announce(self, changed: list[tuple[FactoryId, http.Alarm]]) -> None:
        for factory, alarm in changed:
            self._broadcast(factory, live.AlarmChanged(alarm.model_dump_json().encode()))

    def tell_run(self, factory: FactoryId, run: http.Run) -> None:
        """Tell everybody of the factory that a run changed."""
        self._broadcast(factory, live.RunChanged(run.model_dump_json().encode()))

    def tell_plant(self, factory: FactoryId) -> None:
        """Read the plant again, and have everybody of the factory do the same."""
        self._plants.forget(factory)
        self._broadcast(factory, live.PlantChanged())

    def tell_inboxes(self, readers: Collection[tuple[str, str]]) -> None:
        """Tell those whose inbox changed; `readers` are factory and user name."""
        frame = live.encode_frame(live.InboxChanged())
        for client in self._clients:
            if (client.factory, client.session.user_name) in readers:
                client.offer(frame)

    async def _follow(self) -> None:
        await self._doorbell.wait(timeout_s=_POLL_S)
        is_full = True
        while is_full:
            news = await asyncio.get_running_loop().run_in_executor(self._thread, self._read_feeds)
            for one in news:
                self._pass_on(one)
            is_full = any(one.is_full for one in news)
        await asyncio.sleep(_PAUSE_S)

    def _read_feeds(self) -> list[News]:
        return [feed.read() for feed in self._feeds]

    def _pass_on(self, news: News) -> None:
        self.watermark_us = max(self.watermark_us, news.watermark_us)
        self._samples_seen += sum(len(samples) for _, samples in news.samples)
        self._announce(self._board.take_transitions(news.transitions))
        self._channels.take(news.samples, news.received_us)

    async def _watch_database(self) -> None:
        try:
            await self._poll_database()
        except UnavailableError:
            self._database_away_us = self._database_away_us or now_us()
        else:
            self._database_away_us = None

    async def _poll_database(self) -> None:
        last, since_us, now = self._changes, self._looked_us - _COMMIT_US, now_us()
        read = self._context.database.read
        found = await self._pool.run(read, lambda tx: _changed(tx, last, since_us))
        self._changes, self._looked_us = found.changes, now
        self.tell_alarms(found.alarms)
        if last is None:
            return
        for factory, run in found.runs:
            self.tell_run(factory, run)
        self.tell_inboxes(found.readers)
        for factory, number in found.changes.plant.items():
            if last.plant.get(factory) != number:
                self.tell_plant(factory)

    async def refresh_alarms(self) -> None:
        """Bring the board up to the database; while that is away the board goes on from what the engine says.

        Raises:
            UnavailableError: the database is away and its alarms were never read: the board may be incomplete.
        """
        after = self._changes.alarms if self._changes is not None else 0
        read = self._context.database.read
        try:
            self.tell_alarms(await self._pool.run(read, lambda tx: tx.alarms_changed_since(after)))
        except UnavailableError:
            if self._changes is None:
                raise

    async def _watch_floods(self) -> None:
        factories = {client.factory for client in self._clients}
        self._floods.forget(factories)
        for factory in factories:
            floods = await self._floods.news(factory, self._changes)
            if floods is not None:
                told = http.FloodList(floods=floods)
                self._broadcast(factory, live.FloodsChanged(told.model_dump_json().encode()))

    async def _watch_store(self) -> None:
        for name, tail in self._context.tails.items():
            tail.forget_through(await self._pool.run(self._context.reader.checkpoint, name))

    async def _beat(self) -> None:
        ending = await self._pool.run(self._certificates.look)
        await self._pool.run(self._heartbeat.write, self._figures(), self._problems() + ending)
        summary = await self._pool.run(self._health.refresh)
        frames = {factory: self._beat_frame(summary, factory) for factory in {one.factory for one in self._clients}}
        for client in list(self._clients):
            client.offer(frames[client.factory])
            if client.outbox.is_stuck():
                client.outbox.end(live.CLOSE_TOO_SLOW)

    def _beat_frame(self, summary: Summary, factory: FactoryId) -> bytes:
        beat = live.Beat(now_us(), self.watermark_us, summary.status_for(factory), summary.sentences(factory))
        return live.encode_frame(beat)

    def _figures(self) -> dict[str, object]:
        return {
            "clients": len(self._clients),
            "channels": len(self._channels),
            "watermark_us": self.watermark_us,
            "samples": self._samples_seen,
            "abnormal_alarms": self._board.active_count(),
            "position": {feed.name: feed.position for feed in self._feeds},
            "tail_samples": {name: len(tail) for name, tail in self._context.tails.items()},
            **{f"logins_{name}": value for name, value in self._context.login.figures().items()},
        }

    def _problems(self) -> tuple[Problem, ...]:
        if self._database_away_us is None:
            return ()
        message = (
            "The database cannot be reached. Live values, history and alarms go on; nothing can be acknowledged or "
            "changed until it is back."
        )
        return (Problem("database_away", message, self._database_away_us),)

    async def _watch_sessions(self) -> None:
        for token in {client.token for client in self._clients}:
            try:
                await self._pool.run(self._context.login.session, token)
            except NotLoggedInError:
                self.end_session(token)
            except UnavailableError:
                return


@dataclass(frozen=True, slots=True)
class _Found:
    """What a look into the database found; `readers` are those whose inbox changed."""

    changes: Changes
    alarms: list[tuple[FactoryId, http.Alarm]]
    runs: Sequence[tuple[FactoryId, http.Run]] = ()
    readers: frozenset[tuple[str, str]] = frozenset()


def _changed(tx: Transaction, last: Changes | None, since_us: int) -> _Found:
    """What changed since `last`; at first every alarm and nothing else. `since_us` is when somebody last looked."""
    changes = tx.changes()
    if last is None:
        return _Found(changes, tx.alarms_changed_since(0))
    alarms = tx.alarms_changed_since(last.alarms) if changes.alarms != last.alarms else []
    runs = tx.work.changed_since(last.runs) if changes.runs != last.runs else []
    readers = tx.notifying.inboxes_changed_since(since_us) if changes.inbox != last.inbox else frozenset()
    return _Found(changes, alarms, runs, readers)


async def _repeat(name: str, step: Callable[[], Awaitable[None]], pause_s: float) -> None:
    """Do a step again and again; what goes wrong in one is logged and does not end the others."""
    while True:
        try:
            await step()
        except FactoryOpsError as error:
            logger.warning("hub %s: %s", name, error)
            await asyncio.sleep(1.0)
        except Exception:
            logger.exception("hub %s failed and goes on", name)
            await asyncio.sleep(1.0)
        await asyncio.sleep(pause_s)
