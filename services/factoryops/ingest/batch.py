"""What was received and is not durable yet: the content of the next group commit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

import numpy as np

from factoryops.contracts.telemetry import Reason, Rejection
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey
from factoryops.domain.time import now_us
from factoryops.ingest.devices import Band, DeviceEntry, Layout, Publisher
from factoryops.journal.records import ClockOffset, Entry, Gap, MessageLedger, QuarantinedMessage

MOST_MESSAGES: Final = 5_000
MOST_BYTES: Final = 8 << 20

DEADBAND: Final = "deadband"
"""Why values are suppressed."""

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
        new_texts: (factory, text) of texts that have no record yet.
        newest_before: what each touched device's newest on-time sample was before this batch, should it be dropped.
        bands_before: where each touched deadband stood, likewise.
    """

    __slots__ = (
        "_accepted", "_clocks", "_counts", "_flags", "_heard", "_ids", "_most_messages", "_quarantined", "_refused",
        "_suppressed", "_times", "_values", "acks", "bands_before", "gaps", "messages", "new_series", "new_texts",
        "newest_before", "size_bytes", "watermark_us",
    )  # fmt: skip

    def __init__(self) -> None:
        self.messages = 0
        self._accepted = 0
        self.size_bytes = 0
        self.watermark_us = 0
        self.gaps: list[Gap] = []
        self.new_series: list[SeriesKey] = []
        self.new_texts: list[tuple[str, str]] = []
        self.acks: dict[Origin, list[bytes]] = {}
        self.newest_before: dict[DeviceEntry, int] = {}
        self.bands_before: dict[Band, tuple[tuple[int, float] | None, tuple[int, float] | None]] = {}
        self._most_messages = MOST_MESSAGES
        self._clocks: list[ClockOffset] = []
        self._heard: list[bytes] = []
        self._suppressed = 0
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
        return self.messages >= self._most_messages or self.size_bytes >= MOST_BYTES

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

    def hear(self, identity: bytes) -> None:
        """Note that a device was heard whose values were all held back, by the bytes of one of its series."""
        self._heard.append(identity)

    def set_clock(self, clock: ClockOffset) -> None:
        """Record a device's clock offset; it holds for the rows after this one, so this batch ends here."""
        self._clocks.append(clock)
        self._most_messages = 0

    def sets_clock(self, entry: DeviceEntry) -> bool:
        """Whether a clock offset of a device was recorded in this batch."""
        return any((one.factory, one.device) == (entry.factory_id, entry.key) for one in self._clocks)

    def remember(self, band: Band) -> None:
        """Keep where a deadband stands before this batch moves it."""
        if band not in self.bands_before:
            self.bands_before[band] = (band.kept, band.held)

    def suppress(self, count: int) -> None:
        """Count values that a deadband holds back; below 0 where one of an earlier batch is kept after all."""
        self._suppressed += count

    def refuse(self, refused: Mapping[str, int]) -> None:
        """Count values that were refused singly, by reason."""
        for reason, count in refused.items():
            self._refused[reason] = self._refused.get(reason, 0) + count

    def quarantine(
        self, rejection: Rejection, publisher: Publisher, topic: bytes, payload: bytes, received_us: int, factory: str,
        device: str = "",
    ) -> None:  # fmt: skip
        """Take a message that cannot be used; `factory` and `device` are "" where they cannot be told."""
        self.messages += 1
        self.size_bytes += len(payload) + len(topic)
        self._quarantined.append(
            QuarantinedMessage(
                received_us, topic, payload, rejection.reason.value, rejection.detail, factory, publisher.label, device
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
            values_suppressed=self._all_suppressed(before),
        )
        return Entry(
            received_us=now_us(),
            ledger=ledger,
            samples=samples,
            watermark_us=self.watermark_us,
            gaps=tuple(self.gaps),
            quarantined=tuple(self._quarantined),
            clocks=tuple(self._clocks),
            heard=b"".join(self._heard),
        )

    def _all_suppressed(self, before: MessageLedger) -> dict[str, int]:
        if not self._suppressed:
            return before.values_suppressed
        count = before.values_suppressed.get(DEADBAND, 0) + self._suppressed
        return before.values_suppressed | {DEADBAND: count}

    def _columns(self) -> SampleColumns:
        counts = np.array(self._counts, np.intp)
        return SampleColumns(
            series=np.frombuffer(b"".join(self._ids), np.int64),
            time_us=np.repeat(np.array(self._times, np.int64), counts),
            value=np.array(self._values, np.float64),
            flags=np.repeat(np.array(self._flags, np.uint8), counts),
        )
