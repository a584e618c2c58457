"""Each factory's devices and parameters, kept as long as the database says that nothing changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from factoryops.api.pool import WorkPool
from factoryops.contracts import http
from factoryops.database.database import Database
from factoryops.database.transaction import Transaction
from factoryops.domain import plant
from factoryops.domain.errors import NotFoundError, UnavailableError
from factoryops.domain.identity import FactoryId, Scope
from factoryops.domain.time import US_PER_S


@dataclass(frozen=True, slots=True)
class Plant:
    """One factory's devices and parameters.

    Attributes:
        change: the database's number of this state.
        devices: by id, in the order they are shown.
        parameters: by id.
        parameter_of: series id -> parameter's id.
    """

    change: int
    devices: Mapping[str, http.Device]
    parameters: Mapping[str, plant.Parameter]
    parameter_of: Mapping[int, str]

    def series(self, parameter_ids: Sequence[str]) -> list[int]:
        """The series of parameters; raises NotFoundError when any is not of this factory."""
        try:
            return [self.parameters[identity].series_id for identity in parameter_ids]
        except KeyError as error:
            raise NotFoundError("There is no such parameter.") from error


class PlantCache:
    """Plants by factory. What is held serves on while the database is away."""

    def __init__(self, database: Database, pool: WorkPool) -> None:
        self._database = database
        self._pool = pool
        self._plants: dict[FactoryId, Plant] = {}
        self._stale: set[FactoryId] = set()

    async def get(self, scope: Scope) -> Plant:
        """The plant of the scope's factory; raises UnavailableError when it was never read and cannot be now."""
        factory = scope.factory_id
        held = self._plants.get(factory)
        if held is not None and factory not in self._stale:
            return held
        self._stale.discard(factory)
        try:
            loaded = await self._pool.run(self._database.read, lambda tx: _load(tx, scope))
        except UnavailableError:
            self._stale.add(factory)
            if held is None:
                raise
            return held
        self._plants[factory] = loaded
        return loaded

    def forget(self, factory: FactoryId) -> None:
        """Read the factory again when it is next asked for."""
        self._stale.add(factory)

    def note(self, changes: Mapping[FactoryId, int]) -> list[FactoryId]:
        """Compare with the database's numbers; answers the factories that were held and changed."""
        changed = [
            factory for factory, held in self._plants.items() if changes.get(factory, held.change) != held.change
        ]
        self._stale.update(changed)
        return changed


def _load(tx: Transaction, scope: Scope) -> Plant:
    change = tx.changes().plant.get(scope.factory_id, 0)
    parameters = tx.parameters(scope).list()
    of_device: dict[str, list[http.Parameter]] = {}
    for one in parameters:
        of_device.setdefault(one.device_id, []).append(describe_parameter(one))
    return Plant(
        change,
        {device.id: describe_device(device, of_device.get(device.id, [])) for device in tx.devices(scope).list()},
        {one.id: one for one in parameters},
        {one.series_id: one.id for one in parameters},
    )


def describe_device(device: plant.Device, parameters: list[http.Parameter]) -> http.Device:
    """A device as clients see it."""
    return http.Device(
        id=device.id, key=device.key, name=device.name, kind=device.kind, area=device.area, line=device.line,
        last_received_at=device.last_received_at, clock_offset_s=device.clock_offset_us / US_PER_S,
        parameters=parameters,
    )  # fmt: skip


def describe_parameter(parameter: plant.Parameter) -> http.Parameter:
    """A parameter as clients see it."""
    return http.Parameter(
        id=parameter.id, device_id=parameter.device_id, series_id=parameter.series_id, key=parameter.key,
        name=parameter.name, unit=parameter.unit, decimals=parameter.decimals, low=parameter.low, high=parameter.high,
        normal_low=parameter.normal_low, normal_high=parameter.normal_high, deadband=parameter.deadband,
        deadband_max_s=parameter.deadband_max_s, kind=parameter.kind,
    )  # fmt: skip


def newer(one: datetime | None, other: datetime | None) -> datetime | None:
    """The later of two moments, either of which may be unknown."""
    if one is None or other is None:
        return one or other
    return max(one, other)
