"""Recordings of a real plant: what the engine says live of every one of them, a back-test says again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from factoryops.domain.alarms import Priority
from factoryops.domain.conditions.limits import PlainLimit
from factoryops.domain.conditions.tree import AnyOf, Comparison, Condition, Parameter, Window, WindowFunction
from factoryops.domain.identity import FactoryId, RuleId
from factoryops.domain.rule import Rule, RuleDefinition, RuleInForce
from factoryops.domain.samples import SampleColumns, SeriesKey, series_id
from factoryops.journal.records import Entry, MessageLedger
from factoryops.simulator.recording import Row, read_recording
from tests.support.history_model import FACTORY, START_US
from tests.support.recorded_plant import GRACE_US, S, from_history, live

SKAB = Path(__file__).parents[3].parent / "shared" / "data" / "skab"


def _entry(row: Row, now_us: int) -> Entry:
    """A message that took a tenth of a second, in a row of its own."""
    named = ((SeriesKey(FACTORY, "valve", name), value) for name, value in row.values.items())
    samples = SampleColumns.of((int(series_id(key)), now_us - S // 10, value) for key, value in named)
    return Entry(now_us, MessageLedger(), samples, now_us - GRACE_US)


def _conditions(signal: str, values: list[float]) -> list[Condition]:
    """A limit that the signal passes now and then, and the same beside a mean."""
    high, spread = float(np.quantile(values, 0.9)), float(np.std(values))
    limit = PlainLimit(signal, Comparison.ABOVE, high, spread / 4).condition
    mean = Window(Parameter(signal), WindowFunction.MEAN, 30.0, Comparison.BELOW, float(np.quantile(values, 0.3)))
    return [limit, AnyOf((limit, mean))]


@pytest.mark.skipif(not SKAB.exists(), reason="the SKAB recordings are not beside the project")
@pytest.mark.parametrize(
    "name", ["valve1-0", *(pytest.param(f"valve1-{number}", marks=pytest.mark.long) for number in range(1, 8))]
)
def test_live_equals_back_test_over_the_skab_recordings(tmp_path: Path, name: str) -> None:
    recording = read_recording(SKAB / f"{name}.csv")
    shift_us = START_US + 10 * S - recording.rows[0].time_us
    rows = [_entry(row, row.time_us + shift_us) for row in recording.rows]
    keys = [SeriesKey(FACTORY, "valve", signal) for signal in recording.signals]
    until_us = rows[-1].watermark_us
    for number, signal in enumerate(recording.signals[:2]):
        values = [row.values[signal] for row in recording.rows if signal in row.values]
        for condition in _conditions(signal, values):
            definition = RuleDefinition("Tried", condition, Priority.LOW, on_delay_s=2.0, off_delay_s=1.0)
            rule = Rule(RuleId("b" * 32), FactoryId(FACTORY), 1, definition)
            in_force = RuleInForce(rule, frozenset({"valve"}), "Europe/Berlin")
            folder = tmp_path / f"{number}-{type(condition).__name__}"
            folder.mkdir()
            expected = live(rows, keys, in_force, folder / "journal.db")
            found = from_history(folder / "journal.db", in_force, (START_US, until_us))
            assert found == [one for one in expected if one.at_us < until_us]
            assert expected
