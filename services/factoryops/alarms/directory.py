"""What devices and parameters are called when an alarm speaks of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from factoryops.domain.identity import FactoryId, device_id, parameter_id
from factoryops.domain.naming import guessed_unit, readable_name
from factoryops.domain.plant import Device, Parameter
from factoryops.domain.samples import SeriesKey


@dataclass(frozen=True, slots=True)
class Description:
    """How a series is shown.

    Attributes:
        decimals: how many a person is shown.
    """

    device_name: str
    area: str
    parameter_name: str
    unit: str
    decimals: int
    line: str = ""


class Directory:
    """Names as operators edited them, and readable ones made from the keys of what nobody has described yet.

    Attributes:
        factories: the ids of all factories.
    """

    def __init__(
        self,
        devices: Iterable[Device] = (),
        parameters: Iterable[Parameter] = (),
        factories: Iterable[FactoryId] = (),
    ) -> None:
        self.factories = tuple(factories)
        self._devices = {device.id: device for device in devices}
        self._parameters = {parameter.id: parameter for parameter in parameters}

    def describe(self, key: SeriesKey) -> Description:
        """How to speak of a series."""
        device = self._devices.get(device_id(key.factory, key.device))
        parameter = self._parameters.get(parameter_id(key.factory, key.device, key.parameter))
        return Description(
            device_name=device.name if device and device.name else readable_name(key.device),
            area=device.area if device else "",
            line=device.line if device else "",
            parameter_name=parameter.name if parameter and parameter.name else readable_name(key.parameter),
            unit=parameter.unit if parameter else guessed_unit(key.parameter),
            decimals=parameter.decimals if parameter else 2,
        )
