"""A dense number for each series, found for whole columns at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from factoryops.domain.samples import SeriesKey


class SeriesSlots:
    """Gives each series the next number from 0 on, for as long as the process lives.

    Attributes:
        ids: series id by slot.
        keys: what each stands for; None while its name is not known.
    """

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.keys: list[SeriesKey | None] = []
        self._unnamed: set[int] = set()
        self._sorted = np.empty(0, np.int64)
        self._slot_of_sorted = np.empty(0, np.intp)

    def __len__(self) -> int:
        return len(self.ids)

    def of(self, series: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
        """The slot of each element; new series get theirs."""
        slots, is_known = self._find(series)
        if not is_known.all():
            self.add(np.unique(series[~is_known]).tolist())
            slots, _ = self._find(series)
        return slots

    def find(self, series: int) -> int | None:
        """The slot of one series, if it has one."""
        slots, is_known = self._find(np.array([series], np.int64))
        return int(slots[0]) if is_known[0] else None

    def _find(self, series: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
        if not len(self._sorted):
            return np.zeros(len(series), np.intp), np.zeros(len(series), np.bool_)
        place = np.minimum(np.searchsorted(self._sorted, series), len(self._sorted) - 1)
        return self._slot_of_sorted[place], self._sorted[place] == series

    def add(self, new: Iterable[int]) -> None:
        """Give slots to series that have none, in the order given."""
        for series in new:
            self._unnamed.add(len(self.ids))
            self.ids.append(series)
            self.keys.append(None)
        ids = np.array(self.ids, np.int64)
        self._slot_of_sorted = np.argsort(ids)
        self._sorted = ids[self._slot_of_sorted]

    def name(self, names: Mapping[int, SeriesKey]) -> list[int]:
        """Learn what unnamed series stand for; answers the slots that have a name now, in their order."""
        if not self._unnamed:
            return []
        named = sorted(slot for slot in self._unnamed if self.ids[slot] in names)
        for slot in named:
            self.keys[slot] = names[self.ids[slot]]
        self._unnamed.difference_update(named)
        return named
