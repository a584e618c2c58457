"""The guard: every message becomes either samples or a quarantined message with its reason.

A message is quarantined whole when its sender, topic, form or time cannot be trusted; a value is refused singly when
only it cannot be stored. Messages that a broker had retained are old by nature: they are quarantined as "retained", so
that received = accepted + quarantined holds without a third column.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from factoryops.contracts.snapshot import Snapshot, SnapshotFactory
from factoryops.contracts.telemetry import (
    FUTURE_LIMIT_US,
    FUTURE_TIME,
    Dialect,
    Reading,
    Reason,
    Rejection,
    decode,
    parse_topic,
)
from factoryops.domain.plant import is_key
from factoryops.domain.samples import SampleFlag, SeriesKey, series_id
from factoryops.ingest.batch import OpenBatch
from factoryops.ingest.devices import DeviceEntry, Layout, Publisher, layout_of

NAMES_PER_DEVICE: Final = 200
SERIES_PER_FACTORY: Final = 50_000
MOST_TOPICS: Final = 100_000

_LATE: Final = int(SampleFlag.LATE)
_BOOLEAN: Final = int(SampleFlag.BOOLEAN)
_RETAINED: Final = Rejection(Reason.RETAINED, "The broker had kept this message for new subscribers: it is not news.")
_NOT_AUTHORISED: Final = Rejection(
    Reason.NOT_AUTHORISED, "The sender's credential does not permit publishing for this factory or device."
)
_UNKNOWN_FACTORY: Final = Rejection(Reason.UNKNOWN_FACTORY, "No factory has the short name that the topic gives.")
_UNKNOWN_DEVICE: Final = Rejection(
    Reason.UNKNOWN_DEVICE, "The factory does not adopt devices by itself; add this one first."
)
_NAMES_REFUSED: Final[dict[str, Rejection]] = {
    Reason.TOO_MANY_PARAMETERS.value: Rejection(
        Reason.TOO_MANY_PARAMETERS,
        f"The device has {NAMES_PER_DEVICE} parameters, or the factory {SERIES_PER_FACTORY}: no new one is taken.",
    ),
    Reason.INVALID_NAME.value: Rejection(
        Reason.NO_USABLE_VALUE, "The message's names are empty, too long or hold characters that cannot be printed."
    ),
    Reason.NAME_COLLISION.value: Rejection(
        Reason.NAME_COLLISION, "Another parameter has the same series id; rename it."
    ),
}


class Guard:
    """Decides about messages on the event loop; raises nothing whatever it is given.

    Attributes:
        watermark_us: the newest watermark handed on; older samples are late.
        backlog_before_us: samples stamped before this are counted in `backlog_seen`; 0 when nobody asks.
        security_events: what a supervisor of the installation should know of, by kind.
    """

    def __init__(self, series: Mapping[int, SeriesKey]) -> None:
        self.watermark_us = 0
        self.backlog_before_us = 0
        self.backlog_seen = 0
        self.security_events: Counter[str] = Counter()
        self._factories: dict[str, SnapshotFactory] = {}
        self._listed: dict[str, frozenset[str]] = {}
        self._topics: dict[bytes, DeviceEntry] = {}
        self._devices: dict[tuple[str, str], DeviceEntry] = {}
        self._learn_series(series)

    def _learn_series(self, series: Mapping[int, SeriesKey]) -> None:
        self._series: dict[int, SeriesKey] = dict(series)
        self._series_of: Counter[str] = Counter(key.factory for key in self._series.values())
        names: dict[tuple[str, str], set[str]] = {}
        for key in self._series.values():
            names.setdefault((key.factory, key.device), set()).add(key.parameter)
        for place in names.keys() | self._devices.keys():
            entry = self._device(*place)
            entry.names = names.get(place, set())
            entry.layouts.clear()

    def _device(self, factory_id: str, key: str) -> DeviceEntry:
        entry = self._devices.get((factory_id, key))
        if entry is None:
            entry = self._devices[factory_id, key] = DeviceEntry(factory_id, key, set())
        return entry

    def apply(self, snapshot: Snapshot) -> None:
        """Take over which factories and devices there are."""
        self._factories = {factory.slug: factory for factory in snapshot.factories}
        self._listed = {factory.id: frozenset(factory.device_keys) for factory in snapshot.factories}
        self._topics.clear()

    def recall(self, newest_us: Mapping[tuple[str, str], int]) -> None:
        """Take over each device's newest on-time sample, by factory id and device key, from before a restart."""
        for place, moment_us in newest_us.items():
            entry = self._device(*place)
            entry.newest_us = max(entry.newest_us, moment_us)

    def rewind(self, dropped: Iterable[OpenBatch], series: Mapping[int, SeriesKey]) -> None:
        """Forget what was learnt from batches that could not be kept, newest batch first."""
        for batch in dropped:
            for entry, newest_us in batch.newest_before.items():
                entry.newest_us = newest_us
        self._learn_series(series)

    def admit(
        self, batch: OpenBatch, publisher: Publisher, topic: bytes, payload: bytes, received_us: int, *,
        is_retained: bool = False,
    ) -> Rejection | None:  # fmt: skip
        """Put one message into `batch`, as samples or quarantined; returns why it was quarantined."""
        entry = self._topics.get(topic) or self._resolve(publisher, topic)
        if isinstance(entry, Rejection):
            rejection: Rejection | None = entry
        elif publisher.factory_id is not None and not _may_publish(publisher, entry.factory_id, entry.key):
            rejection = self._trespass()
        elif is_retained:
            rejection = _RETAINED
        else:
            rejection = self._read(batch, entry, payload, received_us)
        if rejection is not None:
            factory = publisher.factory_id or ("" if isinstance(entry, Rejection) else entry.factory_id)
            batch.quarantine(rejection, publisher, topic, payload, received_us, factory)
        return rejection

    def _read(self, batch: OpenBatch, entry: DeviceEntry, payload: bytes, received_us: int) -> Rejection | None:
        """Add the samples of a message; or say why there are none."""
        reading = decode(payload, received_us)
        if isinstance(reading, Rejection):
            return reading
        metrics, time_us = reading.metrics, reading.time_us
        if time_us > received_us + FUTURE_LIMIT_US:
            return FUTURE_TIME
        if reading.booleans:
            return self._read_kinds(batch, entry, reading, len(payload))
        names = tuple(metrics)
        layout = entry.layouts.get(names) or self._learn(batch, entry, names)
        if not layout.width:
            return _NAMES_REFUSED[next(iter(layout.refused))]
        flags = reading.flags | self._punctuality(batch, entry, time_us)
        if layout.keep is None:
            values = list(metrics.values())
        else:
            values = _kept(layout, metrics)
            batch.refuse(layout.refused)
        if reading.refused:
            batch.refuse(reading.refused)
        batch.add(layout, values, time_us, flags, len(payload))
        return None

    def _read_kinds(self, batch: OpenBatch, entry: DeviceEntry, reading: Reading, size: int) -> Rejection | None:
        """Add values of several kinds: each kind has flags of its own."""
        kinds = [(0, reading.metrics), (_BOOLEAN, reading.booleans)]
        laid: list[tuple[int, Layout, list[float]]] = []
        refused = Counter(reading.refused)
        for kind, values in kinds:
            names = tuple(values)
            layout = entry.layouts.get(names) or self._learn(batch, entry, names)
            refused.update(layout.refused)
            if layout.width:
                laid.append((kind, layout, _kept(layout, values)))
        if not laid:
            return _NAMES_REFUSED[next(iter(refused))]
        flags = reading.flags | self._punctuality(batch, entry, reading.time_us)
        batch.accept(size)
        batch.refuse(refused)
        for kind, layout, kept in laid:
            batch.add_more(layout, kept, reading.time_us, flags | kind)
        return None

    def _punctuality(self, batch: OpenBatch, entry: DeviceEntry, time_us: int) -> int:
        """The LATE flag, or nothing; an on-time sample becomes its device's newest."""
        if time_us < self.backlog_before_us:
            self.backlog_seen += 1
        if time_us < entry.newest_us or time_us < self.watermark_us:
            return _LATE
        if entry not in batch.newest_before:
            batch.newest_before[entry] = entry.newest_us
        entry.newest_us = time_us
        return 0

    # --- the slow way, once per topic and per set of names -----------------------------------------------------------

    def _trespass(self) -> Rejection:
        self.security_events[Reason.NOT_AUTHORISED] += 1
        return _NOT_AUTHORISED

    def _resolve(self, publisher: Publisher, topic: bytes) -> DeviceEntry | Rejection:
        place = parse_topic(topic)
        if isinstance(place, Rejection):
            return place
        if place.dialect is not Dialect.A:
            return _UNKNOWN_FACTORY
        key = place.device
        factory = self._factories.get(place.place)
        if factory is None:
            return _UNKNOWN_FACTORY
        if publisher.factory_id is not None and not _may_publish(publisher, factory.id, key):
            return self._trespass()
        if not factory.adopts_automatically and key not in self._listed[factory.id]:
            return _UNKNOWN_DEVICE
        entry = self._device(factory.id, key)
        if len(self._topics) >= MOST_TOPICS:
            self._forget_idle()
        self._topics[topic] = entry
        return entry

    def _forget_idle(self) -> None:
        """Bound what invented device keys can cost: only devices with series are worth keeping."""
        self._topics.clear()
        self._devices = {place: entry for place, entry in self._devices.items() if entry.names}

    def _learn(self, batch: OpenBatch, entry: DeviceEntry, names: tuple[str, ...]) -> Layout:
        """Find out what a new sequence of names turns into, giving new parameters their series."""
        ids: list[int] = []
        keep: list[int] = []
        refused: dict[str, int] = {}
        for place, name in enumerate(names):
            found = self._series_for(batch, entry, name)
            if isinstance(found, Reason):
                refused[found.value] = refused.get(found.value, 0) + 1
            else:
                ids.append(found)
                keep.append(place)
        if Reason.TOO_MANY_PARAMETERS in refused:
            self.security_events[Reason.TOO_MANY_PARAMETERS] += 1
        layout = layout_of(ids, keep, len(names), refused)
        entry.remember(names, layout)
        return layout

    def _series_for(self, batch: OpenBatch, entry: DeviceEntry, name: str) -> int | Reason:
        key = SeriesKey(entry.factory_id, entry.key, name)
        if name in entry.names:
            return series_id(key)
        if not is_key(name):
            return Reason.INVALID_NAME
        if len(entry.names) >= NAMES_PER_DEVICE or self._series_of[entry.factory_id] >= SERIES_PER_FACTORY:
            return Reason.TOO_MANY_PARAMETERS
        identity = series_id(key)
        if self._series.setdefault(identity, key) != key:
            return Reason.NAME_COLLISION
        entry.names.add(name)
        self._series_of[entry.factory_id] += 1
        batch.new_series.append(key)
        return identity


def _kept(layout: Layout, values: Mapping[str, float]) -> list[float]:
    """The values that a layout keeps, in its order."""
    listed = list(values.values())
    return listed if layout.keep is None else [listed[index] for index in layout.keep]


def _may_publish(publisher: Publisher, factory_id: str, device_key: str) -> bool:
    """Whether a publisher may publish for a device."""
    if publisher.factory_id is None:
        return True
    return publisher.factory_id == factory_id and publisher.device_key in {None, device_key}
