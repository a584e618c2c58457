"""The newest samples of one series, in a fixed piece of memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Times = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class RingView:
    """Samples ordered by time: int64[n] µs, float64[n], uint8[n]; valid until the next append."""

    time_us: Times
    value: Values
    flags: Flags

    def __len__(self) -> int:
        return len(self.time_us)


class SampleRing:
    """Keeps the newest `capacity` samples, ordered by time; of two with the same time the later one wins.

    Columns are appended in bulk. The memory is twice the capacity, so that a view is always one slice and samples
    move once per `capacity` appends.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError("a ring needs room for at least one sample")
        self._capacity = capacity
        self._time_us = np.empty(2 * capacity, np.int64)
        self._value = np.empty(2 * capacity, np.float64)
        self._flags = np.empty(2 * capacity, np.uint8)
        self._start = 0
        self._end = 0

    def __len__(self) -> int:
        return self._end - self._start

    @property
    def capacity(self) -> int:
        """How many samples are kept."""
        return self._capacity

    @property
    def last(self) -> tuple[int, float, int] | None:
        """Time, value and flags of the newest sample."""
        if not len(self):
            return None
        newest = self._end - 1
        return int(self._time_us[newest]), float(self._value[newest]), int(self._flags[newest])

    def append(self, time_us: Times, value: Values, flags: Flags | None = None) -> None:
        """Add samples in any order; those older than what is kept are put in their place."""
        if len(time_us) == 0:
            return
        flags = np.zeros(len(time_us), np.uint8) if flags is None else flags
        if self._follows(time_us):
            self._append_ordered(time_us, value, flags)
        else:
            self._merge(time_us, value, flags)

    def view(self, start_us: int | None = None, end_us: int | None = None) -> RingView:
        """Samples with start ≤ time < end; all of them by default."""
        times = self._time_us[self._start : self._end]
        first = 0 if start_us is None else int(np.searchsorted(times, start_us))
        last = len(times) if end_us is None else int(np.searchsorted(times, end_us))
        chosen = slice(self._start + first, self._start + max(first, last))
        return RingView(self._time_us[chosen], self._value[chosen], self._flags[chosen])

    def clear(self) -> None:
        """Forget everything."""
        self._start = self._end = 0

    def _follows(self, time_us: Times) -> bool:
        newest = self._time_us[self._end - 1] if len(self) else None
        return bool((newest is None or time_us[0] > newest) and np.all(time_us[1:] > time_us[:-1]))

    def _append_ordered(self, time_us: Times, value: Values, flags: Flags) -> None:
        count = min(len(time_us), self._capacity)
        if self._end + count > 2 * self._capacity:
            self._move_to_front(self._capacity - count)
        room = slice(self._end, self._end + count)
        self._time_us[room] = time_us[-count:]
        self._value[room] = value[-count:]
        self._flags[room] = flags[-count:]
        self._end += count
        self._start = max(self._start, self._end - self._capacity)

    def _move_to_front(self, keep: int) -> None:
        keep = min(keep, len(self))
        for column in (self._time_us, self._value, self._flags):
            column[:keep] = column[self._end - keep : self._end].copy()
        self._start, self._end = 0, keep

    def _merge(self, time_us: Times, value: Values, flags: Flags) -> None:
        kept = self.view()
        times = np.concatenate([kept.time_us, time_us])
        order = np.argsort(times, kind="stable")
        ordered = times[order]
        is_last = np.append(ordered[1:] != ordered[:-1], True)
        chosen = order[is_last]
        values, marks = np.concatenate([kept.value, value]), np.concatenate([kept.flags, flags])
        self.clear()
        self._append_ordered(times[chosen], values[chosen], marks[chosen])
