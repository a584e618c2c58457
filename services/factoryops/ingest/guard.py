"""The guard: every message becomes either samples or a quarantined message with its reason.

A message is quarantined whole when its sender, topic, form or time cannot be trusted; a value is refused singly when
only it cannot be stored. Messages that a broker had retained are old by nature: they are quarantined as "retained", so
that received = accepted + quarantined holds without a third column.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Final

from factoryops.contracts.snapshot import Snapshot, SnapshotDeadband
from factoryops.contracts.telemetry import FUTURE_LIMIT_US, FUTURE_TIME, Dialect, Reading, Reason, Rejection, decode
from factoryops.contracts.telemetry.flat import read_flat
from factoryops.contracts.telemetry.mapped_values import Values
from factoryops.domain.samples import SampleFlag, SeriesKey
from factoryops.ingest.batch import OpenBatch
from factoryops.ingest.clocks import AHEAD_US, ClockWatch
from factoryops.ingest.deadband import bands_of, sift
from factoryops.ingest.devices import Band, DeviceEntry, Layout, Publisher
from factoryops.ingest.portions import Portion, portions_of
from factoryops.ingest.routes import Route, Routes
from factoryops.ingest.series_book import NAMES_REFUSED, TOO_MANY_DEVICES, SeriesBook

MOST_TOPICS: Final = 100_000

_LATE: Final = int(SampleFlag.LATE)
_BOOLEAN: Final = int(SampleFlag.BOOLEAN)
_RECEIVE_TIME: Final = int(SampleFlag.RECEIVE_TIME)
_RETAINED: Final = Rejection(Reason.RETAINED, "The broker had kept this message for new subscribers: it is not news.")
_NOT_AUTHORISED: Final = Rejection(
    Reason.NOT_AUTHORISED, "The sender's credential does not permit publishing for this factory or device."
)
_UNKNOWN_DEVICE: Final = Rejection(
    Reason.UNKNOWN_DEVICE, "The factory does not adopt devices by itself; add this one first."
)


class Guard:
    """Decides about messages on the event loop; raises nothing whatever it is given.

    Attributes:
        watermark_us: the newest watermark handed on; older samples are late.
        backlog_before_us: samples stamped before this are counted in `backlog_seen`; 0 when nobody asks.
    """

    def __init__(
        self, series: Mapping[int, SeriesKey], texts: Mapping[int, tuple[str, str]] | None = None, *,
        dialect_b_factory: str = "",
    ) -> None:  # fmt: skip
        """Start from what is durable: series by id, and (factory, text) by code.

        Args:
            series: every series that has its record.
            texts: every text that has its record.
            dialect_b_factory: the slug of the factory that topics of dialect B belong to; "" for none.
        """
        self.watermark_us = 0
        self.backlog_before_us = 0
        self.backlog_seen = 0
        self._book = SeriesBook(series, texts or {})
        self._routes = Routes(dialect_b_factory)
        self._clocks = ClockWatch()
        self._plain: dict[bytes, DeviceEntry] = {}
        self._others: dict[tuple[bytes, str | None], Route] = {}

    @property
    def security_events(self) -> Counter[str]:
        """What a supervisor of the installation should know of, by kind."""
        return self._book.security_events

    @property
    def offsets_us(self) -> dict[tuple[str, str], int]:
        """Clock offsets in force, by factory id and device key."""
        return self._book.offsets()

    def apply(self, snapshot: Snapshot) -> None:
        """Take over which factories, devices, mappings and deadbands there are."""
        self._routes.apply(snapshot)
        self._plain.clear()
        self._others.clear()
        self._take_deadbands(snapshot)

    def _take_deadbands(self, snapshot: Snapshot) -> None:
        wanted: dict[DeviceEntry, list[SnapshotDeadband]] = {entry: [] for entry in self._book.entries() if entry.bands}
        for factory in snapshot.factories:
            for one in factory.deadbands:
                wanted.setdefault(self._book.device(factory.id, one.device), []).append(one)
        for entry, deadbands in wanted.items():
            entry.bands = bands_of(deadbands, entry.bands)
            entry.forget_layouts()

    def recall(
        self, newest_us: Mapping[tuple[str, str], int], offsets_us: Mapping[tuple[str, str], int], moment_us: int
    ) -> None:
        """Take over where a run that ended at `moment_us` left each device, by factory id and device key.

        Args:
            newest_us: the newest on-time sample, in the device's own time.
            offsets_us: the recorded clock offset.
            moment_us: nothing was received after it.
        """
        self._book.set_offsets(offsets_us)
        self._book.recall(newest_us, moment_us)

    def rewind(
        self, dropped: Iterable[OpenBatch], series: Mapping[int, SeriesKey],
        texts: Mapping[int, tuple[str, str]] | None = None, offsets_us: Mapping[tuple[str, str], int] | None = None,
    ) -> None:  # fmt: skip
        """Forget what was learnt from batches that could not be kept, newest batch first; the rest is durable."""
        for batch in dropped:
            for entry, newest_us in batch.newest_before.items():
                entry.newest_us = newest_us
            for band, (kept, held) in batch.bands_before.items():
                band.kept, band.held = kept, held
        self._book.learn(series, texts or {})
        self._book.set_offsets(offsets_us or {})
        self._clocks.forget()

    def admit(
        self, batch: OpenBatch, publisher: Publisher, topic: bytes, payload: bytes, received_us: int, *,
        is_retained: bool = False,
    ) -> Rejection | None:  # fmt: skip
        """Put one message into `batch`, as samples or quarantined; returns why it was quarantined."""
        entry = self._plain.get(topic)
        if entry is None:
            return self._admit_other(batch, publisher, topic, payload, received_us, is_retained=is_retained)
        if publisher.factory_id is not None and not _may_publish(publisher, entry.factory_id, entry.key):
            rejection: Rejection | None = self._trespass(publisher, received_us)
        elif is_retained:
            rejection = _RETAINED
        else:
            rejection = self._read_plain(batch, entry, payload, received_us)
        if rejection is not None:
            factory = publisher.factory_id or entry.factory_id
            batch.quarantine(rejection, publisher, topic, payload, received_us, factory, entry.key)
        return rejection

    # --- dialect A: the hot path -------------------------------------------------------------------------------------

    def _read_plain(self, batch: OpenBatch, entry: DeviceEntry, payload: bytes, received_us: int) -> Rejection | None:
        """Add the samples of a message of dialect A; or say why there are none."""
        reading = decode(payload, received_us)
        if isinstance(reading, Rejection):
            return reading
        metrics, time_us = reading.metrics, reading.time_us
        layout = entry.layouts.get(tuple(metrics))
        if layout is None or not layout.is_plain or reading.booleans or reading.refused:
            return self._take(batch, entry, reading, received_us, len(payload))
        punctuality = self._punctuality(batch, entry, time_us, received_us, reading.flags)
        if punctuality is None:
            return FUTURE_TIME
        batch.add(layout, list(metrics.values()), time_us, reading.flags | punctuality, len(payload))
        return None

    def _punctuality(
        self, batch: OpenBatch, entry: DeviceEntry, time_us: int, received_us: int, flags: int
    ) -> int | None:
        """The LATE flag or nothing, None for a time in the future; an on-time sample becomes its device's newest."""
        moment_us = time_us if flags & _RECEIVE_TIME else time_us + entry.offset_us
        if moment_us > received_us:
            if moment_us > received_us + AHEAD_US:
                self._clocks.ahead(batch, entry, time_us, received_us)
                if time_us + entry.offset_us > received_us + FUTURE_LIMIT_US:
                    return None
            moment_us = received_us
        if moment_us < self.backlog_before_us:
            self.backlog_seen += 1
        if moment_us < self.watermark_us:
            # One that is older than the device's newest as well may tell of a clock that was set back.
            self._clocks.behind(batch, entry, time_us, received_us)
            return _LATE
        if moment_us < entry.newest_us:
            return _LATE
        if entry not in batch.newest_before:
            batch.newest_before[entry] = entry.newest_us
        entry.newest_us = moment_us
        return 0

    # --- everything else ---------------------------------------------------------------------------------------------

    def _admit_other(
        self, batch: OpenBatch, publisher: Publisher, topic: bytes, payload: bytes, received_us: int, *,
        is_retained: bool,
    ) -> Rejection | None:  # fmt: skip
        """`admit` for topics that are met for the first time, and for all that are not of dialect A."""
        route = self._route(publisher, topic)
        factory, device = publisher.factory_id or "", ""
        if isinstance(route, Rejection):
            rejection: Rejection | None = route
        else:
            factory, device = factory or route.factory_id, route.device
            if not _may_publish(publisher, route.factory_id, route.device):
                rejection = self._trespass(publisher, received_us)
            elif is_retained:
                rejection = _RETAINED
            elif route.mapping is not None:
                rejection, device = self._read_mapped(batch, publisher, route, payload, received_us)
            else:
                rejection = self._read_dialect(batch, topic, route, payload, received_us)
        if rejection is not None:
            batch.quarantine(rejection, publisher, topic, payload, received_us, factory, device)
        return rejection

    def _route(self, publisher: Publisher, topic: bytes) -> Route | Rejection:
        place = (topic, publisher.factory_id)
        route = self._others.get(place)
        if route is None:
            found = self._routes.find(topic, publisher.factory_id)
            if isinstance(found, Rejection):
                return found
            route = found
            if len(self._plain) + len(self._others) >= MOST_TOPICS:
                self._forget_idle()
            if route.dialect is not Dialect.A:
                self._others[place] = route
        return route

    def _forget_idle(self) -> None:
        self._plain.clear()
        self._others.clear()
        self._book.forget_idle()

    def _trespass(self, publisher: Publisher, received_us: int) -> Rejection:
        self._book.tell(Reason.NOT_AUTHORISED, publisher.factory_id or "", publisher.label, received_us)
        return _NOT_AUTHORISED

    def _entry(self, route_factory: str, device: str, received_us: int) -> DeviceEntry | Rejection:
        """The device, where it may publish at all."""
        if not self._routes.may_appear(route_factory, device):
            return _UNKNOWN_DEVICE
        entry = self._book.device(route_factory, device)
        if self._book.is_device_too_many(entry):
            self._book.tell(Reason.TOO_MANY_DEVICES, route_factory, "", received_us)
            return TOO_MANY_DEVICES
        return entry

    def _read_dialect(
        self, batch: OpenBatch, topic: bytes, route: Route, payload: bytes, received_us: int
    ) -> Rejection | None:
        entry = self._entry(route.factory_id, route.device, received_us)
        if isinstance(entry, Rejection):
            return entry
        if route.dialect is Dialect.A:
            rejection = self._read_plain(batch, entry, payload, received_us)
            if entry.names:
                self._plain[topic] = entry
            return rejection
        reading = read_flat(payload, received_us, device=route.device, tenant=route.tenant)
        if isinstance(reading, Rejection):
            if reading.reason is Reason.WRONG_IDENTITY:
                self._book.tell(Reason.WRONG_IDENTITY, route.factory_id, route.device, received_us)
            return reading
        return self._take(batch, entry, reading, received_us, len(payload))

    def _take(
        self, batch: OpenBatch, entry: DeviceEntry, reading: Reading, received_us: int, size: int
    ) -> Rejection | None:
        """Add the samples of a message of a dialect, whatever they are."""
        values: Values = {}
        if reading.metrics:
            values[reading.flags] = {**reading.metrics}
        if reading.booleans:
            values[reading.flags | _BOOLEAN] = {**reading.booleans}
        refused = Counter(reading.refused)
        refused.update(Reason.NOT_A_NUMBER.value for name in reading.texts if name in entry.names)
        rejection = self._add(batch, entry, values, reading.time_us, received_us, refused)
        if rejection is None:
            batch.accept(size)
            batch.refuse(refused)
        return rejection

    def _read_mapped(
        self, batch: OpenBatch, publisher: Publisher, route: Route, payload: bytes, received_us: int
    ) -> tuple[Rejection | None, str]:
        """Add the samples of a mapped message; why there are none, and the device concerned."""
        mapped = route.mapping.read(payload, received_us) if route.mapping is not None else _UNKNOWN_DEVICE
        if isinstance(mapped, Rejection):
            return mapped, route.device
        for record in mapped.records:
            if not _may_publish(publisher, route.factory_id, record.device):
                return self._trespass(publisher, received_us), record.device
        refused = Counter(one.reason.value for one in mapped.refused)
        rejections: list[tuple[Rejection, str]] = []
        # In what order a message lists its records says nothing: newest first would make all but one late.
        for record in sorted(mapped.records, key=attrgetter("time_us")):
            entry = self._entry(route.factory_id, record.device, received_us)
            if not isinstance(entry, Rejection):
                rejection = self._add(batch, entry, record.values, record.time_us, received_us, refused)
            else:
                rejection = entry
            if rejection is not None:
                rejections.append((rejection, record.device))
                refused[rejection.reason.value] += sum(map(len, record.values.values()))
        if len(rejections) == len(mapped.records):
            return rejections[0]
        batch.accept(len(payload))
        batch.refuse(refused)
        return None, ""

    def _add(
        self, batch: OpenBatch, entry: DeviceEntry, values: Values, time_us: int, received_us: int,
        refused: Counter[str],
    ) -> Rejection | None:  # fmt: skip
        """Add the values of one device and time; or say why none of them can be."""
        lost: Counter[str] = Counter()
        portions = portions_of(self._book, batch, entry, values, received_us, lost)
        if not portions:
            return NAMES_REFUSED[next(iter(lost))]
        before_us = entry.newest_us
        punctuality = self._punctuality(batch, entry, time_us, received_us, portions[0].flags)
        if punctuality is None:
            return FUTURE_TIME
        if entry.offset_us > 0 and batch.sets_clock(entry):
            punctuality = _LATE  # the offset that was just found holds for the rows after this one
        refused.update(lost)
        if entry.bands is None or punctuality:
            for portion in portions:
                portion.add_to(batch, time_us, punctuality)
        else:
            self._add_sifted(batch, entry, entry.bands, portions, time_us, before_us)
        return None

    def _add_sifted(
        self, batch: OpenBatch, entry: DeviceEntry, bands: Mapping[str, Band], portions: list[Portion], time_us: int,
        before_us: int,
    ) -> None:  # fmt: skip
        """Add what the device's deadbands do not hold back; `before_us` is its newest sample before this message."""
        is_silent = True
        for portion in portions:
            kept, released = sift(batch, bands, portion, time_us)
            for one in released:
                moment_us = one.time_us if portion.flags & _RECEIVE_TIME else one.time_us + entry.offset_us
                is_late = moment_us < max(before_us, self.watermark_us)
                layout = Layout(one.identity, 1, None, {})
                batch.add_more(layout, [one.value], one.time_us, portion.flags | (_LATE if is_late else 0))
            kept.add_to(batch, time_us, 0)
            is_silent = is_silent and not kept.values
        if is_silent:
            batch.hear(portions[0].identity(0))


def _may_publish(publisher: Publisher, factory_id: str, device_key: str) -> bool:
    """Whether a publisher may publish for a device; "" stands for one that the message names."""
    if publisher.factory_id is None:
        return True
    if publisher.factory_id != factory_id or publisher.device_key == "":  # a tool publishes nothing
        return False
    return publisher.device_key in {None, device_key} or not device_key
