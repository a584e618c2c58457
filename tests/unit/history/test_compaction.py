"""Compaction changes how samples lie in the file, never what a query answers, wherever it is interrupted."""

from __future__ import annotations

from pathlib import Path

import apsw
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factoryops.domain.samples import SampleColumns
from factoryops.history.local import compaction
from factoryops.history.local.blocks import DAY_US, FULL_BLOCK
from factoryops.history.local.store import LocalHistory
from tests.support.history_model import FACTORY, START_US, ModelHistory, Row, assert_bins, columns, plain_keys, rows_of

KEYS = plain_keys(4)
SERIES = list(KEYS)
A = SERIES[0]
EVEN_US = START_US - START_US % 3_600_000_000 + 3_400_000_000
SPAN = (START_US - 10 * DAY_US, START_US + 10 * DAY_US)


@pytest.fixture(autouse=True)
def _worth_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compact two seals already, one series per transaction, and let blocks be small and have roll-ups all the same."""
    monkeypatch.setattr(compaction, "WORTH_BLOCKS", 2)
    monkeypatch.setattr(compaction, "_SERIES_PER_TRANSACTION", 1)
    monkeypatch.setattr("factoryops.history.local.blocks.FULL_BLOCK", 5)
    monkeypatch.setattr("factoryops.history.local.blocks.SHARED_BLOCK", 3)
    monkeypatch.setattr(compaction, "FULL_BLOCK", 5)
    monkeypatch.setattr("factoryops.history.local.rollups.WORTH", 1)
    monkeypatch.setattr("factoryops.history.local.rollups._PLAIN_UP_TO", 2)
    monkeypatch.setattr("factoryops.history.local.store.OWN_FROM", 4)


_time = st.one_of(
    st.integers(0, 25).map(lambda step: EVEN_US + step * 17_000_000),
    st.integers(-1, 1).map(lambda day: EVEN_US + day * DAY_US),
)
_row = st.tuples(st.sampled_from(SERIES), _time, st.integers(0, 1_000).map(float), st.sampled_from([0, 0, 1, 64, 16]))
_action = st.one_of(st.lists(_row, max_size=14), st.sampled_from(["step", "step", "run", "reopen"]))


@given(
    actions=st.lists(_action, max_size=16),
    span=st.tuples(st.integers(-5, 60), st.integers(1, 60)).map(
        lambda two: (EVEN_US + two[0] * 15_000_000, EVEN_US + (two[0] + two[1]) * 15_000_000)
    ),
    width_us=st.sampled_from([1, 60, 300, 3_600, 86_400]).map(lambda width_s: width_s * 1_000_000),
)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_queries_answer_the_same_before_amid_and_after(
    tmp_path_factory: pytest.TempPathFactory, actions: list[list[Row] | str], span: tuple[int, int], width_us: int
) -> None:
    path = tmp_path_factory.mktemp("compaction") / "history.db"
    store, model = LocalHistory(path), ModelHistory()
    for action in actions:
        if action == "reopen":
            store.close()
            store = LocalHistory(path)
        elif action == "run":
            store.tidy(budget_s=10)
        elif action == "step":
            _one_step(store)
        elif isinstance(action, list):
            store.append(columns(action), KEYS, gaps=(), checkpoints={})
            model.append(action)
        _assert_whole(store, model, span, width_us)
    ledger = store.ledger()
    assert (ledger.stored, ledger.stored + ledger.replaced) == (len(model.samples), model.given)
    store.close()


def _assert_whole(store: LocalHistory, model: ModelHistory, span: tuple[int, int], width_us: int) -> None:
    binned, part = store.binned(SERIES, *SPAN, width_us), store.binned(SERIES, *span, width_us)
    newest = {row[0]: row for row in rows_of(store.newest(SERIES, *span))}
    for series in SERIES:
        assert rows_of(store.raw(series, *SPAN, most=1_000)) == model.raw(series, *SPAN)
        assert rows_of(store.raw(series, *span, most=3)) == model.raw(series, *span)[:3]
        assert newest.get(series) == model.newest(series, *span)
        assert_bins(binned.get(series), model.binned(series, *SPAN, width_us))
        assert_bins(part.get(series), model.binned(series, *span, width_us))


def _one_step(store: LocalHistory) -> None:
    if store._compaction._work is not None or store._compaction._begin():
        store._compaction._step()


def _layout(path: Path) -> list[tuple[int, int]]:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    rows = list(connection.execute("SELECT series, count FROM block ORDER BY series, first_us"))
    connection.close()
    return rows


def test_many_seals_become_full_blocks_and_one_rest(tmp_path: Path) -> None:
    store = LocalHistory(tmp_path / "history.db")
    for n in range(12):
        store.append(columns([(A, START_US + n, float(n), 0)]), KEYS, gaps=(), checkpoints={})
        store.tidy(budget_s=10)
    assert _layout(tmp_path / "history.db") == [(A, 5), (A, 5), (A, 2)]
    store.close()


def test_a_damaged_block_is_given_up_with_a_gap_and_the_rest_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    store = LocalHistory(path)
    for n in range(3):
        store.append(columns([(A, START_US + n, float(n), 0)]), KEYS, gaps=(), checkpoints={})
    store.close()
    connection = apsw.Connection(str(path))
    connection.execute("UPDATE block SET crc = crc + 1 WHERE number = 2")
    connection.close()
    store = LocalHistory(path)
    store.tidy(budget_s=10)
    assert [row[2] for row in rows_of(store.raw(A, *SPAN, most=10))] == [0.0, 2.0]
    assert [(gap.start_us, gap.end_us) for gap in store.gaps(FACTORY, *SPAN)] == [(START_US + 1, START_US + 1)]
    store.close()


def test_a_long_run_of_one_series_gets_blocks_of_its_own_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    count = FULL_BLOCK + 100
    samples = SampleColumns(
        np.full(count, A, np.int64),
        START_US - START_US % DAY_US + np.arange(count) * 1_000_000,
        np.arange(count) / 10,
        np.zeros(count, np.uint8),
    )
    store = LocalHistory(tmp_path / "history.db")
    store.append(samples, KEYS, gaps=(), checkpoints={})
    assert _layout(tmp_path / "history.db") == [(A, FULL_BLOCK), (A, 100)]
    store.close()
