"""Replay: publishes a recording as the device that measured it would have."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from factoryops.domain.errors import InvalidInputError, UnavailableError
from factoryops.domain.plant import is_key
from factoryops.domain.time import US_PER_S, from_us, now_us, to_us
from factoryops.simulator.connection import DeviceConnection, MqttTarget
from factoryops.simulator.recording import Recording, Row, read_recording

_IN_FLIGHT: Final = 1_000
_LOOK_S: Final = 0.25
_CONNECT_WITHIN_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """What to publish, and how.

    Attributes:
        device_key: the device the recording is published for.
        speed: 1 publishes as recorded, 10 ten times faster, 0 as fast as the server acknowledges. Faster than 1,
            rows arrive after their own time: they are stored, flagged late, and raise no alarms.
        at: the time the last row is given; None is the moment it is published.
        is_truth_included: publish the columns `anomaly` and `changepoint` too.
        patience_s: how long to go on without any acknowledgement before giving up.
    """

    file: Path
    device_key: str
    speed: float = 1.0
    at: datetime | None = None
    is_truth_included: bool = False
    patience_s: float = 120.0


@dataclass(frozen=True, slots=True)
class ReplayProgress:
    """Where a replay is; given to the caller a few times a second."""

    rows: int
    sent: int
    acknowledged: int
    is_connected: bool


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """What was published.

    Attributes:
        rows: messages published; each was acknowledged, unless `is_complete` is False.
        values: numbers in them.
        shift_us: added to each row's own time.
        first_at / last_at: the times the first and last row were given.
    """

    rows: int
    values: int
    signals: tuple[str, ...]
    shift_us: int
    first_at: datetime
    last_at: datetime
    acknowledged: int
    skipped_cells: int
    skipped_rows: int
    seconds: float

    @property
    def is_complete(self) -> bool:
        """Whether every row was published and acknowledged."""
        return self.acknowledged >= self.rows


def replay(
    options: ReplayOptions,
    target: MqttTarget,
    *,
    on_progress: Callable[[ReplayProgress], None] | None = None,
    stop: threading.Event | None = None,
) -> ReplayResult:
    """Publish a recording, and return when every row has been acknowledged.

    Args:
        options: what and how.
        target: where to, and as whom.
        on_progress: called a few times a second and once at the end.
        stop: set it to end early; the result then says how far it came.

    Raises:
        InvalidInputError: the file or an option cannot be used.
        SetupError: the server refuses the credential.
        UnavailableError: no server answers, or it stopped acknowledging for `patience_s`.
    """
    if not is_key(options.device_key):
        raise InvalidInputError("The device key must be printable text of 1 to 100 characters.")
    if not 0 <= options.speed < 1e9:
        raise InvalidInputError("The speed must be 0 (as fast as possible) or a positive number.")
    recording = read_recording(options.file, is_truth_included=options.is_truth_included)
    connection = DeviceConnection(target, f"replay-{secrets.token_hex(6)}", in_flight=_IN_FLIGHT, most_waiting=0)
    connection.start()
    try:
        connection.wait_connected(_CONNECT_WITHIN_S)
        return _Replay(options, target, recording, connection, on_progress, stop or threading.Event()).run()
    finally:
        connection.close()


class _Replay:
    """One replay under way."""

    def __init__(
        self,
        options: ReplayOptions,
        target: MqttTarget,
        recording: Recording,
        connection: DeviceConnection,
        on_progress: Callable[[ReplayProgress], None] | None,
        stop: threading.Event,
    ) -> None:
        self._options = options
        self._topic = target.topic(options.device_key)
        self._recording = recording
        self._connection = connection
        self._on_progress = on_progress
        self._stop = stop
        self._sent = 0
        self._values = 0
        self._told_at = 0.0
        self._moved_at = time.monotonic()
        self._moved_count = 0

    def run(self) -> ReplayResult:
        started = time.monotonic()
        shift_us = self._shift_us()
        for row in self._recording.rows:
            if not self._wait_for_turn(row, started):
                break
            self._connection.publish(self._topic, _message(row, shift_us))
            self._sent += 1
            self._values += len(row.values)
        self._wait_for(lambda: self._connection.waiting == 0)
        self._tell(is_last=True)
        return self._result(shift_us, time.monotonic() - started)

    def _shift_us(self) -> int:
        last_us = self._recording.rows[-1].time_us
        if self._options.at is not None:
            return to_us(self._options.at) - last_us
        speed = self._options.speed
        return now_us() + (round(self._recording.span_us / speed) if speed else 0) - last_us

    def _wait_for_turn(self, row: Row, started: float) -> bool:
        """Wait until the row is due and the window is open; False when told to stop."""
        if self._options.speed:
            elapsed_us = row.time_us - self._recording.rows[0].time_us
            due = started + elapsed_us / US_PER_S / self._options.speed
            while (left_s := due - time.monotonic()) > 0 and not self._stop.wait(min(left_s, _LOOK_S)):
                self._tell()
        self._wait_for(lambda: self._connection.waiting < _IN_FLIGHT)
        return not self._stop.is_set()

    def _wait_for(self, is_done: Callable[[], bool]) -> None:
        self._moved_at = time.monotonic()
        while not is_done() and not self._stop.is_set():
            self._connection.wait_below(max(self._connection.waiting, 1), _LOOK_S)
            self._check_patience()
            self._tell()
        self._tell()

    def _check_patience(self) -> None:
        if self._connection.acknowledged != self._moved_count or not self._connection.waiting:
            self._moved_count, self._moved_at = self._connection.acknowledged, time.monotonic()
        elif time.monotonic() - self._moved_at > self._options.patience_s:
            raise UnavailableError(
                f"The server has acknowledged nothing for {self._options.patience_s:.0f} s: "
                f"{self._connection.acknowledged} of {len(self._recording.rows)} rows are safe. "
                "Look at its health page, then replay with --at the same time; rows already stored are replaced."
            )

    def _tell(self, *, is_last: bool = False) -> None:
        now = time.monotonic()
        if self._on_progress is None or (now - self._told_at < _LOOK_S and not is_last):
            return
        self._told_at = now
        self._on_progress(
            ReplayProgress(
                len(self._recording.rows), self._sent, self._connection.acknowledged, self._connection.is_connected
            )
        )

    def _result(self, shift_us: int, seconds: float) -> ReplayResult:
        recording = self._recording
        return ReplayResult(
            rows=len(recording.rows),
            values=self._values,
            signals=recording.signals,
            shift_us=shift_us,
            first_at=from_us(recording.rows[0].time_us + shift_us),
            last_at=from_us(recording.rows[-1].time_us + shift_us),
            acknowledged=self._connection.acknowledged,
            skipped_cells=recording.skipped_cells,
            skipped_rows=recording.skipped_rows,
            seconds=seconds,
        )


def _message(row: Row, shift_us: int) -> bytes:
    return telemetry(row.time_us + shift_us, row.values)


def telemetry(time_us: int, metrics: dict[str, float]) -> bytes:
    """A message of dialect A; numbers are written so that reading them gives the same bits."""
    moment = from_us(time_us).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return msgspec.json.encode({"timestamp": moment, "metrics": metrics})
