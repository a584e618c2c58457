"""The pens of the trend page: which parameters are drawn, remembered per user."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from factoryops_app.models.events import Event
from factoryops_app.models.plant import Measured, PlantStore
from factoryops_app.models.settings import Settings

MOST_PENS: Final = 20
FIRST_PENS: Final = 3


class PenList:
    """Parameter ids in drawing order.

    Attributes:
        changed: a pen came or went.
    """

    def __init__(self, plant: PlantStore, settings: Settings, user: str) -> None:
        self.changed: Event[None] = Event()
        self._plant = plant
        self._settings = settings
        self._key = f"trend.pens.{user}"
        held = settings.data(self._key)
        self._ids = [one for one in held if isinstance(one, str)][:MOST_PENS] if isinstance(held, list) else []
        self._is_chosen = isinstance(held, list)

    @property
    def measured(self) -> Sequence[Measured]:
        """The pens whose parameters exist; on the very first day the first few of the plant."""
        known = [one for one in (self._plant.parameter(identity) for identity in self._ids) if one is not None]
        if known or self._is_chosen:
            return known
        return _starters(self._plant)

    def add(self, parameter_ids: Iterable[str]) -> bool:
        """Add pens at the end; False when some did not fit any more."""
        ids = [one.parameter.id for one in self.measured]
        fresh = [identity for identity in dict.fromkeys(parameter_ids) if identity not in ids]
        self._set(ids + fresh)
        return len(ids) + len(fresh) <= MOST_PENS

    def remove(self, parameter_id: str) -> None:
        """Take a pen away."""
        self._set([one.parameter.id for one in self.measured if one.parameter.id != parameter_id])

    def show_only(self, parameter_ids: Iterable[str]) -> None:
        """Draw these and nothing else."""
        self._set(list(dict.fromkeys(parameter_ids)))

    def _set(self, ids: list[str]) -> None:
        self._ids = ids[:MOST_PENS]
        self._is_chosen = True
        self._settings.set_data(self._key, self._ids)
        self.changed.emit(None)


def _starters(plant: PlantStore) -> list[Measured]:
    """One parameter each of the first devices: something to look at on the first day."""
    first = [device.parameters[0].id for device in plant.devices if device.parameters][:FIRST_PENS]
    return [one for one in (plant.parameter(identity) for identity in first) if one is not None]
