"""When scheduled rules are due: one slot per moment, whichever of a factory's rules are due at it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from factoryops.contracts.http import JobKind
from factoryops.database.scheduled_rules import PlannedRule
from factoryops.domain.identity import FactoryId
from factoryops.jobs.slots import DailyRule

_LOOK_AHEAD: Final = timedelta(days=9)


@dataclass(frozen=True, slots=True)
class PlannedWork:
    """The scheduled rules of one factory."""

    factory_id: FactoryId
    rules: tuple[PlannedRule, ...]

    @property
    def kind(self) -> JobKind:
        """The work that evaluates them."""
        return JobKind.SCHEDULED_RULES

    def slots(self, after: datetime, now: datetime) -> tuple[list[datetime], datetime | None]:
        """The slots in (after, now], oldest first, and the next one.

        A rule is due once per local date, and at no moment before it was last changed.

        Raises:
            InvalidInputError: a time or a zone cannot be read.
        """
        due: set[datetime] = set()
        following: set[datetime] = set()
        for rule in self.rules:
            due.update(slots_of(rule, max(after, rule.changed_at), now))
            following.update(slots_of(rule, now, now + _LOOK_AHEAD)[:1])
        return sorted(due), min(following, default=None)


def slots_of(rule: PlannedRule, after: datetime, through: datetime) -> list[datetime]:
    """When a rule is due in (after, through], ascending."""
    daily = DailyRule.of(rule.local_time, rule.timezone)
    return [slot for slot in daily.slots(after, through) if daily.local_date(slot).isoweekday() in rule.days]


def by_factory(rules: Iterable[PlannedRule]) -> list[PlannedWork]:
    """The rules of each factory together."""
    grouped: defaultdict[FactoryId, list[PlannedRule]] = defaultdict(list)
    for rule in rules:
        grouped[rule.factory_id].append(rule)
    return [PlannedWork(factory_id, tuple(own)) for factory_id, own in grouped.items()]
