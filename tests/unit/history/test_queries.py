"""Store and tails are one line: no doubled sample, no seam, and nothing missed while samples move between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factoryops.domain.bins import BinSummaries
from factoryops.domain.samples import SampleColumns, SampleFlag
from factoryops.history.clock_changes import ClockChange
from factoryops.history.local.store import LocalHistory
from factoryops.history.queries import History
from factoryops.history.store import Cancelled, never
from factoryops.history.tail import Tail
from factoryops.journal.records import Batch, Entry, Gap, MessageLedger
from tests.support.history_model import START_US, ModelHistory, Row, assert_bins, columns, plain_keys, rows_of

KEYS = plain_keys(3)
SERIES = list(KEYS)
A = SERIES[0]
S = 1_000_000

_row = st.tuples(
    st.sampled_from(SERIES),
    st.integers(-40, 40).map(lambda step: START_US + step * 370_000),
    st.integers(-100, 100).map(lambda number: number / 10),
    st.sampled_from([0, 0, 0, SampleFlag.UNCERTAIN, SampleFlag.TEXT]),
)
_rows = st.lists(_row, max_size=25)


def _feed(tail: Tail, seq: int, rows: Sequence[Row]) -> None:
    tail.feed(Batch(seq, Entry(0, MessageLedger(), columns(rows))))


def _assert_whole(history: History, model: ModelHistory, span: tuple[int, int], width_us: int) -> None:
    binned = history.binned(SERIES, *span, width_us)
    latest = {row[0]: row for row in rows_of(history.latest(SERIES))}
    for series in SERIES:
        expected = model.raw(series, *span)
        assert rows_of(history.raw(series, *span, most=1_000)) == expected
        assert rows_of(history.raw(series, *span, most=7)) == expected[:7]
        assert [row for part in history.chunks(series, *span) for row in rows_of(part)] == expected
        assert latest.get(series) == model.latest(series)
        assert_bins(binned.get(series), model.binned(series, *span, width_us))


@given(
    stored=_rows,
    tail_rows=st.lists(_rows, max_size=4),
    overlap=st.integers(0, 4),
    start=st.integers(-20, 10).map(lambda step: START_US + step * 613_000),
    length_us=st.integers(1, 40 * S),
    width_us=st.sampled_from([S, 10 * S, 120 * S]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_store_and_tail_read_as_one(
    tmp_path_factory: pytest.TempPathFactory,
    stored: list[Row],
    tail_rows: list[list[Row]],
    overlap: int,
    start: int,
    length_us: int,
    width_us: int,
) -> None:
    """`overlap` rows of the tail are in the store already, as while a checkpoint moves."""
    store = LocalHistory(tmp_path_factory.mktemp("queries") / "history.db")
    tail, model = Tail(), ModelHistory()
    store.append(columns(stored), KEYS, gaps=(), checkpoints={"journal": 1})
    model.append(stored)
    for seq, rows in enumerate(tail_rows, 2):
        _feed(tail, seq, rows)
        model.append(rows)
        if seq - 2 < overlap:
            store.append(columns(rows), KEYS, gaps=(), checkpoints={"journal": seq})
    _assert_whole(History(store, {"journal": tail}), model, (start, start + length_us), width_us)
    store.close()


class _Moving:
    """A reader before whose every answer the historian has just sealed and the tail has forgotten."""

    def __init__(self, store: LocalHistory, move: Callable[[], None]) -> None:
        self._store = store
        self._move = move

    def latest(self, series: Sequence[int]) -> SampleColumns:
        self._move()
        return self._store.latest(series)

    def newest(self, series: Sequence[int], start_us: int, end_us: int) -> SampleColumns:
        self._move()
        return self._store.newest(series, start_us, end_us)

    def raw(self, series: int, start_us: int, end_us: int, *, most: int, cancelled: Cancelled = never) -> SampleColumns:
        self._move()
        return self._store.raw(series, start_us, end_us, most=most, cancelled=cancelled)

    def binned(
        self, series: Sequence[int], start_us: int, end_us: int, width_us: int, *, cancelled: Cancelled = never
    ) -> dict[int, BinSummaries]:
        self._move()
        return self._store.binned(series, start_us, end_us, width_us, cancelled=cancelled)

    def chunks(
        self, series: int, start_us: int, end_us: int, *, cancelled: Cancelled = never
    ) -> Iterator[SampleColumns]:
        self._move()
        return self._store.chunks(series, start_us, end_us, cancelled=cancelled)

    def clocks(self, factory: str) -> list[ClockChange]:
        return self._store.clocks(factory)

    def texts(self, codes: Sequence[int]) -> dict[int, str]:
        return self._store.texts(codes)

    def gaps(self, factory: str, start_us: int, end_us: int) -> list[Gap]:
        return self._store.gaps(factory, start_us, end_us)

    def checkpoint(self, journal: str) -> int:
        return self._store.checkpoint(journal)

    def front(self, journal: str) -> int:
        return self.checkpoint(journal)

    ledger = LocalHistory.ledger


@pytest.mark.parametrize("query", ["latest", "newest", "raw", "chunks", "binned"])
def test_a_seal_in_the_middle_of_a_query_loses_and_doubles_nothing(tmp_path: Path, query: str) -> None:
    store, tail = LocalHistory(tmp_path / "history.db"), Tail()
    rows: list[Row] = [(A, START_US + n * 100_000, float(n), 0) for n in range(30)]
    store.append(columns(rows[:10]), KEYS, gaps=(), checkpoints={"journal": 1})
    _feed(tail, 2, rows[10:])

    def seal() -> None:
        store.append(columns(rows[10:]), KEYS, gaps=(), checkpoints={"journal": 2})
        tail.forget_through(2)

    history = History(_Moving(store, seal), {"journal": tail})
    span = (START_US, START_US + 10 * S)
    if query == "latest":
        assert rows_of(history.latest([A])) == rows[-1:]
    elif query == "newest":
        assert rows_of(history.newest([A], *span)) == rows[-1:]
    elif query == "chunks":
        assert [row for part in history.chunks(A, *span) for row in rows_of(part)] == rows
    elif query == "raw":
        assert rows_of(history.raw(A, *span, most=100)) == rows
    else:
        assert history.binned([A], *span, S)[A].count.tolist() == [10, 10, 10]
    store.close()


def test_a_device_s_own_sample_wins_over_an_imported_one(tmp_path: Path) -> None:
    store, live, imported = LocalHistory(tmp_path / "history.db"), Tail(), Tail()
    _feed(live, 1, [(A, START_US, 1.0, 0)])
    _feed(imported, 1, [(A, START_US, 2.0, 2)])
    history = History(store, {"journal": live, "import": imported})
    assert rows_of(history.raw(A, START_US, START_US + 1, most=1)) == [(A, START_US, 1.0, 0)]
    store.close()


def test_pending_is_the_earliest_of_all_tails(tmp_path: Path) -> None:
    store, small = LocalHistory(tmp_path / "history.db"), Tail(most_bytes=25)
    history = History(store, {"journal": small, "derived": Tail()})
    seen = [history.pending_from_us]
    _feed(small, 1, [(A, START_US, 1.0, 0)])
    _feed(small, 2, [(A, START_US + 1, 1.0, 0)])
    seen.append(history.pending_from_us)
    assert seen == [None, START_US]
    store.close()


def test_nothing_holds_in_a_gap_and_a_value_before_the_span_holds_into_it(tmp_path: Path) -> None:
    store = LocalHistory(tmp_path / "history.db")
    start_us = START_US - START_US % S
    rows: list[Row] = [(A, start_us - 10 * S, 5.0, 0), (A, start_us + 20 * S, 10.0, 0), (A, start_us + 60 * S, 20.0, 0)]
    store.append(columns(rows), KEYS, gaps=(), checkpoints={})
    history = History(store, {"journal": Tail()})
    whole = history.held(A, (start_us, start_us + 100 * S), [])
    assert whole.mean == pytest.approx((20 * 5 + 40 * 10 + 40 * 20) / 100)
    gap = Gap(start_us + 30 * S, start_us + 50 * S, "The broker was away.")
    parted = history.held(A, (start_us, start_us + 100 * S), [gap])
    assert (parted.good_us, parted.count) == (70 * S, 2)
    assert parted.mean == pytest.approx((20 * 5 + 10 * 10 + 40 * 20) / 70)
    before = Gap(start_us - 7 * S, start_us - 2 * S, "The broker was away.")
    later = history.held(A, (start_us, start_us + 100 * S), [before])
    assert (later.good_us, later.count) == (80 * S, 2)
    store.close()
