"""What the alarm engine reads and records, over all factories."""

from __future__ import annotations

from collections.abc import Sequence

from factoryops.contracts.transitions import AlarmTransition
from factoryops.database.rows import Applied, EngineState
from factoryops.domain.identity import RuleId
from factoryops.domain.rules import ThresholdRule


class EngineRecords:
    """The engine's side: condition facts, its own state, the rules in force."""

    def load_state(self) -> EngineState | None:
        """Where the engine stands; None before its first save."""
        raise NotImplementedError

    def save_state(self, state: EngineState) -> None:
        """Record where the engine stands, together with whatever else this transaction holds."""
        raise NotImplementedError

    def rules_change(self) -> int:
        """Grows with every change of a rule of any factory."""
        raise NotImplementedError

    def current_rules(self) -> list[ThresholdRule]:
        """The enabled rules of every factory in their present version, devices by key."""
        raise NotImplementedError

    def mark_rule_holds(self, rule_id: RuleId | str, version: int, seq: int) -> None:
        """Record the journal sequence from which a version holds; the first mark stays."""
        raise NotImplementedError

    def apply(self, transitions: Sequence[AlarmTransition]) -> Applied:
        """Record raises and clears; repetitions (same alarm, annunciation, kind) change nothing.

        Brings the alarms' condition facts up to the newest transition, never touching what operators wrote, adds the
        event rows, and adds a device that is not there yet.
        """
        raise NotImplementedError
