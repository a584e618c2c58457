"""For which devices a rule is evaluated: those it names, and those that have what it looks at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from factoryops.domain.rule import RuleInForce
from factoryops.domain.samples import SeriesKey, series_id

Device = tuple[str, str]
"""The factory's id and the device's key."""


class KnownSeries:
    """The series that on-time samples came of, by device.

    Attributes:
        ids: of all of them.
    """

    def __init__(self, keys: Iterable[SeriesKey] = ()) -> None:
        self.ids: list[int] = []
        self._parameters: defaultdict[Device, dict[str, SeriesKey]] = defaultdict(dict)
        for key in keys:
            self.add(key)

    def add(self, key: SeriesKey) -> None:
        """A sample of it came."""
        parameters = self._parameters[key.factory, key.device]
        if key.parameter not in parameters:
            parameters[key.parameter] = key
            self.ids.append(int(series_id(key)))

    def of(self, device: Device) -> Iterable[SeriesKey]:
        """The series of one device."""
        return self._parameters.get(device, {}).values()

    def devices(self, factory: str) -> list[str]:
        """The keys of a factory's devices."""
        return [key for owner, key in self._parameters if owner == factory]

    def has(self, device: Device, parameters: AbstractSet[str]) -> bool:
        """Whether it has them all, and anything at all."""
        return device in self._parameters and parameters <= self._parameters[device].keys()


def is_evaluated_for(in_force: RuleInForce, device: str, known: KnownSeries) -> bool:
    """Whether a rule is evaluated for a device; one that its scope does not name must have sent something."""
    if in_force.devices is not None and device not in in_force.devices:
        return False
    definition = in_force.rule.definition
    is_named = device in definition.scope.devices
    return is_named or known.has((in_force.rule.factory_id, device), definition.needs_of(device))


def devices_of(in_force: RuleInForce, known: KnownSeries) -> list[str]:
    """The devices a rule is evaluated for, in order."""
    candidates = in_force.devices if in_force.devices is not None else known.devices(in_force.rule.factory_id)
    return [device for device in sorted(candidates) if is_evaluated_for(in_force, device, known)]
