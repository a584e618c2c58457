"""A guard without a pipeline around it: messages in, the journal's entry of each out."""

from __future__ import annotations

import json
from typing import Any

from factoryops.contracts.snapshot import Snapshot
from factoryops.contracts.telemetry import Rejection
from factoryops.domain.samples import SeriesKey
from factoryops.ingest.batch import OpenBatch
from factoryops.ingest.devices import Publisher
from factoryops.ingest.guard import Guard
from factoryops.ingest.watermark import GRACE_US
from factoryops.journal.records import ClockOffset, Entry, MessageLedger
from tests.support.ingest_folder import PLANT, SNAPSHOT

NOW_US = 1_800_000_000_000_000
GATEWAY = Publisher("gateway", PLANT.id)
BROKER = Publisher("broker plant")

Sample = tuple[str, str, int, float, int]
"""Device, parameter, time, value, flags."""


class Admitting:
    """Feeds one guard and keeps what it made of the messages.

    Attributes:
        now_us: the receive time of the next message.
        ledger: totals.
        samples: every sample so far, in the journal's order.
        reasons: why messages were quarantined, in order.
    """

    def __init__(self, snapshot: Snapshot = SNAPSHOT, *, dialect_b_factory: str = "") -> None:
        self.guard = Guard({}, dialect_b_factory=dialect_b_factory)
        self.guard.apply(snapshot)
        self.now_us = NOW_US
        self.ledger = MessageLedger()
        self.samples: list[Sample] = []
        self.reasons: list[str] = []
        self.clocks: list[ClockOffset] = []
        self.texts: dict[str, str] = {}
        self._keys: dict[int, SeriesKey] = {}

    def send(self, topic: str, message: object, *, publisher: Publisher = GATEWAY, after_s: float = 0.0) -> Entry:
        """Let a message come `after_s` after the one before, the watermark with it; JSON unless it is bytes."""
        self.now_us += round(after_s * 1e6)
        self.guard.watermark_us = max(self.guard.watermark_us, self.now_us - GRACE_US)
        payload = message if isinstance(message, bytes) else json.dumps(message).encode()
        batch = OpenBatch()
        rejection = self.guard.admit(batch, publisher, topic.encode(), payload, self.now_us)
        entry = batch.entry(self.ledger)
        assert isinstance(rejection, Rejection) == bool(entry.quarantined)
        self._keep(batch, entry)
        return entry

    def _keep(self, batch: OpenBatch, entry: Entry) -> None:
        self.ledger = entry.ledger
        self.clocks += entry.clocks
        self.reasons += [one.reason for one in entry.quarantined]
        self._keys |= {series: key for series, key in self.guard._book._series.items() if series not in self._keys}
        columns = entry.samples
        listed: list[list[Any]] = [
            columns.series.tolist(),
            columns.time_us.tolist(),
            columns.value.tolist(),
            columns.flags.tolist(),
        ]
        for series, time_us, value, flags in zip(*listed, strict=True):
            key = self._keys[series]
            self.samples.append((key.device, key.parameter, time_us, value, flags))

    def take(self) -> list[Sample]:
        """The samples since the last call."""
        taken, self.samples = self.samples, []
        return taken

    def values(self) -> dict[str, float]:
        """The values since the last call, by parameter."""
        return {parameter: value for _, parameter, _, value, _ in self.take()}
