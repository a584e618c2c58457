"""The ingest role: devices in, journal out, acknowledgement last."""

from __future__ import annotations

import asyncio
import importlib
import logging
import sys
import time
from collections import Counter
from typing import Any, Final

from factoryops.contracts.snapshot import Snapshot
from factoryops.contracts.telemetry import subscriptions
from factoryops.domain.time import now_us
from factoryops.ingest.broker import BrokerSource
from factoryops.ingest.clocks import wrong_clocks
from factoryops.ingest.config import BrokerConfig, EndpointConfig, IngestConfig
from factoryops.ingest.endpoint.server import Endpoint
from factoryops.ingest.guard import Guard
from factoryops.ingest.logins import LoginBook
from factoryops.ingest.pipeline import Pipeline
from factoryops.ingest.problems import ProblemList
from factoryops.ingest.recall import away_gap, recall
from factoryops.ingest.snapshot_watch import SnapshotWatch
from factoryops.ingest.upkeep import JOURNAL, WRITER, JournalUpkeep
from factoryops.ingest.wall_clock import WallClock
from factoryops.ingest.watermark import WatermarkClock
from factoryops.journal.checkpoints import highest_checkpoint
from factoryops.journal.doorbell import Doorbell
from factoryops.journal.records import Entry
from factoryops.journal.writer import JournalWriter
from factoryops.observability.heartbeat import HeartbeatFile

__all__ = ["BrokerConfig", "EndpointConfig", "IngestConfig", "IngestService"]

logger = logging.getLogger(__name__)

_BEAT_S: Final = 1.0
_TRIM_EVERY_BEATS: Final = 5
_LAST_COMMIT_S: Final = 3.0


class IngestService:
    """Runs the sources, the guard and the group commit until it is told to stop.

    Attributes:
        started: set once devices can connect.
        endpoint_port, endpoint_tls_port: where the endpoint listens by then; 0 where it does not.
    """

    def __init__(self, config: IngestConfig) -> None:
        self._config = config
        self.started = asyncio.Event()
        self.endpoint_port = self.endpoint_tls_port = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Receive until `stop` is set; what was received by then is committed and acknowledged.

        Raises:
            SetupError: the endpoint's port cannot be taken, or the journal was written by a newer program.
            StorageError: the data folder cannot be written.
        """
        _allow_many_connections()
        running = await _Running.open(self._config)
        try:
            await running.start()
            self.endpoint_port, self.endpoint_tls_port = running.endpoint_port, running.endpoint_tls_port
            self.started.set()
            await running.until(stop)
        finally:
            await running.close()


class _Running:
    """The parts of one run, wired together."""

    def __init__(self, config: IngestConfig, writer: JournalWriter, watermark: WatermarkClock, guard: Guard) -> None:
        self._config = config
        self._writer = writer
        self._guard = guard
        self._watermark = watermark
        self._problems = ProblemList()
        self._wall_clock = WallClock()
        self._doorbell = Doorbell(config.doorbell_folder)
        self._pipeline = Pipeline(writer, guard, watermark, self._doorbell)
        self._upkeep = JournalUpkeep(config, writer, self._pipeline, self._problems)
        self._watch = SnapshotWatch(config.snapshot_path, config.snapshot_key)
        self._heartbeat = HeartbeatFile(config.heartbeat_folder, "ingest")
        self._logins = LoginBook(config.logins_path) if config.logins_path else None
        self._endpoint = Endpoint(config.endpoint, self._pipeline) if config.endpoint else None
        self._brokers = [
            BrokerSource(broker, self._pipeline, config.checkpoints_folder / f"broker.{broker.name}")
            for broker in config.brokers
        ]
        self._received_before = writer.ledger.received
        self._beats = 0

    @classmethod
    async def open(cls, config: IngestConfig) -> _Running:
        """Open the journal and recall where an earlier run left off."""
        names = (*config.consumers, WRITER)
        known_end = await asyncio.to_thread(highest_checkpoint, config.checkpoints_folder, names, JOURNAL)
        writer = await asyncio.to_thread(JournalWriter, config.journal_path, known_end=known_end)
        recalled = await asyncio.to_thread(recall, config.journal_path)
        gap = away_gap(recalled, now_us())
        if gap is not None and config.endpoint is not None:
            await asyncio.to_thread(writer.append, Entry(now_us(), writer.ledger, gaps=(gap,)))
        guard = Guard(writer.series, writer.texts, dialect_b_factory=config.dialect_b_factory)
        guard.recall(recalled.newest_us, writer.clocks, recalled.last_received_us)
        return cls(config, writer, WatermarkClock(recalled.watermark_us, now_us()), guard)

    @property
    def endpoint_port(self) -> int:
        return self._endpoint.port if self._endpoint else 0

    @property
    def endpoint_tls_port(self) -> int:
        return self._endpoint.tls_port if self._endpoint else 0

    async def start(self) -> None:
        """Let devices in."""
        await self._reload_snapshot()
        if self._endpoint:
            await self._endpoint.start()
        for broker in self._brokers:
            broker.start()

    async def until(self, stop: asyncio.Event) -> None:
        """Keep everything going until `stop`, or until something fails that must end the role."""
        beating = asyncio.create_task(self._beat_on())
        stopping = asyncio.create_task(stop.wait())
        tasks: set[asyncio.Future[Any]] = {beating, stopping, self._pipeline.failed}
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.result()
        finally:
            for task in (beating, stopping):
                task.cancel()
            await asyncio.gather(beating, stopping, return_exceptions=True)

    async def close(self) -> None:
        """Stop reading, commit and acknowledge what was read, let go of everything."""
        if self._endpoint:
            self._endpoint.stop_listening()
        self._pipeline.pause("stopping")
        try:
            async with asyncio.timeout(_LAST_COMMIT_S):
                await self._pipeline.drain()
        except TimeoutError:
            logger.warning("The last messages could not be committed in time; devices will send them again.")
        for broker in self._brokers:
            await asyncio.to_thread(broker.close)
        if self._endpoint:
            self._endpoint.close()
        await asyncio.to_thread(self._let_go)

    def _let_go(self) -> None:
        self._pipeline.close()
        self._writer.close()
        self._doorbell.close()
        try:
            self._upkeep.leave_mark()
            self._heartbeat.remove()
        except OSError as error:
            logger.warning("The last word on the journal cannot be left: %s", error)

    # --- every second ------------------------------------------------------------------------------------------------

    async def _beat_on(self) -> None:
        loop = asyncio.get_running_loop()
        due_s = loop.time()
        while True:
            await self._beat()
            due_s = max(due_s + _BEAT_S, loop.time())
            await asyncio.sleep(due_s - loop.time())

    async def _beat(self) -> None:
        self._pipeline.tick(now_us())
        await self._reload_snapshot()
        if self._endpoint:
            self._endpoint.sweep()
            await self._endpoint.look_after_files()
        await self._upkeep.look()
        self._gather_problems()
        await self._show()
        if self._beats % _TRIM_EVERY_BEATS == 0:
            await self._upkeep.trim()
        self._beats += 1

    async def _show(self) -> None:
        if self._endpoint and self._logins and self._logins.is_due:
            await asyncio.to_thread(self._logins.save, self._endpoint.take_user_names())
        await asyncio.to_thread(self._heartbeat.write, self._figures(), self._problems.all())

    async def _reload_snapshot(self) -> None:
        snapshot = await asyncio.to_thread(self._watch.poll)
        if snapshot is not None:
            self._apply(snapshot)

    def _apply(self, snapshot: Snapshot) -> None:
        self._guard.apply(snapshot)
        if self._endpoint:
            self._endpoint.apply(snapshot)
        topics = subscriptions(snapshot, has_dialect_b=bool(self._config.dialect_b_factory))
        for broker in self._brokers:
            broker.want(topics)

    def _gather_problems(self) -> None:
        pipeline, put = self._pipeline, self._problems.put
        put("journal_not_writable", pipeline.storage_problem, since_us=pipeline.storage_problem_since_us)
        put("snapshot", self._watch.problem)
        for broker in self._brokers:
            self._problems.replace(broker.name, broker.problems())
        if self._endpoint:
            self._problems.replace("endpoint", self._endpoint.problems())
        overload = ""
        if pipeline.is_paused_for("backlog"):
            overload = "More is coming in than can be written: reading pauses, devices and brokers hold their messages."
        put("overload", overload)
        self._wall_clock.look(time.monotonic(), now_us(), self._watermark.value_us)
        put("clock_set", self._wall_clock.problem)
        self._problems.put_by_factory("device_clocks", wrong_clocks(self._guard.offsets_us))

    def _figures(self) -> dict[str, Any]:
        ledger = self._writer.ledger
        rate, self._received_before = ledger.received - self._received_before, ledger.received
        events = self._guard.security_events + (self._endpoint.complaints if self._endpoint else Counter())
        return {
            "received": ledger.received,
            "accepted": ledger.accepted,
            "quarantined": ledger.quarantined,
            "values_accepted": ledger.values_accepted,
            "values_late": ledger.values_late,
            "values_rounded": ledger.values_rounded,
            "values_refused": ledger.values_refused,
            "values_suppressed": ledger.values_suppressed,
            "messages_per_s": round(rate / _BEAT_S),
            "connections": self._endpoint.connection_count if self._endpoint else 0,
            "endpoint": self._endpoint.figures() if self._endpoint else {},
            "endpoint_port": self.endpoint_port,
            "brokers": {broker.name: broker.figures() for broker in self._brokers},
            **self._upkeep.figures(),
            "watermark_us": self._watermark.value_us,
            "is_watermark_held": self._watermark.is_held,
            "last_seq": self._writer.last_seq,
            "snapshot": self._watch.signature,
            "security_events": dict(events),
        }


def _allow_many_connections() -> None:
    """Raise the number of files this process may have open to what the system permits; Windows has no such limit."""
    if sys.platform == "win32":
        return
    resource = importlib.import_module("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(65_536, hard) if hard != resource.RLIM_INFINITY else 65_536
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
