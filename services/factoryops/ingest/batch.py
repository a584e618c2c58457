"""What was received and is not durable yet: the content of the next group commit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

import numpy as np

from factoryops.contracts.telemetry import Reason, Rejection
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey
from factoryops.domain.time import now_us
from factoryops.ingest.devices import DeviceEntry, Layout, Publisher
from factoryops.journal.records import Entry, Gap, MessageLedger, QuarantinedMessage

MOST_MESSAGES: Final = 5_000
MOST_BYTES: Final = 8 << 20

_EXACT: Final = float(1 << 53)


class Origin(Protocol):
    """One connection over which messages came, for as long as it lasts: a new connection is a new origin."""

    def acknowledge(self, packet_ids: list[bytes]) -> None:
        """Send the acknowledgements of messages that are durable now; does nothing once the connection is over."""
        ...

    def when_quarantined(self, reason: Reason) -> Origin:
        """Who acknowledges a message that went into quarantine: itself, or one that says why where MQTT has words."""
        ...

    def give_up(self) -> None:
        """End the connection: messages of it could not be kept, and its other side must send them again."""
        ...


class OpenBatch:
    """Messages being gathered. Values lie in flat lists; one element per message in the others.

    Attributes:
        messages: how many messages, accepted and quarantined.
        size_bytes: their payloads.
        acks: packet ids to acknowledge once this is durable, by origin.
        newest_before: what each touched device's newest on-time sample was before this batch, should it be dropped.
    """

    __slots__ = (
        "_accepted", "_counts", "_flags", "_ids", "_quarantined", "_refused", "_times", "_values", "acks", "gaps",
        "messages", "new_series", "newest_before", "size_bytes", "watermark_us",
    )  # fmt: skip

    def __init__(self) -> None:
        self.messages = 0
        self._accepted = 0
        self.size_bytes = 0
        self.watermark_us = 0
        self.gaps: list[Gap] = []
        self.new_series: list[SeriesKey] = []
        self.acks: dict[Origin, list[bytes]] = {}
        self.newest_before: dict[DeviceEntry, int] = {}
        self._ids: list[bytes] = []
        self._values: list[float] = []
        self._times: list[int] = []
        self._counts: list[int] = []
        self._flags: list[int] = []
        self._quarantined: list[QuarantinedMessage] = []
        self._refused: dict[str, int] = {}

    @property
    def has_content(self) -> bool:
        """Whether there is anything to commit."""
        return bool(self.messages or self.watermark_us or self.gaps)

    @property
    def is_full(self) -> bool:
        """Whether further messages belong into the next commit."""
        return self.messages >= MOST_MESSAGES or self.size_bytes >= MOST_BYTES

    def add(self, layout: Layout, values: list[float], time_us: int, flags: int, size: int) -> None:
        """Take an accepted message; `values` are in the order of the layout's series."""
        self.accept(size)
        self.add_more(layout, values, time_us, flags)

    def accept(self, size: int) -> None:
        """Count an accepted message of `size` bytes; its values come with `add_more`."""
        self.messages += 1
        self._accepted += 1
        self.size_bytes += size

    def add_more(self, layout: Layout, values: list[float], time_us: int, flags: int) -> None:
        """Take values of a message that was accepted: of one device and time, with the same flags."""
        self._ids.append(layout.ids)
        self._values += values
        self._times.append(time_us)
        self._counts.append(layout.width)
        self._flags.append(flags)

    def refuse(self, refused: Mapping[str, int]) -> None:
        """Count values that were refused singly, by reason."""
        for reason, count in refused.items():
            self._refused[reason] = self._refused.get(reason, 0) + count

    def quarantine(
        self, rejection: Rejection, publisher: Publisher, topic: bytes, payload: bytes, received_us: int, factory: str
    ) -> None:
        """Take a message that cannot be used."""
        self.messages += 1
        self.size_bytes += len(payload) + len(topic)
        self._quarantined.append(
            QuarantinedMessage(
                received_us, topic, payload, rejection.reason.value, rejection.detail, factory, publisher.label
            )
        )

    def entry(self, before: MessageLedger) -> Entry:
        """The journal's entry.

        Args:
            before: the totals before this batch; the entry carries those after it.
        """
        samples = self._columns()
        late = int(np.count_nonzero(samples.flags & SampleFlag.LATE))
        rounded = int(np.count_nonzero(np.abs(samples.value) >= _EXACT))
        refused = dict(before.values_refused)
        for reason, count in self._refused.items():
            refused[reason] = refused.get(reason, 0) + count
        ledger = MessageLedger(
            received=before.received + self.messages,
            accepted=before.accepted + self._accepted,
            quarantined=before.quarantined + len(self._quarantined),
            values_accepted=before.values_accepted + len(samples),
            values_late=before.values_late + late,
            values_refused=refused,
            values_rounded=before.values_rounded + rounded,
        )
        return Entry(now_us(), ledger, samples, self.watermark_us, tuple(self.gaps), tuple(self._quarantined))

    def _columns(self) -> SampleColumns:
        counts = np.array(self._counts, np.intp)
        return SampleColumns(
            series=np.frombuffer(b"".join(self._ids), np.int64),
            time_us=np.repeat(np.array(self._times, np.int64), counts),
            value=np.array(self._values, np.float64),
            flags=np.repeat(np.array(self._flags, np.uint8), counts),
        )
