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
        self._by_parameter: defaultdict[tuple[str, str], list[ThresholdRule]] = defaultdict(list)
        for rule in sorted(self.rules.values(), key=lambda rule: rule.id):
            self._by_parameter[rule.factory_id, rule.parameter_key].append(rule)

    def watching(self, key: SeriesKey) -> list[ThresholdRule]:
        """The rules that watch a series, in the order of their ids."""
        candidates = self._by_parameter.get((key.factory, key.parameter), ())
        return [rule for rule in candidates if not rule.device_keys or key.device in rule.device_keys]
