"""Devices and parameters a table names, within the same budgets that devices themselves have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from factoryops.domain.plant import is_key
from factoryops.domain.samples import SeriesKey, series_id

NAMES_PER_DEVICE: Final = 200
SERIES_PER_FACTORY: Final = 50_000

INVALID_NAME: Final = "invalid_name"
TOO_MANY_PARAMETERS: Final = "too_many_parameters"
NAME_COLLISION: Final = "name_collision"


class Names:
    """Gives each pair of names its series, or the reason why it has none.

    Attributes:
        keys: the series in use, by id.
        new: those of them that the factory did not have before.
    """

    def __init__(self, factory: str, known: Iterable[SeriesKey]) -> None:
        self.factory = factory
        self._known = {int(series_id(key)): key for key in known if key.factory == factory}
        self._per_device = Counter(key.device for key in self._known.values())
        self._found: dict[tuple[str, str], int | str] = {}
        self.keys: dict[int, SeriesKey] = {}
        self.new: set[int] = set()

    def resolve(self, device: str, parameter: str) -> int | str:
        """The series id of a pair, or why there is none."""
        found = self._found.get((device, parameter))
        if found is None:
            found = self._found[device, parameter] = self._allot(device, parameter)
        return found

    def _allot(self, device: str, parameter: str) -> int | str:
        if not is_key(device) or not is_key(parameter):
            return INVALID_NAME
        key = SeriesKey(self.factory, device, parameter)
        identity = int(series_id(key))
        holder = self._known.get(identity) or self.keys.get(identity)
        if holder is not None and holder != key:
            return NAME_COLLISION
        if identity not in self._known:
            if self._per_device[device] >= NAMES_PER_DEVICE or len(self._known) + len(self.new) >= SERIES_PER_FACTORY:
                return TOO_MANY_PARAMETERS
            self._per_device[device] += 1
            self.new.add(identity)
        self.keys[identity] = key
        return identity
