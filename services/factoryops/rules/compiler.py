"""Which rules watch which series."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from factoryops.domain.rule import Rule, RuleInForce, RuleMode
from factoryops.domain.samples import SeriesKey
from factoryops.rules.immediate import Threshold, immediate


@dataclass(frozen=True, slots=True)
class Watching:
    """A rule that is evaluated sample by sample, with what it watches."""

    in_force: RuleInForce
    threshold: Threshold

    @property
    def rule(self) -> Rule:
        """The version."""
        return self.in_force.rule


class RuleBook:
    """The rules in force of all factories; those evaluated sample by sample are found by what they watch.

    Attributes:
        rules: by id, whichever way they are evaluated.
    """

    def __init__(self, rules: Iterable[RuleInForce] = ()) -> None:
        self.rules = {one.rule.id: one for one in rules}
        self._of_all: defaultdict[tuple[str, str], list[Watching]] = defaultdict(list)
        self._of_one: defaultdict[SeriesKey, list[Watching]] = defaultdict(list)
        for one in self.rules.values():
            threshold = immediate(one.rule.definition)
            if threshold is not None and one.rule.definition.mode is not RuleMode.OFF:
                self._add(Watching(one, threshold))

    def _add(self, watching: Watching) -> None:
        factory, parameter = watching.rule.factory_id, watching.threshold.parameter_key
        devices = watching.in_force.devices
        if devices is None:
            self._of_all[factory, parameter].append(watching)
        for device in devices or ():
            self._of_one[SeriesKey(factory, device, parameter)].append(watching)

    def watching(self, key: SeriesKey) -> list[Watching]:
        """The rules that watch a series sample by sample, in the order of their ids."""
        found = [*self._of_all.get((key.factory, key.parameter), ()), *self._of_one.get(key, ())]
        return sorted(found, key=lambda one: one.rule.id)
