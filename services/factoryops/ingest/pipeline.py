"""The group commit: what sources receive becomes durable, and only then is it acknowledged.

Everything but the commit itself happens on the event loop. One thread appends to the journal; as soon as one fsync has
returned, all that has come meanwhile goes into the next. Nothing waits to fill up.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Protocol, TypeVar

from factoryops.domain.errors import FactoryOpsError, StorageError
from factoryops.domain.time import now_us
from factoryops.ingest.batch import OpenBatch, Origin
from factoryops.ingest.devices import Publisher
from factoryops.ingest.guard import Guard
from factoryops.ingest.watermark import WatermarkClock
from factoryops.journal.doorbell import Doorbell
from factoryops.journal.failpoint import failpoint
from factoryops.journal.records import Entry, Gap
from factoryops.journal.writer import JournalWriter

logger = logging.getLogger(__name__)

T = TypeVar("T")

MOST_PENDING_MESSAGES: Final = 50_000
MOST_PENDING_BYTES: Final = 64 << 20
_FIRST_RETRY_S: Final = 0.5
_LONGEST_RETRY_S: Final = 10.0


class Source(Protocol):
    """Where messages come from."""

    def pause(self) -> None:
        """Stop reading: what comes waits outside."""
        ...

    def resume(self) -> None:
        """Read again."""
        ...


class Pipeline:
    """Gathers messages, commits them in groups, acknowledges what is durable.

    Attributes:
        failed: completes with the error when something happened that must end the role.
        storage_problem: what keeps the journal from being written, "" when nothing does.
        storage_problem_since_us: since when.
        committed: rows written since the start.
    """

    def __init__(self, writer: JournalWriter, guard: Guard, watermark: WatermarkClock, doorbell: Doorbell) -> None:
        self._writer = writer
        self._guard = guard
        self._watermark = watermark
        self._written_watermark_us = watermark.value_us
        self._doorbell = doorbell
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._open = OpenBatch()
        self._sealed: deque[OpenBatch] = deque()
        self._committing: OpenBatch | None = None
        self._is_start_due = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._sources: list[Source] = []
        self._pauses: set[str] = set()
        self._retry_s = _FIRST_RETRY_S
        self._is_closing = False
        self.failed: asyncio.Future[None] = self._loop.create_future()
        self.storage_problem = ""
        self.storage_problem_since_us = 0
        self.committed = 0
        guard.watermark_us = watermark.value_us
        guard.backlog_before_us = watermark.backlog_before_us

    # --- receiving ---------------------------------------------------------------------------------------------------

    def add_source(self, source: Source) -> None:
        """Let the pipeline stop and start a source."""
        self._sources.append(source)
        if self._pauses:
            source.pause()

    @property
    def is_paused(self) -> bool:
        """Whether sources must not read at the moment."""
        return bool(self._pauses)

    def is_paused_for(self, why: str) -> bool:
        """Whether `why` is among the reasons."""
        return why in self._pauses

    @property
    def is_storing(self) -> bool:
        """Whether the journal can be written as far as we know."""
        return not self.storage_problem

    def receive(
        self, origin: Origin, publisher: Publisher, topic: bytes, payload: bytes, packet_id: bytes | None,
        received_us: int, *, is_retained: bool = False,
    ) -> None:  # fmt: skip
        """Take one message; with a packet id it is acknowledged to `origin` once it is durable."""
        batch = self._open
        rejection = self._guard.admit(batch, publisher, topic, payload, received_us, is_retained=is_retained)
        if packet_id is not None:
            if rejection is not None:
                origin = origin.when_quarantined(rejection.reason)
            acks = batch.acks.get(origin)
            if acks is None:
                batch.acks[origin] = [packet_id]
            else:
                acks.append(packet_id)
        if batch.is_full:
            self._seal()
        elif not self._is_start_due:
            self._start_soon()

    def add_gap(self, gap: Gap) -> None:
        """Record that data may be missing."""
        self._open.gaps.append(gap)
        self._start_soon()

    def tick(self, moment_us: int) -> None:
        """Write the watermark; call it every second."""
        if not self.is_storing:
            return
        seen, self._guard.backlog_seen = self._guard.backlog_seen, 0
        value_us = self._watermark.advance(moment_us, saw_backlog=seen > 0)
        self._guard.watermark_us = value_us
        self._guard.backlog_before_us = self._watermark.backlog_before_us
        self._open.watermark_us = value_us
        self._start_soon()

    # --- flow --------------------------------------------------------------------------------------------------------

    def _seal(self) -> None:
        self._sealed.append(self._open)
        self._open = OpenBatch()
        self._start_soon()
        self._bound()

    def _bound(self) -> None:
        messages = sum(batch.messages for batch in self._sealed)
        size_bytes = sum(batch.size_bytes for batch in self._sealed)
        share = max(messages / MOST_PENDING_MESSAGES, size_bytes / MOST_PENDING_BYTES)
        if share >= 1:
            self.pause("backlog")
        elif share < 0.5:
            self.resume("backlog")

    def pause(self, why: str) -> None:
        """Stop all sources for a reason; they read again when no reason is left."""
        if why in self._pauses:
            return
        self._pauses.add(why)
        if len(self._pauses) == 1:
            self._watermark.stop_receiving(now_us())
            for source in self._sources:
                source.pause()

    def resume(self, why: str) -> None:
        """Take a reason to stop away."""
        if why not in self._pauses:
            return
        self._pauses.discard(why)
        if not self._pauses:
            self._watermark.start_receiving(now_us(), have_devices_gone=why != "backlog")
            for source in self._sources:
                source.resume()

    # --- committing --------------------------------------------------------------------------------------------------

    def _start_soon(self) -> None:
        """Begin a commit once all that is ready to be read now has been read."""
        if self._committing is None and not self._is_start_due and self.is_storing:
            self._is_start_due = True
            self._idle.clear()
            self._loop.call_soon(self._start)

    def _start(self) -> None:
        self._is_start_due = False
        if self._committing is not None or not self.is_storing:
            return
        if self._sealed:
            batch = self._sealed.popleft()
            self._bound()
        elif self._open.has_content:
            batch, self._open = self._open, OpenBatch()
        else:
            self._idle.set()
            return
        self._committing = batch
        self._submit(lambda: self._commit(batch), self._committed)

    def _submit(self, work: Callable[[], None], done: Callable[[BaseException | None], None]) -> None:
        """Run `work` on the journal's thread and `done`, with what it raised, back on the loop."""

        def hand_back(future: Future[None]) -> None:
            self._loop.call_soon_threadsafe(done, future.exception())

        self._thread.submit(work).add_done_callback(hand_back)

    def _commit(self, batch: OpenBatch) -> None:
        failpoint("before_commit")
        self._writer.append(batch.entry(self._writer.ledger), batch.new_series, batch.new_texts)
        failpoint("after_commit_before_ack")
        self._doorbell.ring()

    def _committed(self, error: BaseException | None) -> None:
        batch, self._committing = self._committing, None
        if batch is None:
            return
        if isinstance(error, StorageError):
            self._lose_ground(batch, error)
            return
        if error is not None:
            self._fail(error)
            return
        self.committed += 1
        self._written_watermark_us = batch.watermark_us or self._written_watermark_us
        for origin, packet_ids in batch.acks.items():
            origin.acknowledge(packet_ids)
        failpoint("after_ack")
        self._start()

    def _fail(self, error: BaseException) -> None:
        self._idle.set()
        if not self.failed.done():
            self.failed.set_exception(error)

    # --- when the journal cannot be written --------------------------------------------------------------------------

    def _lose_ground(self, batch: OpenBatch, error: FactoryOpsError) -> None:
        """Nothing that is not durable is acknowledged: it is dropped here, and its senders must send it again."""
        logger.error("%s", error)
        self._idle.set()
        self.storage_problem = str(error)
        self.storage_problem_since_us = self.storage_problem_since_us or now_us()
        dropped = [self._open, *reversed(self._sealed), batch]
        gaps = [gap for one in reversed(dropped) for gap in one.gaps]
        self._sealed.clear()
        self._open = OpenBatch()
        self._open.gaps.extend(gaps)
        self._watermark.go_back_to(self._written_watermark_us)
        self._guard.watermark_us = self._written_watermark_us
        self._rewind(dropped)
        self.pause("storage")
        for one in dropped:
            for origin in one.acks:
                origin.give_up()
        self._loop.call_later(self._retry_s, self._try_again)
        self._retry_s = min(self._retry_s * 2, _LONGEST_RETRY_S)

    def _rewind(self, dropped: Iterable[OpenBatch]) -> None:
        writer = self._writer
        self._guard.rewind(dropped, writer.series, writer.texts, writer.clocks)

    def _try_again(self) -> None:
        if not self._is_closing:
            self._submit(self._reopen, self._reopened)

    def _reopen(self) -> None:
        self._writer.reopen()
        # A first row proves that it can be written before anybody is let in again.
        self._writer.append(Entry(now_us(), self._writer.ledger, watermark_us=self._written_watermark_us))

    def _reopened(self, error: BaseException | None) -> None:
        if isinstance(error, StorageError):
            logger.warning("%s", error)
            self._loop.call_later(self._retry_s, self._try_again)
            self._retry_s = min(self._retry_s * 2, _LONGEST_RETRY_S)
            return
        if error is not None:
            self._fail(error)
            return
        logger.warning("The journal can be written again.")
        self.storage_problem = ""
        self.storage_problem_since_us = 0
        self._retry_s = _FIRST_RETRY_S
        self._rewind([])
        self.resume("storage")
        self._start_soon()

    # --- the rest ----------------------------------------------------------------------------------------------------

    async def on_journal_thread(self, work: Callable[[], T]) -> T:
        """Run something that touches the writer between two commits."""
        return await self._loop.run_in_executor(self._thread, work)

    async def drain(self) -> None:
        """Commit and acknowledge everything received so far; returns at once when the journal cannot be written."""
        self._start_soon()
        await self._idle.wait()

    def close(self) -> None:
        """Let the journal's thread end."""
        self._is_closing = True
        self._thread.shutdown(wait=True)
