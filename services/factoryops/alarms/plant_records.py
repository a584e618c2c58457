"""What the engine keeps current in the database beside alarms: what has appeared in the plant, and who was heard.

Ingest takes up a new series without asking anyone; here its device and parameter reach the database, with a readable
name and, where the key tells it, a unit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from factoryops.alarms.directory import Directory
from factoryops.database.database import Database
from factoryops.database.transaction import Transaction
from factoryops.domain.identity import DeviceId, FactoryId, ParameterId, Role, Scope, device_id, parameter_id
from factoryops.domain.naming import guessed_unit, readable_name
from factoryops.domain.plant import Device, Parameter, ParameterKind
from factoryops.domain.samples import SeriesId, SeriesKey
from factoryops.domain.time import from_us
from factoryops.journal.records import ClockOffset

_AT_ONCE: Final = 1_000
"""Series copied in one unit of work, so that nobody waits long for the database."""


class PlantRecords:
    """Copies what the journals know of the plant into the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._copied: dict[int, SeriesKey] = {}
        self._kinds: dict[SeriesKey, ParameterKind] = {}
        self._clocks: dict[tuple[str, str], int] | None = None

    def copy(self, series: Mapping[int, SeriesKey]) -> int:
        """Add devices and parameters of series that were not copied yet; answers how many series that were.

        Those of a factory this database does not know wait until it does.

        Raises:
            UnavailableError: the database is away.
        """
        waiting = series.keys() - self._copied.keys()
        if not waiting:
            return 0
        known = self._database.read(lambda tx: {factory.id for factory in tx.factories.list()})
        new = sorted((series[one], one) for one in waiting if series[one].factory in known)
        for start in range(0, len(new), _AT_ONCE):
            portion = {one: key for key, one in new[start : start + _AT_ONCE]}
            self._database.run(lambda tx, portion=portion: _add(tx, portion))  # type: ignore[misc]  # bound per round
            self._copied.update(portion)
        return len(new)

    def touch(self, heard_us: Mapping[SeriesKey, int]) -> None:
        """Record when each device was last heard; `heard_us` is by series.

        Raises:
            UnavailableError: the database is away.
        """
        newest: defaultdict[str, dict[DeviceId, datetime]] = defaultdict(dict)
        for key, moment_us in sorted(heard_us.items(), key=lambda item: item[1]):
            newest[key.factory][device_id(key.factory, key.device)] = from_us(moment_us)

        def work(tx: Transaction) -> None:
            for factory, devices in newest.items():
                tx.devices(_scope(factory)).touch_received(devices)

        if newest:
            self._database.run(work)

    def note_clocks(self, offsets: Iterable[ClockOffset]) -> None:
        """Record the clock offsets in force; devices that have none any more are set back.

        Raises:
            UnavailableError: the database is away.
        """
        wanted = {(one.factory, one.device): one.offset_us for one in offsets}
        changed: defaultdict[str, dict[DeviceId, int]] = defaultdict(dict)
        if self._clocks is None:
            self._clocks = self._database.read(_recorded_clocks)
        for place in wanted.keys() | self._clocks.keys():
            if wanted.get(place, 0) != self._clocks.get(place, 0):
                changed[place[0]][device_id(*place)] = wanted.get(place, 0)

        def work(tx: Transaction) -> None:
            for factory, offsets_us in changed.items():
                tx.devices(_scope(factory)).set_clock_offsets(offsets_us)

        if changed:
            self._database.run(work)
            self._clocks = wanted

    def note_kinds(self, kinds: Mapping[SeriesKey, ParameterKind]) -> None:
        """Record what parameters carry; those that are not in the database yet wait until they are.

        Raises:
            UnavailableError: the database is away.
        """
        news = {key: kind for key, kind in kinds.items() if self._kinds.get(key) is not kind}
        if news:
            copied = set(self._copied.values())
            news = {key: kind for key, kind in news.items() if key in copied}
        if not news:
            return
        changed: defaultdict[str, dict[ParameterId, ParameterKind]] = defaultdict(dict)
        for key, kind in news.items():
            changed[key.factory][parameter_id(*key)] = kind

        def work(tx: Transaction) -> None:
            for factory, found in changed.items():
                tx.parameters(_scope(factory)).set_kinds(found)

        self._database.run(work)
        self._kinds.update(news)

    def directory(self) -> Directory:
        """What everything is called.

        Raises:
            UnavailableError: the database is away.
        """

        def work(tx: Transaction) -> Directory:
            scopes = [_scope(factory.id) for factory in tx.factories.list()]
            devices = [device for scope in scopes for device in tx.devices(scope).list()]
            parameters = [one for scope in scopes for one in tx.parameters(scope).list()]
            return Directory(devices, parameters, [scope.factory_id for scope in scopes])

        return self._database.read(work)


def _recorded_clocks(tx: Transaction) -> dict[tuple[str, str], int]:
    return {
        (factory.id, device.key): device.clock_offset_us
        for factory in tx.factories.list()
        for device in tx.devices(_scope(factory.id)).list()
        if device.clock_offset_us
    }


def _add(tx: Transaction, series: Mapping[int, SeriesKey]) -> None:
    by_factory: defaultdict[str, dict[int, SeriesKey]] = defaultdict(dict)
    for one, key in series.items():
        by_factory[key.factory][one] = key
    for factory, keys in by_factory.items():
        tx.devices(_scope(factory)).ensure_many(_devices(factory, {key.device for key in keys.values()}))
        units = _mapped_units(tx, factory)
        tx.parameters(_scope(factory)).ensure_many(_parameter(one, key, units) for one, key in keys.items())


def _devices(factory: str, keys: Iterable[str]) -> list[Device]:
    return [Device(device_id(factory, key), FactoryId(factory), key, readable_name(key)) for key in sorted(keys)]


def _mapped_units(tx: Transaction, factory: str) -> dict[str, str]:
    """The units that the factory's mappings give, by parameter key."""
    mappings = (definition for _, _, definition in tx.mappings(_scope(factory)).in_force())
    return {value.parameter: value.unit for one in mappings for value in one.values if value.unit}


def _parameter(series: int, key: SeriesKey, units: Mapping[str, str]) -> Parameter:
    return Parameter(
        id=parameter_id(key.factory, key.device, key.parameter),
        factory_id=FactoryId(key.factory),
        device_id=device_id(key.factory, key.device),
        series_id=SeriesId(series),
        key=key.parameter,
        name=readable_name(key.parameter),
        unit=units.get(key.parameter) or guessed_unit(key.parameter),
    )


def _scope(factory: str) -> Scope:
    return Scope(FactoryId(factory), "engine", Role.ADMIN)
