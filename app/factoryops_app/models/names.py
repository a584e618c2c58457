"""What keys are called: parameters, devices and shifts by their names, for sentences about conditions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from factoryops_app.models.plant import Measured, PlantStore, device_title


@dataclass(frozen=True, slots=True)
class Names:
    """Names of a plant.

    Attributes:
        scope: keys of the devices a rule is for; empty for all.
        shifts: names by id.
    """

    plant: PlantStore
    scope: Collection[str] = ()
    shifts: Mapping[str, str] = field(default_factory=dict)

    def measured(self, key: str, device: str = "") -> Measured | None:
        """A parameter that is meant by a key: of that device, else of the first one in the scope that has it."""
        for one in self.plant.parameters:
            wanted = one.device.key == device if device else not self.scope or one.device.key in self.scope
            if one.parameter.key == key and wanted:
                return one
        return None

    def parameter(self, key: str, device: str = "") -> str:
        """Its name, with that of its device where one is named; the key where nobody knows it; "…" for none yet."""
        if not key:
            return "…"
        found = self.measured(key, device)
        title = found.title if found is not None else key
        return f"{self.device(device)} \N{MIDDLE DOT} {title}" if device else title

    def unit(self, key: str, device: str = "") -> str:
        """Its unit; "" where there is none."""
        found = self.measured(key, device)
        return found.parameter.unit if found is not None else ""

    def device(self, key: str) -> str:
        """What people call a device."""
        return next((device_title(one) for one in self.plant.devices if one.key == key), key)

    def shift(self, identity: str) -> str:
        """What people call a shift."""
        return self.shifts.get(identity, identity)
