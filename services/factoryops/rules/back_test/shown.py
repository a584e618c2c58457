"""Which events of a back-test are shown: the first ones of all devices; of these alone it is kept why."""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np

from factoryops.rules.back_test.feed import Span
from factoryops.rules.back_test.material import Event

_NEVER = int(np.iinfo(np.int64).max)


class Shown:
    """Keeps account of the first `most` events of a span, whichever device they are of; of none where that is 0.

    Attributes:
        last_us: later ones are not shown.
    """

    def __init__(self, span: Span, most: int) -> None:
        self.last_us = _NEVER if most else span[0] - 1
        self._span = span
        self._most = most
        self._number = 0
        self._latest_first: list[tuple[int, int, list[Event], int]] = []

    def take(self, events: list[Event], first: int) -> None:
        """Take note of a device's events from place `first` on; those that give way lose their why."""
        for place in range(first, len(events)):
            at_us = events[place].at_us
            if not self._span[0] <= at_us < self._span[1] or at_us > self.last_us:
                events[place] = events[place]._replace(why=None)
                continue
            self._number += 1
            heappush(self._latest_first, (-at_us, self._number, events, place))
            if len(self._latest_first) > self._most:
                _, _, others, gone = heappop(self._latest_first)
                others[gone] = others[gone]._replace(why=None)
            if len(self._latest_first) == self._most:
                self.last_us = -self._latest_first[0][0]
