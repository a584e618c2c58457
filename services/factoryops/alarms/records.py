"""What the engine records in the database: raises and clears together with its own state, or not at all."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from factoryops.alarms.engine import packed
from factoryops.contracts.transitions import AlarmTransition
from factoryops.database.database import Database
from factoryops.database.rows import Changes, EngineState
from factoryops.database.transaction import Transaction
from factoryops.domain.calculations import Calculation
from factoryops.domain.identity import RuleId
from factoryops.domain.rule import RuleInForce
from factoryops.journal.failpoint import failpoint

logger = logging.getLogger(__name__)

JOURNAL: Final = "journal"
"""The journal that conditions are evaluated from."""


@dataclass(frozen=True, slots=True)
class SavedState:
    """Where the engine stood: its `snapshot` behind row `seq`."""

    seq: int
    snapshot: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """One unit of what is to be recorded.

    Attributes:
        transitions: everything since the last record, in order.
        state: where the engine stood behind them; None when only they are recorded (decision 0043), and nothing of
            what follows.
        new_rules / new_calculations: versions that hold from behind that row.
        faults: why calculations are stopped, by id and version.
        rule_faults: why rules are stopped, by id and version.
    """

    transitions: Sequence[AlarmTransition]
    state: SavedState | None = None
    new_rules: Sequence[RuleInForce] = ()
    new_calculations: Sequence[Calculation] = ()
    faults: Mapping[tuple[str, int], str] = field(default_factory=dict)
    rule_faults: Mapping[tuple[RuleId, int], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InForce:
    """What the engine is to evaluate.

    Attributes:
        as_of: the counts of changes it was read at.
    """

    as_of: Changes
    rules: Sequence[RuleInForce]
    calculations: Sequence[Calculation]


def commit(database: Database, record: Record) -> None:
    """Record it; doing so twice changes nothing.

    Raises:
        UnavailableError: the database is away; nothing was recorded.
    """
    if record.transitions:
        failpoint("engine_before_record")
    blob = b"" if record.state is None else packed(record.state.snapshot)
    refused = database.run(lambda tx: _write(tx, record, blob))
    if refused:
        logger.warning("%d raises or clears are of rules this database does not know and were left out", len(refused))
    if record.transitions:
        failpoint("engine_after_record")


def _write(tx: Transaction, record: Record, blob: bytes) -> Sequence[AlarmTransition]:
    refused = tx.engine.apply(record.transitions).refused if record.transitions else ()
    refused_of = {item.rule_id for item in refused}
    tx.whys.record(item for item in record.transitions if item.rule_id not in refused_of)
    if record.state is not None:
        _write_state(tx, record, record.state.seq, blob)
    return refused


def _write_state(tx: Transaction, record: Record, seq: int, blob: bytes) -> None:
    for one in record.new_rules:
        tx.engine.mark_rule_holds(one.rule.id, one.rule.version, seq + 1)
    tx.engine.end_demoted(one.rule for one in record.new_rules)
    for calculation in record.new_calculations:
        tx.engine.mark_calculation_holds(calculation.id, calculation.version, seq + 1)
    tx.engine.note_faults(record.faults)
    tx.engine.note_rule_faults(record.rule_faults)
    tx.engine.save_state(EngineState({JOURNAL: seq}, blob))


def load_state(database: Database) -> EngineState | None:
    """Where the engine stands; raises UnavailableError."""
    return database.read(lambda tx: tx.engine.load_state())


def read_in_force(database: Database) -> InForce:
    """The enabled rules and calculations of all factories; raises UnavailableError."""
    return database.read(lambda tx: InForce(tx.changes(), tx.engine.current_rules(), tx.engine.current_calculations()))
