"""Keeping the journal within its bounds: rows that everybody has read go after a while."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from pathlib import Path
from typing import Final

from factoryops.domain.errors import StorageError
from factoryops.domain.time import US_PER_S, from_us, now_us
from factoryops.ingest.config import IngestConfig
from factoryops.ingest.growth import JournalGrowth
from factoryops.ingest.pipeline import Pipeline
from factoryops.ingest.problems import ProblemList
from factoryops.journal.checkpoints import lowest_checkpoint, publish_checkpoint
from factoryops.journal.writer import JournalWriter
from factoryops.observability.disk import free_when_low, reserve_left

logger = logging.getLogger(__name__)

JOURNAL: Final = "journal"
WRITER: Final = "writer"
"""The writer's own mark among the checkpoints: how far the file is known to have reached."""

_ROWS_AT_ONCE: Final = 100
_MOST_ROUNDS: Final = 60
_RESUME_SHARE: Final = 0.95
_RESUME_RESERVE: Final = 1.5
"""How much of the disk's reserve must be free before anything is received again."""
_DAMAGE_TOLD_US: Final = 3_600 * US_PER_S

_DISK_FULL: Final = (
    "The disk of the data folder is full but for the last reserve, which storing, alarms and logins need: nothing more "
    "is received, devices keep their data. Free space, or move the data folder to a larger disk."
)
_LEVELS: Final = (("journal_full", 0.95), ("journal_nearly_full", 0.8), ("journal_half_full", 0.5))
"""Codes of the problem, and the share of the limit from which each stands, fullest first."""


class JournalUpkeep:
    """Trims the journal, and stops the sources when consumers have let it fill up.

    Attributes:
        used_bytes: what its rows took when last looked at.
        growth: how fast it grows.
    """

    def __init__(self, config: IngestConfig, writer: JournalWriter, pipeline: Pipeline, problems: ProblemList) -> None:
        self._config = config
        self._writer = writer
        self._pipeline = pipeline
        self._problems = problems
        self.used_bytes = 0
        self._other_bytes = 0
        self._disk_low = ""
        self._reserve_left = math.inf
        self.growth = JournalGrowth()

    async def look(self) -> None:
        """See how large it is, and leave word of how far it reaches; call it every second."""
        try:
            await self._pipeline.on_journal_thread(self._measure)
            await asyncio.to_thread(self._look_at_files)
        except (StorageError, OSError) as error:
            logger.debug("The journal cannot be looked after at the moment: %s", error)
            return  # the pipeline reports what keeps it from being written
        self._judge()

    def _measure(self) -> None:
        self.used_bytes = self._writer.used_bytes()
        self.growth.note(self._writer.written_bytes, time.monotonic())

    def _look_at_files(self) -> None:
        self.leave_mark()
        self._other_bytes = sum(_size_of(path) for path in self._config.other_journals)
        folder = self._config.journal_path.parent
        self._disk_low, self._reserve_left = _disk_problem(folder), reserve_left(folder)

    def leave_mark(self) -> None:
        """Say how far the journal reaches, so that a file cut short by damage is noticed at the next start."""
        publish_checkpoint(self._config.checkpoints_folder, WRITER, JOURNAL, self._writer.last_seq)

    @property
    def share(self) -> float:
        """How much of the limit is used, by what is calculated and imported as well."""
        return (self.used_bytes + self._other_bytes) / self._config.size_limit_bytes

    def figures(self) -> dict[str, float | None]:
        """What it takes, how fast that grows, and how long the limit lasts if no reader moves on meanwhile."""
        free_bytes = self._config.size_limit_bytes - self.used_bytes - self._other_bytes
        return {
            "journal_bytes": self.used_bytes,
            "journal_share": round(self.share, 4),
            "journal_bytes_per_hour": self.growth.bytes_per_hour,
            "journal_hours_until_full": self.growth.hours_left(free_bytes),
        }

    def _judge(self) -> None:
        if self.share >= 1:
            self._pipeline.pause("full")
        elif self.share < _RESUME_SHARE:
            self._pipeline.resume("full")
        present = next((code for code, share in _LEVELS if self.share >= share), None)
        for code, _ in _LEVELS:
            self._problems.put(code, self._sentence() if code == present else "")
        self._judge_disk()
        self._problems.put("journal_damaged", self._damage())

    def _judge_disk(self) -> None:
        """Stop before the disk is full: what was received must be stored, alarms recorded and people let in."""
        if self._reserve_left < 1:
            self._pipeline.pause("disk")
        elif self._reserve_left >= _RESUME_RESERVE:
            self._pipeline.resume("disk")
        is_full = self._pipeline.is_paused_for("disk")
        self._problems.put("disk_full", _DISK_FULL if is_full else "")
        self._problems.put("disk_low", "" if is_full else self._disk_low)

    def _damage(self) -> str:
        """That the file was found damaged; told for an hour, the gap stays."""
        damaged_us = self._writer.damaged_us
        if not damaged_us or now_us() - damaged_us > _DAMAGE_TOLD_US:
            return ""
        return (
            f"The journal was found damaged at {from_us(damaged_us):%H:%M:%S} UTC and set aside; what is missing is "
            "shown as a gap. Check the disk of this machine."
        )

    def _sentence(self) -> str:
        if self._pipeline.is_paused_for("full"):
            return (
                "The journal is full because its readers have fallen behind: nothing more is received, devices keep "
                "their data. Bring the history store and the engine back, or raise the journal's size limit."
            )
        free_bytes = self._config.size_limit_bytes - self.used_bytes - self._other_bytes
        hours = self.growth.hours_left(free_bytes)
        lasts = "" if hours is None else f", in about {hours:.1f} h at the present rate"
        return (
            f"The journal is {self.share:.0%} full because its readers have fallen behind; at 100 %{lasts} nothing "
            "more is received. Look after the history store and the engine."
        )

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


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _disk_problem(folder: Path) -> str:
    """What is to be said of the disk the journal lies on; "" while it has room."""
    free = free_when_low(folder)
    if free is None:
        return ""
    return (
        f"The disk of the data folder has {free / 1e9:.1f} GB left; when it is full nothing more is received. "
        "Free space, or move the data folder to a larger disk."
    )
