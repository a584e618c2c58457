"""Which rules watch which series."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from factoryops.domain.rules import ThresholdRule
from factoryops.domain.samples import SeriesKey


class RuleBook:
    """The rules in force of all factories, found by what they watch.

    Attributes:
        rules: by id.
    """

    def __init__(self, rules: Iterable[ThresholdRule] = ()) -> None:
        self.rules = {rule.id: rule for rule in rules if rule.is_enabled}
        self._of_all: defaultdict[tuple[str, str], list[ThresholdRule]] = defaultdict(list)
        self._of_one: defaultdict[SeriesKey, list[ThresholdRule]] = defaultdict(list)
        for rule in self.rules.values():
            if not rule.device_keys:
                self._of_all[rule.factory_id, rule.parameter_key].append(rule)
            for device in rule.device_keys:
                self._of_one[SeriesKey(rule.factory_id, device, rule.parameter_key)].append(rule)

    def watching(self, key: SeriesKey) -> list[ThresholdRule]:
        """The rules that watch a series, in the order of their ids."""
        found = [*self._of_all.get((key.factory, key.parameter), ()), *self._of_one.get(key, ())]
        return sorted(found, key=lambda rule: rule.id)
