"""The imagined plant's calculated parameters: the part of `FakePlant` that implements `CalculationsClient`."""

from __future__ import annotations

from collections.abc import Callable

from factoryops.client.fake_history import FakeHistory
from factoryops.client.imagined import FACTORY_ID
from factoryops.contracts import http, live
from factoryops.domain.calculations import (
    VIRTUAL_KIND,
    Calculation,
    CalculationId,
    calculation_id,
    check_among,
    unknown_parameter,
)
from factoryops.domain.errors import ConflictError, InvalidInputError, NotFoundError, OutdatedError
from factoryops.domain.expressions.formula import Formula
from factoryops.domain.expressions.tree import Reference
from factoryops.domain.expressions.trial import MOST_SAMPLES, try_formula
from factoryops.domain.identity import FactoryId, Permission, device_id, parameter_id
from factoryops.domain.naming import readable_name
from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.domain.time import US_PER_S, from_us


class CalculationBook:
    """Calculations in memory, with versions."""

    def __init__(self, devices: dict[str, http.Device], clock: Callable[[], int]) -> None:
        self._devices = devices
        self._clock = clock
        self._held: dict[str, http.Calculation] = {}
        self._ever: set[str] = set()

    def all(self) -> list[http.Calculation]:
        """Every one, by device and parameter."""
        return sorted(self._held.values(), key=lambda one: (one.content.device_key, one.content.parameter_key))

    def _get(self, identity: str) -> http.Calculation:
        if identity not in self._held:
            raise NotFoundError("There is no such calculated parameter.")
        return self._held[identity]

    def create(self, content: http.CalculationContent, actor: str) -> http.Calculation:
        """Add one, with its parameter."""
        identity = calculation_id(FACTORY_ID, content.device_key, content.parameter_key)
        key = SeriesKey(FACTORY_ID, content.device_key, content.parameter_key)
        if identity in self._held:
            raise ConflictError("This parameter is calculated already: change that calculation.")
        if identity not in self._ever and self.has_parameter(key):
            raise ConflictError("This device sends a parameter of that key itself: choose another key.")
        made = self._made(identity, 1, content, actor)
        self._add_to_plant(key, content)
        self._ever.add(identity)
        return made

    def update(self, identity: str, update: http.CalculationUpdate, actor: str) -> http.Calculation:
        """Change one."""
        held = self._get(identity)
        content = update.content
        if (content.device_key, content.parameter_key) != (held.content.device_key, held.content.parameter_key):
            message = "A calculated parameter keeps its keys: delete it and make another."
            raise InvalidInputError(message, fields={"parameter_key": message})
        if held.version != update.version:
            raise OutdatedError("Somebody else changed it meanwhile: look at it again and repeat your change.")
        return self._made(CalculationId(identity), held.version + 1, content, actor)

    def delete(self, identity: str) -> None:
        """Take one out of use."""
        self._get(identity)
        del self._held[identity]

    def has_parameter(self, key: SeriesKey) -> bool:
        """Whether the imagined plant has it."""
        wanted = parameter_id(*key)
        return any(one.id == wanted for device in self._devices.values() for one in device.parameters)

    def _made(
        self, identity: CalculationId, version: int, content: http.CalculationContent, actor: str
    ) -> http.Calculation:
        wanted = _calculation(identity, version, content)
        check_among(wanted, [_calculation(one.id, one.version, one.content) for one in self.all()], self.has_parameter)
        self._held[identity] = http.Calculation(
            id=identity, version=version, content=content, parameter_id=parameter_id(*wanted.key), changed_by=actor,
            changed_at=from_us(self._clock()), holds_from_seq=1,
        )  # fmt: skip
        return self._held[identity]

    def _add_to_plant(self, key: SeriesKey, content: http.CalculationContent) -> None:
        of = device_id(FACTORY_ID, key.device)
        device = self._devices.get(of) or http.Device(
            id=of, key=key.device, name=readable_name(key.device), kind=VIRTUAL_KIND, area="", line=""
        )
        parameter = http.Parameter(
            id=parameter_id(*key), device_id=of, series_id=series_id(key), key=key.parameter, name=content.name,
            unit=content.unit, decimals=2,
        )  # fmt: skip
        others = [one for one in device.parameters if one.id != parameter.id]
        self._devices[of] = device.model_copy(update={"parameters": [*others, parameter]})


def _calculation(identity: str, version: int, content: http.CalculationContent) -> Calculation:
    return Calculation(
        id=CalculationId(identity), factory_id=FactoryId(FACTORY_ID), version=version, **content.model_dump()
    )


class FakeCalculations:
    """Calculated parameters; they are tried on the imagined history, but never calculated live."""

    _calculations: CalculationBook
    _history: FakeHistory
    _clock: Callable[[], int]

    async def _enter(self, permission: Permission) -> str:
        raise NotImplementedError

    def _tell(self, message: live.ServiceMessage) -> None:
        raise NotImplementedError

    async def calculations(self) -> list[http.Calculation]:
        """All calculated parameters."""
        await self._enter(Permission.VIEW)
        return self._calculations.all()

    async def create_calculation(self, content: http.CalculationContent) -> http.Calculation:
        """Add one."""
        actor = await self._enter(Permission.EDIT_RULES)
        made = self._calculations.create(content, actor)
        self._tell(live.PlantChanged())
        return made

    async def update_calculation(self, calculation_id: str, update: http.CalculationUpdate) -> http.Calculation:
        """Change one."""
        actor = await self._enter(Permission.EDIT_RULES)
        made = self._calculations.update(calculation_id, update, actor)
        self._tell(live.PlantChanged())
        return made

    async def delete_calculation(self, calculation_id: str) -> None:
        """Take one out of use."""
        await self._enter(Permission.EDIT_RULES)
        self._calculations.delete(calculation_id)
        self._tell(live.PlantChanged())

    async def try_calculation(self, trial: http.CalculationTrial) -> http.TriedCalculation:
        """What an expression would have come to."""
        await self._enter(Permission.EDIT_RULES)
        if trial.end_us <= trial.start_us:
            raise InvalidInputError("The span is empty: its end must lie after its start.")
        formula = Formula.of(trial.expression)
        age_us = round(trial.maximum_age_s * US_PER_S)
        start_us = trial.start_us - formula.reach_us(age_us)
        samples = {one: self._samples(trial, one, start_us) for one in formula.references}
        found = try_formula(formula, samples, age_us, trial.start_us)
        return http.TriedCalculation(
            is_condition=formula.is_condition, count=found.count, without_value=found.without_value,
            time_us=found.time_us, value=found.value,
        )  # fmt: skip

    def _samples(self, trial: http.CalculationTrial, reference: Reference, start_us: int) -> SampleColumns:
        key = SeriesKey(FACTORY_ID, reference.device or trial.device_key, reference.parameter)
        if not self._calculations.has_parameter(key):
            raise unknown_parameter(key)
        if not self._history.has(parameter_id(*key)):
            return SampleColumns.empty()
        found = self._history.raw(parameter_id(*key), start_us, trial.end_us, MOST_SAMPLES + 1, self._clock())
        return SampleColumns.of(
            (found.series_id, time_us, value) for time_us, value in zip(found.time_us, found.value, strict=True)
        )
