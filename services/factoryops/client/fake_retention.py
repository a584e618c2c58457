"""How long the imagined plant's history would be kept: the part of `FakePlant` that implements `RetentionClient`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from factoryops.client.fake_history import FakeHistory
from factoryops.contracts import http
from factoryops.domain.errors import InvalidInputError, OutdatedError
from factoryops.domain.identity import Permission
from factoryops.domain.time import from_us


class FakeRetention:
    """Rules in memory; nothing is given up by them."""

    _clock: Callable[[], int]
    _history: FakeHistory
    _retention = http.Retention(version=0, rules=[])

    async def _enter(self, permission: Permission) -> str:
        raise NotImplementedError

    async def statistics(self, parameter_ids: Sequence[str], start_us: int, end_us: int) -> http.StatisticsAnswer:
        """Time-weighted statistics of a span."""
        await self._enter(Permission.VIEW)
        return self._history.statistics(parameter_ids, start_us, end_us, self._clock())

    async def retention(self) -> http.Retention:
        """The rules in force."""
        await self._enter(Permission.VIEW)
        return self._retention

    async def change_retention(self, change: http.RetentionChange) -> http.Retention:
        """Put all rules anew."""
        actor = await self._enter(Permission.EDIT_PLANT)
        faults = http.retention_faults(change.rules)
        if faults:
            raise InvalidInputError("The rules cannot be used.", fields=faults)
        if change.version != self._retention.version:
            raise OutdatedError("Somebody else changed these rules meanwhile: look at them again.")
        changed_us = max(self._clock(), change.version + 1)
        self._retention = http.Retention(
            version=changed_us if change.rules else 0, rules=change.rules, changed_by=actor,
            changed_at=from_us(changed_us),
        )  # fmt: skip
        return self._retention
