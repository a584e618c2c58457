"""Boxes to choose from: parameters, devices, and words that stand for values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QComboBox

from factoryops_app.models.plant import PlantStore, device_title
from factoryops_resources.words import say

_LETTERS: Final = 16


class ChoiceBox(QComboBox):
    """Chooses one of some texts by what people read."""

    def __init__(self, choices: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(_LETTERS)
        if choices is not None:
            self.offer(choices)

    def offer(self, choices: Mapping[str, str]) -> None:
        """What can be chosen, by value; what is chosen stays, be it among them or not."""
        chosen = self.value
        blocker = QSignalBlocker(self)
        self.clear()
        for value, words in choices.items():
            self.addItem(words, value)
        if self.count():
            self.choose(chosen)
        blocker.unblock()

    @property
    def value(self) -> str:
        """What is chosen; "" before anything is."""
        return str(self.currentData() or "")

    def choose(self, value: str) -> None:
        """Choose a value; one that is not offered is added as it is."""
        at = self.findData(value)
        if at < 0 and value:
            self.addItem(value, value)
            at = self.count() - 1
        self.setCurrentIndex(max(at, 0))


class ParameterBox(ChoiceBox):
    """Chooses the key of a parameter: of one device, or of any.

    Args:
        nothing: what the first entry says, which chooses no parameter.
    """

    def __init__(self, plant: PlantStore, nothing: str = "") -> None:
        super().__init__()
        self._plant = plant
        self._nothing = nothing or say("Choose …")
        self.show_device("")

    def show_device(self, device: str) -> None:
        """Offer what this device has; "" for what any has."""
        found: dict[str, str] = {}
        for one in self._plant.parameters:
            if device and one.device.key != device:
                continue
            unit = f" ({one.parameter.unit})" if one.parameter.unit else ""
            found.setdefault(one.parameter.key, f"{one.title}{unit}  \N{MIDDLE DOT}  {one.parameter.key}")
        ordered = sorted(found.items(), key=lambda pair: pair[1].casefold())
        self.offer({"": self._nothing, **dict(ordered)})


class DeviceBox(ChoiceBox):
    """Chooses a device by its key.

    Args:
        nothing: what the first entry says, which chooses none; by default the one the rule is evaluated for.
    """

    def __init__(self, plant: PlantStore, nothing: str = "") -> None:
        super().__init__()
        self._plant = plant
        self._nothing = nothing or say("the rule's device")
        self.refresh()

    def refresh(self) -> None:
        """Offer the devices there are now."""
        self.offer({"": self._nothing, **{one.key: device_title(one) for one in self._plant.devices}})
