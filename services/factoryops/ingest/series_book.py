"""Which series and texts there are, and how many more there may be: the budgets against cardinality bombs.

A device's first message may bring its whole set of parameters, so its first hour is free; after that new names come in
small numbers or something is wrong. Every bound refuses what is new and keeps what is known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from factoryops.contracts.telemetry import Reason, Rejection
from factoryops.domain.plant import is_key
from factoryops.domain.samples import SeriesKey, series_id, text_code
from factoryops.domain.time import US_PER_S
from factoryops.ingest.batch import OpenBatch
from factoryops.ingest.devices import DeviceEntry, Layout, layout_of

NAMES_PER_DEVICE: Final = 200
NEW_NAMES_PER_HOUR: Final = 20
SERIES_PER_FACTORY: Final = 50_000
DEVICES_PER_FACTORY: Final = 10_000
TEXTS_PER_SERIES: Final = 1_000
TEXTS_PER_FACTORY: Final = 10_000
MOST_LAYOUTS_BYTES: Final = 64 << 20
"""What all devices' layouts may take in memory; beyond it they are found out anew."""

MOST_IDLE: Final = 20_000
"""Devices that are remembered although nothing of them was kept yet."""

HOUR_US: Final = 3_600 * US_PER_S
_ASK_AGAIN_US: Final = 60 * US_PER_S

NAMES_REFUSED: Final[dict[str, Rejection]] = {
    Reason.TOO_MANY_PARAMETERS.value: Rejection(
        Reason.TOO_MANY_PARAMETERS,
        f"The device has {NAMES_PER_DEVICE} parameters or brought {NEW_NAMES_PER_HOUR} new ones within an hour, or the "
        f"factory has {SERIES_PER_FACTORY}: no new one is taken for now.",
    ),
    Reason.INVALID_NAME.value: Rejection(
        Reason.NO_USABLE_VALUE, "The message's names are empty, too long or hold characters that cannot be printed."
    ),
    Reason.NAME_COLLISION.value: Rejection(
        Reason.NAME_COLLISION, "Another parameter has the same series id; rename it."
    ),
    Reason.TOO_MANY_TEXTS.value: Rejection(
        Reason.TOO_MANY_TEXTS,
        f"The parameter has had {TEXTS_PER_SERIES} different texts, or the factory {TEXTS_PER_FACTORY}: no new one is "
        "taken. Free text is better kept elsewhere.",
    ),
}
TOO_MANY_DEVICES: Final = Rejection(
    Reason.TOO_MANY_DEVICES, f"The factory has {DEVICES_PER_FACTORY} devices: no new one is taken."
)


class SeriesBook:
    """Knows every device, series and text, and allots what is new within the budgets.

    Attributes:
        security_events: what a supervisor of the installation should know of, by kind.
    """

    def __init__(self, series: Mapping[int, SeriesKey], texts: Mapping[int, tuple[str, str]]) -> None:
        self.security_events: Counter[str] = Counter()
        self._devices: dict[tuple[str, str], DeviceEntry] = {}
        self._told_us: dict[tuple[str, str, str], int] = {}
        self._made = 0
        self._layouts_bytes = 0
        self.learn(series, texts)

    def learn(self, series: Mapping[int, SeriesKey], texts: Mapping[int, tuple[str, str]]) -> None:
        """Take over what is durable, and forget everything that is not."""
        self._series: dict[int, SeriesKey] = dict(series)
        self._series_of: Counter[str] = Counter(key.factory for key in self._series.values())
        self._texts: dict[int, tuple[str, str]] = dict(texts)
        self._texts_of: Counter[str] = Counter(factory for factory, _ in self._texts.values())
        self._texts_in: dict[int, set[int]] = {}
        names: dict[tuple[str, str], set[str]] = {}
        for key in self._series.values():
            names.setdefault((key.factory, key.device), set()).add(key.parameter)
        self._devices_of: Counter[str] = Counter(factory for factory, _ in names)
        self._layouts_bytes = 0
        for place in names.keys() | self._devices.keys():
            entry = self._devices.setdefault(place, DeviceEntry(*place, set()))
            entry.names = names.get(place, set())
            entry.forget_layouts()
            entry.budget_used = 0  # of what was not kept nothing counts
            if not entry.names:
                entry.first_us = entry.budget_from_us = 0

    @property
    def series_count(self) -> int:
        """How many series there are."""
        return len(self._series)

    def device(self, factory_id: str, key: str) -> DeviceEntry:
        """The entry of a device, made when there is none."""
        entry = self._devices.get((factory_id, key))
        if entry is None:
            self._made += 1
            if self._made > MOST_IDLE:
                self.forget_idle()
            entry = self._devices[factory_id, key] = DeviceEntry(factory_id, key, set())
        return entry

    def is_device_too_many(self, entry: DeviceEntry) -> bool:
        """Whether a device has no series yet and its factory has no room for another."""
        return not entry.names and self._devices_of[entry.factory_id] >= DEVICES_PER_FACTORY

    def forget_idle(self) -> None:
        """Bound what invented device keys can cost: only devices with series are worth keeping."""
        self._devices = {place: entry for place, entry in self._devices.items() if entry.is_worth_keeping}
        self._made = 0

    def tell(self, kind: str, factory_id: str, device: str, moment_us: int) -> None:
        """Count a security event, once per device and hour."""
        place = (kind, factory_id, device)
        if moment_us - self._told_us.get(place, -HOUR_US) < HOUR_US:
            return
        if len(self._told_us) >= DEVICES_PER_FACTORY:
            self._told_us.clear()
        self._told_us[place] = moment_us
        self.security_events[kind] += 1

    # --- names -------------------------------------------------------------------------------------------------------

    def layout(self, batch: OpenBatch, entry: DeviceEntry, names: tuple[str, ...], received_us: int) -> Layout:
        """What a sequence of names turns into, giving new parameters their series."""
        known = entry.layouts.get(names)
        if known is not None and not 0 < known.until_us <= received_us:
            return known
        ids: list[int] = []
        keep: list[int] = []
        refused: dict[str, int] = {}
        for place, name in enumerate(names):
            found = self._series_for(batch, entry, name, received_us)
            if isinstance(found, Reason):
                refused[found.value] = refused.get(found.value, 0) + 1
            else:
                ids.append(found)
                keep.append(place)
        until_us = 0
        if Reason.TOO_MANY_PARAMETERS in refused:
            self.tell(Reason.TOO_MANY_PARAMETERS, entry.factory_id, entry.key, received_us)
            until_us = max(entry.budget_from_us + HOUR_US, received_us + _ASK_AGAIN_US)
        layout = layout_of(ids, keep, len(names), refused, until_us=until_us, has_bands=entry.bands is not None)
        self._layouts_bytes += entry.remember(names, layout)
        if self._layouts_bytes > MOST_LAYOUTS_BYTES:
            self._forget_layouts()
        return layout

    def _forget_layouts(self) -> None:
        for entry in self._devices.values():
            entry.forget_layouts()
        self._layouts_bytes = 0

    def _series_for(self, batch: OpenBatch, entry: DeviceEntry, name: str, received_us: int) -> int | Reason:
        key = SeriesKey(entry.factory_id, entry.key, name)
        if name in entry.names:
            return series_id(key)
        if not is_key(name):
            return Reason.INVALID_NAME
        if not self._has_room(entry, received_us):
            return Reason.TOO_MANY_PARAMETERS
        identity = series_id(key)
        if self._series.setdefault(identity, key) != key:
            return Reason.NAME_COLLISION
        if not entry.names:
            self._devices_of[entry.factory_id] += 1
        entry.names.add(name)
        entry.budget_used += 1
        self._series_of[entry.factory_id] += 1
        batch.new_series.append(key)
        return identity

    def _has_room(self, entry: DeviceEntry, received_us: int) -> bool:
        if len(entry.names) >= NAMES_PER_DEVICE or self._series_of[entry.factory_id] >= SERIES_PER_FACTORY:
            return False
        if not entry.names and not entry.budget_from_us:
            entry.first_us = received_us
        if received_us - entry.budget_from_us >= HOUR_US:
            entry.budget_from_us, entry.budget_used = received_us, 0
        return entry.budget_used < NEW_NAMES_PER_HOUR or received_us - entry.first_us < HOUR_US

    # --- texts -------------------------------------------------------------------------------------------------------

    def code(self, batch: OpenBatch, factory_id: str, series: int, text: str) -> float | Reason:
        """What stands for a text in a series."""
        code = text_code(factory_id, text)
        here = self._texts_in.setdefault(series, set())
        if code in here:
            return float(code)
        known = self._texts.get(code)
        if len(here) >= TEXTS_PER_SERIES or (known is None and self._texts_of[factory_id] >= TEXTS_PER_FACTORY):
            return Reason.TOO_MANY_TEXTS
        if known is None:
            self._texts[code] = known = (factory_id, text)
            self._texts_of[factory_id] += 1
            batch.new_texts.append(known)
        if known != (factory_id, text):
            return Reason.NAME_COLLISION
        here.add(code)
        return float(code)

    def recall(self, newest_us: Mapping[tuple[str, str], int], moment_us: int) -> None:
        """Take over each device's newest on-time sample, in its own time, from before a restart at `moment_us`."""
        for place, time_us in newest_us.items():
            entry = self.device(*place)
            entry.newest_us = max(entry.newest_us, min(time_us + entry.offset_us, moment_us))

    def set_offsets(self, offsets_us: Mapping[tuple[str, str], int]) -> None:
        """Take over the recorded clock offsets, and no others."""
        for place in offsets_us.keys() | {place for place, entry in self._devices.items() if entry.offset_us}:
            self.device(*place).offset_us = offsets_us.get(place, 0)

    def offsets(self) -> dict[tuple[str, str], int]:
        """The clock offsets in force, by factory id and device key, where there are any."""
        return {place: entry.offset_us for place, entry in self._devices.items() if entry.offset_us}

    def entries(self) -> Iterable[DeviceEntry]:
        """Every device that is known."""
        return self._devices.values()
