"""Marker points: what was confirmed must be found again, or the server has lost it.

With every upload the bucket's marker of the current hour is written: a number that only grows. Before the first upload
after a start or a failure, and every ten minutes, the markers of the last hours are asked for. An instance that came
back empty, was restored from a backup or lost a piece in a crash does not have them.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from factoryops.domain.time import US_PER_S, from_us, now_us
from factoryops.history.influx.answers import Answer, Origin, parse_answer
from factoryops.history.influx.flux import marker_query
from factoryops.history.influx.lines import MARKER
from factoryops.history.influx.transport import InfluxConfig, Transport
from factoryops.observability.heartbeat import Problem

HOUR_US: Final = 3_600 * US_PER_S
HOURS_KEPT: Final = 12
"""Fewer than the shortest retention of a bucket, which is a day."""
_CHECK_EVERY_S: Final = 600
_CHECK_LOST_EVERY_S: Final = 60

_UPLOAD: Final = "upload"
_REPLAYED: Final = "replayed"


@dataclass(slots=True)
class Promise:
    """What must be found in one bucket.

    Attributes:
        uploads: start of an hour in microseconds -> the marker's number, of the last hours.
        lost_from_us: what was uploaded from here on was missing when it was last looked for; 0 when nothing was.
        found_us: when that was noticed.
    """

    uploads: dict[int, int] = field(default_factory=dict)
    lost_from_us: int = 0
    found_us: int = 0
    _is_due_at: float = 0.0

    def doubt(self) -> None:
        """Look again before the next upload."""
        self._is_due_at = 0.0

    @property
    def is_due(self) -> bool:
        """Whether it is time to look."""
        return time.monotonic() >= self._is_due_at

    def compare(self, found: Mapping[int, int], replayed_us: int) -> None:
        """Note what the bucket shows: number per hour, and when the journal was last replayed into it."""
        missing = [hour for hour, number in self.uploads.items() if found.get(hour, 0) < number]
        for hour in missing:
            del self.uploads[hour]
        if missing:
            self.lost_from_us = min([*missing, *([self.lost_from_us] if self.lost_from_us else [])])
            self.found_us = now_us()
        elif replayed_us > self.found_us:
            self.lost_from_us = 0
        self._is_due_at = time.monotonic() + (_CHECK_LOST_EVERY_S if self.lost_from_us else _CHECK_EVERY_S)

    def uploaded(self, marker: tuple[int, int]) -> None:
        """A marker was confirmed."""
        self.uploads[marker[0]] = marker[1]
        for hour in sorted(self.uploads)[:-HOURS_KEPT]:
            del self.uploads[hour]

    def problem(self, bucket: str) -> Problem | None:
        """What a person must know; None when all is there."""
        if not self.lost_from_us:
            return None
        since = from_us(self.lost_from_us).isoformat().replace("+00:00", "Z")
        message = (
            f"The bucket {bucket} does not hold any more what was uploaded since {since}: InfluxDB lost it, was "
            "restored from a backup, or is another instance. New samples are kept; bring back what the journal still "
            "holds with: factoryops-service influx replay"
        )
        return Problem("history_lost", message, self.found_us)


def look(transport: Transport, config: InfluxConfig, factory: str, promise: Promise) -> None:
    """Compare a bucket with what was promised; raises UnavailableError when it cannot be asked."""
    this_hour_us = now_us() // HOUR_US * HOUR_US
    span = this_hour_us - HOURS_KEPT * HOUR_US, this_hour_us + HOUR_US
    answers = parse_answer(transport.query(factory, marker_query(config.bucket(factory), span)))
    uploads, replays = (answers.get(Origin("_result", "", name), Answer.empty()) for name in (_UPLOAD, _REPLAYED))
    found = dict(zip(uploads.time_us.tolist(), uploads.value.astype(int).tolist(), strict=True))
    promise.uploads = {hour: number for hour, number in promise.uploads.items() if hour >= span[0]}
    promise.compare(found, int(replays.value.max()) if len(replays.value) else 0)


def mark_upload(transport: Transport, factory: str) -> tuple[int, int]:
    """Write the marker of this hour; its hour and number."""
    number = now_us()
    hour_us = number // HOUR_US * HOUR_US
    transport.write(factory, f"{MARKER} {_UPLOAD}={number}i {hour_us}\n".encode())
    return hour_us, number


def mark_replay(transport: Transport, factory: str) -> None:
    """Leave word in the bucket that the journal was replayed into it."""
    moment = now_us()
    transport.write(factory, f"{MARKER} {_REPLAYED}={moment}i {moment // HOUR_US * HOUR_US}\n".encode())
