"""When each device was last heard, and how many of its samples came late: both from the journal itself."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from factoryops.domain.identity import FactoryId
from factoryops.domain.samples import SampleColumns, SampleFlag, SeriesKey

T = TypeVar("T")

_SPAN_US: Final = 600_000_000
_SPANS: Final = 6


@dataclass(frozen=True, slots=True)
class Presence:
    """What is known of one device.

    Attributes:
        received_us: receive time of its newest message.
        late_share: of its samples of the last hour, 0 to 1.
    """

    received_us: int
    late_share: float


class SeriesIndex:
    """Tells factory and device of whole columns of series ids at once."""

    def __init__(self) -> None:
        self._known: set[int] = set()
        self._ids: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._factory: npt.NDArray[np.intp] = np.empty(0, np.intp)
        self._device: npt.NDArray[np.intp] = np.empty(0, np.intp)
        self._factory_numbers: dict[FactoryId, int] = {}
        self._device_numbers: dict[tuple[FactoryId, str], int] = {}
        self.factories: list[FactoryId] = []
        self.devices: list[tuple[FactoryId, str]] = []

    def learn(self, series: Mapping[int, SeriesKey]) -> None:
        """Take up series that are new; numbers given before stay.

        Ten thousand may appear within a second, a few at a time: those that are known cost next to nothing.
        """
        if len(series) == len(self._known):
            return
        new = list(series.keys() - self._known)
        keys = [(FactoryId(series[one].factory), series[one].device) for one in new]
        of_factory = [_number(self._factory_numbers, self.factories, factory) for factory, _ in keys]
        of_device = [_number(self._device_numbers, self.devices, key) for key in keys]
        ids = np.concatenate([self._ids, np.array(new, np.int64)])
        order = np.argsort(ids)
        self._ids = ids[order]
        self._factory = np.concatenate([self._factory, np.array(of_factory, np.intp)])[order]
        self._device = np.concatenate([self._device, np.array(of_device, np.intp)])[order]
        self._known.update(new)

    def _places(self, series: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
        places = np.searchsorted(self._ids, series)
        places[places == len(self._ids)] = 0
        return places

    def split(self, samples: SampleColumns) -> list[tuple[FactoryId, SampleColumns]]:
        """The samples of each factory; ids that nobody explained belong to none."""
        if not len(samples) or not self._known:
            return []
        places = self._places(samples.series)
        is_known = self._ids[places] == samples.series
        factory = np.where(is_known, self._factory[places], -1)
        present = np.unique(factory)
        if len(present) == 1 and present[0] >= 0:
            return [(self.factories[int(present[0])], samples)]
        return [(self.factories[number], samples.take(factory == number)) for number in present.tolist() if number >= 0]

    def devices_of(self, series: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
        """intp[n], the number of each known series' device in `devices`."""
        places = self._places(series)
        known: npt.NDArray[np.intp] = self._device[places][self._ids[places] == series]
        return known


def _number(numbers: dict[T, int], listed: list[T], one: T) -> int:
    """The place of one in a list, at whose end it is put when it is new."""
    if one not in numbers:
        numbers[one] = len(listed)
        listed.append(one)
    return numbers[one]


class PresenceBook:
    """Counts per device over the last hour; one thread notes, any thread asks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._received: dict[tuple[FactoryId, str], int] = {}
        self._counts: dict[int, dict[tuple[FactoryId, str], tuple[int, int]]] = {}

    def note(self, index: SeriesIndex, samples: SampleColumns, received_us: int) -> None:
        """Take samples that were received together."""
        if not len(samples):
            return
        is_late = (samples.flags & SampleFlag.LATE) != 0
        count = np.bincount(index.devices_of(samples.series), minlength=len(index.devices))
        late = np.bincount(index.devices_of(samples.series[is_late]), minlength=len(index.devices))
        with self._lock:
            counts = self._counts_at(received_us)
            for number in np.flatnonzero(count).tolist():
                device = index.devices[number]
                self._received[device] = max(received_us, self._received.get(device, 0))
                held = counts.get(device, (0, 0))
                counts[device] = (held[0] + int(count[number]), held[1] + int(late[number]))

    def hear(self, index: SeriesIndex, series: bytes, received_us: int) -> None:
        """Take devices that were heard and left no sample; `series` is int64[n], one series of each."""
        devices = index.devices_of(np.frombuffer(series, np.int64))
        with self._lock:
            for number in np.unique(devices).tolist():
                device = index.devices[number]
                self._received[device] = max(received_us, self._received.get(device, 0))

    def _counts_at(self, moment_us: int) -> dict[tuple[FactoryId, str], tuple[int, int]]:
        span = moment_us // _SPAN_US
        if span not in self._counts:
            self._counts = {old: counts for old, counts in self._counts.items() if old > span - _SPANS}
            self._counts[span] = {}
        return self._counts[span]

    def of(self, factory: FactoryId, device_key: str) -> Presence | None:
        """What is known of a device; None when nothing of it was seen since the service started."""
        with self._lock:
            received_us = self._received.get((factory, device_key))
            if received_us is None:
                return None
            parts = [counts.get((factory, device_key), (0, 0)) for counts in self._counts.values()]
        count, late = sum(part[0] for part in parts), sum(part[1] for part in parts)
        return Presence(received_us, late / count if count else 0.0)
