"""Old samples make room; what is left of them says the same, only coarser, and the ledger counts what went."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factoryops.domain.bins import align_down
from factoryops.domain.retention import Keep, RetentionPlan, RetentionPolicy
from factoryops.domain.samples import SampleColumns
from factoryops.domain.time import now_us
from factoryops.history.local import compaction
from factoryops.history.local.blocks import DAY_US
from factoryops.history.local.rollups import HOUR_US, MINUTE_US
from factoryops.history.local.store import LocalHistory
from factoryops.history.upkeep import Upkeep, write_plan
from tests.support.history_model import FACTORY, ModelHistory, Row, assert_bins, columns, plain_keys

KEYS = plain_keys(3)
SERIES = list(KEYS)
A, B = SERIES[:2]
TODAY_US = align_down(now_us(), DAY_US)
ALL = (0, 1 << 60)


@pytest.fixture(autouse=True)
def _compact_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "WORTH_BLOCKS", 1)
    monkeypatch.setattr("factoryops.history.local.blocks.FULL_BLOCK", 50)
    monkeypatch.setattr(compaction, "FULL_BLOCK", 50)


def _plan(**days: int) -> RetentionPlan:
    return RetentionPlan({FACTORY: [RetentionPolicy("all", Keep(**days))]})


def _retire(store: LocalHistory, plan: RetentionPlan) -> None:
    store.tidy(budget_s=10)
    while not store.retain(plan, budget_s=10):
        pass


def _fill(store: LocalHistory, *, days: int, every_s: int = 600) -> ModelHistory:
    model = ModelHistory()
    for day in range(days, -1, -1):
        first_us = TODAY_US - day * DAY_US
        count = DAY_US // (every_s * 1_000_000)
        rows: list[Row] = [
            (series, first_us + n * every_s * 1_000_000 + 7, float(n % 50), n % 2)
            for series in SERIES
            for n in range(count)
        ]
        store.append(columns(rows), KEYS, gaps=(), checkpoints={})
        model.append(rows)
    return model


def test_what_is_left_of_expired_samples_says_the_same_in_minutes(tmp_path: Path) -> None:
    with closing(LocalHistory(tmp_path / "history.db")) as store:
        model = _fill(store, days=3)
        _retire(store, _plan(raw_days=1))
        assert store.raw(A, *ALL, most=1).time_us.tolist() == [TODAY_US - DAY_US + 7]
        for width_us in (MINUTE_US, HOUR_US, DAY_US):
            bins = store.binned(SERIES, *ALL, width_us)
            for series in SERIES:
                assert_bins(bins[series], model.binned(series, *ALL, width_us))
                assert bins[series].resolution_us == 0
        ledger = store.ledger()
        assert (ledger.stored, ledger.expired) == (4 * 144 * 3, 2 * 144 * 3)


def test_narrower_bins_of_expired_samples_say_how_coarse_they_are(tmp_path: Path) -> None:
    with closing(LocalHistory(tmp_path / "history.db")) as store:
        _fill(store, days=3)
        _retire(store, _plan(raw_days=1, minute_days=2))
        old = store.binned([A], TODAY_US - 2 * DAY_US, TODAY_US - DAY_US, 1_000_000)[A]
        assert (old.resolution_us, old.count.sum()) == (MINUTE_US, 144)
        older = store.binned([A], TODAY_US - 3 * DAY_US, TODAY_US - 2 * DAY_US, 1_000_000)[A]
        assert (older.resolution_us, older.count.sum(), len(older)) == (HOUR_US, 144, 24)
        assert store.binned([A], TODAY_US - DAY_US, TODAY_US, 1_000_000)[A].resolution_us == 0


def test_hours_go_last_and_then_nothing_is_left(tmp_path: Path) -> None:
    with closing(LocalHistory(tmp_path / "history.db")) as store:
        model = _fill(store, days=4)
        _retire(store, _plan(raw_days=1, minute_days=1, hour_days=2))
        bins = store.binned([A], *ALL, DAY_US)[A]
        expected = model.binned(A, TODAY_US - 2 * DAY_US, 1 << 60, DAY_US)
        assert_bins(bins, expected)


def test_a_policy_for_a_parameter_comes_before_the_one_for_all(tmp_path: Path) -> None:
    policies = [
        RetentionPolicy("all", Keep(raw_days=1)),
        RetentionPolicy("vibration", Keep(raw_days=3), (KEYS[B].parameter,)),
    ]
    with closing(LocalHistory(tmp_path / "history.db")) as store:
        _fill(store, days=4)
        _retire(store, RetentionPlan({FACTORY: policies}))
        assert store.raw(A, *ALL, most=1).time_us.tolist() == [TODAY_US - DAY_US + 7]
        assert store.raw(B, *ALL, most=1).time_us.tolist() == [TODAY_US - 3 * DAY_US + 7]


def test_late_samples_of_an_expired_day_join_what_is_left_of_it(tmp_path: Path) -> None:
    with closing(LocalHistory(tmp_path / "history.db")) as store:
        _fill(store, days=3)
        _retire(store, _plan(raw_days=1))
        late: list[Row] = [(A, TODAY_US - 3 * DAY_US + n * 1_000_000 + 100, 99.0, 1) for n in range(5)]
        store.append(columns(late), KEYS, gaps=(), checkpoints={})
        _retire(store, _plan(raw_days=1))
        day = store.binned([A], TODAY_US - 3 * DAY_US, TODAY_US - 2 * DAY_US, DAY_US)[A]
        assert (day.count.tolist(), day.maximum.tolist()) == ([149], [99.0])
        assert store.ledger().expired == 2 * 144 * 3 + 5


def test_a_plan_that_changes_half_way_concerns_every_series(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("factoryops.history.local.retention._STEP_S", 0.0001)
    with closing(LocalHistory(tmp_path / "history.db")) as store:
        _fill(store, days=3)
        store.tidy(budget_s=10)
        while not store._retention._after:
            store.retain(_plan(raw_days=2), budget_s=0.0001)
        _retire(store, _plan(raw_days=1))
        assert store.ledger().expired == 2 * 144 * 3


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_day_in_the_midst_of_its_compaction_counts_once(tmp_path: Path, is_restarted: bool) -> None:
    path = tmp_path / "history.db"
    store = LocalHistory(path)
    model = _fill(store, days=2)
    _begin_compaction(store)
    while not store.retain(_plan(raw_days=1), budget_s=10):
        pass
    assert_bins(store.binned([A], *ALL, DAY_US)[A], model.binned(A, *ALL, DAY_US))
    if is_restarted:
        store.close()
        store = LocalHistory(path)
    _retire(store, _plan(raw_days=1))
    assert_bins(store.binned([A], *ALL, DAY_US)[A], model.binned(A, *ALL, DAY_US))
    assert store.ledger().expired == 144 * 3
    store.close()


def _begin_compaction(store: LocalHistory) -> None:
    assert store._compaction._begin()
    store._compaction._step()


def test_samples_on_both_sides_of_an_expired_day_leave_its_place_between_them(tmp_path: Path) -> None:
    with closing(LocalHistory(tmp_path / "history.db")) as store:
        model = _fill(store, days=4)
        _retire(store, _plan(raw_days=1))
        late: list[Row] = [(A, TODAY_US - 4 * DAY_US + 1, 99.0, 1), (A, TODAY_US - 3 * DAY_US - 1, 98.0, 1)]
        store.append(columns(late), KEYS, gaps=(), checkpoints={})
        model.append(late)
        for width_us in (HOUR_US, DAY_US, 7 * DAY_US):
            assert_bins(store.binned([A], *ALL, width_us)[A], model.binned(A, *ALL, width_us))


def test_all_space_is_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("factoryops.history.local.retention._FREED_PAGES", 2)
    path = tmp_path / "history.db"
    random = np.random.default_rng(1)
    with closing(LocalHistory(path)) as store:
        for day in (2, 1):
            count = 60_000
            times = TODAY_US - day * DAY_US + np.arange(count) * 1_000_000
            samples = SampleColumns(np.full(count, A), times, random.normal(0, 1, count), np.zeros(count, np.uint8))
            store.append(samples, KEYS, gaps=(), checkpoints={})
        before = _pages(path)
        _retire(store, _plan(raw_days=1))
        assert _pages(path) < before * 0.7
        assert store._connection.pragma("freelist_count") == 0


def _pages(path: Path) -> int:
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    pages = int(connection.pragma("page_count"))
    connection.close()
    return pages


_row = st.tuples(
    st.sampled_from(SERIES),
    st.tuples(st.integers(0, 4), st.integers(0, 200)).map(lambda at: TODAY_US - at[0] * DAY_US + at[1] * 17_000_000),
    st.integers(0, 1_000).map(float),
    st.sampled_from([0, 0, 1, 64, 16]),
)


@given(appends=st.lists(st.lists(_row, max_size=30), max_size=4), raw_days=st.integers(1, 3))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_was_stored_wide_bins_answer_the_same_afterwards(
    tmp_path_factory: pytest.TempPathFactory, appends: list[list[Row]], raw_days: int
) -> None:
    model = ModelHistory()
    with closing(LocalHistory(tmp_path_factory.mktemp("retention") / "history.db")) as store:
        for rows in appends:
            store.append(columns(rows), KEYS, gaps=(), checkpoints={})
            model.append(rows)
        _retire(store, _plan(raw_days=raw_days))
        ledger = store.ledger()
        kept = sum(time_us >= TODAY_US - raw_days * DAY_US for _, time_us in model.samples)
        assert (ledger.stored, ledger.stored - ledger.expired) == (len(model.samples), kept)
        for width_us in (MINUTE_US, HOUR_US, DAY_US):
            bins = store.binned(SERIES, *ALL, width_us)
            for series in SERIES:
                assert_bins(bins.get(series), model.binned(series, *ALL, width_us))


def test_the_historian_s_plan_is_read_from_its_file_and_a_damaged_one_deletes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "retention.json"
    with closing(LocalHistory(tmp_path / "history.db")) as store:
        _fill(store, days=3)
        store.tidy(budget_s=10)
        path.write_text("{damaged", encoding="utf-8")
        Upkeep(path).run(store, now_us(), budget_s=10)
        assert store.ledger().expired == 0
        write_plan(path, _plan(raw_days=1))
        Upkeep(path).run(store, now_us(), budget_s=10)
        assert store.ledger().expired == 2 * 144 * 3


@pytest.mark.parametrize(
    ("keep", "faulty"),
    [
        (Keep(), set()),
        (Keep(30, 365, 0), set()),
        (Keep(30, 10, 0), {"minute_days"}),
        (Keep(0, 10, 0), {"minute_days"}),
        (Keep(10, 20, 15), {"hour_days"}),
    ],
)
def test_what_is_coarser_is_kept_at_least_as_long(keep: Keep, faulty: set[str]) -> None:
    assert set(keep.faults()) == faulty
