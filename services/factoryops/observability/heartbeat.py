"""The heartbeat each role leaves on disk once a second, from which the health page is made.

Roles share one machine and must be judged when the database is away: so the beat is a small file, replaced whole.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any, Final

import msgspec

from factoryops.domain.time import now_us

logger = logging.getLogger(__name__)

LOST_AFTER_S: Final = 5.0
_BLOCK_BYTES: Final = 4_096
"""Disks give room to files in steps of at least this."""


class Problem(msgspec.Struct, frozen=True):
    """A promise at risk.

    Attributes:
        code: a fixed word ("store_away", "broker_away", "disk_full", ...).
        message: one sentence a person reads: what, what it means, what to do.
        since_us: when it began.
        factory: the id of the one factory it concerns; "" when it concerns all.
    """

    code: str
    message: str
    since_us: int
    factory: str = ""


class Heartbeat(msgspec.Struct, frozen=True):
    """What a role says of itself.

    Attributes:
        role: its name ("ingest", "historian", ...).
        beat_us: when it was written.
        started_us: when the role started.
        figures: its counters and gauges by name; plain JSON.
        problems: what is wrong at the moment.
    """

    role: str
    beat_us: int
    started_us: int
    process_id: int
    figures: dict[str, Any] = {}
    problems: tuple[Problem, ...] = ()


class HeartbeatFile:
    """Writes one role's heartbeat."""

    def __init__(self, folder: Path, role: str) -> None:
        self._path = folder / f"{role}.json"
        self._role = role
        self._started_us = now_us()
        self._is_failing = False

    def write(self, figures: dict[str, Any], problems: tuple[Problem, ...] = ()) -> None:
        """Replace the file; call it every second, off the event loop where latency matters.

        On a full disk it is written over in its place. Where that fails too, the role goes on; the old one's age tells.
        """
        beat = msgspec.json.encode(
            Heartbeat(self._role, now_us(), self._started_us, os.getpid(), figures, problems)
        )  # fmt: skip
        try:
            self._replace(beat)
        except OSError as error:
            if self._write_over(beat):
                return
            if not self._is_failing:
                logger.warning("The heartbeat of the %s part cannot be written: %s", self._role, error)
            self._is_failing = True
        else:
            self._is_failing = False

    def _replace(self, beat: bytes) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_suffix(".new")
        temporary.write_bytes(beat)
        temporary.replace(self._path)

    def _write_over(self, beat: bytes) -> bool:
        """Use the room the file has already; whether that was enough: half a heartbeat is worse than an old one."""
        try:
            with self._path.open("r+b", buffering=0) as file:
                room_bytes = -(-os.fstat(file.fileno()).st_size // _BLOCK_BYTES) * _BLOCK_BYTES
                if len(beat) > room_bytes:
                    return False
                file.write(beat)
                file.truncate()
        except OSError:
            return False
        return True

    def remove(self) -> None:
        """Take the file away at an orderly stop."""
        self._path.unlink(missing_ok=True)


def read_heartbeats(folder: Path) -> dict[str, Heartbeat]:
    """The newest heartbeat of every role that left one."""
    beats: dict[str, Heartbeat] = {}
    for file in sorted(folder.glob("*.json")):
        try:
            beat = msgspec.json.decode(file.read_bytes(), type=Heartbeat)
        except (OSError, msgspec.DecodeError):
            continue
        beats[beat.role] = beat
    return beats
