"""The samples that conditions look at in a back-test, read step by step, and what of earlier ones still matters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from factoryops.domain.conditions.checking import own_parameters
from factoryops.domain.rule import RuleInForce
from factoryops.domain.samples import SampleColumns, SeriesKey
from factoryops.domain.time import US_PER_S
from factoryops.rules.back_test.feed import Feed
from factoryops.rules.back_test.material import Material
from factoryops.rules.conditions.lowering import ANYTHING
from factoryops.rules.conditions.program import Program

_LONGEST_STEP_US: Final = 86_400 * US_PER_S
_MOST: Final = 50_000
"""Samples of a series that are evaluated at once."""


class Recorded:
    """Reads what programs look at on one device.

    Attributes:
        keys: what the series stand for, by id.
        feeds: what is read of them.
        columns: what is held of it.
    """

    def __init__(self, programs: Sequence[Program], material: Material) -> None:
        reaches: dict[int, int] = {}
        for program in programs:
            for series, reach_us in program.reaches.items():
                reaches[series] = max(reach_us, reaches.get(series, 0))
        self.keys = {series: key for program in programs for series, key in program.keys.items()}
        self.columns = RecordedColumns(reaches)
        self._read_from = {series: self._sources(key, material) for series, key in self.keys.items()}
        wanted = dict.fromkeys(key for keys in self._read_from.values() for key in keys)
        self.feeds: dict[SeriesKey, Feed] = {key: material.feed(key) for key in wanted}
        self._material = material

    @staticmethod
    def _sources(key: SeriesKey, material: Material) -> Sequence[SeriesKey]:
        """Where a series is read from: of a device's signs of life, from all that it has."""
        return (key,) if key.parameter != ANYTHING else material.series.get(key.device, ())

    def begin(self, device: str, in_force: RuleInForce) -> int:
        """Read up to when the rule begins to be evaluated for the device, as it is live; answers when that is.

        A device that the rule names is looked at from the beginning on, any other once it has what the rule looks at.
        """
        self._take({key: self._material.before(key) for key in self.feeds})
        since_us = self._material.begin_us
        begins_us = since_us
        if device not in in_force.rule.definition.scope.devices:
            begins_us = min(self._appeared_us(device, in_force), self._material.span[1])
        while since_us < begins_us:
            since_us = self.read_on(since_us, begins_us)
            self.columns.begin(since_us)
        return begins_us

    def _appeared_us(self, device: str, in_force: RuleInForce) -> int:
        """When all of its own parameters that the condition looks at were there; without any, when it sent anything."""
        own = sorted(own_parameters(in_force.rule.definition.condition))
        if own:
            return max(self._first_us(SeriesKey(self._material.factory, device, one)) for one in own)
        there = self._material.series.get(device, ())
        return min((self._first_us(key) for key in there), default=self._material.span[1])

    def _first_us(self, key: SeriesKey) -> int:
        if len(self._material.before(key)):
            return self._material.begin_us
        return (self.feeds.get(key) or self._material.feed(key)).next_us

    def read_on(self, since_us: int, until_us: int) -> int:
        """Read the samples of the next step, which begins at `since_us`; answers where it ends, `until_us` at most."""
        end_us = min(until_us, since_us + _LONGEST_STEP_US)
        for feed in self.feeds.values():
            end_us = feed.end_of_step(end_us, _MOST)
        end_us = max(end_us, since_us + 1)
        self._take({key: feed.until(end_us) for key, feed in self.feeds.items()})
        return end_us

    def _take(self, parts: Mapping[SeriesKey, SampleColumns]) -> None:
        for series, key in self.keys.items():
            found = [parts[one] for one in self._read_from[series]]
            self.columns.take(series, found[0] if key.parameter != ANYTHING else _signs_of_life(series, found))


class RecordedColumns:
    """Per series its samples in order, one per time; what nobody looks back at any more is let go of."""

    def __init__(self, reaches: Mapping[int, int]) -> None:
        self._reaches = reaches
        self._held = dict.fromkeys(reaches, SampleColumns.empty())

    def take(self, series: int, samples: SampleColumns) -> None:
        """Take the next samples of a series; of several at one time the last wins."""
        if not len(samples):
            return
        is_last = np.append(samples.time_us[1:] != samples.time_us[:-1], True)
        new = samples if is_last.all() else samples.take(is_last)
        held = self._held[series]
        self._held[series] = SampleColumns.joined([held, new]) if len(held) else new

    def of(self, series: int, reach_us: int) -> SampleColumns:
        """What is held of a series."""
        del reach_us
        return self._held[series]

    def forget(self, since_us: int) -> None:
        """Keep, of what lies before `since_us`, the newest and what is looked back at."""
        for series, reach_us in self._reaches.items():
            self._keep(series, since_us, since_us - reach_us)

    def begin(self, since_us: int) -> None:
        """Keep the newest of what lies before `since_us`: the rest is not known to a condition that begins then."""
        for series in self._reaches:
            self._keep(series, since_us, since_us)

    def _keep(self, series: int, since_us: int, from_us: int) -> None:
        held = self._held[series]
        from_, since = np.searchsorted(held.time_us, [from_us, since_us]).tolist()
        first = max(0, min(from_, since - 1))
        if first:
            self._held[series] = held.take(np.arange(first, len(held)))


def _signs_of_life(series: int, parts: Iterable[SampleColumns]) -> SampleColumns:
    """The moments at which any of some series has a sample, as samples of a series of their own."""
    times = [part.time_us for part in parts if len(part)]
    if not times:
        return SampleColumns.empty()
    moments = np.unique(np.concatenate(times))
    count = len(moments)
    return SampleColumns(np.full(count, series, np.int64), moments, np.ones(count), np.zeros(count, np.uint8))
