"""Keeping the journal within its bounds: rows that everybody has read go after a while."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from factoryops.domain.errors import StorageError
from factoryops.domain.time import US_PER_S, now_us
from factoryops.ingest.config import IngestConfig
from factoryops.ingest.pipeline import Pipeline
from factoryops.ingest.problems import ProblemList
from factoryops.journal.checkpoints import lowest_checkpoint, publish_checkpoint
from factoryops.journal.writer import JournalWriter

logger = logging.getLogger(__name__)

JOURNAL: Final = "journal"
WRITER: Final = "writer"
"""The writer's own mark among the checkpoints: how far the file is known to have reached."""

_ROWS_AT_ONCE: Final = 100
_MOST_ROUNDS: Final = 60
_WARN_SHARE: Final = 0.5


class JournalUpkeep:
    """Trims the journal, and stops the sources when consumers have let it fill up.

    Attributes:
        used_bytes: what its rows took when last looked at.
    """

    def __init__(self, config: IngestConfig, writer: JournalWriter, pipeline: Pipeline, problems: ProblemList) -> None:
        self._config = config
        self._writer = writer
        self._pipeline = pipeline
        self._problems = problems
        self.used_bytes = 0

    async def look(self) -> None:
        """See how large it is, and leave word of how far it reaches; call it every second."""
        try:
            await self._pipeline.on_journal_thread(self._measure)
            await asyncio.to_thread(self.leave_mark)
        except (StorageError, OSError) as error:
            logger.debug("The journal cannot be looked after at the moment: %s", error)
            return  # the pipeline reports what keeps it from being written
        self._judge()

    def _measure(self) -> None:
        self.used_bytes = self._writer.used_bytes()

    def leave_mark(self) -> None:
        """Say how far the journal reaches, so that a file cut short by damage is noticed at the next start."""
        publish_checkpoint(self._config.checkpoints_folder, WRITER, JOURNAL, self._writer.last_seq)

    def _judge(self) -> None:
        share = self.used_bytes / self._config.size_limit_bytes
        if share >= 1:
            self._pipeline.pause("full")
        elif share < 0.95:
            self._pipeline.resume("full")
        message = ""
        if self._pipeline.is_paused_for("full"):
            message = (
                "The journal is full because its readers have fallen behind: nothing more is received, devices keep "
                "their data. Bring the history store and the engine back, or raise the journal's size limit."
            )
        elif share >= _WARN_SHARE:
            message = (
                f"The journal is {share:.0%} full because its readers have fallen behind; at 100 % nothing more is "
                "received. Look after the history store and the engine."
            )
        self._problems.put("journal_full", message)

    async def trim(self) -> None:
        """Let rows go that every consumer has read and that the replay window no longer covers.

        Nothing happens when the file cannot be written: the next commit reports that.
        """
        config = self._config
        passed = await asyncio.to_thread(lowest_checkpoint, config.checkpoints_folder, config.consumers, JOURNAL)
        for _ in range(_MOST_ROUNDS):
            try:
                if await self._pipeline.on_journal_thread(lambda: self._trim_some(passed)) < _ROWS_AT_ONCE:
                    return
            except StorageError:
                return

    def _trim_some(self, passed: int) -> int:
        window_us = int(self._config.replay_window_s * US_PER_S)
        below = self._writer.last_seq_before(now_us() - window_us)
        if self._writer.used_bytes() > self._config.size_limit_bytes // 4:
            below = self._writer.last_seq
        return self._writer.trim(min(passed, below), most=_ROWS_AT_ONCE)
