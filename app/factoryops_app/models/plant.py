"""The plant's devices and parameters as this session knows them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from factoryops.contracts import http
from factoryops.domain.conditions.checking import own_parameters
from factoryops.domain.conditions.tree import Compare, Condition, Deviation, Rate, Window, walk
from factoryops.domain.rule_advice import Sifted, mistaken_for_silence
from factoryops_app.models.events import Event

KEY_VALUES: Final = 4
LATE_SHARE: Final = 0.2
"""From this share of late samples on, the device's clock is worth a warning."""

WRONG_CLOCK_S: Final = 60.0
"""From this offset of a device's clock on it is worth one, too."""


def finer_rules(rules: Iterable[http.Rule], deadband: float | None) -> list[str]:
    """The names of rules that compare more finely than a parameter's deadband lets samples through."""
    return sorted(one.content.name for one in rules if _finest(one.content.condition) < (deadband or 0.0))


def mistaken_rules(rules: Iterable[http.Rule], measured: Measured, deadband: float | None) -> list[str]:
    """The names of rules that would take what such a deadband of a parameter holds back for silence."""
    sifted = [measured.sifted] if deadband else []
    return sorted(one.content.name for one in rules if mistaken_for_silence(one.content.definition(), sifted))


@dataclass(frozen=True, slots=True)
class Measured:
    """A parameter together with its device."""

    device: http.Device
    parameter: http.Parameter

    @property
    def title(self) -> str:
        """The parameter's name."""
        return self.parameter.name or self.parameter.key

    @property
    def device_title(self) -> str:
        """The device's name."""
        return device_title(self.device)

    @property
    def sifted(self) -> Sifted:
        """As what a rule's advice looks at, were it to have a deadband."""
        device, parameter = self.device, self.parameter
        return Sifted(device.key, device.kind, device.area, parameter.key, parameter.deadband_max_s)


@dataclass(frozen=True, slots=True)
class Area:
    """Devices that stand together; an empty name for those without an area."""

    name: str
    devices: tuple[http.Device, ...]


class PlantStore:
    """Devices by id, parameters by id and by series.

    Attributes:
        changed: devices, parameters or rules are different now.
    """

    def __init__(self) -> None:
        self.changed: Event[None] = Event()
        self._devices: dict[str, http.Device] = {}
        self._measured: dict[str, Measured] = {}
        self._by_series: dict[int, Measured] = {}
        self.rules: tuple[http.Rule, ...] = ()
        self._rules_by_parameter: dict[str, list[http.Rule]] = {}

    def replace(self, devices: Iterable[http.Device], rules: Iterable[http.Rule]) -> None:
        """Take the plant as it is now."""
        self._devices = {device.id: device for device in sorted(devices, key=_place)}
        self._measured = {
            parameter.id: Measured(device, parameter)
            for device in self._devices.values()
            for parameter in device.parameters
        }
        self._by_series = {one.parameter.series_id: one for one in self._measured.values()}
        self.rules = tuple(rules)
        self._rules_by_parameter = _by_parameter(self.rules)
        self.changed.emit(None)

    @property
    def devices(self) -> Sequence[http.Device]:
        """All devices, by area, line and name."""
        return tuple(self._devices.values())

    @property
    def parameters(self) -> Sequence[Measured]:
        """All parameters, device by device."""
        return tuple(self._measured.values())

    def device(self, device_id: str) -> http.Device | None:
        """A device by its id."""
        return self._devices.get(device_id)

    def parameter(self, parameter_id: str) -> Measured | None:
        """A parameter by its id."""
        return self._measured.get(parameter_id)

    def of_series(self, series_id: int) -> Measured | None:
        """A parameter by its series."""
        return self._by_series.get(series_id)

    def areas(self) -> list[Area]:
        """Devices grouped by area, in order of name; those without one at the end."""
        grouped: dict[str, list[http.Device]] = {}
        for device in self._devices.values():
            grouped.setdefault(device.area, []).append(device)
        return [Area(name, tuple(grouped[name])) for name in sorted(grouped, key=lambda name: (not name, name))]

    def rules_about(self, measured: Measured) -> list[http.Rule]:
        """The rules that can raise an alarm on a parameter's device because of it, switched off ones too."""
        device = measured.device
        return [
            rule
            for rule in self._rules_by_parameter.get(measured.parameter.key, ())
            if rule.content.scope.covers(device.key, device.kind, device.area)
        ]

    def rules_on(self, measured: Measured) -> list[http.Rule]:
        """The rules about a parameter that are switched on."""
        return [rule for rule in self.rules_about(measured) if rule.content.is_on]

    def clear(self) -> None:
        """Forget everything."""
        self.replace((), ())


def device_title(device: http.Device) -> str:
    """What people call a device."""
    return device.name or device.key


def key_parameters(
    device: http.Device, ruled: Iterable[str] = (), *, most: int = KEY_VALUES
) -> tuple[http.Parameter, ...]:
    """The few parameters that say most about a device.

    Those that rules watch come first, then those with a normal band, then the others as the device lists them; what is
    chosen stands in the device's own order.

    Args:
        device: whose parameters.
        ruled: ids of the parameters that rules watch.
        most: how many.
    """
    watched = frozenset(ruled)
    ranked = sorted(
        enumerate(device.parameters),
        key=lambda pair: (pair[1].id not in watched, pair[1].normal_low is None and pair[1].normal_high is None),
    )
    return tuple(parameter for _, parameter in sorted(ranked[:most], key=lambda pair: pair[0]))


def _place(device: http.Device) -> tuple[str, str, str]:
    return device.area, device.line, device_title(device).casefold()


def _by_parameter(rules: Iterable[http.Rule]) -> dict[str, list[http.Rule]]:
    found: dict[str, list[http.Rule]] = {}
    for rule in rules:
        for key in own_parameters(rule.content.condition):
            found.setdefault(key, []).append(rule)
    return found


def _finest(condition: Condition) -> float:
    """The least deadband of anything that is compared in it."""
    compared = (node for node in walk(condition) if isinstance(node, (Compare, Rate, Deviation, Window)))
    return min((node.deadband for node in compared), default=math.inf)
